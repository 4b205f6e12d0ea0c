/*
 * Types of parameters and fields: from C's declarators and MIDL's attributes to the type library's
 * types.
 */
#include "com/idl/parser.h"
#include "com/typelib/builtin.h"

#include <string.h>

/* Names that every file may use. */
static const struct builtin_name {
    const char *name;
    const char *c_name;
    uint8_t kind;
    uint8_t pointers; /* levels that are hidden in the name */
    bool is_string;
} builtin_names[] = {
    {"INT8", "INT8", VIA_TYPE_I8, 0, false},
    {"CHAR", "CHAR", VIA_TYPE_I8, 0, false},
    {"BYTE", "BYTE", VIA_TYPE_U8, 0, false},
    {"UCHAR", "UCHAR", VIA_TYPE_U8, 0, false},
    {"UINT8", "UINT8", VIA_TYPE_U8, 0, false},
    {"BOOLEAN", "BOOLEAN", VIA_TYPE_U8, 0, false},
    {"SHORT", "SHORT", VIA_TYPE_I16, 0, false},
    {"INT16", "INT16", VIA_TYPE_I16, 0, false},
    {"USHORT", "USHORT", VIA_TYPE_U16, 0, false},
    {"UINT16", "UINT16", VIA_TYPE_U16, 0, false},
    {"WORD", "WORD", VIA_TYPE_U16, 0, false},
    {"LONG", "LONG", VIA_TYPE_I32, 0, false},
    {"INT", "INT", VIA_TYPE_I32, 0, false},
    {"INT32", "INT32", VIA_TYPE_I32, 0, false},
    {"BOOL", "BOOL", VIA_TYPE_I32, 0, false},
    {"ULONG", "ULONG", VIA_TYPE_U32, 0, false},
    {"UINT", "UINT", VIA_TYPE_U32, 0, false},
    {"UINT32", "UINT32", VIA_TYPE_U32, 0, false},
    {"DWORD", "DWORD", VIA_TYPE_U32, 0, false},
    {"LONGLONG", "LONGLONG", VIA_TYPE_I64, 0, false},
    {"INT64", "INT64", VIA_TYPE_I64, 0, false},
    {"ULONGLONG", "ULONGLONG", VIA_TYPE_U64, 0, false},
    {"UINT64", "UINT64", VIA_TYPE_U64, 0, false},
    {"FLOAT", "FLOAT", VIA_TYPE_F32, 0, false},
    {"DOUBLE", "DOUBLE", VIA_TYPE_F64, 0, false},
    {"WCHAR", "WCHAR", VIA_TYPE_WCHAR, 0, false},
    {"OLECHAR", "OLECHAR", VIA_TYPE_WCHAR, 0, false},
    {"VARIANT_BOOL", "VARIANT_BOOL", VIA_TYPE_BOOL, 0, false},
    {"HRESULT", "HRESULT", VIA_TYPE_HRESULT, 0, false},
    {"GUID", "GUID", VIA_TYPE_GUID, 0, false},
    {"IID", "IID", VIA_TYPE_GUID, 0, false},
    {"CLSID", "CLSID", VIA_TYPE_GUID, 0, false},
    {"REFGUID", "REFGUID", VIA_TYPE_GUID, 1, false},
    {"REFIID", "REFIID", VIA_TYPE_GUID, 1, false},
    {"REFCLSID", "REFCLSID", VIA_TYPE_GUID, 1, false},
    {"SCODE", "SCODE", VIA_TYPE_HRESULT, 0, false},
    {"CY", "CY", VIA_TYPE_CY, 0, false},
    {"CURRENCY", "CY", VIA_TYPE_CY, 0, false},
    {"DATE", "DATE", VIA_TYPE_DATE, 0, false},
    {"DECIMAL", "DECIMAL", VIA_TYPE_DECIMAL, 0, false},
    {"VARIANT", "VARIANT", VIA_TYPE_VARIANT, 0, false},
    {"BSTR", "BSTR", VIA_TYPE_BSTR, 0, false},
    {"VIA_HANDLE", "VIA_HANDLE", VIA_TYPE_HANDLE, 0, false},
    {"HANDLE", "VIA_HANDLE", VIA_TYPE_HANDLE, 0, false},
    {"VIA_OPAQUE", "VIA_OPAQUE", VIA_TYPE_OPAQUE, 0, false},
    {"LPWSTR", "LPWSTR", VIA_TYPE_WCHAR, 1, true},
    {"LPCWSTR", "LPCWSTR", VIA_TYPE_WCHAR, 1, true},
    {"LPOLESTR", "LPOLESTR", VIA_TYPE_WCHAR, 1, true},
    {"LPCOLESTR", "LPCOLESTR", VIA_TYPE_WCHAR, 1, true},
    {"LPSTR", "LPSTR", VIA_TYPE_I8, 1, true},
    {"LPCSTR", "LPCSTR", VIA_TYPE_I8, 1, true},
};

/* C's words, after "signed" and "unsigned" are taken away. */
static const struct {
    const char *word;
    uint8_t kind;
    const char *c_name;
    uint8_t unsigned_kind;
    const char *unsigned_name;
} words[] = {
    {"char", VIA_TYPE_I8, "char", VIA_TYPE_U8, "UCHAR"},
    {"small", VIA_TYPE_I8, "INT8", VIA_TYPE_U8, "UCHAR"},
    {"short", VIA_TYPE_I16, "SHORT", VIA_TYPE_U16, "USHORT"},
    {"int", VIA_TYPE_I32, "INT", VIA_TYPE_U32, "UINT"},
    {"long", VIA_TYPE_I32, "LONG", VIA_TYPE_U32, "ULONG"},
    {"hyper", VIA_TYPE_I64, "LONGLONG", VIA_TYPE_U64, "ULONGLONG"},
    {"__int64", VIA_TYPE_I64, "LONGLONG", VIA_TYPE_U64, "ULONGLONG"},
    {"byte", VIA_TYPE_U8, "BYTE", 0, NULL},
    {"boolean", VIA_TYPE_U8, "BOOLEAN", 0, NULL},
    {"float", VIA_TYPE_F32, "float", 0, NULL},
    {"double", VIA_TYPE_F64, "double", 0, NULL},
    {"wchar_t", VIA_TYPE_WCHAR, "WCHAR", 0, NULL},
};

/* Known to MIDL, and not to this compiler: the error says so instead of "unknown". */
static const char *const unsupported[] = {
    "pipe", "INT_PTR", "UINT_PTR", "handle_t", "error_status_t", "HWND", "LPVOID",
};

static bool find_word(struct parser *self, bool is_unsigned, struct base_type *base)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!parser_is_word(self, words[i].word) || (is_unsigned && !words[i].unsigned_kind))
            continue;
        base->kind = is_unsigned ? words[i].unsigned_kind : words[i].kind;
        base->c_name = is_unsigned ? words[i].unsigned_name : words[i].c_name;
        parser_advance(self);
        /* "long int", "short int" */
        if (base->kind != VIA_TYPE_F64 && parser_is_word(self, "int"))
            parser_advance(self);
        return true;
    }
    return false;
}

static bool is_unsupported(const char *name)
{
    for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++)
        if (!strcmp(unsupported[i], name))
            return true;
    return false;
}

static const struct builtin_name *find_builtin(const char *name)
{
    for (size_t i = 0; i < sizeof(builtin_names) / sizeof(builtin_names[0]); i++)
        if (!strcmp(builtin_names[i].name, name))
            return &builtin_names[i];
    return NULL;
}

static bool declare_named(struct parser *self, struct base_type *base)
{
    const char *unused;
    const char *name = self->token.text;
    const struct unit_name *known = unit_find_name(self->unit, name);
    const struct builtin_name *builtin = known ? NULL : find_builtin(name);
    struct position position = base->position;
    if (known) {
        *base = known->type;
        base->position = position;
        parser_advance(self);
        return true;
    }
    if (builtin) {
        base->kind = builtin->kind;
        base->n_levels = builtin->pointers; /* LEVEL_POINTER is 0 */
        base->is_string = builtin->is_string;
        base->c_name = builtin->c_name;
        parser_advance(self);
        return true;
    }
    if (!strcmp(name, "LPUNKNOWN") || !strcmp(name, "LPDISPATCH")) {
        base->index =
            (uint16_t)unit_interface(self->unit, name[2] == 'U' ? "IUnknown" : "IDispatch");
        base->kind = VIA_TYPE_INTERFACE;
        base->n_levels = 1;
        base->c_name = name[2] == 'U' ? "LPUNKNOWN" : "LPDISPATCH";
        parser_advance(self);
        return true;
    }
    if (is_unsupported(name))
        return parser_error(self, base->position, "%s is not supported", name);
    for (size_t i = 0; i < self->unit->n_interfaces; i++) {
        if (strcmp(self->unit->interfaces[i].itf.name, name))
            continue;
        *base = (struct base_type){.kind = VIA_TYPE_INTERFACE,
                                   .index = (uint16_t)i,
                                   .element = VIA_NO_INDEX,
                                   .c_name = self->unit->interfaces[i].itf.name,
                                   .position = base->position};
        parser_advance(self);
        return true;
    }
    if (builtin_find_interface(name, &unused)) {
        base->index = (uint16_t)unit_interface(self->unit, name);
        base->kind = VIA_TYPE_INTERFACE;
        base->c_name = self->unit->interfaces[base->index].itf.name;
        parser_advance(self);
        return true;
    }
    return parser_error(self, base->position, "%s is not a type that is known here", name);
}

/* Behind the name: "(BSTR)", "(IFoo *)". */
static bool declare_safearray(struct parser *self, struct base_type *base)
{
    struct base_type element;
    if (!parser_require(self, '('))
        return false;
    if (parser_is_word(self, "SAFEARRAY"))
        return parser_error(self, self->token.position, "a SAFEARRAY of SAFEARRAYs");
    if (!declare_base(self, &element))
        return false;
    if (element.kind == VIA_TYPE_INTERFACE && element.n_levels == 0) {
        if (!parser_require(self, '*'))
            return false;
        element.n_levels = 1;
    }
    bool is_interface = element.kind == VIA_TYPE_INTERFACE && element.n_levels == 1 &&
                        element.levels[0].kind == LEVEL_POINTER;
    bool is_value = !element.is_void && element.n_levels == 0 && !element.is_string &&
                    element.kind != VIA_TYPE_WCHAR && element.kind != VIA_TYPE_GUID &&
                    element.kind != VIA_TYPE_UNION && element.kind != VIA_TYPE_HANDLE &&
                    element.kind != VIA_TYPE_OPAQUE;
    if ((!is_value && !is_interface) || parser_is(self, '*'))
        return parser_error(self, element.position,
                            "the elements of a SAFEARRAY are numbers, BSTR, VARIANT, structs, "
                            "interfaces and the like");
    struct via_type type = {.kind = element.kind,
                            .index = element.index,
                            .element = VIA_NO_INDEX,
                            .alias = is_interface ? element.levels[0].alias : element.alias};
    base->kind = VIA_TYPE_SAFEARRAY;
    base->element = unit_add_type(self->unit, &type);
    base->c_name = "SAFEARRAY *";
    return parser_require(self, ')');
}

bool declare_check_name(struct parser *parser, const char *name, struct position position)
{
    struct unit *unit = parser->unit;
    if (!parser_check_name(parser, name, position))
        return false;
    const char *unused;
    bool is_type = unit_find_name(unit, name) != NULL || find_builtin(name) != NULL ||
                   builtin_find_interface(name, &unused) != NULL;
    for (size_t i = 0; i < unit->n_interfaces; i++)
        is_type |= !strcmp(unit->interfaces[i].itf.name, name);
    for (size_t i = 0; i < unit->n_structs; i++)
        is_type |= !strcmp(unit->structs[i].tag, name);
    for (size_t i = 0; i < unit->n_unions; i++)
        is_type |= !strcmp(unit->unions[i].tag, name);
    for (size_t i = 0; i < unit->n_enums; i++)
        is_type |= !strcmp(unit->enums[i].tag, name);
    if (is_type)
        return parser_error(parser, position,
                            "%s names a type: in C++ it cannot name a member of one too", name);
    return !unit_find_constant(unit, name) ||
           parser_error(parser, position,
                        "%s is a constant: the header's macro would replace the name", name);
}

static bool declare_record(struct parser *self, struct base_type *base)
{
    const struct unit *unit = self->unit;
    bool ok;
    base->kind = VIA_TYPE_ENUM;
    if (parser_is_word(self, "union")) {
        ok = record_union(self, &base->kind, &base->index);
    } else if (parser_is_word(self, "struct")) {
        base->kind = VIA_TYPE_STRUCT;
        ok = record_struct(self, &base->index);
    } else {
        ok = record_enum(self, &base->index);
    }
    if (!ok)
        return false;
    if (base->kind == VIA_TYPE_STRUCT)
        base->c_name = arena_print(&self->unit->arena, "struct %s", unit->structs[base->index].tag);
    else if (base->kind == VIA_TYPE_UNION)
        base->c_name = arena_print(&self->unit->arena, "union %s", unit->unions[base->index].tag);
    else
        base->c_name = arena_print(&self->unit->arena, "enum %s", unit->enums[base->index].tag);
    return true;
}

bool declare_base(struct parser *parser, struct base_type *base)
{
    *base = (struct base_type){
        .index = VIA_NO_INDEX, .element = VIA_NO_INDEX, .position = parser->token.position};
    bool is_unsigned = parser_accept_word(parser, "unsigned");
    bool is_signed = !is_unsigned && parser_accept_word(parser, "signed");
    if (parser->token.kind != TOKEN_NAME && !is_unsigned && !is_signed)
        return parser_expected(parser, "a type");
    if (find_word(parser, is_unsigned, base)) {
        if (parser_is_word(parser, "double"))
            return parser_error(parser, base->position,
                                "long double is not supported: its size differs between systems");
        if (parser_is_word(parser, "long"))
            return parser_error(parser, base->position, "long long is not supported: write hyper");
        if (is_signed && !strcmp(base->c_name, "char"))
            base->c_name = "INT8";
        return true;
    }
    if (is_unsigned || is_signed) {
        base->kind = is_unsigned ? VIA_TYPE_U32 : VIA_TYPE_I32;
        base->c_name = is_unsigned ? "UINT" : "INT";
        return true;
    }
    if (parser_is_word(parser, "struct") || parser_is_word(parser, "union") ||
        parser_is_word(parser, "enum"))
        return declare_record(parser, base);
    if (parser_accept_word(parser, "SAFEARRAY"))
        return declare_safearray(parser, base);
    if (parser_accept_word(parser, "void")) {
        base->is_void = true;
        base->c_name = "void";
        return true;
    }
    parser_accept_word(parser, "interface");
    return declare_named(parser, base);
}

static bool add_level(struct parser *self, struct member *member, struct level level)
{
    if (member->n_levels == MAX_LEVELS)
        return parser_error(self, self->token.position,
                            "more than %d levels of pointers and arrays", MAX_LEVELS);
    member->levels[member->n_levels++] = level;
    return true;
}

/* "[4]", "[]" behind the name; they are the outer levels. `text` grows with what C is to see. */
static bool declare_arrays(struct parser *self, struct member *member, const char **text)
{
    while (parser_accept(self, '[')) {
        struct level level = {.kind = LEVEL_OPEN_ARRAY};
        if (!parser_is(self, ']') && !parser_accept(self, '*')) {
            int64_t count;
            struct position position = self->token.position;
            if (!expression_constant(self, &count))
                return false;
            if (count <= 0 || count > 1 << 20)
                return parser_error(self, position, "an array of %lld elements", (long long)count);
            level = (struct level){.kind = LEVEL_ARRAY, .count = (uint32_t)count};
        }
        if (level.kind == LEVEL_OPEN_ARRAY)
            *text = arena_print(&self->unit->arena, "%s[]", *text);
        else
            *text = arena_print(&self->unit->arena, "%s[%u]", *text, level.count);
        if (!add_level(self, member, level) || !parser_require(self, ']'))
            return false;
    }
    return true;
}

/* The name, and what stands around it as C reads it: "*(*name[2])[4]". `text` is how C is to see
 * it. Levels of what stands in parentheses are outside of the others. */
static bool declare_shape(struct parser *self, struct member *member, const char **text)
{
    struct arena *arena = &self->unit->arena;
    const char *stars = "";
    unsigned n_stars = 0;
    for (; parser_accept(self, '*'); n_stars++) {
        bool star_const = parser_accept_word(self, "const");
        if (n_stars == MAX_LEVELS)
            return parser_error(self, self->token.position,
                                "more than %d levels of pointers and arrays", MAX_LEVELS);
        stars = arena_print(arena, "%s*%s", stars, star_const ? "const " : "");
    }
    struct position position = self->token.position;
    if (parser_accept(self, '(')) {
        if (!parser_enter(self) || !declare_shape(self, member, text) || !parser_require(self, ')'))
            return false;
        parser_leave(self);
        if (parser_is(self, '('))
            return parser_error(self, position, "pointers to functions are not supported");
        *text = arena_print(arena, "(%s)", *text);
    } else {
        member->position = position;
        if (!parser_name(self, &member->name))
            return false;
        *text = member->name;
    }
    if (!declare_arrays(self, member, text))
        return false;
    for (unsigned i = 0; i < n_stars; i++)
        if (!add_level(self, member, (struct level){.kind = LEVEL_POINTER}))
            return false;
    *text = arena_print(arena, "%s%s", stars, *text);
    return true;
}

/* Type and declarator, whatever it is the name of. */
static bool declare_any(struct parser *self, struct member *member)
{
    struct base_type *base = &member->base;
    const char *text;
    self->switch_kind = member->attributes.switch_kind;
    bool is_const = parser_accept_word(self, "const");
    if (!declare_base(self, base))
        return false;
    is_const |= parser_accept_word(self, "const");
    if (!declare_shape(self, member, &text))
        return false;
    for (unsigned i = 0; i < base->n_levels; i++)
        if (!add_level(self, member, base->levels[i]))
            return false;
    bool is_pointer = base->c_name[strlen(base->c_name) - 1] == '*';
    member->declaration = arena_print(&self->unit->arena, "%s%s%s%s", is_const ? "const " : "",
                                      base->c_name, is_pointer ? "" : " ", text);
    return true;
}

bool declare_member(struct parser *parser, bool is_param, struct member *member)
{
    memset(member, 0, sizeof(*member));
    return attributes_parse(parser, is_param ? PLACE_PARAM : PLACE_FIELD, &member->attributes) &&
           declare_declarator(parser, member);
}

bool declare_declarator(struct parser *parser, struct member *member)
{
    return declare_any(parser, member) &&
           declare_check_name(parser, member->name, member->position);
}

bool declare_typedef(struct parser *parser, struct member *member)
{
    return declare_any(parser, member) && parser_check_name(parser, member->name, member->position);
}
