/*
 * What a component module says of itself.
 *
 * A component is a module (.so, .dll) that exports one data symbol, `viaduct_component`. Of Viaduct
 * it links the runtime library only, for what it calls: the COM functions on POSIX, those of
 * <viaduct/runtime.h> on both systems. `viaduct register MODULE` reads the symbol and writes a
 * manifest from it.
 */
#ifndef VIADUCT_COMPONENT_H
#define VIADUCT_COMPONENT_H

#include <viaduct/com.h>
#include <viaduct/typelib.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A component with another ABI version is refused; fields may be appended without changing it. */
#define VIA_COMPONENT_ABI        1u
#define VIADUCT_COMPONENT_SYMBOL "viaduct_component"

/* Put in front of the definition of `viaduct_component`. */
#define VIADUCT_COMPONENT_EXPORT VIA_EXPORT

enum via_threading {
    VIA_THREADING_FREE = 0,   /* calls come on any thread, several at once */
    VIA_THREADING_SERIAL = 1, /* one call at a time on all objects of one instance */
    /* Everything that is done with the component's objects, get_class_object() included, is done on
     * one thread of its process, which on Windows is a single-threaded apartment with a message
     * loop. If one class wants that it goes for all classes of the component, whose objects share
     * that apartment. Only in a process of the component's own, which serves it
     * (via_component_serve(), or a surrogate). */
    VIA_THREADING_APARTMENT = 2
};

struct via_component_class {
    const CLSID *clsid;
    const char *progid;      /* "Viaduct.Calculator" */
    const char *description; /* one line, for people */
    uint32_t threading;      /* enum via_threading */
    const char
        *coclass; /* its name in one of the type libraries; its default interface comes first */
};

struct via_component {
    uint32_t abi;        /* VIA_COMPONENT_ABI */
    uint32_t size;       /* sizeof(struct via_component) */
    const char *name;    /* "calculator" */
    const char *version; /* "1.0.0", for people */
    const struct via_typelib *const *typelibs;
    uint32_t n_typelibs;
    uint32_t n_classes;
    const struct via_component_class *classes;
    /* [any thread] A class object of `clsid`, usually an IClassFactory, with a reference for the
     * caller. CLASS_E_CLASSNOTAVAILABLE for a CLSID that is not in `classes`. */
    HRESULT(STDMETHODCALLTYPE *get_class_object)(REFCLSID clsid, REFIID iid, void **object);
    /* [any thread] S_OK when no object is left, S_FALSE otherwise. NULL: never asked. */
    HRESULT(STDMETHODCALLTYPE *can_unload_now)(void);
};

#ifdef __cplusplus
}
#endif

#endif
