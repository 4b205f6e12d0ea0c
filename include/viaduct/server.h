/*
 * Serving a component's classes from a process of one's own: what a program does that is named as
 * the component in its manifest ("activation": "program"), and what surrogates do with modules.
 */
#ifndef VIADUCT_SERVER_H
#define VIADUCT_SERVER_H

#include <viaduct/com.h>
#include <viaduct/component.h>

struct IViaductSurrogate; /* <viaduct/host.h> */

#ifdef __cplusplus
extern "C" {
#endif

/* Loads a component module by its absolute path and checks what it says of itself; it stays loaded
 * until the process ends. CO_E_DLLNOTFOUND or what loading it failed with; VIA_E_TYPE names what is
 * wrong with its tables. */
VIA_API HRESULT via_component_load(const char *path, const struct via_component **component);

/* An object that creates the component's classes; its type libraries become known to this process.
 * VIA_E_TYPE names a class whose threading is not supported.
 * `component` is borrowed for as long as the process lives. */
VIA_API HRESULT via_component_provide(const struct via_component *component,
                                      struct IViaductSurrogate **provider);

/* Blocks. Joins the runtime, reports to the host that started this process (which left where it is,
 * and who we are, in the environment), and serves until the host ends it, until the host is gone,
 * or until the component has had no object for a while. CO_E_SERVER_EXEC_FAILURE when no host
 * started this process. */
VIA_API HRESULT via_component_serve(const struct via_component *component);

/* For objects whose type libraries are found out when they are there. From now on `describe` is
 * called, where the object's methods are, before this process says what interfaces an object has;
 * it may register type libraries, and call the object. Once, before objects are handed out. */
VIA_API void via_set_describer(void (*describe)(IUnknown *object));
/* From now on texts of `char *` in this process are in Windows' code page (CP_ACP), not UTF-8, as
 * those of COM objects are. Without effect elsewhere. Once, before objects are handed out. */
VIA_API void via_use_code_page(void);

/* For foreign objects, which belong to threads. From now on objects that threads of COM's
 * single-threaded apartments hand out are called on these threads, and whoever else in this process
 * is passed one gets it from the Global Interface Table. Without effect where there is no COM.
 * Once, before objects are handed out. */
VIA_API void via_adopt_apartments(void);

/* For components whose methods may hang, and which nobody here can mend. From now on a method,
 * or a QueryInterface, that has not returned `ms` after its caller gave it up (cancelled it, let
 * its deadline pass, or died) ends the process, with a line on the standard error that names it:
 * others who wait for it are told, and the host starts another process. So does the last Release of
 * an object that has not returned after ten times `ms`. Once, before objects are handed out.
 * Without memory or threads E_OUTOFMEMORY, or what the system says. */
VIA_API HRESULT via_set_hang_limit(uint32_t ms);

#ifdef __cplusplus
}
#endif

#endif
