/*
 * Class objects as they leave a component's process: what is made through one is marked as its
 * class asks for (VIA_THREADING_SERIAL), as what the host makes is. Objects of an apartment need no
 * mark: it is there that they are made.
 */
#ifndef COM_STD_CLASS_OBJECT_H
#define COM_STD_CLASS_OBJECT_H

#include <viaduct/com.h>
#include <viaduct/component.h>

/* VIA_E_TYPE for a threading that is unknown; `where` is in front of its text. */
HRESULT class_object_check_threading(const struct via_component_class *class, const char *where);

/* An object of `class`, which is `factory`'s, with its threading. `*object` is NULL on failure. */
HRESULT class_object_create(const struct via_component_class *class, IClassFactory *factory,
                            IUnknown *outer, REFIID iid, void **object);

/* The class object for others to use: `inner` itself, or a wrapper around it. Takes the reference
 * of `inner`. E_OUTOFMEMORY */
HRESULT class_object_wrap(const struct via_component_class *class, IUnknown *inner,
                          IUnknown **object);

#endif
