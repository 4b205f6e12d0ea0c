/* Statements: imports, interfaces, libraries, classes, typedefs, constants. */
#include "com/idl/parser.h"

#include "core/os/path.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_IMPORT_DEPTH 16

/* What a file may import without there being a file: their types are built in. */
static const char *const builtin_imports[] = {"unknwn.idl", "wtypes.idl", "objidl.idl", "oaidl.idl",
                                              "ocidl.idl"};

void parser_advance(struct parser *parser)
{
    parser->token = lexer_next(&parser->lexer);
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

bool parser_integer(struct parser *parser, int64_t *number)
{
    if (parser->token.kind != TOKEN_NUMBER)
        return parser_expected(parser, "a number");
    *number = parser->token.number;
    parser_advance(parser);
    return true;
}

/* --- methods
 * -------------------------------------------------------------------------------------- */

static const char *method_c_name(struct parser *self, const char *name, unsigned flags)
{
    const char *prefix = flags & VIA_METHOD_PROPGET      ? "get_"
                         : flags & VIA_METHOD_PROPPUT    ? "put_"
                         : flags & VIA_METHOD_PROPPUTREF ? "putref_"
                                                         : "";
    return arena_print(&self->unit->arena, "%s%s", prefix, name);
}

static uint16_t method_flags(unsigned attributes)
{
    return (uint16_t)((attributes & ATTRIBUTE_ONEWAY ? VIA_METHOD_ONEWAY : 0) |
                      (attributes & ATTRIBUTE_PROPGET ? VIA_METHOD_PROPGET : 0) |
                      (attributes & ATTRIBUTE_PROPPUT ? VIA_METHOD_PROPPUT : 0) |
                      (attributes & ATTRIBUTE_PROPPUTREF ? VIA_METHOD_PROPPUTREF : 0));
}

static bool parse_params(struct parser *self, struct member **members, size_t *n)
{
    if (parser_accept(self, ')'))
        return true;
    /* "(void)" */
    do {
        struct member member;
        if (parser_is_word(self, "void") && *n == 0) {
            parser_advance(self);
            if (parser_accept(self, ')'))
                return true;
            return parser_error(self, self->token.position, "void * is not supported");
        }
        if (!declare_member(self, true, &member))
            return false;
        *(struct member *)arena_append(&self->unit->arena, (void **)members, n, sizeof(member)) =
            member;
    } while (parser_accept(self, ','));
    return parser_require(self, ')');
}

/* Rules that concern the whole method; the library's validation has the rest. */
static bool check_method(struct parser *self, const struct attributes *attributes,
                         struct position position, const struct member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool is_out = members[i].flags & VIA_PARAM_OUT;
        if (is_out && (attributes->flags & ATTRIBUTE_ONEWAY))
            return parser_error(self, members[i].position,
                                "a one-way method has no [out] parameters");
        if ((members[i].flags & VIA_PARAM_RETVAL) && (!is_out || i + 1 != n))
            return parser_error(self, members[i].position,
                                "[retval] is for the last parameter, with [out]");
    }
    if ((attributes->flags & ATTRIBUTE_PROPGET) &&
        (n == 0 || !(members[n - 1].flags & VIA_PARAM_OUT)))
        return parser_error(self, position,
                            "a propget method ends with an [out, retval] parameter");
    return true;
}

static bool parse_method(struct parser *self, struct unit_interface *iface)
{
    struct attributes attributes;
    struct base_type result;
    struct member *members = NULL;
    size_t n = 0;
    const char *name;
    if (!attributes_parse(self, PLACE_METHOD, &attributes) || !declare_base(self, &result))
        return false;
    if (result.kind != VIA_TYPE_HRESULT || parser_is(self, '*'))
        return parser_error(self, result.position, "a method returns HRESULT");
    struct position position = self->token.position;
    if (!parser_name(self, &name) || !parser_require(self, '(') ||
        !parse_params(self, &members, &n) || !parser_require(self, ';') ||
        !declare_resolve(self, members, n, true) ||
        !check_method(self, &attributes, position, members, n))
        return false;
    struct arena *arena = &self->unit->arena;
    struct via_param *params = arena_allocate(arena, (n + 1) * sizeof(*params));
    struct unit_declaration *declarations = arena_allocate(arena, (n + 1) * sizeof(*declarations));
    for (size_t i = 0; i < n; i++) {
        params[i] = (struct via_param){members[i].name, members[i].type, members[i].flags};
        declarations[i].text = members[i].declaration;
    }
    const char *c_name = method_c_name(self, name, method_flags(attributes.flags));
    for (size_t i = 0; i < iface->n_methods; i++)
        if (!strcmp(iface->methods[i].c_name, c_name))
            return parser_error(self, position, "method %s is there twice", name);
    struct unit_method *method =
        arena_append(arena, (void **)&iface->methods, &iface->n_methods, sizeof(*method));
    method->method = (struct via_method){
        name, attributes.flags & ATTRIBUTE_ID ? attributes.id : (int32_t)iface->n_methods,
        method_flags(attributes.flags), (uint16_t)n, params};
    method->c_name = c_name;
    method->declarations = declarations;
    return true;
}

/* --- interfaces
 * ----------------------------------------------------------------------------------- */

static bool set_base(struct parser *self, size_t index)
{
    const char *base;
    struct position position = self->token.position;
    if (!parser_require(self, ':') || !parser_name(self, &base))
        return false;
    size_t base_index = unit_interface(self->unit, base);
    if (!self->unit->interfaces[base_index].is_defined || base_index == index)
        return parser_error(self, position, "base interface %s is not defined before this", base);
    self->unit->interfaces[index].interface.base = (uint16_t)base_index;
    return true;
}

static bool define_interface(struct parser *self, size_t index, const struct attributes *attributes,
                             struct position position)
{
    struct unit *unit = self->unit;
    const char *name = unit->interfaces[index].interface.name;
    if (unit->interfaces[index].is_defined)
        return parser_error(self, position, "interface %s is defined twice, or built in", name);
    if (!(attributes->flags & ATTRIBUTE_UUID))
        return parser_error(self, position, "interface %s has no uuid()", name);
    if (!(attributes->flags & (ATTRIBUTE_OBJECT | ATTRIBUTE_DUAL)))
        return parser_error(self, position, "interface %s needs the attribute object", name);
    if (!set_base(self, index) || !parser_require(self, '{'))
        return false;
    /* Methods may name interfaces that are new: the entry is worked on as a copy. */
    struct unit_interface copy = unit->interfaces[index];
    copy.position = position;
    copy.interface.iid = attributes->uuid;
    copy.interface.flags =
        (uint16_t)((attributes->flags & ATTRIBUTE_DUAL ? VIA_INTERFACE_DUAL : 0) |
                   (attributes->flags & ATTRIBUTE_OLEAUTOMATION ? VIA_INTERFACE_OLEAUTOMATION : 0));
    while (!parser_is(self, '}')) {
        if (self->token.kind == TOKEN_END)
            return parser_expected(self, "'}'");
        if (!parse_method(self, &copy))
            return false;
    }
    parser_advance(self);
    copy.is_defined = true;
    copy.is_imported = self->import_depth > 0;
    unit->interfaces[index] = copy;
    if (!copy.is_imported)
        unit_add_item(unit, UNIT_INTERFACE, index, NULL);
    return true;
}

static bool parse_interface(struct parser *self, const struct attributes *attributes)
{
    const char *name;
    struct position position = self->token.position;
    if (!parser_name(self, &name))
        return false;
    size_t index = unit_interface(self->unit, name);
    if (parser_accept(self, ';')) {
        if (self->import_depth == 0 && !self->unit->interfaces[index].is_defined)
            unit_add_item(self->unit, UNIT_FORWARD, index, NULL);
        return true;
    }
    return define_interface(self, index, attributes, position);
}

/* --- classes and libraries
 * ------------------------------------------------------------------------ */

static bool parse_coclass_member(struct parser *self, struct via_coclass_interface **list,
                                 size_t *n)
{
    struct attributes attributes;
    const char *name;
    if (!attributes_parse(self, PLACE_MEMBER, &attributes))
        return false;
    struct position position = self->token.position;
    if (!parser_accept_word(self, "interface"))
        return parser_is_word(self, "dispinterface")
                   ? parser_error(self, position, "dispinterface is not supported")
                   : parser_expected(self, "interface");
    position = self->token.position;
    if (!parser_name(self, &name) || !parser_require(self, ';'))
        return false;
    size_t index = unit_interface(self->unit, name);
    if (!self->unit->interfaces[index].is_defined)
        return parser_error(self, position, "interface %s is not defined", name);
    struct via_coclass_interface *entry =
        arena_append(&self->unit->arena, (void **)list, n, sizeof(*entry));
    entry->interface_index = (uint16_t)index;
    entry->flags = (uint16_t)((attributes.flags & ATTRIBUTE_DEFAULT ? VIA_COCLASS_DEFAULT : 0) |
                              (attributes.flags & ATTRIBUTE_SOURCE ? VIA_COCLASS_SOURCE : 0));
    return true;
}

static bool parse_coclass(struct parser *self, const struct attributes *attributes)
{
    struct via_coclass_interface *list = NULL;
    size_t n = 0;
    const char *name;
    struct position position = self->token.position;
    if (!parser_name(self, &name))
        return false;
    if (!(attributes->flags & ATTRIBUTE_UUID))
        return parser_error(self, position, "coclass %s has no uuid()", name);
    if (!parser_require(self, '{'))
        return false;
    while (!parser_accept(self, '}'))
        if (!parse_coclass_member(self, &list, &n))
            return false;
    if (self->import_depth > 0)
        return true;
    struct unit *unit = self->unit;
    struct via_coclass *coclass =
        arena_append(&unit->arena, (void **)&unit->coclasses, &unit->n_coclasses, sizeof(*coclass));
    *coclass = (struct via_coclass){name, attributes->uuid, (uint16_t)n, list};
    unit_add_item(unit, UNIT_COCLASS, unit->n_coclasses - 1, NULL);
    return true;
}

static void parse_statements(struct parser *self, bool in_braces);

static bool parse_library(struct parser *self, const struct attributes *attributes)
{
    struct unit *unit = self->unit;
    const char *name = NULL;
    struct position position = self->token.position;
    if (!parser_name(self, &name))
        return false;
    if (!(attributes->flags & ATTRIBUTE_UUID))
        return parser_error(self, position, "library %s has no uuid()", name);
    if (unit->has_library && self->import_depth == 0)
        return parser_error(self, position, "a file has one library");
    if (!parser_require(self, '{'))
        return false;
    if (self->import_depth == 0) {
        unit->has_library = true;
        unit->name = name;
        unit->libid = attributes->uuid;
        unit->version_major = attributes->version_major;
        unit->version_minor = attributes->version_minor;
    }
    parse_statements(self, true);
    return parser_require(self, '}');
}

/* --- the rest
 * ------------------------------------------------------------------------------------- */

static bool parse_typedef(struct parser *self)
{
    struct attributes attributes;
    struct base_type base;
    const char *name;
    unsigned n_stars = 0;
    if (!attributes_parse(self, PLACE_TYPEDEF, &attributes))
        return false;
    bool is_const = parser_accept_word(self, "const");
    bool is_definition = parser_is_word(self, "struct") || parser_is_word(self, "enum");
    size_t n_items = self->unit->n_items;
    if (!declare_base(self, &base))
        return false;
    is_definition &= self->unit->n_items > n_items || self->import_depth > 0;
    while (parser_accept(self, '*'))
        n_stars++;
    struct position position = self->token.position;
    if (!parser_name(self, &name))
        return false;
    if (parser_is(self, '['))
        return parser_error(self, position,
                            "a typedef of an array is not supported: put it into a struct");
    if (parser_is(self, ','))
        return parser_error(self, self->token.position, "one name for each typedef");
    if (base.is_void || base.kind == VIA_TYPE_INTERFACE)
        return parser_error(self, position, "a typedef of %s is not supported", base.c_name);
    if (unit_find_name(self->unit, name))
        return parser_error(self, position, "%s is defined twice", name);
    struct unit_name *entry = arena_append(&self->unit->arena, (void **)&self->unit->names,
                                           &self->unit->n_names, sizeof(*entry));
    *entry = (struct unit_name){
        name, name, base.kind, base.index, (uint8_t)(base.pointers + n_stars), base.is_string};
    bool renames = is_definition && n_stars == 0;
    if (renames)
        record_rename(self, base.kind, base.index, name);
    else if (self->import_depth == 0)
        unit_add_item(self->unit, UNIT_TEXT, 0,
                      arena_print(&self->unit->arena, "typedef %s%s %.*s%s;",
                                  is_const ? "const " : "", base.c_name, (int)n_stars, "********",
                                  name));
    return parser_require(self, ';');
}

static bool parse_const(struct parser *self)
{
    struct base_type type;
    const char *name;
    int64_t number = 0;
    if (!declare_base(self, &type))
        return false;
    if (type.kind < VIA_TYPE_I8 || type.kind > VIA_TYPE_U64)
        return parser_error(self, type.position, "a constant is an integer");
    if (!parser_name(self, &name) || !parser_require(self, '='))
        return false;
    bool negative = parser_accept(self, '-');
    if (!parser_integer(self, &number) || !parser_require(self, ';'))
        return false;
    if (self->import_depth == 0)
        unit_add_item(self->unit, UNIT_TEXT, 0,
                      arena_print(&self->unit->arena, "#define %s ((%s)%s%" PRId64 ")", name,
                                  type.c_name, negative ? "-" : "", number));
    return true;
}

static bool parse_cpp_quote(struct parser *self)
{
    if (!parser_require(self, '('))
        return false;
    if (self->token.kind != TOKEN_STRING)
        return parser_expected(self, "a string");
    if (self->import_depth == 0)
        unit_add_item(self->unit, UNIT_TEXT, 0, self->token.text);
    parser_advance(self);
    if (!parser_require(self, ')'))
        return false;
    parser_accept(self, ';');
    return true;
}

static bool is_builtin_import(const char *name)
{
    for (size_t i = 0; i < sizeof(builtin_imports) / sizeof(builtin_imports[0]); i++)
        if (!strcmp(builtin_imports[i], name))
            return true;
    return false;
}

static bool was_imported(struct unit *unit, const char *path)
{
    for (size_t i = 0; i < unit->n_imported_paths; i++)
        if (!strcmp(unit->imported_paths[i], path))
            return true;
    *(const char **)arena_append(&unit->arena, (void **)&unit->imported_paths,
                                 &unit->n_imported_paths, sizeof(char *)) = path;
    return false;
}

/* The header of an imported file, as the file itself is named: "sub/other.idl" -> "other.h". */
static const char *header_name(struct unit *unit, const char *name)
{
    const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
    const char *dot = strrchr(base, '.');
    return arena_print(&unit->arena, "%.*s.h", (int)(dot ? dot - base : (long)strlen(base)), base);
}

static bool import_file(struct parser *self, const char *name, struct position position)
{
    struct unit *unit = self->unit;
    const char *reason = "it is neither beside this file nor in a directory that -I names";
    if (self->import_depth == MAX_IMPORT_DEPTH)
        return parser_error(self, position, "imports are nested too deeply");
    const char *path =
        source_find(&unit->arena, name, position.file->path, self->lexer.directories);
    const struct source_file *file = path ? source_open(&unit->arena, path, &reason) : NULL;
    if (!file)
        return parser_error(self, position, "cannot import %s: %s", name, reason);
    if (self->import_depth == 0)
        *(const char **)arena_append(&unit->arena, (void **)&unit->imports, &unit->n_imports,
                                     sizeof(char *)) = header_name(unit, name);
    if (was_imported(unit, path))
        return true;
    struct token after = self->token;
    self->import_depth++;
    lexer_push_file(&self->lexer, file, true);
    parser_advance(self);
    parse_statements(self, false);
    if (!self->lexer.failed)
        lexer_pop_file(&self->lexer);
    self->import_depth--;
    self->token = after;
    return true;
}

static bool parse_import(struct parser *self)
{
    do {
        const char *name = self->token.text;
        struct position position = self->token.position;
        if (self->token.kind != TOKEN_STRING)
            return parser_expected(self, "a file name in quotes");
        parser_advance(self);
        if (!is_builtin_import(name) && !import_file(self, name, position))
            return false;
    } while (parser_accept(self, ','));
    return parser_require(self, ';');
}

static bool parse_importlib(struct parser *self)
{
    if (!parser_require(self, '('))
        return false;
    if (self->token.kind != TOKEN_STRING)
        return parser_expected(self, "a file name in quotes");
    /* Only stdole brings what is built in here; another library could bring anything. */
    if (strcmp(self->token.text, "stdole2.tlb") && strcmp(self->token.text, "stdole32.tlb"))
        return parser_error(self, self->token.position, "importlib of %s is not supported",
                            self->token.text);
    parser_advance(self);
    return parser_require(self, ')') && parser_require(self, ';');
}

static bool parse_record(struct parser *self)
{
    uint16_t index;
    bool is_struct = parser_is_word(self, "struct");
    if (!(is_struct ? record_struct(self, &index) : record_enum(self, &index)))
        return false;
    return parser_require(self, ';');
}

static bool parse_statement(struct parser *self)
{
    struct attributes attributes;
    if (parser_accept(self, ';'))
        return true;
    if (parser_accept_word(self, "import"))
        return parse_import(self);
    if (parser_accept_word(self, "importlib"))
        return parse_importlib(self);
    if (parser_accept_word(self, "cpp_quote"))
        return parse_cpp_quote(self);
    if (parser_accept_word(self, "typedef"))
        return parse_typedef(self);
    if (parser_accept_word(self, "const"))
        return parse_const(self);
    if (parser_is_word(self, "struct") || parser_is_word(self, "enum"))
        return parse_record(self);
    struct position position = self->token.position;
    if (!attributes_parse(self, PLACE_INTERFACE | PLACE_COCLASS | PLACE_LIBRARY, &attributes))
        return false;
    if (parser_accept_word(self, "interface"))
        return parse_interface(self, &attributes);
    if (parser_accept_word(self, "coclass"))
        return parse_coclass(self, &attributes);
    if (parser_accept_word(self, "library"))
        return parse_library(self, &attributes);
    if (self->token.kind == TOKEN_NAME)
        return parser_error(self, position, "%s is not supported here", self->token.text);
    return parser_expected(self,
                           "interface, coclass, library, struct, enum, typedef, const or import");
}

/* To the end of the statement that could not be parsed. */
static void recover(struct parser *self)
{
    unsigned depth = 0;
    while (self->token.kind != TOKEN_END) {
        bool ends = depth == 0 && parser_is(self, ';');
        if (parser_is(self, '{'))
            depth++;
        if (parser_is(self, '}')) {
            ends = depth <= 1;
            depth -= depth > 0;
        }
        parser_advance(self);
        if (ends)
            return;
    }
}

static void parse_statements(struct parser *self, bool in_braces)
{
    while (self->token.kind != TOKEN_END && !(in_braces && parser_is(self, '}'))) {
        if (parse_statement(self))
            continue;
        if (self->lexer.failed || self->unit->diagnostics.n_errors >= SOURCE_MAX_ERRORS)
            return;
        recover(self);
    }
}

static const char *make_stem(struct unit *unit, const char *path)
{
    const char *name = os_path_name(path);
    const char *dot = strrchr(name, '.');
    char *stem =
        arena_print(&unit->arena, "%.*s", (int)(dot ? dot - name : (long)strlen(name)), name);
    for (char *c = stem; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    return isdigit((unsigned char)stem[0]) || !stem[0] ? arena_print(&unit->arena, "_%s", stem)
                                                       : stem;
}

bool unit_parse(struct unit *unit, const char *path, const char *const *directories)
{
    struct parser parser = {.unit = unit};
    const char *reason;
    unit->path = path;
    unit->stem = make_stem(unit, path);
    unit->name = unit->stem;
    const struct source_file *file = source_open(&unit->arena, path, &reason);
    if (!file) {
        fprintf(stderr, "viaduct-idl: %s\n", reason);
        return false;
    }
    lexer_init(&parser.lexer, &unit->arena, &unit->diagnostics, directories);
    was_imported(unit, path);
    unit_interface(unit, "IUnknown");
    lexer_push_file(&parser.lexer, file, true);
    parser_advance(&parser);
    parse_statements(&parser, false);
    return unit->diagnostics.n_errors == 0;
}
