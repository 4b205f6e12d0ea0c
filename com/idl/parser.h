/*
 * The parser's state, shared by its parts: steps from token to token (parser.c), statements
 * (parse.c), interfaces, records, attributes, and declarations of parameters and fields. Functions
 * return false after they have reported an error; whoever reads a list of statements, methods or
 * fields then goes on behind the one that was wrong.
 */
#ifndef COM_IDL_PARSER_H
#define COM_IDL_PARSER_H

#include "com/idl/attributes.h"
#include "com/idl/lex.h"
#include "com/idl/unit.h"

struct parser {
    struct unit *unit;
    struct lexer lexer;
    struct token token; /* the current one */
    size_t n_tokens;    /* how many came before it */
    bool behind_semicolon;
    unsigned import_depth;
    size_t n_definitions; /* of structs, unions and enums; imported ones too */
    unsigned nesting;     /* of structs and libraries, PARSER_MAX_NESTING at most */
    uint8_t switch_kind;  /* switch_type in front of the type that is read now; 0: none */
};

/* Definitions within definitions: each takes a part of the stack. */
#define PARSER_MAX_NESTING 32

/* Around what may hold itself; parser_leave() only after success. */
bool parser_enter(struct parser *parser);
void parser_leave(struct parser *parser);

void parser_advance(struct parser *parser);
bool parser_error(struct parser *parser, struct position position, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* "X is expected before Y". */
bool parser_expected(struct parser *parser, const char *what);
bool parser_is(const struct parser *parser, char punctuation);
bool parser_is_word(const struct parser *parser, const char *word);
/* Steps over it if it is there. */
bool parser_accept(struct parser *parser, char punctuation);
bool parser_accept_word(struct parser *parser, const char *word);
bool parser_require(struct parser *parser, char punctuation);
/* A name; steps over it. */
bool parser_name(struct parser *parser, const char **name);
/* The same, for what becomes a name in the header: no keyword of C or C++. */
bool parser_new_name(struct parser *parser, const char **name);
bool parser_check_name(struct parser *parser, const char *name, struct position position);
bool parser_integer(struct parser *parser, int64_t *number);
/* After an error: to the end of the statement that began at token number `start`. A '}' that ends
 * the block around it is left. False when there is no point in going on. `ends_at_brace`: the
 * statement may end with a block, as an interface does. */
bool parser_recover(struct parser *parser, size_t start, bool ends_at_brace);

/* --- declarations, in declare.c --- */

/* What stands in front of the stars. */
bool declare_base(struct parser *parser, struct base_type *base);

/* A parameter or field with its name, its C form and its type. Size expressions are kept until all
 * members are known. */
struct member {
    const char *name;
    const char *declaration;
    struct position position;
    struct base_type base;
    struct attributes attributes;
    struct level levels[MAX_LEVELS]; /* outermost first */
    unsigned n_levels;
    /* Set by declare_resolve(): */
    uint16_t type;
    uint16_t flags; /* VIA_PARAM_... */
    uint16_t alias; /* of a pointer that is none in `type`: 1 and its index; 0: none */
};
/* The name of a method, parameter or field: no keyword, and nothing that means something else in
 * the header by now. */
bool declare_check_name(struct parser *parser, const char *name, struct position position);
/* Attributes, type and declarator. */
bool declare_member(struct parser *parser, bool is_param, struct member *member);
/* What stands behind the attributes. */
bool declare_declarator(struct parser *parser, struct member *member);
/* The same of a typedef, whose name is one of a type. */
bool declare_typedef(struct parser *parser, struct member *member);

/* What members are of, and whom they may refer to. */
enum member_owner { OWNER_METHOD, OWNER_STRUCT, OWNER_UNION };
/* Types and flags of all members, once their names are known; in resolve.c. */
bool declare_resolve(struct parser *parser, struct member *members, size_t n_members,
                     enum member_owner owner);

/* --- behind the keyword const, in constants.c --- */

bool constant_parse(struct parser *parser);

/* --- interfaces, in interfaces.c --- */

/* What stands behind the keyword interface: a declaration or a definition. */
bool interface_parse(struct parser *parser, const struct attributes *attributes);
/* Behind the keyword dispinterface, in dispinterfaces.c. */
bool dispinterface_parse(struct parser *parser, const struct attributes *attributes);

/* The parts of both. The name; a declaration ends with it. */
bool interface_begin(struct parser *parser, size_t *index, bool *is_declaration);
/* Nothing else has its name or its id. */
bool interface_check_new(struct parser *parser, size_t index, const struct attributes *attributes,
                         struct position position);
uint16_t interface_flags(unsigned attributes); /* VIA_INTERFACE_..., of ATTRIBUTE_... */
void interface_define(struct parser *parser, size_t index, const struct unit_interface *made);

/* Behind '(', with the ')'. */
bool interface_parse_params(struct parser *parser, struct member **members, size_t *n);
struct new_method {
    const char *name;
    struct position position;
    struct member *members; /* its parameters; not resolved yet */
    size_t n_members;
};
bool interface_add_method(struct parser *parser, struct unit_interface *iface,
                          const struct attributes *attributes, const struct new_method *made);

/* struct and enum definitions, in records.c, and those of unions, in unions.c; the current token is
 * the keyword. */
bool record_struct(struct parser *parser, uint16_t *index);
bool record_enum(struct parser *parser, uint16_t *index);
/* A union with its discriminant is a struct: so `kind` is VIA_TYPE_UNION or VIA_TYPE_STRUCT. */
bool record_union(struct parser *parser, uint8_t *kind, uint16_t *index);
/* Gives the struct, union or enum the name, and the help, of its typedef. */
void record_rename(struct parser *parser, uint8_t kind, uint16_t index, const char *name,
                   const char *help);
/* The entry of a struct, made if needed; and its definition, by fields that are resolved. */
size_t record_find_struct(struct unit *unit, const char *tag, struct position position);
void record_set_struct(struct parser *parser, size_t index, const struct member *members, size_t n);
/* What is held in place must be known by now, as in C. */
void record_check_complete(struct parser *parser, const struct member *members, size_t n);

#endif
