/*
 * Type libraries: whole validation, layout, look-up, canonical description, JSON form, catalogue.
 *
 * The model is <viaduct/typelib.h>. Whatever its source (a module's tables, a peer's JSON), a
 * library is validated by typelib_check() before anything else looks into it; every other function
 * here relies on that.
 */
#ifndef COM_TYPELIB_TYPELIB_H
#define COM_TYPELIB_TYPELIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>
#include <viaduct/typelib.h>

struct buffer;

/* Structs in structs, arrays of arrays, pointers to pointers: at most so deep. */
#define TYPELIB_MAX_NESTING 64
/* A value's native storage and every fixed array: more is no interface but a mistake, or an attack.
 */
#define TYPELIB_MAX_VALUE_SIZE (1u << 20)
#define TYPELIB_MAX_PARAMS     64
/* Slots of a vtable: methods of an interface and all its bases. */
#define TYPELIB_MAX_SLOTS 1024
/* Of each of the other tables: look-ups by name are linear, and a peer chooses the names. */
#define TYPELIB_MAX_ENTRIES    2048u
#define TYPELIB_MAX_TYPES      16384u
#define TYPELIB_MAX_EXPRESSION 32     /* operators, numbers and names in one */
#define TYPELIB_MAX_TEXT       32767u /* of help, and of a default value */
#define TYPELIB_HASH_SIZE      16

/* VIA_E_TYPE says what is wrong and where. Checks every index, name, size and rule; needs no other
 * library. */
HRESULT typelib_check(const struct via_typelib *lib);

/* --- layout: the same on both systems, 64-bit --- */

struct typelib_layout {
    uint32_t size;
    uint32_t alignment;
};
struct typelib_layout typelib_layout(const struct via_typelib *lib, uint16_t type);
struct typelib_layout typelib_struct_layout(const struct via_typelib *lib, uint16_t index);
struct typelib_layout typelib_union_layout(const struct via_typelib *lib, uint16_t index);
uint32_t typelib_field_offset(const struct via_typelib *lib, uint16_t index, uint16_t field);

/* --- expressions --- */

/* One operator of two numbers. False: it has no value. */
bool typelib_compute(uint16_t op, int64_t left, int64_t right, int64_t *value);

/* --- constants (constant.c) --- */

/* Whether a parameter of that type can have that default value. Both are valid. */
bool typelib_constant_fits(const struct via_type *type, const struct via_constant *constant);
/* As C and IDL write it. */
void typelib_print_constant(const struct via_constant *constant, struct buffer *out);
void typelib_print_text(const char *text, struct buffer *out);
void typelib_print_real(double real, struct buffer *out);

/* --- look-up --- */

/* VIA_NO_INDEX when there is none. Names of interfaces and methods are compared without case, as
 * COM does. */
uint16_t typelib_find_interface(const struct via_typelib *lib, const GUID *iid);
uint16_t typelib_find_interface_name(const struct via_typelib *lib, const char *name);
uint16_t typelib_find_coclass(const struct via_typelib *lib, const GUID *clsid);
uint16_t typelib_find_coclass_name(const struct via_typelib *lib, const char *name);
/* The coclass's default interface, else its first; VIA_NO_INDEX when it has none. */
uint16_t typelib_default_interface(const struct via_typelib *lib,
                                   const struct via_coclass *coclass);

/* The slot of the interface's first own method; of a dispinterface, whose methods are none, the
 * first number behind the slots. Bases that are described elsewhere are looked up in
 * the catalogue; VIA_E_TYPE names the one that is not there. */
HRESULT typelib_first_slot(const struct via_typelib *lib, uint16_t interface_index, uint16_t *slot);

/* Whether `iid` is the interface itself or one of its bases, IUnknown included. */
bool typelib_has_base(const struct via_typelib *lib, uint16_t interface_index, const GUID *iid);

/* One method with the library that its types are in. */
struct typelib_method {
    const struct via_typelib *lib;
    const struct via_interface *owner;
    const struct via_method *method;
    uint16_t slot;
};
/* All methods of the interface and its bases but IUnknown's and IDispatch's, in slot order; for
 * free(). */
HRESULT typelib_methods(const struct via_typelib *lib, uint16_t interface_index,
                        struct typelib_method **methods, size_t *n_methods);

/* --- description --- */

/* A text that is equal for equal interfaces, however their tables are laid out. */
void typelib_describe(const struct via_typelib *lib, uint16_t interface_index, struct buffer *text);
HRESULT typelib_hash(const struct via_typelib *lib, uint16_t interface_index,
                     uint8_t hash[TYPELIB_HASH_SIZE]);
/* The same of a struct alone, with all that it is made of. */
HRESULT typelib_struct_hash(const struct via_typelib *lib, uint16_t index,
                            uint8_t hash[TYPELIB_HASH_SIZE]);
/* A method as people read it: "Add(in i32 a, in i32 b, out retval i32 sum)". */
void typelib_print_method(const struct via_typelib *lib, const struct via_method *method,
                          struct buffer *text);
/* A field of a struct in the same way: "f64[count] values". */
void typelib_print_field(const struct via_typelib *lib, const struct via_struct *record,
                         uint16_t field, struct buffer *text);

/* The name that the JSON form and the printed one give an operator: "*". NULL: it is none. */
const char *typelib_operator_name(uint16_t op);

/* --- JSON form --- */

/* Version of the form. What is new in it may be left out; who does not know it refuses the types.
 */
#define TYPELIB_JSON_VERSION 1

/* The whole library, for free(). `indent`: spaces a level, 0: one line. */
HRESULT typelib_to_json(const struct via_typelib *lib, unsigned indent, char **text);
/* Parses and checks. The library is for typelib_free(). `text` may come from a peer. */
HRESULT typelib_from_json(const char *text, size_t size, struct via_typelib **lib);
void typelib_free(struct via_typelib *lib);

/* --- IDL --- */

/* A file for viaduct-idl that makes the same interfaces of it, with the same hashes. VIA_E_TYPE:
 * something has no form in IDL, or a base is described elsewhere. */
HRESULT typelib_to_idl(const struct via_typelib *lib, struct buffer *text);

/* --- the catalogue: what this process knows by IID --- */

/* Adds every described interface. Checks first. The library is borrowed for ever. The same
 * description again is no error; VIA_E_MISMATCH, and nothing added, when an IID has been added with
 * another one. A description that was adopted is replaced. */
HRESULT typelib_catalog_add(const struct via_typelib *lib);
/* The same for a library of typelib_from_json() that a peer sent, which the catalogue owns from now
 * on, on failure too. It replaces nothing: what is known with another description stays so, and
 * VIA_E_MISMATCH says that nothing else is in it. */
HRESULT typelib_catalog_adopt(struct via_typelib *lib);
struct typelib_entry {
    const struct via_typelib *lib;
    uint16_t index; /* of the interface */
};
/* Every interface that is described, for free(), in no order. */
HRESULT typelib_catalog_list(struct typelib_entry **list, size_t *n);
/* S_OK, or REGDB_E_IIDNOTREG with the IID in its text. Any thread. */
HRESULT typelib_catalog_find(const GUID *iid, const struct via_typelib **lib, uint16_t *index);

#endif
