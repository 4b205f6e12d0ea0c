#include "com/typelib/kinds.h"
#include "com/typelib/typelib.h"

#include <string.h>
#include <viaduct/typelib.h>

static const char *const names[] = {[VIA_TYPE_I8] = "i8",
                                    [VIA_TYPE_U8] = "u8",
                                    [VIA_TYPE_I16] = "i16",
                                    [VIA_TYPE_U16] = "u16",
                                    [VIA_TYPE_I32] = "i32",
                                    [VIA_TYPE_U32] = "u32",
                                    [VIA_TYPE_I64] = "i64",
                                    [VIA_TYPE_U64] = "u64",
                                    [VIA_TYPE_F32] = "f32",
                                    [VIA_TYPE_F64] = "f64",
                                    [VIA_TYPE_WCHAR] = "wchar",
                                    [VIA_TYPE_BOOL] = "bool",
                                    [VIA_TYPE_HRESULT] = "hresult",
                                    [VIA_TYPE_GUID] = "guid",
                                    [VIA_TYPE_BSTR] = "bstr",
                                    [VIA_TYPE_STRING8] = "string8",
                                    [VIA_TYPE_STRING16] = "string16",
                                    [VIA_TYPE_CY] = "cy",
                                    [VIA_TYPE_DATE] = "date",
                                    [VIA_TYPE_DECIMAL] = "decimal",
                                    [VIA_TYPE_VARIANT] = "variant",
                                    [VIA_TYPE_OPAQUE] = "opaque"};

const char *kinds_name(uint8_t kind)
{
    return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
}

uint8_t kinds_parse(const char *name)
{
    for (uint8_t kind = 1; kind < sizeof(names) / sizeof(names[0]); kind++)
        if (names[kind] && !strcmp(names[kind], name))
            return kind;
    return 0;
}

static const char *const handle_names[] = {[VIA_HANDLE_FILE] = "file",
                                           [VIA_HANDLE_PIPE] = "pipe",
                                           [VIA_HANDLE_SOCKET] = "socket",
                                           [VIA_HANDLE_SECTION] = "section",
                                           [VIA_HANDLE_EVENT] = "event"};
#define N_HANDLE_NAMES (sizeof(handle_names) / sizeof(handle_names[0]))

const char *kinds_handle_name(uint32_t kind)
{
    return kind < N_HANDLE_NAMES ? handle_names[kind] : NULL;
}

uint32_t kinds_handle_parse(const char *name)
{
    for (uint32_t kind = 1; kind < N_HANDLE_NAMES; kind++)
        if (!strcmp(handle_names[kind], name))
            return kind;
    return 0;
}

static const char *const operators[] = {
    [VIA_OPERATOR_ADD] = "+",          [VIA_OPERATOR_SUBTRACT] = "-",
    [VIA_OPERATOR_MULTIPLY] = "*",     [VIA_OPERATOR_DIVIDE] = "/",
    [VIA_OPERATOR_REMAINDER] = "%",    [VIA_OPERATOR_SHIFT_LEFT] = "<<",
    [VIA_OPERATOR_SHIFT_RIGHT] = ">>",
};

const char *typelib_operator_name(uint16_t op)
{
    return op < sizeof(operators) / sizeof(operators[0]) ? operators[op] : NULL;
}

uint16_t kinds_parse_operator(const char *name)
{
    for (uint16_t op = VIA_OPERATOR_ADD; op < sizeof(operators) / sizeof(operators[0]); op++)
        if (!strcmp(operators[op], name))
            return op;
    return 0;
}
