/* The parser's steps from token to token, and what it does after an error. */
#include "com/idl/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void parser_advance(struct parser *parser)
{
    parser->behind_semicolon = parser_is(parser, ';');
    parser->n_tokens++;
    parser->token = lexer_next(&parser->lexer);
}

bool parser_enter(struct parser *parser)
{
    if (parser->nesting == PARSER_MAX_NESTING) {
        parser_error(parser, parser->token.position, "definitions are nested too deeply");
        parser->lexer.failed = true; /* what follows are only their ends */
        return false;
    }
    parser->nesting++;
    return true;
}

void parser_leave(struct parser *parser)
{
    parser->nesting--;
}

bool parser_recover(struct parser *parser, size_t start, bool ends_at_brace)
{
    unsigned depth = 0;
    if (parser->lexer.failed || parser->unit->diagnostics.n_errors >= SOURCE_MAX_ERRORS)
        return false;
    if (parser->n_tokens != start && parser->behind_semicolon)
        return true;
    while (parser->token.kind != TOKEN_END) {
        if (parser_is(parser, '}') && depth == 0)
            return true;
        bool ends = depth == 0 && parser_is(parser, ';');
        if (parser_is(parser, '{'))
            depth++;
        if (parser_is(parser, '}'))
            ends = --depth == 0 && ends_at_brace;
        parser_advance(parser);
        if (ends)
            break;
    }
    return !parser->lexer.failed;
}

bool parser_error(struct parser *parser, struct position position, const char *format, ...)
{
    char text[512];
    va_list arguments;
    /* After a lexical error what follows is noise. */
    if (parser->lexer.failed)
        return false;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    diagnostics_error(&parser->unit->diagnostics, position, "%s", text);
    return false;
}

bool parser_expected(struct parser *parser, const char *what)
{
    const struct token *token = &parser->token;
    bool is_end = token->kind == TOKEN_END;
    return parser_error(parser, token->position, "%s is expected before %s%s%s", what,
                        is_end ? "" : "'", token->text, is_end ? "" : "'");
}

bool parser_is(const struct parser *parser, char punctuation)
{
    return parser->token.kind == TOKEN_PUNCTUATION && parser->token.text[0] == punctuation;
}

bool parser_is_word(const struct parser *parser, const char *word)
{
    return parser->token.kind == TOKEN_NAME && !strcmp(parser->token.text, word);
}

bool parser_accept(struct parser *parser, char punctuation)
{
    if (!parser_is(parser, punctuation))
        return false;
    parser_advance(parser);
    return true;
}

bool parser_accept_word(struct parser *parser, const char *word)
{
    if (!parser_is_word(parser, word))
        return false;
    parser_advance(parser);
    return true;
}

bool parser_require(struct parser *parser, char punctuation)
{
    char what[] = {'\'', punctuation, '\'', 0};
    return parser_accept(parser, punctuation) || parser_expected(parser, what);
}

bool parser_name(struct parser *parser, const char **name)
{
    if (parser->token.kind != TOKEN_NAME)
        return parser_expected(parser, "a name");
    *name = parser->token.text;
    parser_advance(parser);
    return true;
}

/* Words of C up to C23, of C++ up to C++20 and of the compilers' GNU dialects; what Windows's
 * headers define as macros; and the two names that the header itself uses in every interface. Each
 * has a blank on both sides. */
static const char keywords[] =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t"
    " char8_t class co_await co_return co_yield compl concept const const_cast consteval constexpr"
    " constinit continue decltype default delete do double dynamic_cast else enum explicit export"
    " extern false float for friend goto if inline int long mutable namespace new noexcept not"
    " not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires"
    " restrict return short signed sizeof static static_assert static_cast struct switch template"
    " this thread_local throw true try typedef typeid typename typeof typeof_unqual union unsigned"
    " using virtual void volatile wchar_t while xor xor_eq"
    " i386 linux unix"
    " CALLBACK CONST FALSE IN NULL OPTIONAL OUT TRUE cdecl far hyper interface near pascal small"
    " This lpVtbl"
    " _Alignas _Alignof _Atomic _BitInt _Bool _Complex _Generic _Imaginary _Noreturn _Pragma"
    " _Static_assert _Thread_local ";

static bool is_keyword(const char *name)
{
    size_t size = strlen(name);
    for (const char *at = strstr(keywords, name); at; at = strstr(at + 1, name))
        if (at[-1] == ' ' && at[size] == ' ')
            return true;
    return false;
}

bool parser_check_name(struct parser *parser, const char *name, struct position position)
{
    if (is_keyword(name))
        return parser_error(parser, position,
                            "%s cannot be a name: it has a meaning in the header's C or C++", name);
    /* "__int64": the language's own, in all their variety. "_NewEnum" is C's, too, but COM's type
     * libraries are full of such names, and no header minds. */
    if (name[0] == '_' && name[1] == '_')
        return parser_error(parser, position, "%s cannot be a name: C reserves names like it",
                            name);
    return true;
}

bool parser_new_name(struct parser *parser, const char **name)
{
    struct position position = parser->token.position;
    return parser_name(parser, name) && parser_check_name(parser, *name, position);
}

bool parser_integer(struct parser *parser, int64_t *number)
{
    if (parser->token.kind == TOKEN_OTHER || parser->token.kind == TOKEN_REAL)
        return parser_error(parser, parser->token.position, "%s is no integer of 64 bits",
                            parser->token.text);
    if (parser->token.kind != TOKEN_NUMBER)
        return parser_expected(parser, "a number");
    *number = parser->token.number;
    parser_advance(parser);
    return true;
}
