#include "tests/typelib/sample.h"

void sample_init(struct sample *s)
{
    static const struct sample initial = {
        .types = {[T_I32] = {VIA_TYPE_I32, 0, 0, 0, NONE, NONE, 0, 0, 0, 0, 0},
                  [T_BSTR] = {VIA_TYPE_BSTR, 0, 0, 0, NONE, NONE, 0, 0, 0, 0, 0},
                  [T_STRUCT] = {VIA_TYPE_STRUCT, 0, 0, 0, 0, NONE, 0, 0, 0, 0, 0},
                  [T_SIZED] = {VIA_TYPE_SIZED, VIA_TYPE_NULLABLE, VIA_SIZE_PARAM, 0, NONE, T_I32, 0,
                               0, 0, 0, 0},
                  [T_INTERFACE] = {VIA_TYPE_INTERFACE, 0, 0, 0, I_TWO, NONE, 0, 0, 0, 0, 0},
                  [T_ENUM] = {VIA_TYPE_ENUM, 0, 0, 0, 0, NONE, 0, 0, 0, 0, 0},
                  [T_ARRAY] = {VIA_TYPE_ARRAY, 0, 0, 0, NONE, T_I32, 0, 0, 4, 0, 0},
                  [T_COUNT] = {VIA_TYPE_I32, 0, 0, 0, NONE, NONE, 0, 0, 0, A_COUNT, 0},
                  [T_COUNTS] = {VIA_TYPE_POINTER, VIA_TYPE_NULLABLE, 0, 0, NONE, T_COUNT, 0, 0, 0,
                                0, 0}},
        .fields = {{"a", T_I32}, {"b", T_BSTR}, {"c", T_ARRAY}},
        .values = {{"RED", 1}, {"GREEN", 2}},
        .aliases = {{"Count", T_I32, VIA_ALIAS_PUBLIC, {0}, NULL},
                    {"Counts", T_COUNTS, 0, {0}, "Where counts are."}},
        .params = {{"n", T_I32, VIA_PARAM_IN, 0, NULL},
                   {"values", T_SIZED, VIA_PARAM_IN, 0, NULL},
                   {"record", T_STRUCT, VIA_PARAM_IN | VIA_PARAM_BY_REF, 0, NULL},
                   {"sum", T_I32, VIA_PARAM_OUT | VIA_PARAM_RETVAL | VIA_PARAM_BY_REF, 0, NULL},
                   {"count", T_COUNT, VIA_PARAM_IN | VIA_PARAM_BY_REF, A_COUNTS, NULL}},
        .interfaces = {[I_UNKNOWN] = {"IUnknown",
                                      {0, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}},
                                      NONE,
                                      VIA_INTERFACE_EXTERNAL,
                                      0,
                                      NULL,
                                      NULL},
                       [I_ONE] = {"IOne", IID_ONE, I_UNKNOWN, 0, 2, NULL, NULL},
                       [I_TWO] = {"ITwo", IID_TWO, I_ONE, 0, 0, NULL, NULL}},
        .members = {{I_ONE, VIA_COCLASS_DEFAULT}},
    };

    *s = initial;
    s->structs[0] = (struct via_struct){"Record", 3, s->fields, NULL};
    s->enums[0] = (struct via_enum){"Color", 2, s->values, NULL};
    s->methods[0] = (struct via_method){"Sum", 1, 0, 4, s->params, NULL};
    s->methods[1] = (struct via_method){"Nothing", 2, 0, 1, &s->params[4], NULL};
    s->interfaces[I_ONE].methods = s->methods;
    s->coclasses[0] = (struct via_coclass){"Thing", IID_ONE, 0, 1, s->members, NULL};
    s->lib = (struct via_typelib){.abi = VIA_TYPELIB_ABI,
                                  .size = sizeof(struct via_typelib),
                                  .name = "sample",
                                  .version_major = 1,
                                  .n_types = N_TYPES,
                                  .n_structs = 1,
                                  .n_enums = 1,
                                  .n_interfaces = N_INTERFACES,
                                  .n_coclasses = 1,
                                  .types = s->types,
                                  .structs = s->structs,
                                  .enums = s->enums,
                                  .interfaces = s->interfaces,
                                  .coclasses = s->coclasses,
                                  .n_aliases = N_ALIASES,
                                  .aliases = s->aliases};
}
