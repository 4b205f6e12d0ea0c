/* A small, valid type library that each test may change. */
#ifndef TESTS_TYPELIB_SAMPLE_H
#define TESTS_TYPELIB_SAMPLE_H

#include "com/typelib/typelib.h"

enum { T_I32, T_BSTR, T_STRUCT, T_SIZED, T_INTERFACE, T_ENUM, T_ARRAY, T_COUNT, T_COUNTS, N_TYPES };
enum { A_COUNT = 1, A_COUNTS, N_ALIASES = A_COUNTS }; /* as types name them */
enum { I_UNKNOWN, I_ONE, I_TWO, N_INTERFACES };

struct sample {
    struct via_type types[N_TYPES];
    struct via_field fields[3];
    struct via_struct structs[1];
    struct via_enumerator values[2];
    struct via_enum enums[1];
    struct via_alias aliases[N_ALIASES];
    struct via_param params[5];
    struct via_method methods[2];
    struct via_interface interfaces[N_INTERFACES];
    struct via_coclass_interface members[1];
    struct via_coclass coclasses[1];
    struct via_typelib lib;
};

#define NONE VIA_NO_INDEX
#define IID_ONE                       \
    {                                 \
        0x1a2b3c4d, 0x0001, 0x4000,   \
        {                             \
            0x80, 0, 0, 0, 0, 0, 0, 1 \
        }                             \
    }
#define IID_TWO                       \
    {                                 \
        0x1a2b3c4d, 0x0002, 0x4000,   \
        {                             \
            0x80, 0, 0, 0, 0, 0, 0, 2 \
        }                             \
    }

void sample_init(struct sample *s);

#endif
