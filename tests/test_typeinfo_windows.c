/*
 * Our type information and late binding beside the system's own: a type library that widl made of
 * the same source, read and called by oleaut32, has to say and do the same.
 *
 * The system is Wine's. Where it does something else than Microsoft documents of IDispatch::Invoke,
 * or cannot do it yet, ours is what is documented: each of these has a rule of its own (`rules`),
 * with the reason, and a difference that no rule is for fails the test.
 */
#include "tests/harness/harness.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/com.h>
#include <viaduct/runtime.h>

#include "core/util/cleanup.h"
#include "core/util/utf.h"
#include "tests/typeinfo/dump.h"
#include "tests/typeinfo/type_object.h"
#include "type_base.h"

/* The system's library; NULL where there was no widl to make it. */
static ITypeLib *open_reference(void)
{
    ITypeLib *library = NULL;
    CLEANUP(cleanup_free) WCHAR *path = utf_to_wide(TEST_TYPE_LIBRARY);
    if (TEST_TYPE_LIBRARY[0] != 0)
        CHECK_OK(LoadTypeLibEx(path, REGKIND_NONE, &library));
    return library;
}

/* The side of a dual interface whose Invoke calls the vtable; in the system's as in ours. */
static ITypeInfo *vtable_side(ITypeLib *library, const GUID *iid)
{
    ITypeInfo *info = NULL, *vtable = NULL;
    HREFTYPE ref = 0;
    if (CHECK_OK(ITypeLib_GetTypeInfoOfGuid(library, iid, &info)) &&
        CHECK_OK(ITypeInfo_GetRefTypeOfImplType(info, (UINT)-1, &ref)))
        CHECK_OK(ITypeInfo_GetRefTypeInfo(info, ref, &vtable));
    if (info != NULL)
        ITypeInfo_Release(info);
    return vtable;
}

/* --- descriptions --- */

static ITypeInfo *find_by_name(ITypeLib *library, const char *name)
{
    UINT n = ITypeLib_GetTypeInfoCount(library);
    for (UINT i = 0; i < n; i++) {
        ITypeInfo *info = NULL;
        if (!CHECK_OK(ITypeLib_GetTypeInfo(library, i, &info)))
            return NULL;
        CLEANUP(cleanup_free) char *own = dump_name(info);
        if (own != NULL && !strcmp(own, name))
            return info;
        ITypeInfo_Release(info);
    }
    return NULL;
}

/* Two structs of stdole2.tlb, which no library of ours describes: pointers to void here. */
static void hide_stdole(char *text)
{
    static const char *const names[] = {"DISPPARAMS*", "EXCEPINFO*"};
    for (size_t i = 0; text != NULL && i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        for (char *at = text; (at = strstr(at, names[i])) != NULL;) {
            memcpy(at, "vt24*", 5);
            memmove(at + 5, at + n, strlen(at + n) + 1);
        }
    }
}

/* A library file has each name in one spelling only ("same" of a parameter, for a method, too). */
static void ignore_case(char *text)
{
    for (char *at = text; at != NULL && *at != 0; at++)
        *at = (char)tolower((unsigned char)*at);
}

static void compare_types(ITypeInfo *info, ITypeInfo *other)
{
    CLEANUP(cleanup_free) char *ours = dump_type(info);
    CLEANUP(cleanup_free) char *theirs = dump_type(other);
    hide_stdole(theirs);
    ignore_case(ours);
    ignore_case(theirs);
    CHECK_STR_EQ(ours, theirs);
}

static void compare_library(const struct via_typelib *lib, ITypeLib *reference)
{
    ITypeLib *library = NULL;
    REQUIRE_OK(via_type_library(lib, &library));
    UINT n = ITypeLib_GetTypeInfoCount(library);
    for (UINT i = 0; i < n; i++) {
        ITypeInfo *info = NULL;
        REQUIRE_OK(ITypeLib_GetTypeInfo(library, i, &info));
        CLEANUP(cleanup_free) char *name = dump_name(info);
        ITypeInfo *other = find_by_name(reference, name);
        if (CHECK_NOT_NULL(other)) {
            compare_types(info, other);
            ITypeInfo_Release(other);
        }
        ITypeInfo_Release(info);
    }
    ITypeLib_Release(library);
}

TEST(descriptions_are_the_same)
{
    ITypeLib *reference = open_reference();
    if (reference == NULL)
        SKIP("widl is not installed: there is no library to compare with");
    compare_library(&type_base_typelib, reference);
    compare_library(&type_test_typelib, reference);
    ITypeLib_Release(reference);
}

/* --- two objects, one called by the system, one by us --- */

struct pair {
    ITypeLib *reference_library;
    ITypeInfo *reference;
    ITypeInfo *ours;
    ITypeInfo *members; /* the system's view of late-bound callers: all members, in one list */
};

static bool pair_open(struct pair *self)
{
    ITypeLib *library = NULL;
    memset(self, 0, sizeof *self);
    self->reference_library = open_reference();
    if (self->reference_library == NULL)
        return false;
    CHECK_OK(via_register_typelib(&type_base_typelib));
    CHECK_OK(via_type_library(&type_test_typelib, &library));
    self->reference = vtable_side(self->reference_library, &IID_ITypeMore);
    self->ours = vtable_side(library, &IID_ITypeMore);
    ITypeLib_Release(library);
    CHECK_OK(ITypeLib_GetTypeInfoOfGuid(self->reference_library, &IID_ITypeMore, &self->members));
    return self->reference != NULL && self->ours != NULL && self->members != NULL;
}

static void pair_close(struct pair *self)
{
    ITypeInfo_Release(self->members);
    ITypeInfo_Release(self->ours);
    ITypeInfo_Release(self->reference);
    ITypeLib_Release(self->reference_library);
}

#define MAX_NAMES 4

TEST(names_mean_the_same)
{
    static const WCHAR *const cases[][MAX_NAMES] = {
        {VIA_STR("Title")},
        {VIA_STR("TITLE")},
        {VIA_STR("Item"), VIA_STR("row"), VIA_STR("COLUMN")},
        {VIA_STR("Divide"), VIA_STR("b"), VIA_STR("rest"), VIA_STR("a")},
        {VIA_STR("Divide"), VIA_STR("nobody"), VIA_STR("rest")},
        {VIA_STR("More"), VIA_STR("value")},
        {VIA_STR("Nobody")},
        {VIA_STR("Nobody"), VIA_STR("rest")},
        {VIA_STR("")},
    }; /* "get_Title", the name in C, is one of ours, too */
    struct pair pair;
    if (!pair_open(&pair))
        SKIP("widl is not installed: there is no library to compare with");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        DISPID theirs[MAX_NAMES] = {0}, ours[MAX_NAMES] = {0};
        UINT n = 0;
        while (n < MAX_NAMES && cases[i][n] != NULL)
            n++;
        HRESULT expected = DispGetIDsOfNames(pair.reference, (LPOLESTR *)cases[i], n, theirs);
        CHECK_HR(DispGetIDsOfNames(pair.ours, (LPOLESTR *)cases[i], n, ours), expected);
        for (UINT k = 0; k < n && SUCCEEDED(expected); k++)
            CHECK_EQ(ours[k], theirs[k]);
    }
    pair_close(&pair);
}

/* --- calls --- */

#define MAX_ARGUMENTS 4
#define N_CALLS       4000
#define N_SEEDS       5
#define UNTOUCHED     77u /* where nobody says which argument is wrong */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* What one side has as arguments; those by reference refer into it. */
struct arguments {
    VARIANT values[MAX_ARGUMENTS];
    LONG longs[MAX_ARGUMENTS];
    VARIANT inner[MAX_ARGUMENTS];
    DISPID names[1];
    DISPPARAMS params;
    VARIANT result;
    EXCEPINFO exception;
    UINT wrong;
};

/* Of an argument; see make_argument(). */
enum { KIND_LEFT_OPEN = 12, KIND_LONG_REF = 13, KIND_VARIANT_REF = 14, N_KINDS = 16 };

static void set_text(VARIANT *value, const WCHAR *text)
{
    V_VT(value) = VT_BSTR;
    V_BSTR(value) = SysAllocString(text);
}

static void make_argument(struct arguments *self, UINT i, unsigned kind)
{
    static const VARTYPE plain[] = {VT_EMPTY, VT_NULL, VT_I2, VT_I4,  VT_R8,
                                    VT_BOOL,  VT_DATE, VT_CY, VT_UI1, VT_I8};
    VARIANT *value = &self->values[i];
    VariantInit(value);
    memset(&V_I8(value), 0, sizeof V_I8(value));
    if (kind < sizeof plain / sizeof plain[0]) {
        V_VT(value) = plain[kind];
        if (plain[kind] == VT_R8 || plain[kind] == VT_DATE)
            V_R8(value) = 2.5;
        else if (plain[kind] == VT_CY)
            V_CY(value).int64 = 35000;
        else
            V_I8(value) = plain[kind] == VT_BOOL ? VARIANT_TRUE : 3;
        return;
    }
    switch (kind) {
    case 10:
        set_text(value, VIA_STR("12"));
        break;
    case 11:
        set_text(value, VIA_STR("a text"));
        break;
    case KIND_LEFT_OPEN:
        V_VT(value) = VT_ERROR;
        V_ERROR(value) = DISP_E_PARAMNOTFOUND;
        break;
    case KIND_LONG_REF:
        self->longs[i] = 7;
        V_VT(value) = VT_BYREF | VT_I4;
        V_I4REF(value) = &self->longs[i];
        break;
    case KIND_VARIANT_REF:
        V_VT(&self->inner[i]) = VT_I2;
        V_I2(&self->inner[i]) = 9;
        V_VT(value) = VT_BYREF | VT_VARIANT;
        V_VARIANTREF(value) = &self->inner[i];
        break;
    default:
        V_VT(value) = VT_I4;
        V_I4(value) = 100000;
    }
}

static void arguments_make(struct arguments *self, unsigned n, const unsigned *kinds, bool is_put)
{
    memset(self, 0, sizeof *self);
    for (UINT i = 0; i < n; i++)
        make_argument(self, i, kinds[i]);
    self->names[0] = DISPID_PROPERTYPUT;
    self->params = (DISPPARAMS){.rgvarg = self->values,
                                .cArgs = n,
                                .rgdispidNamedArgs = is_put ? self->names : NULL,
                                .cNamedArgs = is_put};
    self->wrong = UNTOUCHED;
}

static void arguments_free(struct arguments *self)
{
    for (UINT i = 0; i < self->params.cArgs; i++) {
        VariantClear(&self->values[i]);
        VariantClear(&self->inner[i]);
    }
    VariantClear(&self->result);
    SysFreeString(self->exception.bstrSource);
    SysFreeString(self->exception.bstrDescription);
    SysFreeString(self->exception.bstrHelpFile);
}

static bool is_same(const VARIANT *left, const VARIANT *right)
{
    if (V_VT(left) != V_VT(right))
        return false;
    switch (V_VT(left)) {
    case VT_EMPTY:
    case VT_NULL:
        return true;
    case VT_BSTR:
        return SysStringByteLen(V_BSTR(left)) == SysStringByteLen(V_BSTR(right)) &&
               !memcmp(V_BSTR(left), V_BSTR(right), SysStringByteLen(V_BSTR(left)));
    case VT_UI1:
        return V_UI1(left) == V_UI1(right);
    case VT_I2:
    case VT_BOOL:
        return V_I2(left) == V_I2(right);
    case VT_I4:
    case VT_INT:
    case VT_ERROR:
        return V_I4(left) == V_I4(right);
    default:
        return V_I8(left) == V_I8(right);
    }
}

struct call {
    DISPID id;
    WORD flags;
    unsigned n;
    unsigned kinds[MAX_ARGUMENTS];
};

static void invoke(ITypeInfo *info, const struct call *call, struct arguments *arguments,
                   HRESULT *hr)
{
    ITypeMore *object = type_object_new();
    bool is_put = (call->flags & (DISPATCH_PROPERTYPUT | DISPATCH_PROPERTYPUTREF)) != 0;
    arguments_make(arguments, call->n, call->kinds, is_put);
    if (object == NULL)
        return;
    *hr = DispInvoke(object, info, call->id, call->flags, &arguments->params, &arguments->result,
                     &arguments->exception, &arguments->wrong);
    ITypeMore_Release(object);
}

/* --- where the system is no example --- */

/* One call of both, and what they said. */
struct comparison {
    const struct call *call;
    const FUNCDESC *member; /* NULL: there is none of that form */
    const struct arguments *ours;
    const struct arguments *theirs;
    HRESULT hr;
    HRESULT expected;
};

/* The parameter of an argument by its place in rgvarg; NULL: there is none. */
static const ELEMDESC *param_of(const struct comparison *self, UINT place)
{
    bool is_put = self->member->invkind & (INVOKE_PROPERTYPUT | INVOKE_PROPERTYPUTREF);
    UINT n = (UINT)self->member->cParams;
    UINT index = is_put && place == 0 ? n - 1 : self->call->n - 1 - place;
    return index < n ? &self->member->lprgelemdescParam[index] : NULL;
}

/* "The number of elements provided to DISPPARAMS is different from the number of arguments": where
 * there is no [retval] Wine ignores what is too much, and it changes types before it counts. */
static bool is_wrong_count(const struct comparison *self)
{
    UINT n = (UINT)self->member->cParams, n_optional = 0;
    while (n_optional < n &&
           (self->member->lprgelemdescParam[n - 1 - n_optional].paramdesc.wParamFlags &
            PARAMFLAG_FOPT) != 0)
        n_optional++;
    return self->hr == DISP_E_BADPARAMCOUNT &&
           (self->call->n > n || self->call->n < n - n_optional);
}

/* "A required parameter was omitted": Wine knows the code of one that is left open for optional
 * parameters only, and finds no number in it for others. */
static bool is_left_open(const struct comparison *self)
{
    return self->hr == DISP_E_PARAMNOTOPTIONAL && self->ours->wrong < self->call->n &&
           self->call->kinds[self->ours->wrong] == KIND_LEFT_OPEN &&
           self->expected == DISP_E_TYPEMISMATCH;
}

/* "If a method expects a reference to a double-precision number, but receives a reference to an
 * integer, the argument is coerced": Wine says of itself that it cannot do this for VT_BYREF. */
static bool is_other_reference(const struct comparison *self)
{
    bool is_other = false;
    for (UINT i = 0; i < self->call->n; i++) {
        const ELEMDESC *param = param_of(self, i);
        is_other |=
            self->call->kinds[i] == KIND_VARIANT_REF && param != NULL && param->tdesc.vt == VT_PTR;
    }
    return is_other && self->expected == DISP_E_TYPEMISMATCH;
}

/* Arguments are the caller's but for those with VT_BYREF: Wine changes a result to the type of the
 * argument, by value, that it came back for, and fails where that cannot be. */
static bool is_result_by_value(const struct comparison *self)
{
    bool is_by_value = false;
    for (UINT i = 0; i < self->call->n; i++) {
        const ELEMDESC *param = param_of(self, i);
        is_by_value |= param != NULL && (param->paramdesc.wParamFlags & PARAMFLAG_FOUT) != 0 &&
                       !V_ISBYREF(&self->ours->values[i]);
    }
    return is_by_value && SUCCEEDED(self->hr) &&
           (self->expected == DISP_E_OVERFLOW || self->expected == DISP_E_TYPEMISMATCH ||
            self->expected == DISP_E_BADVARTYPE);
}

/* A code of success of the method's own is lost on the system's way. */
static bool is_other_success(const struct comparison *self)
{
    return self->hr > S_OK && self->expected == S_OK;
}

static bool (*const rules[])(const struct comparison *) = {
    is_wrong_count, is_left_open, is_other_reference, is_result_by_value, is_other_success};

static bool is_known(const struct comparison *self)
{
    bool is_known = false;
    for (size_t i = 0; self->member != NULL && i < sizeof rules / sizeof rules[0]; i++)
        is_known |= rules[i](self);
    return is_known;
}

/* Wine says which argument is wrong in no case. */
static bool is_same_argument(const struct comparison *self)
{
    bool says = self->hr == DISP_E_TYPEMISMATCH || self->hr == DISP_E_OVERFLOW;
    return !says || self->theirs->wrong == UNTOUCHED || self->ours->wrong == self->theirs->wrong;
}

static bool is_same_outcome(const struct comparison *self)
{
    const struct arguments *ours = self->ours, *theirs = self->theirs;
    if (self->hr != self->expected || !is_same_argument(self))
        return false;
    if (self->hr == DISP_E_EXCEPTION)
        return ours->exception.scode == theirs->exception.scode;
    bool is_equal = FAILED(self->hr) || is_same(&ours->result, &theirs->result);
    for (unsigned i = 0; is_equal && SUCCEEDED(self->hr) && i < self->call->n; i++)
        is_equal =
            ours->longs[i] == theirs->longs[i] && is_same(&ours->inner[i], &theirs->inner[i]);
    return is_equal;
}

/* The first of that id and form, as Invoke takes it; the caller releases it. */
static FUNCDESC *find_member(const struct pair *pair, const struct call *call)
{
    FUNCDESC *desc = NULL;
    for (UINT i = 0; SUCCEEDED(ITypeInfo_GetFuncDesc(pair->members, i, &desc)); i++) {
        if (desc->memid == call->id && (desc->invkind & call->flags) != 0)
            return desc;
        ITypeInfo_ReleaseFuncDesc(pair->members, desc);
    }
    return NULL;
}

static bool compare_call(const struct pair *pair, const struct call *call)
{
    struct arguments theirs, ours;
    struct comparison self = {.call = call,
                              .ours = &ours,
                              .theirs = &theirs,
                              .hr = E_UNEXPECTED,
                              .expected = E_UNEXPECTED};
    FUNCDESC *member = find_member(pair, call);
    self.member = member;
    invoke(pair->reference, call, &theirs, &self.expected);
    invoke(pair->ours, call, &ours, &self.hr);
    bool is_equal = is_same_outcome(&self);
    bool is_allowed = is_equal || is_known(&self);
    if (!is_allowed)
        FAIL("member %d, flags %x, %u arguments of kinds %u %u %u: 0x%08x (argument %u, type %u), "
             "and the system 0x%08x (argument %u, type %u)",
             (int)call->id, call->flags, call->n, call->kinds[0], call->kinds[1], call->kinds[2],
             (unsigned)self.hr, ours.wrong, V_VT(&ours.result), (unsigned)self.expected,
             theirs.wrong, V_VT(&theirs.result));
    arguments_free(&ours);
    arguments_free(&theirs);
    if (member != NULL)
        ITypeInfo_ReleaseFuncDesc(pair->members, member);
    return is_equal;
}

/* Many is not among them: Wine refuses every call of a [vararg] with a [retval] (it counts what is
 * given against the place of the latter). */
static void compare_calls(const struct pair *pair, uint32_t random, unsigned *n_equal)
{
    static const DISPID ids[] = {0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 40, 99};
    static const WORD flags[] = {DISPATCH_METHOD, DISPATCH_METHOD | DISPATCH_PROPERTYGET,
                                 DISPATCH_PROPERTYGET, DISPATCH_PROPERTYPUT};
    for (unsigned i = 0; i < N_CALLS; i++) {
        struct call call = {.id = ids[next_random(&random) % (sizeof ids / sizeof ids[0])],
                            .flags = flags[next_random(&random) % 4],
                            .n = next_random(&random) % (MAX_ARGUMENTS + 1)};
        for (unsigned k = 0; k < call.n; k++)
            call.kinds[k] = next_random(&random) % N_KINDS;
        *n_equal += compare_call(pair, &call);
    }
}

TEST(calls_do_the_same)
{
    struct pair pair;
    unsigned n_equal = 0;
    if (!pair_open(&pair))
        SKIP("widl is not installed: there is no library to compare with");
    for (uint32_t seed = 1; seed <= N_SEEDS; seed++)
        compare_calls(&pair, seed, &n_equal);
    pair_close(&pair);
    harness_note("%u of %u calls were the same", n_equal, N_CALLS * N_SEEDS);
    CHECK(n_equal > N_CALLS * N_SEEDS / 2); /* the rules are exceptions */
}

HARNESS_MAIN("typeinfo_windows", TEST_ENTRY(descriptions_are_the_same),
             TEST_ENTRY(names_mean_the_same), TEST_ENTRY_LIMIT(calls_do_the_same, 240000))
