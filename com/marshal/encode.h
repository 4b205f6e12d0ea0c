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
    bool lends;        /* the parameter is lendable, and there is a way */
    unsigned depth;
    bool is_result; /* what a method gives back: references in VARIANTs become values */
    HRESULT result; /* sticky */
};

void encode_value(struct encoder *encoder, const struct plan_type *type, const void *value,
                  const struct native_scope *scope);
/* In front of a by-reference argument that may be NULL: whether it is there. */
void encode_marker(struct encoder *encoder, bool is_there);
/* For the walkers of parts (automation_encode.c). */
void encode_fail(struct encoder *encoder, HRESULT code, const char *what);
void encode_u32(struct encoder *encoder, uint32_t value);
void encode_elements(struct encoder *encoder, const struct plan_type *element, const void *values,
                     uint64_t n, const struct native_scope *scope);
/* The first failure, the buffer's included. */
HRESULT encode_result(struct encoder *encoder);

#endif
