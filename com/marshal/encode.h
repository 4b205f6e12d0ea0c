/* Native values to a payload. docs/wire-protocol.md and docs/object-model.md have the form. */
#ifndef COM_MARSHAL_ENCODE_H
#define COM_MARSHAL_ENCODE_H

#include "com/marshal/native.h"
#include "core/util/buffer.h"

struct encoder {
    const struct marshal_method *method;
    const struct marshal_pointers *pointers;
    struct buffer *out;
    const char *param; /* for messages */
    unsigned depth;
    HRESULT result; /* sticky */
};

void encode_value(struct encoder *encoder, const struct plan_type *type, const void *value,
                  const struct native_scope *scope);
/* In front of a by-reference argument that may be NULL: whether it is there. */
void encode_marker(struct encoder *encoder, bool is_there);
/* The first failure, the buffer's included. */
HRESULT encode_result(struct encoder *encoder);

#endif
