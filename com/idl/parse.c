/* Statements: imports, libraries, classes, typedefs. */
#include "com/idl/parser.h"
#include "com/typelib/typelib.h"

#include "core/os/path.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAX_IMPORT_DEPTH 16

/* What a file may import without there being a file: their types are built in. */
static const char *const builtin_imports[] = {"unknwn.idl", "wtypes.idl", "objidl.idl", "oaidl.idl",
                                              "ocidl.idl"};

/* --- classes and libraries --- */

static bool parse_coclass_member(struct parser *self, struct via_coclass_interface **list,
                                 size_t *n)
{
    struct attributes attributes;
    const char *name;
    if (!attributes_parse(self, PLACE_MEMBER, &attributes))
        return false;
    if (!parser_accept_word(self, "interface") && !parser_accept_word(self, "dispinterface"))
        return parser_expected(self, "interface");
    struct position position = self->token.position;
    if (!parser_name(self, &name) || !parser_require(self, ';'))
        return false;
    size_t index = unit_interface(self->unit, name);
    if (!self->unit->interfaces[index].is_defined)
        return parser_error(self, position, "interface %s is not defined", name);
    struct via_coclass_interface *entry =
        arena_append(&self->unit->arena, (void **)list, n, sizeof(*entry));
    entry->interface_index = (uint16_t)index;
    entry->flags =
        (uint16_t)((attributes.flags & ATTRIBUTE_DEFAULT ? VIA_COCLASS_DEFAULT : 0) |
                   (attributes.flags & ATTRIBUTE_SOURCE ? VIA_COCLASS_SOURCE : 0) |
                   (attributes.flags & ATTRIBUTE_RESTRICTED ? VIA_COCLASS_RESTRICTED : 0));
    return true;
}

static bool parse_coclass(struct parser *self, const struct attributes *attributes)
{
    struct via_coclass_interface *list = NULL;
    size_t n = 0;
    const char *name;
    struct position position = self->token.position;
    if (!parser_new_name(self, &name))
        return false;
    if (!(attributes->flags & ATTRIBUTE_UUID))
        return parser_error(self, position, "coclass %s has no uuid()", name);
    if (!parser_require(self, '{'))
        return false;
    while (!parser_accept(self, '}')) {
        size_t start = self->n_tokens;
        if (self->token.kind == TOKEN_END)
            return parser_expected(self, "'}'");
        if (!parse_coclass_member(self, &list, &n) && !parser_recover(self, start, false))
            return false;
    }
    if (self->import_depth > 0)
        return true;
    struct unit *unit = self->unit;
    if (n > UINT16_MAX || unit->n_coclasses == TYPELIB_MAX_ENTRIES)
        return parser_error(self, position, "more than %u classes, or interfaces in one",
                            TYPELIB_MAX_ENTRIES);
    struct via_coclass *coclass =
        arena_append(&unit->arena, (void **)&unit->coclasses, &unit->n_coclasses, sizeof(*coclass));
    unsigned flags = (attributes->flags & ATTRIBUTE_HIDDEN ? VIA_CLASS_HIDDEN : 0) |
                     (attributes->flags & ATTRIBUTE_NONCREATABLE ? VIA_CLASS_NONCREATABLE : 0);
    *coclass = (struct via_coclass){name, attributes->uuid, (uint16_t)flags, (uint16_t)n,
                                    list, attributes->help};
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
        unit->flags =
            (uint16_t)((attributes->flags & ATTRIBUTE_RESTRICTED ? VIA_LIBRARY_RESTRICTED : 0) |
                       (attributes->flags & ATTRIBUTE_HIDDEN ? VIA_LIBRARY_HIDDEN : 0));
        unit->help = attributes->help;
    }
    if (!parser_enter(self))
        return false;
    parse_statements(self, true);
    parser_leave(self);
    return parser_require(self, '}');
}

/* --- the rest --- */

/* What a typedef may name: a whole type. */
static bool check_typedef(struct parser *self, const struct member *member)
{
    const struct base_type *base = &member->base;
    struct position position = member->position;
    bool is_pointer =
        member->n_levels > 0 && member->levels[member->n_levels - 1].kind == LEVEL_POINTER;
    if (base->is_void || (base->kind == VIA_TYPE_INTERFACE && !is_pointer))
        return parser_error(self, position, "a typedef of %s is not supported", base->c_name);
    for (unsigned i = 0; i < member->n_levels; i++)
        if (member->levels[i].kind == LEVEL_OPEN_ARRAY)
            return parser_error(self, position,
                                "%s[]: a typedef says how many elements an array has",
                                member->name);
    if (unit_find_name(self->unit, member->name))
        return parser_error(self, position, "%s is defined twice", member->name);
    if (self->unit->n_names == TYPELIB_MAX_TYPES || self->unit->n_aliases == TYPELIB_MAX_ENTRIES)
        return parser_error(self, position, "more than %u typedefs, or %u of other types' names",
                            TYPELIB_MAX_TYPES, TYPELIB_MAX_ENTRIES);
    if (member->n_levels > 0)
        record_check_complete(self, member, 1);
    return true;
}

static struct unit_name *add_typedef(struct parser *self, const struct member *member)
{
    struct unit *unit = self->unit;
    struct unit_name *entry =
        arena_append(&unit->arena, (void **)&unit->names, &unit->n_names, sizeof(*entry));
    *entry = (struct unit_name){member->name, member->base};
    entry->type.c_name = member->name;
    memcpy(entry->type.levels, member->levels, sizeof(member->levels));
    entry->type.n_levels = member->n_levels;
    return entry;
}

/* "typedef struct Node Node;" gives no other name. What needs a word of its own wherever it stands,
 * a discriminant or a kind of handle, is no type that a description could name. */
static bool is_kept(const struct unit *unit, const struct member *member)
{
    const struct base_type *base = &member->base;
    const char *own = base->kind == VIA_TYPE_STRUCT ? unit->structs[base->index].tag
                      : base->kind == VIA_TYPE_ENUM ? unit->enums[base->index].tag
                                                    : "";
    return base->kind != VIA_TYPE_UNION && base->kind != VIA_TYPE_HANDLE &&
           (member->n_levels > 0 || strcmp(own, member->name) != 0);
}

/* Into the description: a name of a type that has one, or none, already. */
static bool add_alias(struct parser *self, struct member *member, struct unit_name *entry)
{
    const unsigned told = ATTRIBUTE_PUBLIC | ATTRIBUTE_UUID;
    struct unit *unit = self->unit;
    const struct attributes *attributes = &member->attributes;
    if (!is_kept(unit, member))
        return true;
    if (!declare_resolve(self, member, 1, OWNER_STRUCT))
        return false;
    struct via_alias *alias =
        arena_append(&unit->arena, (void **)&unit->aliases, &unit->n_aliases, sizeof(*alias));
    *alias =
        (struct via_alias){.name = member->name, .type = member->type, .help = attributes->help};
    /* As MIDL has it: one of which nothing is said is for the header alone. */
    if (attributes->flags & told || attributes->help)
        alias->flags = VIA_ALIAS_PUBLIC;
    if (attributes->flags & ATTRIBUTE_UUID)
        alias->uuid = attributes->uuid;
    *(member->n_levels > 0 ? &entry->type.levels[0].alias : &entry->type.alias) =
        (uint16_t)unit->n_aliases;
    return true;
}

/* What is said of a typedef stands in the header, on one line, since a backslash before the end of
 * one could put together what ends the comment. */
static void add_help(struct unit *unit, const char *help)
{
    size_t size = strlen(help);
    char *text = arena_allocate(&unit->arena, 2 * size + 1);
    char *end = text;
    for (size_t i = 0; i < size; i++) {
        bool is_mark = i > 0 && ((help[i] == '/' && help[i - 1] == '*') ||
                                 (help[i] == '*' && help[i - 1] == '/'));
        if (is_mark)
            *end++ = ' ';
        *end++ = (unsigned char)help[i] < 0x20 ? ' ' : help[i];
    }
    *end = 0;
    unit_add_item(unit, UNIT_TEXT, 0, arena_print(&unit->arena, "/* %s */", text));
}

static bool parse_typedef(struct parser *self)
{
    struct unit *unit = self->unit;
    struct member member = {0};
    if (!attributes_parse(self, PLACE_TYPEDEF, &member.attributes))
        return false;
    size_t n_definitions = self->n_definitions;
    if (!declare_typedef(self, &member))
        return false;
    if (parser_is(self, ','))
        return parser_error(self, self->token.position, "one name for each typedef");
    if (!check_typedef(self, &member))
        return false;
    struct unit_name *entry = add_typedef(self, &member);
    bool is_alias = self->n_definitions == n_definitions || member.n_levels > 0;
    if (is_alias && !add_alias(self, &member, entry))
        return false;
    if (!is_alias)
        record_rename(self, member.base.kind, member.base.index, member.name,
                      member.attributes.help);
    if (is_alias && self->import_depth == 0) {
        if (member.attributes.help)
            add_help(unit, member.attributes.help);
        unit_add_item(unit, UNIT_TEXT, 0,
                      arena_print(&unit->arena, "typedef %s;", member.declaration));
    }
    return parser_require(self, ';');
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

/* A library is what an IDL file is compiled to: "meter.tlb" is known by "meter.idl". stdole has
 * what is built in here. */
static bool parse_importlib(struct parser *self)
{
    if (!parser_require(self, '('))
        return false;
    const char *name = self->token.text;
    struct position position = self->token.position;
    if (self->token.kind != TOKEN_STRING)
        return parser_expected(self, "a file name in quotes");
    parser_advance(self);
    bool is_builtin = !strcmp(name, "stdole2.tlb") || !strcmp(name, "stdole32.tlb");
    const char *dot = strrchr(name, '.');
    if (!is_builtin && (!dot || strcmp(dot, ".tlb")))
        return parser_error(self, position,
                            "importlib of %s is not supported: it takes a .tlb, in whose place the "
                            ".idl of the same name is read",
                            name);
    if (!is_builtin &&
        !import_file(self, arena_print(&self->unit->arena, "%.*s.idl", (int)(dot - name), name),
                     position))
        return false;
    return parser_require(self, ')') && parser_require(self, ';');
}

static bool is_record(const struct parser *self)
{
    return parser_is_word(self, "struct") || parser_is_word(self, "union") ||
           parser_is_word(self, "enum");
}

static bool parse_record(struct parser *self, uint8_t switch_kind)
{
    struct base_type ignored;
    self->switch_kind = switch_kind;
    return declare_base(self, &ignored) && parser_require(self, ';');
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
        return constant_parse(self);
    if (is_record(self))
        return parse_record(self, 0);
    struct position position = self->token.position;
    if (!attributes_parse(self, PLACE_INTERFACE | PLACE_COCLASS | PLACE_LIBRARY | PLACE_UNION,
                          &attributes))
        return false;
    if (parser_is_word(self, "union"))
        return parse_record(self, attributes.switch_kind);
    if (parser_accept_word(self, "interface"))
        return interface_parse(self, &attributes);
    if (parser_accept_word(self, "dispinterface"))
        return dispinterface_parse(self, &attributes);
    if (parser_accept_word(self, "coclass"))
        return parse_coclass(self, &attributes);
    if (parser_accept_word(self, "library"))
        return parse_library(self, &attributes);
    if (self->token.kind == TOKEN_NAME)
        return parser_error(self, position, "%s is not supported here", self->token.text);
    return parser_expected(self, "interface, dispinterface, coclass, library, struct, union, enum, "
                                 "typedef, const or import");
}

/* Whether a statement may end with a block, and no ';' behind it. */
static bool may_end_with_block(const struct parser *self)
{
    return !parser_is_word(self, "typedef") && !is_record(self);
}

static void parse_statements(struct parser *self, bool in_braces)
{
    while (self->token.kind != TOKEN_END && !(in_braces && parser_is(self, '}'))) {
        bool ends_at_brace = may_end_with_block(self);
        size_t start = self->n_tokens;
        if (parse_statement(self))
            continue;
        if (!parser_recover(self, start, ends_at_brace))
            return;
        if (!in_braces)
            parser_accept(self, '}');
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
        fprintf(stderr, "%s: %s\n", unit->program, reason);
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
