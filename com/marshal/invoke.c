/*
 * Calling a method of an object with the arguments of an invocation.
 *
 * libffi sorts the arguments into registers anew for every call, which costs more than all the rest
 * of a small call. Where each argument is one word, which both ABIs pass alike whatever its type,
 * the method is called as a function of words instead.
 */
#include "com/marshal/invocation.h"

#include <string.h>

typedef HRESULT(STDMETHODCALLTYPE *call_0)(void *);
typedef HRESULT(STDMETHODCALLTYPE *call_1)(void *, uintptr_t);
typedef HRESULT(STDMETHODCALLTYPE *call_2)(void *, uintptr_t, uintptr_t);
typedef HRESULT(STDMETHODCALLTYPE *call_3)(void *, uintptr_t, uintptr_t, uintptr_t);
typedef HRESULT(STDMETHODCALLTYPE *call_4)(void *, uintptr_t, uintptr_t, uintptr_t, uintptr_t);
typedef HRESULT(STDMETHODCALLTYPE *call_5)(void *, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                                           uintptr_t);
typedef HRESULT(STDMETHODCALLTYPE *call_6)(void *, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                                           uintptr_t, uintptr_t);
_Static_assert(PLAN_MAX_WORDS == 6, "a type for each number of words");

static HRESULT call_words(uintptr_t code, void *self, const uintptr_t *w, uint16_t n)
{
    switch (n) {
    case 0:
        return ((call_0)code)(self);
    case 1:
        return ((call_1)code)(self, w[0]);
    case 2:
        return ((call_2)code)(self, w[0], w[1]);
    case 3:
        return ((call_3)code)(self, w[0], w[1], w[2]);
    case 4:
        return ((call_4)code)(self, w[0], w[1], w[2], w[3]);
    case 5:
        return ((call_5)code)(self, w[0], w[1], w[2], w[3], w[4]);
    default:
        return ((call_6)code)(self, w[0], w[1], w[2], w[3], w[4], w[5]);
    }
}

/* Narrow numbers are extended as the caller of such a method does it. */
static uintptr_t load_word(enum plan_word word, const void *argument)
{
    union {
        int8_t i8;
        uint8_t u8;
        int16_t i16;
        uint16_t u16;
        int32_t i32;
        uint32_t u32;
        uintptr_t whole;
    } number;
    switch (word) {
    case PLAN_WORD_I8:
        memcpy(&number.i8, argument, sizeof(number.i8));
        return (uintptr_t)(intptr_t)number.i8;
    case PLAN_WORD_U8:
        memcpy(&number.u8, argument, sizeof(number.u8));
        return number.u8;
    case PLAN_WORD_I16:
        memcpy(&number.i16, argument, sizeof(number.i16));
        return (uintptr_t)(intptr_t)number.i16;
    case PLAN_WORD_U16:
        memcpy(&number.u16, argument, sizeof(number.u16));
        return number.u16;
    case PLAN_WORD_I32:
        memcpy(&number.i32, argument, sizeof(number.i32));
        return (uintptr_t)(intptr_t)number.i32;
    case PLAN_WORD_U32:
        memcpy(&number.u32, argument, sizeof(number.u32));
        return number.u32;
    default:
        memcpy(&number.whole, argument, sizeof(number.whole));
        return number.whole;
    }
}

HRESULT marshal_invoke(struct marshal_invocation *invocation, void *pointer)
{
    const struct marshal_method *method = invocation->method;
    const void *const *vtable = *(const void *const *const *)pointer;
    uintptr_t code = (uintptr_t)vtable[method->slot];
    ffi_sarg result = 0;
    if (method->is_words) {
        uintptr_t words[PLAN_MAX_WORDS];
        for (uint16_t i = 0; i < method->n_params; i++)
            words[i] = load_word(method->params[i].word, invocation->values[i + 1]);
        return call_words(code, pointer, words, method->n_params);
    }
    invocation->self = pointer;
    ffi_call((ffi_cif *)&method->cif, FFI_FN(code), &result, invocation->values);
    return (HRESULT)result;
}

HRESULT marshal_pass_on(const struct marshal_method *method, void *pointer, void **arguments)
{
    const void *const *vtable = *(const void *const *const *)pointer;
    void *values[TYPELIB_MAX_PARAMS + 1] = {&pointer};
    ffi_sarg result = 0;
    memcpy(values + 1, arguments, method->n_params * sizeof(*arguments));
    ffi_call((ffi_cif *)&method->cif, FFI_FN((uintptr_t)vtable[method->slot]), &result, values);
    return (HRESULT)result;
}
