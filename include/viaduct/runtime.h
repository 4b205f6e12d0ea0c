/*
 * The application's side: join the runtime, get objects, call them, notice when they are gone.
 *
 * A process that uses Viaduct is one node. Objects that live elsewhere are proxies: ordinary
 * interface pointers, usable from any thread. Every function that fails returns an HRESULT and
 * leaves error information for the calling thread (GetErrorInfo, via_error_message).
 *
 * All functions may be called from any thread after via_initialize() has returned and before the
 * last via_uninitialize() is called. "Blocks" means: until an answer or the thread's deadline.
 * While a thread blocks it may run callbacks of the call that it waits in, and nothing else.
 */
#ifndef VIADUCT_RUNTIME_H
#define VIADUCT_RUNTIME_H

#include <stddef.h>
#include <stdint.h>
#include <viaduct/caller.h>
#include <viaduct/com.h>
#include <viaduct/typelib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct via_value; /* <viaduct/value.h> */

/* A deadline that never comes is VIA_NO_DEADLINE (<viaduct/caller.h>). */

/* --- joining --- */

/* Connections stay on their sockets and pipes; without it those with many calls move to shared
 * memory while they have. So does VIADUCT_SHARED_MEMORY=0 in the environment. */
#define VIA_OPTION_NO_SHARED_MEMORY 0x1u

/* Every field but `size` may be 0 or NULL: the default then. */
struct via_options {
    uint32_t size;  /* sizeof(struct via_options) */
    uint32_t flags; /* VIA_OPTION_... */
    /* Absolute directories that hold transport plugins, NULL behind the last. Default: those in the
     * environment's VIADUCT_PLUGIN_PATH, or else the one that is installed beside the runtime
     * library. */
    const char *const *plugin_directories;
    /* Where the host is. Default: the environment's VIADUCT_HOST, or else the user's own host, or
     * else the system's. Nothing is connected before it is needed. */
    const char *host_address;
    const char *agent;        /* what peers and logs call this program; default: its file name */
    uint32_t call_timeout_ms; /* default 30000 */
    uint32_t activation_timeout_ms; /* default 60000 */
    uint32_t max_spin_us; /* how long a waiting thread spins before it sleeps; default 50 */
    uint32_t no_spin;     /* 1: never spin */
    uint32_t max_workers; /* default 64 */
    /* How long an object of this process that somebody has handed on to a third process waits to be
     * fetched by that; then the count that was kept for it is given back. Default 30000. */
    uint32_t handoff_timeout_ms;
};

/* Makes this process a node; counted: S_FALSE when it is one already, and then `options` (NULL: all
 * defaults) are not looked at. Loads the transports; starts no thread and connects to nobody.
 * E_INVALIDARG: `options->size` was not set. */
VIA_API HRESULT via_initialize(const struct via_options *options);
/* The last one blocks until every thread of the runtime has ended: never from a callback. Proxies
 * that are left are dead afterwards; releasing them stays allowed. A process that ends without it
 * may lose one-way calls that it has made within the last few milliseconds. */
VIA_API void via_uninitialize(void);

/* Listens, so that other nodes can reach this one's objects: "unix:/path", "pipe:name". Same user
 * and privileged users only. VIA_E_ADDRESS_IN_USE if somebody serves that address already. */
VIA_API HRESULT via_listen(const char *address);

/* Makes a type library known by the IIDs of its interfaces: needed before an object with such an
 * interface is handed out or called through its vtable. The tables are not copied and stay for
 * ever. Repeating is allowed. VIA_E_TYPE names the first thing that is wrong; VIA_E_MISMATCH when
 * this process has registered an IID with another description. What a peer has said of an interface
 * (via_invoke(), via_implement()) yields: interface pointers that were got by that stay as they
 * are, and a new QueryInterface gives one with the registered description. */
VIA_API HRESULT via_register_typelib(const struct via_typelib *typelib);

/* --- getting objects --- */

/* Blocks. The root object of the node that listens at `address`: INode (<viaduct/node.h>), and on a
 * host IViaductHost (<viaduct/host.h>). VIA_E_UNREACHABLE says why. */
VIA_API HRESULT via_connect(const char *address, REFIID iid, void **object);
/* Blocks. The same for this process' host. */
VIA_API HRESULT via_host(REFIID iid, void **object);
/* Blocks, for the activation's deadline. `name`: a ProgID or "{CLSID}", with "@HOST" behind it
 * where it must be that host's. REGDB_E_CLASSNOTREG lists the directories that were searched. */
VIA_API HRESULT via_create_instance(const char *name, REFIID iid, void **object);
/* The same for the class object: IClassFactory makes objects without asking the host again. */
VIA_API HRESULT via_get_class_object(const char *name, REFIID iid, void **object);

/* --- running objects: what this user's programs find of each other by name --- */

/* All of these block, may be called on any thread, and ask this process' host: VIA_E_UNREACHABLE
 * when there is none. Names are UTF-8 of 1 to 255 bytes; case makes a difference. */

/* Lets others find `object` under `name`. The host keeps a reference until via_withdraw(), or until
 * the process that owns the object has ended. Whoever looks it up connects to the owner, which
 * therefore listens (via_listen) before it publishes; else all calls go through the host.
 * VIA_E_ADDRESS_IN_USE: a living object has the name; VIA_E_LIMIT: the host keeps too many;
 * E_INVALIDARG: the name; E_POINTER: `object` is NULL.
 */
VIA_API HRESULT via_publish(const char *name, IUnknown *object);
/* The object under `name`, with a reference for the caller. MK_E_UNAVAILABLE: there is none, or its
 * process has ended; E_NOINTERFACE: it has not the interface. *object is NULL on failure. */
VIA_API HRESULT via_lookup(const char *name, REFIID iid, void **object);
/* Takes the name away, and the host's reference. MK_E_UNAVAILABLE: no object has it. */
VIA_API HRESULT via_withdraw(const char *name);

/* --- deadlines and cancelling --- */

/* Each call ends with RPC_E_TIMEOUT after the smallest of: the proxy's own limit, the thread's, and
 * what is left of the call that the thread is serving. */

/* For all calls on the object behind `proxy`; 0 goes back to the runtime's default. S_FALSE on an
 * object that is not a proxy. */
VIA_API HRESULT via_proxy_set_deadline(IUnknown *proxy, uint32_t timeout_ms);
/* For all calls that this thread starts from now on; 0 takes it away. Returns what it was. */
VIA_API uint32_t via_thread_set_deadline(uint32_t timeout_ms);
/* The calling thread, for via_cancel(). */
VIA_API uint64_t via_thread_id(void);
/* Ends the innermost call that the thread waits in with RPC_E_CALL_CANCELED, and tells the object's
 * side. S_FALSE when it waits in none. */
VIA_API HRESULT via_cancel(uint64_t thread_id);
/* A running method asks via_call_is_cancelled(), and via_call_current() about its caller
 * (<viaduct/caller.h>). */

/* --- the far side --- */

struct via_peer_info {
    uint32_t size;       /* set by the caller: sizeof(struct via_peer_info) */
    uint32_t process_id; /* in its own system's terms */
    GUID node;
    uint64_t object_id;
    uint8_t is_windows;
    uint8_t is_wine;
    uint8_t is_dead; /* its connection has ended */
    uint8_t reserved[5];
    char address[256]; /* how it was reached; "" when it connected to us */
    char agent[64];
};
/* Who owns the object behind `proxy`. S_FALSE (and zeroes) for an object of this process. */
VIA_API HRESULT via_get_peer(IUnknown *proxy, struct via_peer_info *info);

/* Calls `died(context, reason)` once, on a thread of the runtime, when the owner of `proxy` is
 * gone; at once if it is gone already. Does not keep the object alive: when the last reference is
 * released the watch ends without a call. E_INVALIDARG on an object that is not a proxy. `reason`
 * is borrowed text. */
typedef void (*via_death_callback)(void *context, const char *reason);
VIA_API HRESULT via_death_watch(IUnknown *proxy, via_death_callback died, void *context,
                                uint64_t *cookie);
/* S_OK: it will not be called. S_FALSE: it has been, or is being, called, or the cookie is unknown.
 */
VIA_API HRESULT via_death_unwatch(uint64_t cookie);

/* --- by name --- */

/* <viaduct/late.h> calls methods by name in one line, <viaduct/implement.h> makes objects that
 * answer by name. */

/* Blocks. What is below via_invoke(): calls a method by its name, with lists of values. `iid` NULL:
 * the interface that the object was asked for when it was received. `in` is a list of the method's
 * [in] arguments in order, `out` receives a list of its results in order, which the caller clears.
 * Interfaces that this process has no description of are described by the object's owner.
 * DISP_E_UNKNOWNNAME lists the methods that there are. */
VIA_API HRESULT via_invoke_values(IUnknown *object, const GUID *iid, const char *method,
                                  const struct via_value *in, struct via_value *out);
/* Blocks where the description has to be asked of the object's owner. The interface `iid` in JSON
 * form, for SysFreeString(). */
VIA_API HRESULT via_describe(IUnknown *object, REFIID iid, BSTR *json);
/* Blocks where the object's owner has to be asked. The interfaces of the object that its owner
 * describes, the default one first, without their bases, for CoTaskMemFree(). In front of them
 * IDispatch, where the object has one of its own. */
VIA_API HRESULT via_get_interfaces(IUnknown *object, ULONG *count, GUID **iids);

/* --- errors --- */

/* The calling thread's latest failure in full, causes included, in UTF-8, cut to `size`; the code's
 * own name when there is no text. Does not take the error information away. Returns `buffer`. */
VIA_API char *via_error_message(HRESULT code, char *buffer, size_t size);
/* "RPC_E_DISCONNECTED", "ERROR_FILE_NOT_FOUND": a text that stays. NULL: the code has no name here.
 * Any thread; the runtime need not be initialised. */
VIA_API const char *via_error_name(HRESULT code);

/* --- serving --- */

/* What peers find as this node's root object beside INode: `root` answers QueryInterface for the
 * rest. NULL takes it away. Keeps a reference. */
VIA_API HRESULT via_set_root_object(IUnknown *root);
/* Within a call: `object`, which is about to be handed out for the first time, runs one call at a
 * time (class table: VIA_THREADING_SERIAL), with a queue of its own. Objects that it hands out
 * share that queue. */
VIA_API HRESULT via_object_set_serial(IUnknown *object);

#ifdef __cplusplus
}
#endif

#endif
