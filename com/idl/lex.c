#include "com/idl/lex.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Files in files, macros in macros. */
#define MAX_DEPTH      64
#define MAX_CONDITIONS 64
#define MAX_MACROS     4096
/* How often files are included, in all. */
#define MAX_INCLUDES 1024

struct input {
    struct input *outer;
    const struct source_file *file; /* where errors are shown */
    const char *text;
    size_t offset;
    size_t shown_at;   /* for a macro: the position of its use */
    const char *macro; /* its name, or NULL for a file */
    bool end_marks;
    unsigned depth;
    unsigned n_conditions;
    /* For each #if that is open: 0 skipped, 1 taken, 2 taken before, so skipped now. */
    char conditions[MAX_CONDITIONS];
};

static struct position here(const struct lexer *self)
{
    const struct input *input = self->input;
    return (struct position){input->file, input->macro ? input->shown_at : input->offset};
}

static void fail(struct lexer *self, const char *text)
{
    diagnostics_error(self->diagnostics, here(self), "%s", text);
    self->failed = true;
}

void lexer_init(struct lexer *lexer, struct arena *arena, struct diagnostics *diagnostics,
                const char *const *directories)
{
    *lexer = (struct lexer){.arena = arena, .diagnostics = diagnostics, .directories = directories};
    struct macro *macro =
        arena_append(arena, (void **)&lexer->macros, &lexer->n_macros, sizeof(struct macro));
    *macro = (struct macro){"__VIADUCT_IDL__", "1"};
}

static struct input *push(struct lexer *self, const struct source_file *file, const char *text)
{
    unsigned depth = self->input ? self->input->depth + 1 : 0;
    if (depth > MAX_DEPTH) {
        fail(self, "files or macros are nested too deeply");
        return NULL;
    }
    self->total += strlen(text) + sizeof(struct input);
    if (self->total > SOURCE_MAX_TOTAL) {
        fail(self, arena_print(self->arena, "files and macros come to more than %u bytes in all",
                               SOURCE_MAX_TOTAL));
        return NULL;
    }
    struct input *input = arena_allocate(self->arena, sizeof(*input));
    input->outer = self->input;
    input->file = file;
    input->text = text;
    input->depth = depth;
    self->input = input;
    return input;
}

void lexer_push_file(struct lexer *lexer, const struct source_file *file, bool end_marks)
{
    struct input *input = push(lexer, file, file->text);
    if (input)
        input->end_marks = end_marks;
}

void lexer_pop_file(struct lexer *lexer)
{
    lexer->input = lexer->input->outer;
}

static const struct macro *find_macro(const struct lexer *self, const char *name, size_t size)
{
    for (size_t i = 0; i < self->n_macros; i++)
        if (self->macros[i].name && strlen(self->macros[i].name) == size &&
            !memcmp(self->macros[i].name, name, size))
            return &self->macros[i];
    return NULL;
}

/* A macro is not replaced within its own replacement. */
static bool is_being_replaced(const struct lexer *self, const char *name)
{
    for (const struct input *input = self->input; input; input = input->outer)
        if (input->macro && !strcmp(input->macro, name))
            return true;
    return false;
}

static bool is_skipping(const struct input *input)
{
    for (unsigned i = 0; i < input->n_conditions; i++)
        if (input->conditions[i] != 1)
            return true;
    return false;
}

static size_t name_size(const char *text)
{
    size_t n = 0;
    if (isalpha((unsigned char)text[0]) || text[0] == '_')
        while (isalnum((unsigned char)text[n]) || text[n] == '_')
            n++;
    return n;
}

static const char *skip_blanks(const char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

static void open_condition(struct lexer *self, bool is_true)
{
    struct input *input = self->input;
    if (input->n_conditions == MAX_CONDITIONS) {
        fail(self, "#if is nested too deeply");
        return;
    }
    input->conditions[input->n_conditions++] = is_true;
}

/* "defined(X)", "defined X", "!", "0", "1" and "&&", "||" between them, left to right. */
static bool evaluate(struct lexer *self, const char *text)
{
    bool value = false;
    char join = '|';
    for (;;) {
        bool negate = false;
        text = skip_blanks(text);
        for (; *text == '!'; text = skip_blanks(text + 1))
            negate = !negate;
        bool term;
        if (!strncmp(text, "defined", 7)) {
            text = skip_blanks(text + 7);
            bool parenthesis = *text == '(';
            text = skip_blanks(text + parenthesis);
            size_t n = name_size(text);
            term = n && find_macro(self, text, n);
            text = skip_blanks(text + n);
            if (n == 0 || (parenthesis && *text != ')')) {
                fail(self, "#if: defined(NAME) is expected");
                return false;
            }
            text += parenthesis;
        } else if (*text == '0' || *text == '1') {
            term = *text++ == '1';
        } else {
            fail(self, "#if knows only defined(NAME), 0, 1, !, && and ||");
            return false;
        }
        term = term != negate;
        value = join == '|' ? value || term : value && term;
        text = skip_blanks(text);
        if (!*text)
            return value;
        join = *text;
        if ((join != '|' && join != '&') || text[1] != join) {
            fail(self, "#if knows only defined(NAME), 0, 1, !, && and ||");
            return false;
        }
        text += 2;
    }
}

static bool is_word(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && !memcmp(text, word, size);
}

/* True when the directive was one of conditions, which count in skipped text too. */
static bool condition_directive(struct lexer *self, const char *word, size_t size, const char *rest)
{
    struct input *input = self->input;
    size_t n = name_size(rest);
    if (is_word(word, size, "ifdef"))
        open_condition(self, find_macro(self, rest, n) != NULL);
    else if (is_word(word, size, "ifndef"))
        open_condition(self, find_macro(self, rest, n) == NULL);
    else if (is_word(word, size, "if"))
        open_condition(self, !is_skipping(input) && evaluate(self, rest));
    else if (!is_word(word, size, "else") && !is_word(word, size, "elif") &&
             !is_word(word, size, "endif"))
        return false;
    else if (input->n_conditions == 0)
        fail(self, "there is no #if that this belongs to");
    else if (is_word(word, size, "endif"))
        input->n_conditions--;
    else {
        char *state = &input->conditions[input->n_conditions - 1];
        bool is_else = is_word(word, size, "else");
        *state = *state == 0 ? is_else || evaluate(self, rest) : 2;
    }
    return true;
}

static void include(struct lexer *self, const char *rest)
{
    char close = *rest == '<' ? '>' : '"';
    const char *end = *rest == '<' || *rest == '"' ? strchr(rest + 1, close) : NULL;
    if (!end) {
        fail(self, "#include \"FILE\" is expected");
        return;
    }
    if (self->n_includes++ == MAX_INCLUDES) {
        fail(self, arena_print(self->arena, "more than %d files are included", MAX_INCLUDES));
        return;
    }
    const char *name = arena_text(self->arena, rest + 1, (size_t)(end - rest) - 1);
    const char *path = source_find(self->arena, name, self->input->file->path, self->directories);
    const char *reason = "it is in none of the directories that -I names";
    const struct source_file *file = path ? source_open(self->arena, path, &reason) : NULL;
    if (!file)
        fail(self, arena_print(self->arena, "cannot include %s: %s", name, reason));
    else
        lexer_push_file(self, file, false);
}

static void define(struct lexer *self, const char *rest)
{
    size_t n = name_size(rest);
    if (n == 0 || rest[n] == '(') {
        fail(self,
             n ? "macros with parameters are not supported" : "#define NAME TEXT is expected");
        return;
    }
    if (self->n_macros == MAX_MACROS) {
        fail(self, arena_print(self->arena, "more than %d macros", MAX_MACROS));
        return;
    }
    struct macro *macro =
        arena_append(self->arena, (void **)&self->macros, &self->n_macros, sizeof(struct macro));
    macro->name = arena_text(self->arena, rest, n);
    macro->text = skip_blanks(rest + n);
}

static void undefine(struct lexer *self, const char *rest)
{
    size_t n = name_size(rest);
    for (size_t i = 0; i < self->n_macros; i++)
        if (self->macros[i].name && is_word(rest, n, self->macros[i].name))
            self->macros[i].name = NULL;
}

/* A whole line, joined at backslashes, without comments and the blanks around it. */
static char *directive_line(struct lexer *self)
{
    struct input *input = self->input;
    const char *start = input->text + input->offset;
    size_t size = 0;
    while (start[size] && !(start[size] == '\n' && (size == 0 || start[size - 1] != '\\')))
        size++;
    char *line = arena_text(self->arena, start, size);
    for (char *c = line; *c; c++) {
        if (*c == '\\' && (c[1] == '\n' || c[1] == '\r'))
            *c = ' ';
        if (*c == '\n' || *c == '\r')
            *c = ' ';
        if (c[0] == '/' && (c[1] == '/' || c[1] == '*'))
            *c = 0;
        if (!*c)
            break;
    }
    for (size_t n = strlen(line); n > 0 && isspace((unsigned char)line[n - 1]); n--)
        line[n - 1] = 0;
    return line;
}

static size_t line_size(const struct input *input)
{
    const char *start = input->text + input->offset;
    size_t size = 0;
    while (start[size] && !(start[size] == '\n' && (size == 0 || start[size - 1] != '\\')))
        size++;
    return size;
}

static void directive(struct lexer *self)
{
    struct input *input = self->input;
    const char *line = skip_blanks(directive_line(self) + 1);
    size_t consumed = line_size(input);
    size_t n = name_size(line);
    const char *rest = skip_blanks(line + n);
    if (!condition_directive(self, line, n, rest) && !is_skipping(input)) {
        if (is_word(line, n, "include"))
            include(self, rest);
        else if (is_word(line, n, "define"))
            define(self, rest);
        else if (is_word(line, n, "undef"))
            undefine(self, rest);
        else if (is_word(line, n, "error"))
            fail(self, arena_print(self->arena, "#error %s", rest));
        else if (n && !is_word(line, n, "pragma") && !is_word(line, n, "line"))
            fail(self, arena_print(self->arena, "#%.*s is not known", (int)n, line));
    }
    input->offset += consumed;
}

static bool is_line_start(const struct input *input)
{
    size_t i = input->offset;
    while (i > 0 && (input->text[i - 1] == ' ' || input->text[i - 1] == '\t'))
        i--;
    return !input->macro && (i == 0 || input->text[i - 1] == '\n');
}

static void skip_comment(struct lexer *self)
{
    struct input *input = self->input;
    const char *start = input->text + input->offset;
    if (start[1] == '/') {
        input->offset += strcspn(start, "\n");
        return;
    }
    const char *end = strstr(start + 2, "*/");
    if (!end) {
        fail(self, "this comment does not end");
        input->offset += strlen(start);
        return;
    }
    input->offset = (size_t)(end + 2 - input->text);
}

/* Moves to the next character of a token. False at an end. */
static bool skip_to_token(struct lexer *self)
{
    while (!self->failed) {
        struct input *input = self->input;
        char c = input->text[input->offset];
        if (!c) {
            if (input->n_conditions) {
                fail(self, "an #if of this file has no #endif");
                return false;
            }
            if (input->end_marks || !input->outer)
                return false;
            self->input = input->outer;
        } else if (c == '#' && is_line_start(input)) {
            directive(self);
        } else if (is_skipping(input)) {
            size_t n = strcspn(input->text + input->offset, "\n");
            input->offset += n ? n : 1;
        } else if (isspace((unsigned char)c)) {
            input->offset++;
        } else if (c == '/' && (input->text[input->offset + 1] == '/' ||
                                input->text[input->offset + 1] == '*')) {
            skip_comment(self);
        } else {
            return true;
        }
    }
    return false;
}

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* The length of a real at the start of the text, 0: there is none. It has a point or an exponent,
 * and nothing goes on behind it as a word does. */
static size_t real_size(const char *text)
{
    size_t n = *text == '-';
    size_t whole = digits(text + n);
    n += whole;
    bool has_point = whole > 0 && text[n] == '.' && isdigit((unsigned char)text[n + 1]);
    n += has_point ? 1 + digits(text + n + 1) : 0;
    size_t sign = n + 1 + (text[n] == 'e' || text[n] == 'E' ? strspn(text + n + 1, "+-") : 0);
    bool has_exponent = whole > 0 && (text[n] == 'e' || text[n] == 'E') && sign <= n + 2 &&
                        isdigit((unsigned char)text[sign]);
    n = has_exponent ? sign + digits(text + sign) : n;
    bool goes_on = isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == '.';
    return (has_point || has_exponent) && !goes_on ? n : 0;
}

static void lex_real(struct lexer *self, struct token *token, size_t size)
{
    struct input *input = self->input;
    token->text = arena_text(self->arena, input->text + input->offset, size);
    token->real = strtod(token->text, NULL);
    token->kind = isfinite(token->real) ? TOKEN_REAL : TOKEN_OTHER;
    input->offset += size;
}

/* A GUID begins like a number too, and is skipped word by word after an error: so what is wrong
 * with a number is for who needs one to say. */
static void lex_number(struct lexer *self, struct token *token)
{
    struct input *input = self->input;
    const char *start = input->text + input->offset;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(start, &end, 0);
    bool is_good = errno == 0;
    while (*end && strchr("uUlL", *end))
        end++;
    for (; isalnum((unsigned char)*end) || *end == '_' ||
           (*end == '.' && isdigit((unsigned char)end[1]));
         end++)
        is_good = false;
    token->kind = is_good ? TOKEN_NUMBER : TOKEN_OTHER;
    token->number = (int64_t)value;
    token->text = arena_text(self->arena, start, (size_t)(end - start));
    input->offset += (size_t)(end - start);
}

static void lex_character(struct lexer *self, struct token *token)
{
    struct input *input = self->input;
    const char *start = input->text + input->offset++;
    bool is_printable = isprint((unsigned char)*start);
    token->kind = is_printable ? TOKEN_PUNCTUATION : TOKEN_OTHER;
    token->text = is_printable ? arena_text(self->arena, start, 1)
                               : arena_print(self->arena, "\\x%02x", (unsigned char)*start);
}

/* The closing quote, or what ends the text before it: a line's end, a zero. */
static const char *string_end(const char *at)
{
    while (*at && *at != '"' && *at != '\n')
        at += *at == '\\' && at[1] && at[1] != '\n' ? 2 : 1;
    return at;
}

static void lex_string(struct lexer *self, struct token *token)
{
    struct input *input = self->input;
    const char *next = input->text + input->offset + 1;
    const char *end = string_end(next);
    if (*end != '"') {
        fail(self, "this string does not end on its line");
        return;
    }
    char *out = arena_allocate(self->arena, (size_t)(end - next) + 1);
    for (size_t n = 0; next < end; next++) {
        bool is_escape = *next == '\\' && next + 1 < end;
        next += is_escape;
        out[n++] = is_escape && *next == 'n' ? '\n' : is_escape && *next == 't' ? '\t' : *next;
    }
    token->kind = TOKEN_STRING;
    token->text = out;
    input->offset = (size_t)(end + 1 - input->text);
}

/* 'a': a number, as in C. */
static void lex_character_constant(struct lexer *self, struct token *token)
{
    struct input *input = self->input;
    const char *start = input->text + input->offset;
    bool is_escape = start[1] == '\\' && start[2];
    const char *end = start + (is_escape ? 3 : 2);
    char c = is_escape && start[2] == 'n' ? '\n' : is_escape && start[2] == '0' ? 0 : end[-1];
    bool is_good = isprint((unsigned char)end[-1]) && *end == '\'';
    if (!is_good) {
        lex_character(self, token);
        return;
    }
    token->kind = TOKEN_NUMBER;
    token->number = c;
    token->text = arena_text(self->arena, start, (size_t)(end + 1 - start));
    input->offset += (size_t)(end + 1 - start);
}

struct token lexer_next(struct lexer *lexer)
{
    struct token token = {.kind = TOKEN_END, .text = "the end of the file"};
    while (skip_to_token(lexer)) {
        struct input *input = lexer->input;
        const char *start = input->text + input->offset;
        token.position = here(lexer);
        size_t n = name_size(start);
        if (n) {
            const struct macro *macro = find_macro(lexer, start, n);
            input->offset += n;
            if (macro && !is_being_replaced(lexer, macro->name)) {
                struct input *replacement = push(lexer, token.position.file, macro->text);
                if (replacement) {
                    replacement->macro = macro->name;
                    replacement->shown_at = token.position.offset;
                }
                continue;
            }
            token.kind = TOKEN_NAME;
            token.text = arena_text(lexer->arena, start, n);
            return token;
        }
        size_t n_real = real_size(start);
        if (n_real) {
            lex_real(lexer, &token, n_real);
        } else if (isdigit((unsigned char)*start)) {
            lex_number(lexer, &token);
        } else if (*start == '"') {
            lex_string(lexer, &token);
        } else if (*start == '\'' && start[1]) {
            lex_character_constant(lexer, &token);
        } else {
            lex_character(lexer, &token);
        }
        return token;
    }
    token.position = here(lexer);
    return token;
}

const char *lexer_uuid(struct lexer *lexer, struct position *position)
{
    if (!skip_to_token(lexer))
        return NULL;
    struct input *input = lexer->input;
    const char *start = input->text + input->offset;
    *position = here(lexer);
    bool quoted = *start == '"';
    size_t n = quoted;
    while (isalnum((unsigned char)start[n]) || start[n] == '-' || start[n] == '_')
        n++;
    const struct macro *macro = find_macro(lexer, start, n);
    input->offset += n + (quoted && start[n] == '"');
    return macro ? macro->text : arena_text(lexer->arena, start + quoted, n - quoted);
}
