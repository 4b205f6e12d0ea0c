/*
 * What com/remote needs of marshalling: methods of the catalogue's interfaces, prepared once, as
 * plans that turn arguments into payloads and back, call methods and make vtables.
 *
 * Object pointers are not marshalled here: the payload holds an index, and struct marshal_pointers
 * makes it of a pointer and a pointer of it. All functions may be called from any thread; none
 * blocks, but a pointers function may.
 */
#ifndef COM_MARSHAL_MARSHAL_H
#define COM_MARSHAL_MARSHAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/com.h>
#include <viaduct/implement.h>

struct buffer;
struct marshal_interface;
struct via_typelib;
struct marshal_invocation;
struct marshal_method;
struct plan_struct;
struct via_value;

#define MARSHAL_HASH_SIZE 16
/* In a payload, for a null object pointer, or no handle; the pointers functions never see it. */
#define MARSHAL_NULL_POINTER 0xFFFFFFFFu

struct marshal_pointers {
    void *context;
    /* Encoding: the index for an object, which is not NULL. */
    HRESULT (*add)(void *context, IUnknown *object, uint32_t *index);
    /* Decoding: the interface `iid` of the object behind an index, with a reference. The index is
     * as it came. */
    HRESULT (*get)(void *context, uint32_t index, const GUID *iid, void **pointer);
    /* Encoding: the index for a handle (core/os/handle.h), which stays the caller's. May be NULL,
     * as the next one: there is no way for handles. */
    HRESULT (*add_handle)(void *context, intptr_t handle, uint32_t kind, uint32_t *index);
    /* Decoding: the handle behind an index, which is the caller's to close. */
    HRESULT (*take_handle)(void *context, uint32_t index, uint32_t kind, intptr_t *handle);
    /* Encoding arguments, may be NULL: passes the bytes of an array beside the payload; false: they
     * are to go into it, at that position. */
    bool (*lend)(void *context, const void *data, size_t size, size_t position);
    /* Decoding arguments, may be NULL: the bytes that belong at that position, where something was
     * passed beside the payload; they stay as long as the invocation. S_FALSE: nothing was.
     * `in_place`: they may change. */
    HRESULT(*borrow)
    (void *context, size_t position, size_t size, bool in_place, const void **data);
    /* Decoding arguments: the payload is private memory that stays as long as the invocation, so
     * that arrays can be left in it. */
    bool keeps_payload;
};

/* --- prepared interfaces --- */

/* From typelib_catalog_find(), prepared at the first use and kept for ever; NULL, with the reason
 * as the thread's error, when it is not described or there is no memory. */
const struct marshal_interface *marshal_interface_find(const GUID *iid);
/* After typelib_catalog_add() has replaced descriptions that came from peers: those prepared from
 * them are outdated, and found no more. They stay for the calls that use them. */
void marshal_interfaces_renew(const struct via_typelib *lib);
bool marshal_interface_is_outdated(const struct marshal_interface *itf);
const GUID *marshal_interface_iid(const struct marshal_interface *itf);
/* typelib_hash() of the interface; MARSHAL_HASH_SIZE bytes. */
const uint8_t *marshal_interface_hash(const struct marshal_interface *itf);
/* The method in a slot of the vtable, bases' included; NULL for the slots of IUnknown and IDispatch
 * and behind the last. */
const struct marshal_method *marshal_interface_method(const struct marshal_interface *itf,
                                                      unsigned slot);
/* Its methods have no slots: they are called by IDispatch::Invoke. */
bool marshal_interface_is_dispinterface(const struct marshal_interface *itf);
/* By name, without case; DISP_E_UNKNOWNNAME (NULL) lists the methods that there are. */
const struct marshal_method *marshal_interface_method_named(const struct marshal_interface *itf,
                                                            const char *name);
/* Whether it has the shape of COM's enumerators: Next(n, [out] array of n, [out] number), Skip(n),
 * Reset(), Clone([out] interface), and nothing else. */
bool marshal_interface_is_enumerator(const struct marshal_interface *itf);
/* Whether `iid` is the interface itself or one of its bases, IUnknown included. */
bool marshal_interface_has_base(const struct marshal_interface *itf, const GUID *iid);
const char *marshal_method_name(const struct marshal_method *method);
const struct marshal_interface *marshal_method_interface(const struct marshal_method *method);
/* Of the interface that it was looked up in. */
const GUID *marshal_method_iid(const struct marshal_method *method);
uint16_t marshal_method_slot(const struct marshal_method *method);
bool marshal_method_is_oneway(const struct marshal_method *method);
/* Whether `iid` names the interface that it was looked up in, or a base of that. */
bool marshal_method_is_of(const struct marshal_method *method, const GUID *iid);
/* Whether it has [out] parameters. */
bool marshal_method_has_results(const struct marshal_method *method);

/* --- the caller --- */

/* `pointer` is the interface pointer that the method was called on, `arguments[i]` points to its
 * i-th argument behind `This`, as a closure gets them. */
typedef HRESULT (*marshal_call)(void *pointer, const struct marshal_method *method,
                                void **arguments);
/* What the vtables of one kind of object have in common. */
struct marshal_vtable_kind {
    const void *const *unknown; /* the slots of IUnknown */
    marshal_call call;          /* where all methods come to */
    /* The four slots of IDispatch, for interfaces that have them. NULL: they answer that there is
     * no type information and that late-bound calls are not implemented. */
    const void *const *dispatch;
};
/* A vtable of functions. Made once for each interface and kind, which is borrowed and compared by
 * address, and never freed; NULL when memory is short. */
const void *const *marshal_interface_vtable(const struct marshal_interface *itf,
                                            const struct marshal_vtable_kind *kind);
HRESULT marshal_encode_arguments(const struct marshal_method *method, void **arguments,
                                 const struct marshal_pointers *pointers, struct buffer *payload);
/* For building a call in place: the size of its payload, and that payload. False: it depends on the
 * arguments. E_POINTER, with nothing written: an argument that may not be NULL is. */
bool marshal_arguments_size(const struct marshal_method *method, size_t *size);
HRESULT marshal_encode_arguments_into(const struct marshal_method *method, void **arguments,
                                      uint8_t *payload);
/* Writes the [out] arguments, only when all of the payload is right; frees what [in,out] held. */
HRESULT marshal_decode_results(const struct marshal_method *method, void **arguments,
                               const struct marshal_pointers *pointers, const uint8_t *payload,
                               size_t size);
/* After a failure: [out] pointers, strings and objects become NULL, as COM says, also those in an
 * array of the caller's. */
void marshal_clear_results(const struct marshal_method *method, void **arguments);

/* --- results that are taken later (later.c) --- */

#define MARSHAL_MAX_PARAMS 64

uint16_t marshal_method_n_params(const struct marshal_method *method);
/* A list of all arguments out of one of those that go in; the others are there, and not looked at.
 */
void marshal_join_arguments(const struct marshal_method *method, void **in, void **joined);
/* Of each parameter so many words are kept: a number, or an IID. */
#define MARSHAL_KEPT_WORDS 2
/* What decoding the results wants to know of the arguments, MARSHAL_KEPT_WORDS for each. */
void marshal_note_sizes(const struct marshal_method *method, void **joined, int64_t *sizes);
/* A list of all arguments out of one of those that come out, which leads into itself and `sizes`.
 * E_POINTER names one that is NULL. */
struct marshal_joined {
    void *arguments[MARSHAL_MAX_PARAMS];
    void *pointers[MARSHAL_MAX_PARAMS];
};
HRESULT marshal_join_results(const struct marshal_method *method, void **out, int64_t *sizes,
                             struct marshal_joined *joined);
/* Objects among the results are counted from 0, by the [out] parameters that are interface
 * pointers. */
bool marshal_method_has_object(const struct marshal_method *method, unsigned index);
/* What the method has returned there: borrowed, may be NULL. False: there is no such result. */
bool marshal_result_object(const struct marshal_invocation *invocation, unsigned index,
                           IUnknown **object);
/* The same of results that have come: with a reference. The others are not kept. */
HRESULT marshal_decode_object(const struct marshal_method *method, unsigned index,
                              const struct marshal_pointers *pointers, const uint8_t *payload,
                              size_t size, IUnknown **object);
/* Calls the method of `pointer`'s vtable with a caller's own arguments. */
HRESULT marshal_pass_on(const struct marshal_method *method, void *pointer, void **arguments);

/* --- the object's side --- */

/* Memory for the arguments of one call, on the stack of whoever runs it: calls that fit take
 * nothing from the heap for them. */
#define MARSHAL_SCRATCH_SIZE 1024
struct marshal_scratch {
    _Alignas(16) char bytes[MARSHAL_SCRATCH_SIZE];
};

/* Checks the whole payload. RPC_E_INVALID_DATA says which argument is wrong and how. The payload is
 * not needed afterwards; `scratch` is, as long as the invocation. It may be NULL. */
HRESULT marshal_decode_arguments(const struct marshal_method *method, const uint8_t *payload,
                                 size_t size, const struct marshal_pointers *pointers,
                                 struct marshal_scratch *scratch,
                                 struct marshal_invocation **invocation);
/* Calls the slot of `pointer`'s vtable; what the method returned. */
HRESULT marshal_invoke(struct marshal_invocation *invocation, void *pointer);
HRESULT marshal_encode_results(struct marshal_invocation *invocation,
                               const struct marshal_pointers *pointers, struct buffer *payload);
/* For building a reply in place: the size of its payload, and that payload. False: it depends on
 * what the method returned. */
bool marshal_results_size(const struct marshal_method *method, size_t *size);
void marshal_encode_results_into(const struct marshal_invocation *invocation, uint8_t *payload);
/* Frees all arguments, and what the method returned. NULL is allowed. */
void marshal_invocation_free(struct marshal_invocation *invocation);

/* --- by name: the same payloads, made of and into values --- */

/* `in`: a list of the [in] arguments in order. DISP_E_BADPARAMCOUNT, DISP_E_TYPEMISMATCH name the
 * parameter. */
HRESULT marshal_encode_values(const struct marshal_method *method, const struct via_value *in,
                              const struct marshal_pointers *pointers, struct buffer *payload);
/* `out` becomes a list of the [out] arguments in order. `in` is what the call was made of: sizes
 * and discriminants in it are what results are read by. NULL: there is none of those. */
HRESULT marshal_decode_values(const struct marshal_method *method, const struct via_value *in,
                              const struct marshal_pointers *pointers, const uint8_t *payload,
                              size_t size, struct via_value *out);
/* On an object of this process, through its vtable. */
HRESULT marshal_invoke_values(const struct marshal_method *method, void *pointer,
                              const struct via_value *in, struct via_value *out);
/* The same in two steps, for who wants to know whether it was the arguments that failed. */
HRESULT marshal_values_to_invocation(const struct marshal_method *method,
                                     const struct via_value *in,
                                     struct marshal_invocation **invocation);
HRESULT marshal_run_values(struct marshal_invocation *invocation, void *pointer,
                           struct via_value *out);
/* Its [in] arguments, or its results, in order. */
HRESULT marshal_invocation_to_values(struct marshal_invocation *invocation, bool is_result,
                                     struct via_value *values);
/* All of its arguments, as marshal_encode_arguments() takes them. */
void **marshal_invocation_arguments(struct marshal_invocation *invocation);

/* An argument of a late-bound call for the parameter, coerced as VariantChangeType() does it; what
 * it refers to is followed. DISP_E_TYPEMISMATCH, DISP_E_OVERFLOW ... name the parameter. */
HRESULT marshal_value_from_variant(const struct marshal_method *method, uint16_t param,
                                   const VARIANT *variant, struct via_value *value);
/* An element of an array of VARIANTs, which is taken as it is. */
HRESULT marshal_item_from_variant(const struct marshal_method *method, uint16_t param,
                                  const VARIANT *variant, struct via_value *value);
/* What came out of the parameter, as a VARIANT of the parameter's own type; objects that are more
 * than IUnknown as VT_DISPATCH. VT_EMPTY after a failure. */
HRESULT marshal_value_to_variant(const struct marshal_method *method, uint16_t param,
                                 const struct via_value *value, VARIANT *variant);
/* The same of a field of a struct that is in no call; failures name the struct and the field. */
HRESULT marshal_field_from_variant(const struct plan_struct *record, uint16_t field,
                                   const VARIANT *variant, struct via_value *value);
HRESULT marshal_field_to_variant(const struct plan_struct *record, uint16_t field,
                                 const struct via_value *value, VARIANT *variant);
/* A VT_RECORD as the value that it is, and back. DISP_E_BADVARTYPE: nobody here describes it. */
HRESULT marshal_record_from_variant(const VARIANT *variant, const struct plan_struct **record,
                                    struct via_value *value);
HRESULT marshal_record_to_variant(const struct plan_struct *record, const struct via_value *value,
                                  VARIANT *variant);
/* Moves `from`, changed to the type there, to where `to` refers. S_FALSE: it refers to nothing, and
 * `from` stays. */
HRESULT marshal_replace_variant(VARIANT *to, VARIANT *from);

/* The other way: a call that has come to a vtable of closures is answered by a handler. Failures of
 * the call's own, E_POINTER, DISP_E_TYPEMISMATCH ... with the parameter, are published as error
 * information; the handler's failure and its error information pass as they are. */
HRESULT marshal_answer_values(const struct marshal_method *method, void **arguments,
                              via_method_handler handler, void *context);

#endif
