#include "com/typeinfo/variables.h"

#include <strings.h>

#include "com/typeinfo/type_desc.h"
#include "com/typelib/typelib.h"

#define FIRST_ID 0x40000000 /* as Windows numbers them */

UINT variables_count(const struct type_subject *subject)
{
    switch (subject->view) {
    case TYPE_VIEW_ENUM:
        return subject->lib->enums[subject->index].n_values;
    case TYPE_VIEW_STRUCT:
        return subject->lib->structs[subject->index].n_fields;
    case TYPE_VIEW_UNION:
        return subject->lib->unions[subject->index].n_arms;
    default:
        return 0;
    }
}

const char *variable_name(const struct type_subject *subject, UINT index)
{
    switch (subject->view) {
    case TYPE_VIEW_ENUM:
        return subject->lib->enums[subject->index].values[index].name;
    case TYPE_VIEW_STRUCT:
        return subject->lib->structs[subject->index].fields[index].name;
    default:
        return subject->lib->unions[subject->index].arms[index].name;
    }
}

MEMBERID variable_id(UINT index)
{
    return FIRST_ID + (MEMBERID)index;
}

int variables_with_id(const struct type_subject *subject, MEMBERID id)
{
    UINT n = variables_count(subject);
    return id >= FIRST_ID && (UINT)(id - FIRST_ID) < n ? id - FIRST_ID : -1;
}

int variables_with_name(const struct type_subject *subject, const char *name)
{
    UINT n = variables_count(subject);
    for (UINT i = 0; i < n; i++)
        if (!strcasecmp(variable_name(subject, i), name))
            return (int)i;
    return -1;
}

static VARDESC *describe_constant(const struct type_subject *subject, UINT index)
{
    struct type_block block;
    VARDESC *desc = type_block_new(&block, sizeof *desc, sizeof(VARIANT));
    if (desc == NULL)
        return NULL;
    desc->varkind = VAR_CONST;
    desc->elemdescVar.tdesc.vt = VT_INT;
    desc->lpvarValue = type_block_take(&block, sizeof(VARIANT));
    V_VT(desc->lpvarValue) = VT_I4;
    V_I4(desc->lpvarValue) = subject->lib->enums[subject->index].values[index].value;
    return desc;
}

static VARDESC *describe_field(const struct type_subject *subject, UINT index)
{
    struct type_block block;
    const struct via_typelib *lib = subject->lib;
    bool is_struct = subject->view == TYPE_VIEW_STRUCT;
    uint16_t type = is_struct ? lib->structs[subject->index].fields[index].type
                              : lib->unions[subject->index].arms[index].type;
    size_t extra = type != VIA_NO_INDEX ? type_desc_extra(lib, type, false) : 0;
    VARDESC *desc = type_block_new(&block, sizeof *desc, extra);
    if (desc == NULL)
        return NULL;
    desc->varkind = VAR_PERINSTANCE;
    desc->oInst = is_struct ? typelib_field_offset(lib, subject->index, (uint16_t)index) : 0;
    if (type != VIA_NO_INDEX)
        type_desc_make(subject, lib, type, false, &block, &desc->elemdescVar.tdesc);
    else
        desc->elemdescVar.tdesc.vt = VT_VOID; /* an arm of nothing */
    return desc;
}

VARDESC *variable_describe(const struct type_subject *subject, UINT index)
{
    VARDESC *desc = subject->view == TYPE_VIEW_ENUM ? describe_constant(subject, index)
                                                    : describe_field(subject, index);
    if (desc != NULL)
        desc->memid = variable_id(index);
    return desc;
}
