/*
 * Objects and class objects in C, without writing QueryInterface, AddRef, Release and a class
 * factory each time. Nothing here is magic: what it makes are ordinary COM objects, and an object
 * may do any of it by hand instead.
 *
 * An object begins with a struct via_object, which counts its references. Its kind says which
 * interfaces it has, and where:
 *
 *     struct clock {
 *         struct via_object object;              first of all
 *         IClock IClock_iface;                   named like this
 *     };
 *
 *     VIA_OBJECT_METHODS(Clock, struct clock, IClock)
 *                                                Clock_QueryInterface, Clock_AddRef, Clock_Release
 *     static const IClockVtbl clock_vtable = {Clock_QueryInterface, Clock_AddRef, Clock_Release,
 *                                             Clock_GetTime};
 *     static const struct via_object_interface clock_interfaces[] = {
 *         VIA_OBJECT_INTERFACE(struct clock, IClock, clock_vtable), {.iid = NULL}};
 *     static struct via_module module;
 *     static const struct via_object_kind clock_kind = {
 *         .size = sizeof(struct clock), .interfaces = clock_interfaces, .module = &module};
 *
 * In a method, VIA_OBJECT_OF(iface, struct clock, IClock) is the object. A component gives out
 * a class object, which makes such objects, and says when none is left:
 *
 *     static struct via_factory clock_factory = VIA_FACTORY(&clock_kind, NULL);
 *     get_class_object:  via_factory_get(&clock_factory, iid, object)
 *     can_unload_now:    via_module_is_idle(&module) ? S_OK : S_FALSE
 *
 * For C only: in C++ classes have all that.
 */
#ifndef VIADUCT_OBJECT_H
#define VIADUCT_OBJECT_H

#include <stddef.h>
#include <stdlib.h>
#include <viaduct/com.h>

#ifndef __cplusplus

/* --- counts --- */

/* Both return the new count, and may be called on any thread; who counts down to 0 sees all that
 * others have done before they counted down. */
static inline LONG via_count_up(LONG *count)
{
#ifdef _WIN32
    return InterlockedIncrement(count);
#else
    return __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
#endif
}

static inline LONG via_count_down(LONG *count)
{
#ifdef _WIN32
    return InterlockedDecrement(count);
#else
    return __atomic_sub_fetch(count, 1, __ATOMIC_ACQ_REL);
#endif
}

/* What it was a moment ago. */
static inline LONG via_count_read(LONG *count)
{
#ifdef _WIN32
    return InterlockedCompareExchange(count, 0, 0);
#else
    return __atomic_load_n(count, __ATOMIC_ACQUIRE);
#endif
}

/* What keeps a component's module loaded: its objects, and LockServer(TRUE). Zeroed at first. */
struct via_module {
    LONG n_held; /* atomic */
};

static inline int via_module_is_idle(struct via_module *module)
{
    return via_count_read(&module->n_held) == 0;
}

/* --- objects --- */

struct via_object;

struct via_object_interface {
    const IID *iid;
    size_t offset;      /* of the interface in the object's struct */
    const void *vtable; /* what a new object has there; NULL: somebody else sets it, or the same
                           interface under another IID (a base of it) */
};

/* Of the member `interface`_iface of `type`. */
#define VIA_OBJECT_INTERFACE(type, interface, its_vtable)                   \
    {                                                                       \
        &IID_##interface, offsetof(type, interface##_iface), &(its_vtable), \
    }

/* What all objects of a kind have in common. */
struct via_object_kind {
    size_t size; /* of the object's struct */
    /* The first one is the object's identity, what it answers for IUnknown. iid NULL at the end. */
    const struct via_object_interface *interfaces;
    struct via_module *module; /* which the objects keep loaded; NULL: none */
    /* [the thread that gives back the last reference] Gives back what the object holds; its memory
     * is freed behind it. NULL: it holds nothing. */
    void (*end)(struct via_object *object);
};

struct via_object {
    const struct via_object_kind *kind; /* read-only */
    LONG references;                    /* atomic */
};

/* The object whose member `interface`_iface is at `iface`. */
#define VIA_OBJECT_OF(iface, type, interface) \
    ((type *)((char *)(iface)-offsetof(type, interface##_iface)))

/* A zeroed object of `kind`, but for its vtables, with one reference; NULL without memory. */
static inline void *via_object_new(const struct via_object_kind *kind)
{
    struct via_object *object = (struct via_object *)calloc(1, kind->size);

    if (!object)
        return NULL;
    object->kind = kind;
    object->references = 1;
    for (const struct via_object_interface *at = kind->interfaces; at->iid; at++)
        if (at->vtable)
            *(const void **)(void *)((char *)object + at->offset) = at->vtable;
    if (kind->module)
        via_count_up(&kind->module->n_held);
    return object;
}

static inline ULONG via_object_add_ref(struct via_object *object)
{
    return (ULONG)via_count_up(&object->references);
}

static inline ULONG via_object_release(struct via_object *object)
{
    struct via_module *module = object->kind->module;
    LONG left = via_count_down(&object->references);

    if (left > 0)
        return (ULONG)left;
    if (object->kind->end)
        object->kind->end(object);
    free(object);
    if (module)
        via_count_down(&module->n_held);
    return 0;
}

/* QueryInterface by the kind's table. */
static inline HRESULT via_object_query(struct via_object *object, REFIID iid, void **result)
{
    const struct via_object_interface *at = object->kind->interfaces;

    if (!result)
        return E_POINTER;
    *result = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown))
        while (at->iid && !IsEqualIID(iid, at->iid))
            at++;
    if (!at->iid)
        return E_NOINTERFACE;
    via_object_add_ref(object);
    *result = (char *)object + at->offset;
    return S_OK;
}

/* For who has made an object and gives it out: the interface `iid` instead of the maker's
 * reference. Where it has not got it the object is gone. */
static inline HRESULT via_object_give(struct via_object *object, REFIID iid, void **result)
{
    HRESULT hr = via_object_query(object, iid, result);

    via_object_release(object);
    return hr;
}

/* The functions of IUnknown for the member `interface`_iface of `type`, called NAME_QueryInterface,
 * NAME_AddRef and NAME_Release. */
#define VIA_OBJECT_METHODS(name, type, interface)                                             \
    static HRESULT STDMETHODCALLTYPE name##_QueryInterface(interface *iface, REFIID iid,      \
                                                           void **object)                     \
    {                                                                                         \
        return via_object_query(&VIA_OBJECT_OF(iface, type, interface)->object, iid, object); \
    }                                                                                         \
    static ULONG STDMETHODCALLTYPE name##_AddRef(interface *iface)                            \
    {                                                                                         \
        return via_object_add_ref(&VIA_OBJECT_OF(iface, type, interface)->object);            \
    }                                                                                         \
    static ULONG STDMETHODCALLTYPE name##_Release(interface *iface)                           \
    {                                                                                         \
        return via_object_release(&VIA_OBJECT_OF(iface, type, interface)->object);            \
    }

/* --- class objects --- */

/* An IClassFactory that is there for ever, and so counts nothing. */
struct via_factory {
    IClassFactory IClassFactory_iface;
    const struct via_object_kind *kind; /* of what it makes */
    /* [any thread] Makes an object and gives its interface `iid`, with a reference for the caller.
     * NULL: a new object of `kind` needs nothing more. */
    HRESULT (*make)(REFIID iid, void **object);
};

static inline HRESULT STDMETHODCALLTYPE via_factory_QueryInterface(IClassFactory *iface, REFIID iid,
                                                                   void **object)
{
    if (!object)
        return E_POINTER;
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IClassFactory))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

static inline ULONG STDMETHODCALLTYPE via_factory_AddRef(IClassFactory *iface)
{
    (void)iface;
    return 2;
}

static inline ULONG STDMETHODCALLTYPE via_factory_Release(IClassFactory *iface)
{
    (void)iface;
    return 1;
}

static inline HRESULT STDMETHODCALLTYPE via_factory_CreateInstance(IClassFactory *iface,
                                                                   IUnknown *outer, REFIID iid,
                                                                   void **object)
{
    struct via_factory *factory = VIA_OBJECT_OF(iface, struct via_factory, IClassFactory);
    struct via_object *made;

    *object = NULL;
    if (outer)
        return CLASS_E_NOAGGREGATION;
    if (factory->make)
        return factory->make(iid, object);
    made = (struct via_object *)via_object_new(factory->kind);
    return made ? via_object_give(made, iid, object) : E_OUTOFMEMORY;
}

static inline HRESULT STDMETHODCALLTYPE via_factory_LockServer(IClassFactory *iface, BOOL lock)
{
    struct via_factory *factory = VIA_OBJECT_OF(iface, struct via_factory, IClassFactory);

    if (factory->kind->module && lock)
        via_count_up(&factory->kind->module->n_held);
    else if (factory->kind->module)
        via_count_down(&factory->kind->module->n_held);
    return S_OK;
}

static const IClassFactoryVtbl via_factory_vtable = {
    via_factory_QueryInterface, via_factory_AddRef,     via_factory_Release,
    via_factory_CreateInstance, via_factory_LockServer,
};

/* The value of a struct via_factory. */
#define VIA_FACTORY(its_kind, its_make)                                \
    {                                                                  \
        {(IClassFactoryVtbl *)&via_factory_vtable}, its_kind, its_make \
    }

/* What get_class_object of a component gives for the factory's class. */
static inline HRESULT via_factory_get(struct via_factory *factory, REFIID iid, void **object)
{
    return via_factory_QueryInterface(&factory->IClassFactory_iface, iid, object);
}

#endif /* __cplusplus */

#endif
