/*
 * What the parser makes of an IDL file and the emitters read: the type library's own arrays, while
 * they grow, and beside them what a C header needs and a type library does not keep.
 */
#ifndef COM_IDL_UNIT_H
#define COM_IDL_UNIT_H

#include "com/idl/source.h"

#include <stdint.h>
#include <viaduct/typelib.h>

/* How a parameter or field is written in C: "LONG ", "*sum", e.g. "const GUID *iid", "LONG
 * values[4]". */
struct unit_declaration {
    const char *text;
};

struct unit_method {
    struct via_method method;
    const char *c_name;                    /* "get_Name" */
    struct unit_declaration *declarations; /* of its parameters */
};

struct unit_interface {
    struct via_interface itf;
    bool is_defined;
    bool is_imported;
    struct position position;
    struct unit_method *methods;
    size_t n_methods;
};

struct unit_struct {
    struct via_struct record;
    const char *tag;
    struct position position; /* of its first mention */
    bool is_defined;
    bool is_imported;
    struct unit_declaration *declarations;
};

struct unit_union {
    struct via_union record;
    const char *tag;
    struct position position; /* of its first mention */
    bool is_defined;
    bool is_imported;
    uint8_t switch_kind;                   /* of its discriminant; 0: nothing says it */
    struct unit_declaration *declarations; /* of its arms; NULL: of an empty one */
};

struct unit_constant {
    const char *name;
    struct via_constant value;
};

struct unit_enum {
    struct via_enum list;
    const char *tag;
    bool is_imported;
};

/* Pointers and arrays around a type. */
#define MAX_LEVELS 8
enum level_kind { LEVEL_POINTER, LEVEL_ARRAY, LEVEL_OPEN_ARRAY };
struct level {
    enum level_kind kind;
    uint32_t count; /* of a LEVEL_ARRAY */
    uint16_t alias; /* the name of this level and those within: 1 and its index; 0: none */
};

/* What stands in front of a declaration's stars. */
struct base_type {
    uint8_t kind; /* enum via_type_kind; VIA_TYPE_GUID for REFIID, with one level */
    uint16_t index;
    uint16_t element;                /* of a SAFEARRAY: the type of its elements */
    struct level levels[MAX_LEVELS]; /* hidden in the name, outermost first: REFIID, typedefs */
    unsigned n_levels;
    bool is_string; /* LPWSTR: [string] is meant */
    bool is_void;
    uint16_t alias;     /* the name without `levels`: 1 and its index; 0: none */
    const char *c_name; /* how C spells it */
    struct position position;
};

/* A typedef: what a name stands for. */
struct unit_name {
    const char *name;
    struct base_type type;
};

enum unit_item_kind {
    UNIT_STRUCT,
    UNIT_UNION,
    UNIT_ENUM,
    UNIT_INTERFACE,
    UNIT_FORWARD,
    UNIT_COCLASS,
    UNIT_TEXT /* cpp_quote, constants, typedefs: as it goes into the header */
};

/* What goes into the header, in the order of the file. */
struct unit_item {
    enum unit_item_kind kind;
    size_t index;
    const char *text;
};

struct unit {
    struct arena arena;
    struct diagnostics diagnostics;
    const char *program; /* how it was called, for messages about no place in a file */
    const char *path;
    const char *name; /* of the type library: the library's, else the file's */
    const char *stem; /* the file's name without .idl, as an identifier: "<stem>_typelib" */
    GUID libid;
    bool has_library;
    uint16_t version_major;
    uint16_t version_minor;
    uint16_t flags; /* VIA_LIBRARY_... */
    const char *help;

    struct via_type *types;
    size_t n_types;
    struct unit_struct *structs;
    size_t n_structs;
    struct unit_union *unions;
    size_t n_unions;
    struct via_expression *expressions;
    size_t n_expressions;
    struct unit_enum *enums;
    size_t n_enums;
    struct unit_interface *interfaces;
    size_t n_interfaces;
    struct via_coclass *coclasses;
    size_t n_coclasses;
    struct unit_name *names;
    size_t n_names;
    struct via_alias *aliases;
    size_t n_aliases;
    struct unit_item *items;
    size_t n_items;
    struct unit_constant *constants; /* macros of the header */
    size_t n_constants;
    const char **imports; /* user's files: "other.h" is included */
    size_t n_imports;
    const char **imported_paths; /* files that have been read, so that each is read once */
    size_t n_imported_paths;

    struct via_typelib lib; /* set by unit_finish() */
};

/* Reads the file. False after errors have been printed. */
bool unit_parse(struct unit *unit, const char *path, const char *const *directories);
/* Makes `lib` of the arrays and validates it. */
bool unit_finish(struct unit *unit);
void unit_free(struct unit *unit);

/* The type's index, an equal one that is there already if there is one. */
uint16_t unit_add_type(struct unit *unit, const struct via_type *type);
/* The same of an expression; its operands are there already. */
uint16_t unit_add_expression(struct unit *unit, const struct via_expression *expression);
const struct unit_name *unit_find_name(const struct unit *unit, const char *name);
const struct unit_constant *unit_find_constant(const struct unit *unit, const char *name);
void unit_add_item(struct unit *unit, enum unit_item_kind kind, size_t index, const char *text);
/* The entry of a name, made if needed: IUnknown and IDispatch are known from the start. */
size_t unit_interface(struct unit *unit, const char *name);

#endif
