#include "tests/typeinfo/dump.h"

#include <stdlib.h>

#include "com/abi/guid.h"
#include "core/util/buffer.h"
#include "core/util/cleanup.h"
#include "core/util/utf.h"
#include "tests/harness/harness.h"

#define MAX_TEXT  (1u << 20)
#define MAX_NAMES 32

static void print_wide(struct buffer *out, BSTR text)
{
    CLEANUP(cleanup_free)
    char *utf8 = text != NULL ? utf_from_wide(text, SysStringLen(text)) : NULL;
    buffer_print(out, "%s", utf8 != NULL ? utf8 : "(none)");
}

char *dump_name(ITypeInfo *info)
{
    BSTR name = NULL;
    if (!CHECK_OK(ITypeInfo_GetDocumentation(info, MEMBERID_NIL, &name, NULL, NULL, NULL)))
        return NULL;
    char *text = utf_from_wide(name, SysStringLen(name));
    SysFreeString(name);
    return text;
}

/* --- types --- */

static void print_reference(ITypeInfo *info, HREFTYPE ref, struct buffer *out)
{
    ITypeInfo *other = NULL;
    if (!CHECK_OK(ITypeInfo_GetRefTypeInfo(info, ref, &other)))
        return;
    CLEANUP(cleanup_free) char *name = dump_name(other);
    buffer_print(out, "%s", name != NULL ? name : "?");
    ITypeInfo_Release(other);
}

static void print_array(ITypeInfo *info, const ARRAYDESC *array, struct buffer *out);

static void print_type(ITypeInfo *info, const TYPEDESC *type, struct buffer *out)
{
    unsigned n_pointers = 0;
    for (; type->vt == VT_PTR || type->vt == VT_SAFEARRAY; type = type->lptdesc) {
        n_pointers += type->vt == VT_PTR;
        if (type->vt == VT_SAFEARRAY)
            buffer_print(out, "safearray ");
    }
    if (type->vt == VT_USERDEFINED)
        print_reference(info, type->hreftype, out);
    else if (type->vt == VT_CARRAY)
        print_array(info, type->lpadesc, out);
    else
        buffer_print(out, "vt%u", type->vt);
    while (n_pointers-- > 0)
        buffer_print(out, "*");
}

static void print_array(ITypeInfo *info, const ARRAYDESC *array, struct buffer *out)
{
    print_type(info, &array->tdescElem, out);
    for (USHORT i = 0; i < array->cDims; i++)
        buffer_print(out, "[%d..%u]", (int)array->rgbounds[i].lLbound,
                     (unsigned)array->rgbounds[i].cElements);
}

/* --- functions --- */

static void print_help(ITypeInfo *info, MEMBERID id, struct buffer *out)
{
    BSTR help = NULL;
    CHECK_OK(ITypeInfo_GetDocumentation(info, id, NULL, &help, NULL, NULL));
    if (help != NULL) {
        buffer_print(out, " ");
        print_wide(out, help);
    }
    buffer_print(out, "\n");
    SysFreeString(help);
}

static void print_params(ITypeInfo *info, const FUNCDESC *desc, BSTR *names, UINT n_names,
                         struct buffer *out)
{
    for (SHORT i = 0; i < desc->cParams; i++) {
        const ELEMDESC *param = &desc->lprgelemdescParam[i];
        buffer_print(out, "%s[%x] ", i > 0 ? ", " : "", param->paramdesc.wParamFlags);
        print_type(info, &param->tdesc, out);
        buffer_print(out, " ");
        print_wide(out, (UINT)i + 1 < n_names ? names[i + 1] : NULL);
        if (param->paramdesc.wParamFlags & PARAMFLAG_FHASDEFAULT)
            buffer_print(out, " = vt%u %d", V_VT(&param->paramdesc.pparamdescex->varDefaultValue),
                         (int)V_I4(&param->paramdesc.pparamdescex->varDefaultValue));
    }
}

static void print_function(ITypeInfo *info, UINT index, struct buffer *out)
{
    FUNCDESC *desc = NULL;
    BSTR names[MAX_NAMES] = {NULL};
    UINT n_names = 0;
    if (!CHECK_OK(ITypeInfo_GetFuncDesc(info, index, &desc)))
        return;
    CHECK_OK(ITypeInfo_GetNames(info, desc->memid, names, MAX_NAMES, &n_names));
    buffer_print(out, "  %x kind %u.%u vft %d flags %x optional %d: ", (unsigned)desc->memid,
                 desc->funckind, desc->invkind, desc->oVft, desc->wFuncFlags, desc->cParamsOpt);
    print_type(info, &desc->elemdescFunc.tdesc, out);
    buffer_print(out, " ");
    print_wide(out, names[0]);
    buffer_print(out, "(");
    print_params(info, desc, names, n_names, out);
    buffer_print(out, ")");
    print_help(info, desc->memid, out);
    CHECK_EQ(desc->callconv, CC_STDCALL);
    for (UINT i = 0; i < n_names; i++)
        SysFreeString(names[i]);
    ITypeInfo_ReleaseFuncDesc(info, desc);
}

/* --- the rest --- */

static void print_variable(ITypeInfo *info, UINT index, struct buffer *out)
{
    VARDESC *desc = NULL;
    BSTR name = NULL;
    UINT n = 0;
    if (!CHECK_OK(ITypeInfo_GetVarDesc(info, index, &desc)))
        return;
    CHECK_OK(ITypeInfo_GetNames(info, desc->memid, &name, 1, &n));
    buffer_print(out, "  %x: ", (unsigned)desc->memid);
    print_type(info, &desc->elemdescVar.tdesc, out);
    buffer_print(out, " ");
    print_wide(out, name);
    if (desc->varkind == VAR_CONST)
        buffer_print(out, " = vt%u %d\n", V_VT(desc->lpvarValue), (int)V_I4(desc->lpvarValue));
    else
        buffer_print(out, " at %u\n", (unsigned)desc->oInst);
    SysFreeString(name);
    ITypeInfo_ReleaseVarDesc(info, desc);
}

static void print_implemented(ITypeInfo *info, UINT index, struct buffer *out)
{
    HREFTYPE ref = 0;
    INT flags = 0;
    if (!CHECK_OK(ITypeInfo_GetRefTypeOfImplType(info, index, &ref)))
        return;
    CHECK_OK(ITypeInfo_GetImplTypeFlags(info, index, &flags));
    buffer_print(out, "  is [%x] ", (unsigned)flags);
    print_reference(info, ref, out);
    buffer_print(out, "\n");
}

static void print_one(ITypeInfo *info, struct buffer *out, unsigned depth);

static void print_other_side(ITypeInfo *info, struct buffer *out)
{
    HREFTYPE ref = 0;
    ITypeInfo *other = NULL;
    if (CHECK_OK(ITypeInfo_GetRefTypeOfImplType(info, (UINT)-1, &ref)) &&
        CHECK_OK(ITypeInfo_GetRefTypeInfo(info, ref, &other))) {
        print_one(other, out, 1);
        ITypeInfo_Release(other);
    }
}

static void print_one(ITypeInfo *info, struct buffer *out, unsigned depth)
{
    TYPEATTR *attr = NULL;
    char guid[GUID_TEXT_SIZE];
    CLEANUP(cleanup_free) char *name = dump_name(info);
    if (!CHECK_OK(ITypeInfo_GetTypeAttr(info, &attr)))
        return;
    buffer_print(out, "kind %u %s %s flags %x size %u vft %u", attr->typekind,
                 name != NULL ? name : "?", guid_format(&attr->guid, guid), attr->wTypeFlags,
                 (unsigned)attr->cbSizeInstance, attr->cbSizeVft);
    print_help(info, MEMBERID_NIL, out);
    if (attr->typekind == TKIND_ALIAS) {
        buffer_print(out, "  means ");
        print_type(info, &attr->tdescAlias, out);
        buffer_print(out, "\n");
    }
    for (UINT i = 0; i < attr->cImplTypes; i++)
        print_implemented(info, i, out);
    for (UINT i = 0; i < attr->cFuncs; i++)
        print_function(info, i, out);
    for (UINT i = 0; i < attr->cVars; i++)
        print_variable(info, i, out);
    bool is_dual = (attr->wTypeFlags & TYPEFLAG_FDUAL) != 0;
    ITypeInfo_ReleaseTypeAttr(info, attr);
    if (is_dual && depth == 0)
        print_other_side(info, out);
}

char *dump_type(ITypeInfo *info)
{
    struct buffer out;
    buffer_init(&out, MAX_TEXT);
    print_one(info, &out, 0);
    char *text = buffer_take_text(&out);
    buffer_deinit(&out);
    return text;
}
