/* An object with IEcho whose calls are answered by name: each becomes values, goes by name to
 * another object with IEcho, and what that gives becomes native again. */
#ifndef TESTS_MARSHAL_MIRROR_H
#define TESTS_MARSHAL_MIRROR_H

#include "marshal_test.h"

struct mirror {
    const void *const *vtable;
    IEcho *target;
};

/* Not counted: lives as long as its memory. */
HRESULT mirror_init(struct mirror *mirror, IEcho *target);
IEcho *mirror_face(struct mirror *mirror);

/* Through payloads as it is, and with an object that answers by name in between: by a suite's
 * `is_reflected`, which says what its proxy leads to. */
#define BOTH(test_name)         \
    TEST(test_name)             \
    {                           \
        is_reflected = false;   \
        test_name##_body();     \
    }                           \
    TEST(test_name##_reflected) \
    {                           \
        is_reflected = true;    \
        test_name##_body();     \
        is_reflected = false;   \
    }

#endif
