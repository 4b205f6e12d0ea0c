#include "tests/remote/engine_object.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/util/utf.h"

#define FIRST_ID 10

struct member {
    const char *name;
    VARIANT value;
    bool is_method;
    bool is_weak;
};

/* IDispatchEx as far as it is called. */
struct engine_vtable {
    IDispatchVtbl dispatch;
    HRESULT(STDMETHODCALLTYPE *GetDispID)(void *self, BSTR name, DWORD flags, DISPID *id);
};

struct engine_object {
    const struct engine_vtable *vtable; /* first */
    unsigned refs;
    bool by_ex;
    HRESULT failure;
    const IID *claimed; /* or NULL */
    engine_function function;
    void *context;
    unsigned n;
    struct member members[ENGINE_MAX_MEMBERS];
};

static const IID iid_dispatch_ex = {
    0xa6ef9860, 0xc720, 0x11d0, {0x93, 0x37, 0x00, 0xa0, 0xc9, 0x0d, 0xca, 0xa9}};

static struct engine_object *from(void *iface)
{
    return iface;
}

static HRESULT STDMETHODCALLTYPE Engine_QueryInterface(IDispatch *iface, REFIID iid, void **object)
{
    struct engine_object *self = from(iface);
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IDispatch) &&
        !(self->by_ex && IsEqualGUID(iid, &iid_dispatch_ex)) &&
        !(self->claimed != NULL && IsEqualGUID(iid, self->claimed)))
        return E_NOINTERFACE;
    self->refs++;
    *object = self;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Engine_AddRef(IDispatch *iface)
{
    return ++from(iface)->refs;
}

static ULONG STDMETHODCALLTYPE Engine_Release(IDispatch *iface)
{
    struct engine_object *self = from(iface);
    if (--self->refs > 0)
        return self->refs;
    for (unsigned i = 0; i < self->n; i++)
        if (!self->members[i].is_weak)
            VariantClear(&self->members[i].value);
    free(self);
    return 0;
}

static HRESULT STDMETHODCALLTYPE Engine_GetTypeInfoCount(IDispatch *iface, UINT *count)
{
    (void)iface;
    *count = 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Engine_GetTypeInfo(IDispatch *iface, UINT index, LCID lcid,
                                                    ITypeInfo **info)
{
    (void)iface, (void)index, (void)lcid;
    *info = NULL;
    return E_NOTIMPL;
}

static HRESULT find(const struct engine_object *self, const WCHAR *name, DISPID *id)
{
    char *text = utf_from_wide(name, utf16_length(name));
    *id = DISPID_UNKNOWN;
    for (unsigned i = 0; text != NULL && i < self->n; i++)
        if (self->members[i].name[0] != 0 && strcasecmp(self->members[i].name, text) == 0)
            *id = (DISPID)(FIRST_ID + i);
    free(text);
    return *id == DISPID_UNKNOWN ? DISP_E_UNKNOWNNAME : S_OK;
}

static HRESULT STDMETHODCALLTYPE Engine_GetIDsOfNames(IDispatch *iface, REFIID iid, LPOLESTR *names,
                                                      UINT n_names, LCID lcid, DISPID *ids)
{
    (void)iid, (void)lcid;
    if (from(iface)->by_ex)
        return E_NOTIMPL;
    return n_names == 1 ? find(from(iface), names[0], ids) : DISP_E_UNKNOWNNAME;
}

static HRESULT STDMETHODCALLTYPE Engine_GetDispID(void *iface, BSTR name, DWORD flags, DISPID *id)
{
    (void)flags;
    return find(from(iface), name, id);
}

/* DISPID_VALUE is the function that has no name. */
static struct member *member_of(struct engine_object *self, DISPID id)
{
    if (id >= FIRST_ID && id < (DISPID)(FIRST_ID + self->n))
        return &self->members[id - FIRST_ID];
    for (unsigned i = 0; id == DISPID_VALUE && i < self->n; i++)
        if (self->members[i].name[0] == 0)
            return &self->members[i];
    return NULL;
}

static HRESULT STDMETHODCALLTYPE Engine_Invoke(IDispatch *iface, DISPID id, REFIID iid, LCID lcid,
                                               WORD flags, DISPPARAMS *params, VARIANT *result,
                                               EXCEPINFO *exception, UINT *wrong)
{
    struct engine_object *self = from(iface);
    struct member *member = member_of(self, id);
    (void)iid, (void)lcid, (void)exception, (void)wrong;
    if (FAILED(self->failure))
        return self->failure;
    if (member == NULL)
        return DISP_E_MEMBERNOTFOUND;
    if (member->is_method && (flags & DISPATCH_METHOD))
        return self->function(self->context, member->name, params, result);
    if (member->is_method || !(flags & DISPATCH_PROPERTYGET) || result == NULL)
        return DISP_E_MEMBERNOTFOUND;
    return VariantCopy(result, &member->value);
}

static const struct engine_vtable the_vtable = {
    .dispatch = {Engine_QueryInterface, Engine_AddRef, Engine_Release, Engine_GetTypeInfoCount,
                 Engine_GetTypeInfo, Engine_GetIDsOfNames, Engine_Invoke},
    .GetDispID = Engine_GetDispID,
};

struct engine_object *engine_object_new(bool by_ex)
{
    struct engine_object *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->vtable = &the_vtable;
    self->refs = 1;
    self->by_ex = by_ex;
    return self;
}

IDispatch *engine_object_dispatch(struct engine_object *self)
{
    return (IDispatch *)(void *)self;
}

void engine_object_release(struct engine_object *self)
{
    Engine_Release(engine_object_dispatch(self));
}

unsigned engine_object_refs(const struct engine_object *self)
{
    return self->refs;
}

static struct member *add(struct engine_object *self, const char *name)
{
    if (self->n == ENGINE_MAX_MEMBERS)
        abort();
    self->members[self->n].name = name;
    return &self->members[self->n++];
}

void engine_object_put(struct engine_object *self, const char *name, VARIANT value)
{
    add(self, name)->value = value;
}

void engine_object_put_number(struct engine_object *self, const char *name, LONG number)
{
    VARIANT value;
    VariantInit(&value);
    V_VT(&value) = VT_I4;
    V_I4(&value) = number;
    engine_object_put(self, name, value);
}

void engine_object_put_text(struct engine_object *self, const char *name, const char *text)
{
    WCHAR *wide = utf_to_wide(text);
    VARIANT value;
    VariantInit(&value);
    V_VT(&value) = VT_BSTR;
    V_BSTR(&value) = SysAllocString(wide);
    free(wide);
    engine_object_put(self, name, value);
}

void engine_object_put_object(struct engine_object *self, const char *name,
                              struct engine_object *object)
{
    VARIANT value;
    VariantInit(&value);
    V_VT(&value) = VT_DISPATCH;
    V_DISPATCH(&value) = engine_object_dispatch(object);
    engine_object_put(self, name, value);
}

void engine_object_put_weak(struct engine_object *self, const char *name,
                            struct engine_object *object)
{
    engine_object_put_object(self, name, object);
    self->members[self->n - 1].is_weak = true;
}

void engine_object_put_method(struct engine_object *self, const char *name)
{
    add(self, name)->is_method = true;
}

void engine_object_set_function(struct engine_object *self, engine_function function, void *context)
{
    self->function = function;
    self->context = context;
}

void engine_object_claim(struct engine_object *self, const IID *iid)
{
    self->claimed = iid;
}

void engine_object_fail(struct engine_object *self, HRESULT hr)
{
    self->failure = hr;
}
