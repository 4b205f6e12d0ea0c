#include "com/typeinfo/type_desc.h"

#include <stdlib.h>

#include "com/typeinfo/base_types.h"
#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"

/* --- blocks --- */

static size_t padded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

void *type_block_new(struct type_block *block, size_t size, size_t extra)
{
    char *memory = calloc(1, padded(size) + extra);
    block->at = memory != NULL ? memory + padded(size) : NULL;
    block->left = extra;
    return memory;
}

void *type_block_take(struct type_block *block, size_t size)
{
    void *taken = block->at;
    block->at += padded(size);
    block->left -= padded(size);
    return taken;
}

/* --- types --- */

/* What one step of a type takes: a TYPEDESC, or an ARRAYDESC of one dimension. */
#define STEP_SIZE 32
_Static_assert(sizeof(TYPEDESC) <= STEP_SIZE && sizeof(ARRAYDESC) <= STEP_SIZE, "one step");
_Static_assert(sizeof(SAFEARRAYBOUND) <= STEP_SIZE, "one more dimension");

size_t type_desc_extra(const struct via_typelib *lib, uint16_t type, bool by_ref)
{
    size_t n_steps = by_ref;
    for (; type != VIA_NO_INDEX; type = lib->types[type].element)
        n_steps++;
    return n_steps * STEP_SIZE;
}

static TYPEDESC *make_pointer(struct type_block *block, TYPEDESC *desc)
{
    desc->vt = VT_PTR;
    desc->lptdesc = type_block_take(block, sizeof(TYPEDESC));
    return desc->lptdesc;
}

static void make_reference(HREFTYPE ref, TYPEDESC *desc)
{
    desc->vt = VT_USERDEFINED;
    desc->hreftype = ref;
}

static VARTYPE simple_vt(const struct via_type *type)
{
    static const VARTYPE of_kind[] = {
        [VIA_TYPE_I8] = VT_I1,           [VIA_TYPE_U8] = VT_UI1,
        [VIA_TYPE_I16] = VT_I2,          [VIA_TYPE_U16] = VT_UI2,
        [VIA_TYPE_I32] = VT_I4,          [VIA_TYPE_U32] = VT_UI4,
        [VIA_TYPE_I64] = VT_I8,          [VIA_TYPE_U64] = VT_UI8,
        [VIA_TYPE_F32] = VT_R4,          [VIA_TYPE_F64] = VT_R8,
        [VIA_TYPE_WCHAR] = VT_UI2,       [VIA_TYPE_BOOL] = VT_BOOL,
        [VIA_TYPE_HRESULT] = VT_ERROR,   [VIA_TYPE_BSTR] = VT_BSTR,
        [VIA_TYPE_STRING8] = VT_LPSTR,   [VIA_TYPE_STRING16] = VT_LPWSTR,
        [VIA_TYPE_CY] = VT_CY,           [VIA_TYPE_DATE] = VT_DATE,
        [VIA_TYPE_DECIMAL] = VT_DECIMAL, [VIA_TYPE_VARIANT] = VT_VARIANT,
    };
    if (type->kind == VIA_TYPE_HANDLE)
        return sizeof(VIA_HANDLE) == sizeof(void *) ? VT_INT_PTR : VT_INT;
    if (type->kind == VIA_TYPE_OPAQUE)
        return VT_INT_PTR;
    return of_kind[type->kind];
}

/* `alias` is 1 and its index; 0: none. */
static bool is_public(const struct via_typelib *lib, uint16_t alias)
{
    return alias != 0 && (lib->aliases[alias - 1].flags & VIA_ALIAS_PUBLIC) != 0;
}

/* False: there is none that COM's type libraries have. */
static bool make_alias(const struct type_subject *from, const struct via_typelib *lib,
                       uint16_t alias, TYPEDESC *desc)
{
    if (!is_public(lib, alias))
        return false;
    make_reference(type_ref_make(from, lib, TYPE_VIEW_ALIAS, (uint16_t)(alias - 1)), desc);
    return true;
}

/* Dimensions of arrays in arrays are those of one; one that has a name stays one in itself. */
static uint16_t make_array(const struct via_typelib *lib, uint16_t type, struct type_block *block,
                           TYPEDESC *desc)
{
    ARRAYDESC *array = type_block_take(block, sizeof *array);
    desc->vt = VT_CARRAY;
    desc->lpadesc = array;
    for (; lib->types[type].kind == VIA_TYPE_ARRAY; type = lib->types[type].element) {
        if (array->cDims > 0 && is_public(lib, lib->types[type].alias))
            break;
        if (array->cDims > 0)
            type_block_take(block, sizeof(SAFEARRAYBOUND)); /* right behind it */
        array->rgbounds[array->cDims].cElements = lib->types[type].count;
        array->rgbounds[array->cDims].lLbound = 0;
        array->cDims++;
    }
    return type;
}

static void make_interface(const struct type_subject *from, const struct via_typelib *lib,
                           uint16_t index, struct type_block *block, TYPEDESC *desc)
{
    const struct via_interface *itf = &lib->interfaces[index];
    const struct via_typelib *found;
    uint16_t at;
    if (IsEqualGUID(&itf->iid, &builtin_iid_dispatch)) {
        desc->vt = VT_DISPATCH;
        return;
    }
    desc->vt = VT_UNKNOWN;
    if (builtin_slots(&itf->iid) != 0)
        return;
    /* One that nobody has described yet is an object like others. */
    if (FAILED(typelib_catalog_find(&itf->iid, &found, &at)))
        error_clear();
    else
        make_reference(type_ref_of_interface(from, lib, index), make_pointer(block, desc));
}

void type_desc_make(const struct type_subject *from, const struct via_typelib *lib, uint16_t type,
                    bool by_ref, struct type_block *block, TYPEDESC *desc)
{
    if (by_ref)
        desc = make_pointer(block, desc);
    for (;;) {
        const struct via_type *self = &lib->types[type];
        if (make_alias(from, lib, self->alias, desc))
            return;
        switch (self->kind) {
        case VIA_TYPE_ARRAY:
            type = make_array(lib, type, block, desc);
            desc = &desc->lpadesc->tdescElem;
            continue;
        case VIA_TYPE_SAFEARRAY:
        case VIA_TYPE_SIZED:
        case VIA_TYPE_POINTER:
            make_pointer(block, desc);
            if (self->kind == VIA_TYPE_SAFEARRAY)
                desc->vt = VT_SAFEARRAY;
            desc = desc->lptdesc;
            type = self->element;
            continue;
        case VIA_TYPE_ENUM:
            make_reference(type_ref_make(from, lib, TYPE_VIEW_ENUM, self->index), desc);
            return;
        case VIA_TYPE_STRUCT:
            make_reference(type_ref_make(from, lib, TYPE_VIEW_STRUCT, self->index), desc);
            return;
        case VIA_TYPE_UNION:
            make_reference(type_ref_make(from, lib, TYPE_VIEW_UNION, self->index), desc);
            return;
        case VIA_TYPE_INTERFACE:
            make_interface(from, lib, self->index, block, desc);
            return;
        case VIA_TYPE_GUID:
            type_desc_make_simple(from, VT_USERDEFINED, 0, block, desc);
            return;
        default:
            desc->vt = simple_vt(self);
            return;
        }
    }
}

void type_desc_make_simple(const struct type_subject *from, VARTYPE vt, unsigned n_pointers,
                           struct type_block *block, TYPEDESC *desc)
{
    while (n_pointers-- > 0)
        desc = make_pointer(block, desc);
    if (vt == VT_USERDEFINED)
        make_reference(type_ref_make(from, &base_library, TYPE_VIEW_STRUCT, BASE_GUID), desc);
    else
        desc->vt = vt;
}
