/*
 * Streams, enumerators and objects with an IDispatch as arguments: each has the same content, which
 * the side that is given one reads to its end, or calls, and answers with one of its own.
 */
#ifndef TESTS_RANDOM_INTERFACES_CONTENTS_H
#define TESTS_RANDOM_INTERFACES_CONTENTS_H

#include <stdbool.h>
#include <string.h>
#include <viaduct/enumerators.h>
#include <viaduct/object.h>
#include <viaduct/stream.h>

#define CONTENTS_SIZE 5000u /* bytes of a stream */
#define CONTENTS_N    5u    /* items of an enumerator */

static inline void contents_fill(BYTE bytes[CONTENTS_SIZE])
{
    for (unsigned i = 0; i < CONTENTS_SIZE; i++)
        bytes[i] = (BYTE)(i * 7 + i / 256);
}

static inline IStream *contents_stream(void)
{
    BYTE bytes[CONTENTS_SIZE];
    IStream *stream = NULL;
    contents_fill(bytes);
    via_stream_on_memory(bytes, sizeof(bytes), &stream);
    return stream;
}

static inline bool contents_is_stream(ISequentialStream *stream)
{
    BYTE expected[CONTENTS_SIZE];
    BYTE bytes[CONTENTS_SIZE + 1];
    ULONG n = 0;
    contents_fill(expected);
    return SUCCEEDED(ISequentialStream_Read(stream, bytes, sizeof(bytes), &n)) &&
           n == sizeof(expected) && memcmp(bytes, expected, sizeof(expected)) == 0;
}

static inline IEnumString *contents_strings(void)
{
    static const WCHAR texts[CONTENTS_N][3] = {{'a'}, {'b', 'b'}, {0}, {0x20AC}, {'e', 'e'}};
    const WCHAR *items[CONTENTS_N];
    IEnumString *strings = NULL;
    for (unsigned i = 0; i < CONTENTS_N; i++)
        items[i] = texts[i];
    via_enum_strings(items, CONTENTS_N, &strings);
    return strings;
}

static inline bool contents_is_strings(IEnumString *strings)
{
    static const WCHAR firsts[CONTENTS_N] = {'a', 'b', 0, 0x20AC, 'e'};
    LPOLESTR items[CONTENTS_N + 1] = {NULL};
    ULONG n = 0;
    bool is_right = IEnumString_Next(strings, CONTENTS_N + 1, items, &n) == S_FALSE;
    is_right = is_right && n == CONTENTS_N;
    for (ULONG i = 0; i < n; i++) {
        is_right = is_right && items[i][0] == firsts[i];
        CoTaskMemFree(items[i]);
    }
    return is_right;
}

static inline IEnumVARIANT *contents_variants(void)
{
    VARIANT items[CONTENTS_N];
    IEnumVARIANT *variants = NULL;
    for (unsigned i = 0; i < CONTENTS_N; i++) {
        VariantInit(&items[i]);
        V_VT(&items[i]) = VT_I4;
        V_I4(&items[i]) = (LONG)(100 + i);
    }
    via_enum_variants(items, CONTENTS_N, &variants);
    return variants;
}

static inline bool contents_is_variants(IEnumVARIANT *variants)
{
    VARIANT items[CONTENTS_N + 1];
    ULONG n = 0;
    memset(items, 0, sizeof(items));
    bool is_right = IEnumVARIANT_Next(variants, CONTENTS_N + 1, items, &n) == S_FALSE;
    is_right = is_right && n == CONTENTS_N;
    for (ULONG i = 0; i < n; i++) {
        is_right = is_right && V_VT(&items[i]) == VT_I4 && V_I4(&items[i]) == (LONG)(100 + i);
        VariantClear(&items[i]);
    }
    return is_right;
}

static inline IEnumUnknown *contents_objects(void)
{
    IUnknown *items[CONTENTS_N] = {NULL};
    IEnumUnknown *objects = NULL;
    for (unsigned i = 0; i < CONTENTS_N; i++)
        items[i] = (IUnknown *)contents_stream();
    via_enum_unknown(items, CONTENTS_N, &objects);
    for (unsigned i = 0; i < CONTENTS_N; i++)
        IUnknown_Release(items[i]);
    return objects;
}

static inline bool contents_is_objects(IEnumUnknown *objects)
{
    IUnknown *items[CONTENTS_N + 1] = {NULL};
    ULONG n = 0;
    bool is_right = IEnumUnknown_Next(objects, CONTENTS_N + 1, items, &n) == S_FALSE;
    is_right = is_right && n == CONTENTS_N;
    for (ULONG i = 0; i < n; i++) {
        ISequentialStream *stream = NULL;
        is_right = is_right &&
                   SUCCEEDED(IUnknown_QueryInterface(items[i], &IID_ISequentialStream,
                                                     (void **)&stream)) &&
                   contents_is_stream(stream);
        if (stream != NULL)
            ISequentialStream_Release(stream);
        IUnknown_Release(items[i]);
    }
    return is_right;
}

/* --- an object that is called by name: Answer(n) is 3 * n --- */

#define CONTENTS_ANSWER 17

struct contents_answerer {
    struct via_object object;
    IDispatch IDispatch_iface;
};

VIA_OBJECT_METHODS(Answerer, struct contents_answerer, IDispatch)

static inline HRESULT STDMETHODCALLTYPE Answerer_GetTypeInfoCount(IDispatch *iface, UINT *count)
{
    (void)iface;
    *count = 0;
    return S_OK;
}

static inline HRESULT STDMETHODCALLTYPE Answerer_GetTypeInfo(IDispatch *iface, UINT index,
                                                             LCID lcid, ITypeInfo **info)
{
    (void)iface;
    (void)index;
    (void)lcid;
    *info = NULL;
    return E_NOTIMPL;
}

static inline HRESULT STDMETHODCALLTYPE Answerer_GetIDsOfNames(IDispatch *iface, REFIID iid,
                                                               LPOLESTR *names, UINT n, LCID lcid,
                                                               DISPID *ids)
{
    static const WCHAR answer[] = {'A', 'n', 's', 'w', 'e', 'r', 0};
    (void)iface;
    (void)iid;
    (void)lcid;
    bool is_known = n == 1 && !memcmp(names[0], answer, sizeof(answer));
    ids[0] = is_known ? CONTENTS_ANSWER : DISPID_UNKNOWN;
    return is_known ? S_OK : DISP_E_UNKNOWNNAME;
}

static inline HRESULT STDMETHODCALLTYPE Answerer_Invoke(IDispatch *iface, DISPID id, REFIID iid,
                                                        LCID lcid, WORD flags, DISPPARAMS *params,
                                                        VARIANT *result, EXCEPINFO *exception,
                                                        UINT *wrong)
{
    (void)iface;
    (void)iid;
    (void)lcid;
    (void)flags;
    (void)exception;
    (void)wrong;
    if (id != CONTENTS_ANSWER || params->cArgs != 1 || V_VT(&params->rgvarg[0]) != VT_I4)
        return DISP_E_MEMBERNOTFOUND;
    if (result) {
        V_VT(result) = VT_I4;
        V_I4(result) = 3 * V_I4(&params->rgvarg[0]);
    }
    return S_OK;
}

static inline IDispatch *contents_dispatch(void)
{
    static const IDispatchVtbl vtable = {Answerer_QueryInterface, Answerer_AddRef,
                                         Answerer_Release,        Answerer_GetTypeInfoCount,
                                         Answerer_GetTypeInfo,    Answerer_GetIDsOfNames,
                                         Answerer_Invoke};
    static const struct via_object_interface interfaces[] = {
        VIA_OBJECT_INTERFACE(struct contents_answerer, IDispatch, vtable), {.iid = NULL}};
    static const struct via_object_kind kind = {.size = sizeof(struct contents_answerer),
                                                .interfaces = interfaces};
    struct contents_answerer *made = via_object_new(&kind);
    return made ? &made->IDispatch_iface : NULL;
}

static inline bool contents_is_dispatch(IDispatch *dispatch)
{
    static const IID none;
    WCHAR answer[] = {'A', 'n', 's', 'w', 'e', 'r', 0};
    LPOLESTR name = answer;
    DISPID id = 0;
    VARIANT argument, result;
    DISPPARAMS params = {.rgvarg = &argument, .cArgs = 1};
    memset(&argument, 0, sizeof(argument));
    memset(&result, 0, sizeof(result));
    V_VT(&argument) = VT_I4;
    V_I4(&argument) = 14;
    return SUCCEEDED(IDispatch_GetIDsOfNames(dispatch, &none, &name, 1, 0, &id)) &&
           SUCCEEDED(IDispatch_Invoke(dispatch, id, &none, 0, DISPATCH_METHOD, &params, &result,
                                      NULL, NULL)) &&
           V_VT(&result) == VT_I4 && V_I4(&result) == 42;
}

/* --- by the interface --- */

static inline void *contents_make(const IID *iid)
{
    if (IsEqualIID(iid, &IID_IEnumString))
        return contents_strings();
    if (IsEqualIID(iid, &IID_IEnumVARIANT))
        return contents_variants();
    if (IsEqualIID(iid, &IID_IEnumUnknown))
        return contents_objects();
    if (IsEqualIID(iid, &IID_IDispatch))
        return contents_dispatch();
    return contents_stream();
}

static inline bool contents_are_right(const IID *iid, void *object)
{
    if (IsEqualIID(iid, &IID_IEnumString))
        return contents_is_strings(object);
    if (IsEqualIID(iid, &IID_IEnumVARIANT))
        return contents_is_variants(object);
    if (IsEqualIID(iid, &IID_IEnumUnknown))
        return contents_is_objects(object);
    if (IsEqualIID(iid, &IID_IDispatch))
        return contents_is_dispatch(object);
    return contents_is_stream(object);
}

/* NULL for NULL, and for one that has not the content. */
static inline void *contents_answer(const IID *iid, void *object)
{
    return object != NULL && contents_are_right(iid, object) ? contents_make(iid) : NULL;
}

#endif
