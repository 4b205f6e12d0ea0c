#include "tests/marshal/mirror.h"
#include "com/marshal/marshal.h"
#include "core/util/error.h"

#include <viaduct/value.h>

static HRESULT STDMETHODCALLTYPE Mirror_QueryInterface(void *self, REFIID iid, void **object)
{
    (void)iid;
    *object = self;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Mirror_Count(void *self)
{
    (void)self;
    return 1;
}

static HRESULT reflect(void *context, const char *name, const struct via_value *in,
                       struct via_value *out)
{
    struct mirror *self = context;
    const struct marshal_interface *itf = marshal_interface_find(&IID_IEcho);
    const struct marshal_method *method = itf ? marshal_interface_method_named(itf, name) : NULL;
    if (!method)
        return error_get() ? error_get()->code : E_FAIL;
    return marshal_invoke_values(method, self->target, in, out);
}

static HRESULT answer(void *pointer, const struct marshal_method *method, void **arguments)
{
    return marshal_answer_values(method, arguments, reflect, pointer);
}

HRESULT mirror_init(struct mirror *mirror, IEcho *target)
{
    static const void *const unknown[3] = {(const void *)(uintptr_t)Mirror_QueryInterface,
                                           (const void *)(uintptr_t)Mirror_Count,
                                           (const void *)(uintptr_t)Mirror_Count};
    static const struct marshal_vtable_kind kind = {.unknown = unknown, .call = answer};
    const struct marshal_interface *itf = marshal_interface_find(&IID_IEcho);
    mirror->target = target;
    mirror->vtable = itf ? marshal_interface_vtable(itf, &kind) : NULL;
    return mirror->vtable ? S_OK : E_FAIL;
}

IEcho *mirror_face(struct mirror *mirror)
{
    return (IEcho *)mirror;
}
