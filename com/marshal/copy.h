/* Copies of native values with everything that they hold. */
#ifndef COM_MARSHAL_COPY_H
#define COM_MARSHAL_COPY_H

#include "com/marshal/native.h"

/* Into zeroed memory. E_OUTOFMEMORY: what has been made so far can be walked and freed. */
HRESULT native_copy(const struct plan_type *type, const void *from, void *to,
                    const struct native_scope *scope);

#endif
