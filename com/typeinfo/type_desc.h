/*
 * TYPEDESCs, and the blocks of memory that they are in: a FUNCDESC or VARDESC with everything that
 * it refers to is one block, which its Release function frees.
 */
#ifndef COM_TYPEINFO_TYPE_DESC_H
#define COM_TYPEINFO_TYPE_DESC_H

#include "com/typeinfo/subject.h"

/* Room is taken from the front. Whoever makes one has counted what will be taken. */
struct type_block {
    char *at;
    size_t left;
};

/* Of `size` bytes and what `extra` says; zeroed. NULL without memory. The first `size` bytes are
 * the caller's. */
void *type_block_new(struct type_block *block, size_t size, size_t extra);
void *type_block_take(struct type_block *block, size_t size);

/* Room beside the TYPEDESC itself, at most. `by_ref`: for a pointer to such a value. */
size_t type_desc_extra(const struct via_typelib *lib, uint16_t type, bool by_ref);
/* `type` is one of `lib`, which is the subject's own or a base's. What is declared by a public
 * alias is a reference to that; but what is passed by reference always shows the pointer, by which
 * clients see that. */
void type_desc_make(const struct type_subject *from, const struct via_typelib *lib, uint16_t type,
                    bool by_ref, struct type_block *block, TYPEDESC *desc);
/* `n_pointers` to a simple type; takes as many TYPEDESCs. VT_USERDEFINED: a GUID. */
void type_desc_make_simple(const struct type_subject *from, VARTYPE vt, unsigned n_pointers,
                           struct type_block *block, TYPEDESC *desc);

#endif
