/* What the compiler writes. Each gives text in the buffer; the caller checks it and writes the
 * file. */
#ifndef COM_IDL_EMIT_H
#define COM_IDL_EMIT_H

#include "com/idl/unit.h"
#include "core/util/buffer.h"

/* The C and C++ header. `guard` comes from the file's name. */
void emit_header(const struct unit *unit, struct buffer *out);
/* The functions that begin and finish the methods of an interface asynchronously, for C
 * (emit_async.c). `chain`: the interface and its bases, IUnknown first. */
void emit_async(const struct unit *unit, const char *name, const size_t *chain, size_t n,
                struct buffer *out);
/* The C source with the ids and the tables; it includes `header`. */
void emit_tables(const struct unit *unit, const char *header, struct buffer *out);

#endif
