/* Natural layout, as gcc and MSVC have it on x86-64 with default packing. */
#include "com/typelib/typelib.h"

#include <viaduct/automation.h>
#include <viaduct/handle.h>

static uint32_t round_up(uint32_t value, uint32_t alignment)
{
    return (value + alignment - 1) / alignment * alignment;
}

struct typelib_layout typelib_struct_layout(const struct via_typelib *lib, uint16_t index)
{
    const struct via_struct *record = &lib->structs[index];
    struct typelib_layout all = {0, 1};
    for (uint16_t i = 0; i < record->n_fields; i++) {
        struct typelib_layout field = typelib_layout(lib, record->fields[i].type);
        all.size = round_up(all.size, field.alignment) + field.size;
        if (field.alignment > all.alignment)
            all.alignment = field.alignment;
    }
    all.size = round_up(all.size, all.alignment);
    return all;
}

struct typelib_layout typelib_union_layout(const struct via_typelib *lib, uint16_t index)
{
    const struct via_union *choice = &lib->unions[index];
    struct typelib_layout all = {0, 1};
    for (uint16_t i = 0; i < choice->n_arms; i++) {
        if (choice->arms[i].type == VIA_NO_INDEX)
            continue;
        struct typelib_layout arm = typelib_layout(lib, choice->arms[i].type);
        if (arm.size > all.size)
            all.size = arm.size;
        if (arm.alignment > all.alignment)
            all.alignment = arm.alignment;
    }
    all.size = round_up(all.size, all.alignment);
    return all;
}

uint32_t typelib_field_offset(const struct via_typelib *lib, uint16_t index, uint16_t field)
{
    const struct via_struct *record = &lib->structs[index];
    uint32_t offset = 0;
    for (uint16_t i = 0;; i++) {
        struct typelib_layout layout = typelib_layout(lib, record->fields[i].type);
        offset = round_up(offset, layout.alignment);
        if (i == field)
            return offset;
        offset += layout.size;
    }
}

struct typelib_layout typelib_layout(const struct via_typelib *lib, uint16_t type)
{
    const struct via_type *self = &lib->types[type];
    switch (self->kind) {
    case VIA_TYPE_I8:
    case VIA_TYPE_U8:
        return (struct typelib_layout){1, 1};
    case VIA_TYPE_I16:
    case VIA_TYPE_U16:
    case VIA_TYPE_WCHAR:
    case VIA_TYPE_BOOL:
        return (struct typelib_layout){2, 2};
    case VIA_TYPE_I32:
    case VIA_TYPE_U32:
    case VIA_TYPE_F32:
    case VIA_TYPE_ENUM:
    case VIA_TYPE_HRESULT:
        return (struct typelib_layout){4, 4};
    case VIA_TYPE_I64:
    case VIA_TYPE_U64:
    case VIA_TYPE_F64:
    case VIA_TYPE_CY:
    case VIA_TYPE_DATE:
        return (struct typelib_layout){8, 8};
    case VIA_TYPE_DECIMAL:
        return (struct typelib_layout){sizeof(DECIMAL), 8};
    case VIA_TYPE_VARIANT:
        return (struct typelib_layout){sizeof(VARIANT), 8};
    case VIA_TYPE_GUID:
        return (struct typelib_layout){16, 4};
    case VIA_TYPE_STRUCT:
        return typelib_struct_layout(lib, self->index);
    case VIA_TYPE_UNION:
        return typelib_union_layout(lib, self->index);
    case VIA_TYPE_ARRAY: {
        struct typelib_layout element = typelib_layout(lib, self->element);
        return (struct typelib_layout){element.size * self->count, element.alignment};
    }
    case VIA_TYPE_HANDLE: /* a descriptor, or a HANDLE: the one that differs */
        return (struct typelib_layout){sizeof(VIA_HANDLE), _Alignof(VIA_HANDLE)};
    default:
        return (struct typelib_layout){sizeof(void *), _Alignof(void *)};
    }
}
