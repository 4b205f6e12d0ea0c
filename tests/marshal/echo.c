#include "tests/marshal/echo.h"
#include "tests/marshal/echo_automation.h"
#include "core/util/error.h"

#include <stddef.h>
#include <string.h>

static struct echo *echo_from_IEcho(IEcho *iface)
{
    return (struct echo *)((char *)iface - offsetof(struct echo, IEcho_iface));
}

static HRESULT STDMETHODCALLTYPE Echo_QueryInterface(IEcho *self, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IEcho))
        return E_NOINTERFACE;
    *object = self;
    IEcho_AddRef(self);
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Echo_AddRef(IEcho *self)
{
    return (ULONG)++echo_from_IEcho(self)->refs;
}

static ULONG STDMETHODCALLTYPE Echo_Release(IEcho *self)
{
    return (ULONG)--echo_from_IEcho(self)->refs;
}

static HRESULT STDMETHODCALLTYPE Echo_Scalars(IEcho *self, INT8 a, BYTE b, SHORT c, USHORT d,
                                              LONG e, ULONG f, LONGLONG g, float h, double i,
                                              WCHAR j, LONGLONG *integers, double *reals)
{
    (void)self;
    *integers =
        (LONGLONG)((ULONGLONG)a + b + (ULONGLONG)c + d + (ULONGLONG)e + f + (ULONGLONG)g + j);
    *reals = (double)h + i;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Echo_Kinds(IEcho *self, VARIANT_BOOL flag, Color color,
                                            HRESULT code, const GUID *guid, VARIANT_BOOL *flag_out,
                                            Color *color_out, HRESULT *code_out, GUID *guid_out)
{
    (void)self;
    *flag_out = flag;
    *color_out = color;
    *code_out = code;
    *guid_out = *guid;
    return S_FALSE;
}

static HRESULT STDMETHODCALLTYPE Echo_Structs(IEcho *self, struct Pair pair, struct Tiny tiny,
                                              struct Wide wide, const struct Pair *maybe,
                                              struct Pair *pair_out, struct Wide *wide_out)
{
    (void)self;
    pair_out->first = pair.first + (maybe ? maybe->first : 0);
    pair_out->second = pair.second + tiny.x + tiny.y + tiny.z;
    *wide_out = wide;
    return S_OK;
}

static WCHAR *copy_wide(const WCHAR *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    WCHAR *copy = CoTaskMemAlloc((n + 1) * sizeof(WCHAR));
    if (copy)
        memcpy(copy, text, (n + 1) * sizeof(WCHAR));
    return copy;
}

static char *copy_narrow(const char *text)
{
    char *copy = CoTaskMemAlloc(strlen(text) + 1);
    return copy ? strcpy(copy, text) : NULL;
}

static BSTR copy_bstr(BSTR text)
{
    return text ? SysAllocStringByteLen((const char *)text, SysStringByteLen(text)) : NULL;
}

static HRESULT STDMETHODCALLTYPE Echo_Strings(IEcho *self, BSTR b, const WCHAR *w, const char *u,
                                              const WCHAR *maybe, BSTR *b_out, WCHAR **w_out,
                                              char **u_out)
{
    (void)self;
    *b_out = copy_bstr(b);
    *w_out = copy_wide(maybe ? maybe : w);
    *u_out = copy_narrow(u);
    return S_OK;
}

static HRESULT copy_record(const struct Record *from, struct Record *to)
{
    *to = *from;
    to->name = copy_bstr(from->name);
    to->title = from->title ? copy_wide(from->title) : NULL;
    to->note = from->note ? copy_narrow(from->note) : NULL;
    to->values = NULL;
    to->extra = NULL;
    if (from->values) {
        to->values = CoTaskMemAlloc(from->n * sizeof(LONG));
        if (!to->values)
            return E_OUTOFMEMORY;
        memcpy(to->values, from->values, from->n * sizeof(LONG));
    }
    if (from->extra) {
        to->extra = CoTaskMemAlloc(sizeof(*to->extra));
        if (!to->extra)
            return E_OUTOFMEMORY;
        *to->extra = *from->extra;
    }
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Echo_Records(IEcho *self, const struct Record *in,
                                              struct Record *in_out, struct Record *out)
{
    (void)self;
    in_out->id++;
    SysFreeString(in_out->name);
    in_out->name = copy_bstr(in->name);
    return copy_record(in, out);
}

static HRESULT STDMETHODCALLTYPE Echo_Arrays(IEcho *self, ULONG n, const LONG *in, double *in_out,
                                             BSTR *names, ULONG *m, struct Record **records)
{
    (void)self;
    for (ULONG i = 0; i < n; i++) {
        WCHAR text[] = {(WCHAR)('a' + in[i] % 26), 0};
        in_out[i] *= 2;
        names[i] = SysAllocString(text);
    }
    *m = n / 2;
    *records = CoTaskMemAlloc(*m * sizeof(struct Record));
    if (!*records)
        return E_OUTOFMEMORY;
    memset(*records, 0, *m * sizeof(struct Record));
    for (ULONG i = 0; i < *m; i++) {
        (*records)[i].id = in[i];
        (*records)[i].color = COLOR_GREEN;
        (*records)[i].name = SysAllocString(VIA_STR("record"));
    }
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Echo_Fixed(IEcho *self, SHORT in[3], LONG matrix[2][2],
                                            BSTR names[2])
{
    (void)self;
    for (int i = 0; i < 4; i++)
        matrix[i / 2][i % 2] += in[i % 3];
    names[0] = SysAllocString(VIA_STR("one"));
    names[1] = NULL;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Echo_Replace(IEcho *self, BSTR *text, ULONG *n, LONG **values)
{
    (void)self;
    SysFreeString(*text);
    *text = SysAllocString(VIA_STR("replaced"));
    LONG *longer = CoTaskMemAlloc((*n + 1) * sizeof(LONG));
    if (!longer)
        return E_OUTOFMEMORY;
    for (ULONG i = 0; i < *n; i++)
        longer[i] = (*values)[i] + 1;
    longer[*n] = -1;
    CoTaskMemFree(*values);
    *values = longer;
    (*n)++;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Echo_Objects(IEcho *self, IEcho *in, IEcho **out, ULONG n,
                                              IUnknown **list, ULONG *n_not_null)
{
    (void)self;
    *out = in;
    if (in)
        IEcho_AddRef(in);
    *n_not_null = 0;
    for (ULONG i = 0; i < n; i++)
        *n_not_null += list[i] != NULL;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Echo_Fail(IEcho *self, HRESULT code, BSTR *text)
{
    (void)self;
    *text = NULL;
    return code;
}

static HRESULT STDMETHODCALLTYPE Echo_Note(IEcho *self, LONG value)
{
    echo_from_IEcho(self)->noted = value;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Echo_get_Level(IEcho *self, LONG *value)
{
    *value = echo_from_IEcho(self)->level;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Echo_put_Level(IEcho *self, LONG value)
{
    echo_from_IEcho(self)->level = value;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Echo_Rows(IEcho *self, const struct Grid *grid, LONG *sum)
{
    (void)self;
    *sum = 0;
    for (USHORT i = 0; i < grid->n; i++)
        *sum += (*grid->row)[i];
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Echo_Flip(IEcho *self, struct Bits *bits)
{
    (void)self;
    for (int i = 0; i < 3; i++)
        bits->flags[i] = bits->flags[i] ? VARIANT_FALSE : VARIANT_TRUE;
    bits->last += bits->first;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Echo_Narrow(IEcho *self, INT8 a, BYTE b, SHORT c, USHORT d,
                                             VARIANT_BOOL e, LONGLONG *sum)
{
    (void)self;
    *sum = (LONGLONG)a * 1000000 + (LONGLONG)b * 10000 + (LONGLONG)c * 100 + d + e;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Echo_Fill(IEcho *self, ULONG n, LONG *up, LONG *down)
{
    (void)self;
    for (ULONG i = 0; i < n; i++) {
        up[i] = (LONG)i;
        down[i] = -(LONG)i;
    }
    return S_OK;
}

static const IEchoVtbl echo_vtbl = {
    Echo_QueryInterface, Echo_AddRef,   Echo_Release,    Echo_Scalars, Echo_Kinds,
    Echo_Structs,        Echo_Strings,  Echo_Records,    Echo_Arrays,  Echo_Fixed,
    Echo_Replace,        Echo_Objects,  Echo_Fail,       Echo_Note,    Echo_get_Level,
    Echo_put_Level,      Echo_Rows,     Echo_Flip,       Echo_Narrow,  Echo_Fill,
    Echo_Amounts,        Echo_Variants, Echo_Safearrays, Echo_Bundles};

void echo_init(struct echo *echo)
{
    *echo = (struct echo){.IEcho_iface = {&echo_vtbl}, .refs = 1};
}

/* --- the proxy --- */

static HRESULT add_object(void *context, IUnknown *object, uint32_t *index)
{
    struct loop_proxy *self = context;
    if (self->n_objects == sizeof(self->objects) / sizeof(self->objects[0]))
        return error_set(VIA_E_LIMIT, "too many objects");
    IUnknown_AddRef(object);
    *index = (uint32_t)self->n_objects;
    self->objects[self->n_objects++] = object;
    return S_OK;
}

static HRESULT get_object(void *context, uint32_t index, const GUID *iid, void **pointer)
{
    struct loop_proxy *self = context;
    if (index >= self->n_objects)
        return error_set(RPC_E_INVALID_DATA, "no object has index %u", index);
    return IUnknown_QueryInterface(self->objects[index], iid, pointer);
}

struct marshal_pointers loop_pointers(struct loop_proxy *proxy)
{
    return (struct marshal_pointers){.context = proxy, .add = add_object, .get = get_object};
}

void loop_proxy_forget(struct loop_proxy *self)
{
    while (self->n_objects > 0) {
        IUnknown *object = self->objects[--self->n_objects];
        IUnknown_Release(object);
    }
}

static HRESULT STDMETHODCALLTYPE Loop_QueryInterface(void *self, REFIID iid, void **object)
{
    (void)iid;
    *object = self;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Loop_Count(void *self)
{
    (void)self;
    return 1;
}

static void note_bytes(uint8_t *to, size_t *size, const struct buffer *from)
{
    *size = from->size < 65536 ? from->size : 65536;
    if (*size)
        memcpy(to, from->data, *size);
}

static HRESULT answer(struct loop_proxy *self, const struct marshal_method *method,
                      void **arguments, struct marshal_invocation *invocation)
{
    struct buffer reply;
    uint8_t few[256];
    struct marshal_pointers pointers = loop_pointers(self);
    HRESULT hr = marshal_invoke(invocation, self->target);
    HRESULT result = hr;
    buffer_init_in(&reply, 1 << 24, few, sizeof(few));
    loop_proxy_forget(self);
    if (SUCCEEDED(hr))
        hr = marshal_encode_results(invocation, &pointers, &reply);
    if (self->tap)
        note_bytes(self->tap->reply, &self->tap->reply_size, &reply);
    if (SUCCEEDED(hr))
        hr = marshal_decode_results(method, arguments, &pointers, reply.data, reply.size);
    buffer_deinit(&reply);
    return FAILED(hr) ? hr : result;
}

static HRESULT loop_call(void *pointer, const struct marshal_method *method, void **arguments)
{
    struct loop_proxy *self = pointer;
    struct buffer call;
    uint8_t few[256];
    struct marshal_invocation *invocation = NULL;
    struct marshal_pointers pointers = loop_pointers(self);
    buffer_init_in(&call, 1 << 24, few, sizeof(few));
    HRESULT hr = marshal_encode_arguments(method, arguments, &pointers, &call);
    if (SUCCEEDED(hr) && self->tap)
        note_bytes(self->tap->call, &self->tap->call_size, &call);
    if (SUCCEEDED(hr))
        hr = marshal_decode_arguments(method, call.data, call.size, &pointers, &self->scratch,
                                      &invocation);
    if (SUCCEEDED(hr))
        hr = answer(self, method, arguments, invocation);
    marshal_invocation_free(invocation);
    buffer_deinit(&call);
    loop_proxy_forget(self);
    if (FAILED(hr))
        marshal_clear_results(method, arguments);
    return hr;
}

HRESULT loop_proxy_init(struct loop_proxy *proxy, IEcho *target)
{
    static const void *const unknown[3] = {(const void *)(uintptr_t)Loop_QueryInterface,
                                           (const void *)(uintptr_t)Loop_Count,
                                           (const void *)(uintptr_t)Loop_Count};
    static const struct marshal_vtable_kind kind = {.unknown = unknown, .call = loop_call};
    const struct marshal_interface *itf = marshal_interface_find(&IID_IEcho);
    *proxy = (struct loop_proxy){.target = target};
    if (itf)
        proxy->vtable = marshal_interface_vtable(itf, &kind);
    return proxy->vtable ? S_OK : E_FAIL;
}

IEcho *loop_proxy_face(struct loop_proxy *proxy)
{
    return (IEcho *)proxy;
}
