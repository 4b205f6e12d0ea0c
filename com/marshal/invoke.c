/* Calling a method of an object with the arguments of an invocation. */
#include "com/marshal/invocation.h"

HRESULT marshal_invoke(struct marshal_invocation *invocation, void *pointer)
{
    const struct marshal_method *method = invocation->method;
    const void *const *vtable = *(const void *const *const *)pointer;
    ffi_sarg result = 0;
    invocation->self = pointer;
    ffi_call((ffi_cif *)&method->cif, FFI_FN((uintptr_t)vtable[method->slot]), &result,
             invocation->values);
    return (HRESULT)result;
}
