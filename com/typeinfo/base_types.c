#include "com/typeinfo/base_types.h"

#define COM_IID(first)                   \
    {                                    \
        first, 0, 0,                     \
        {                                \
            0xC0, 0, 0, 0, 0, 0, 0, 0x46 \
        }                                \
    }

#define NUMBER(type_kind)                                                   \
    {                                                                       \
        .kind = (type_kind), .index = VIA_NO_INDEX, .element = VIA_NO_INDEX \
    }

enum { TYPE_U32, TYPE_U16, TYPE_U8, TYPE_BYTES };

static const struct via_type types[] = {
    [TYPE_U32] = NUMBER(VIA_TYPE_U32),
    [TYPE_U16] = NUMBER(VIA_TYPE_U16),
    [TYPE_U8] = NUMBER(VIA_TYPE_U8),
    [TYPE_BYTES] = {.kind = VIA_TYPE_ARRAY, .index = VIA_NO_INDEX, .element = TYPE_U8, .count = 8},
};

static const struct via_field guid_fields[] = {
    {"Data1", TYPE_U32}, {"Data2", TYPE_U16}, {"Data3", TYPE_U16}, {"Data4", TYPE_BYTES}};

static const struct via_struct structs[] = {[BASE_GUID] = {"GUID", 4, guid_fields, NULL}};

static const struct via_interface interfaces[] = {
    [BASE_UNKNOWN] = {"IUnknown", COM_IID(0x00000000), VIA_NO_INDEX, 0, 0, NULL, NULL},
    [BASE_DISPATCH] = {"IDispatch", COM_IID(0x00020400), BASE_UNKNOWN, 0, 0, NULL, NULL},
};

const struct via_typelib base_library = {
    .abi = VIA_TYPELIB_ABI,
    .size = sizeof(struct via_typelib),
    .name = "stdole",
    .libid = {0x00020430, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}},
    .version_major = 2,
    .n_types = sizeof(types) / sizeof(types[0]),
    .n_structs = sizeof(structs) / sizeof(structs[0]),
    .n_interfaces = sizeof(interfaces) / sizeof(interfaces[0]),
    .types = types,
    .structs = structs,
    .interfaces = interfaces,
};

#define IS_IN  PARAMFLAG_FIN
#define IS_OUT PARAMFLAG_FOUT

/* DISPPARAMS, EXCEPINFO and ITypeInfo are no types that a late-bound caller could make: they are
 * untyped pointers here. That names are char ** is how stdole2.tlb has it. */
static const struct base_function functions[BASE_METHODS] = {
    {"QueryInterface",
     0x60000000,
     VT_HRESULT,
     2,
     {{"riid", VT_USERDEFINED, 1, IS_IN}, {"ppvObj", VT_VOID, 2, IS_OUT}}},
    {"AddRef", 0x60000001, VT_UI4, 0, {{0}}},
    {"Release", 0x60000002, VT_UI4, 0, {{0}}},
    {"GetTypeInfoCount", 0x60010000, VT_HRESULT, 1, {{"pctinfo", VT_UINT, 1, IS_OUT}}},
    {"GetTypeInfo",
     0x60010001,
     VT_HRESULT,
     3,
     {{"itinfo", VT_UINT, 0, IS_IN}, {"lcid", VT_UI4, 0, IS_IN}, {"pptinfo", VT_VOID, 2, IS_OUT}}},
    {"GetIDsOfNames",
     0x60010002,
     VT_HRESULT,
     5,
     {{"riid", VT_USERDEFINED, 1, IS_IN},
      {"rgszNames", VT_I1, 2, IS_IN},
      {"cNames", VT_UINT, 0, IS_IN},
      {"lcid", VT_UI4, 0, IS_IN},
      {"rgdispid", VT_I4, 1, IS_OUT}}},
    {"Invoke",
     0x60010003,
     VT_HRESULT,
     8,
     {{"dispidMember", VT_I4, 0, IS_IN},
      {"riid", VT_USERDEFINED, 1, IS_IN},
      {"lcid", VT_UI4, 0, IS_IN},
      {"wFlags", VT_UI2, 0, IS_IN},
      {"pdispparams", VT_VOID, 1, IS_IN},
      {"pvarResult", VT_VARIANT, 1, IS_OUT},
      {"pexcepinfo", VT_VOID, 1, IS_OUT},
      {"puArgErr", VT_UINT, 1, IS_OUT}}},
};

const struct base_function *base_function(unsigned slot)
{
    return &functions[slot];
}
