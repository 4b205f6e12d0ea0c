/*
 * For who hands this process' proxies to programs that know nothing of Viaduct: the in-process
 * server of Windows' COM. An application does not need it.
 */
#ifndef VIADUCT_PROXIES_H
#define VIADUCT_PROXIES_H

#include <viaduct/com.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An interface that proxies have in this process beside those of their objects: nobody asks the
 * object for it. Its pointers count and query as the proxy does; what the slots need to know of it
 * they find by that. */
struct via_proxy_side {
    const IID *iid;
    const void *const *slots; /* those behind IUnknown's; NULL: no proxy has the interface */
    uint32_t n_slots;
    uint32_t data_size; /* of via_proxy_data(), at first zero */
    /* The proxy's last reference is gone, and the pointer may not be used any more; its data may.
     * May block. Or NULL. */
    void (*end)(void *data);
};

struct via_proxy_guest {
    uint32_t size; /* sizeof(struct via_proxy_guest) */
    uint32_t n_sides;
    const struct via_proxy_side *sides;
    /* The process has no proxy any more, and no other process has an object of it: the runtime
     * could end. On any thread, with no lock held; may come when that is not so any more. */
    void (*idle)(void);
    /* Of the class that COM has in other processes for proxies that come from here: it reads
     * packets. NULL: proxies go there by COM's own marshaler. */
    const CLSID *unmarshaler;
};

/* While there is a guest, a proxy that is asked for an interface that this process has no
 * description of fetches that from the object's owner. `guest` is borrowed until the next call;
 * NULL: no guest. */
VIA_API void via_set_proxy_guest(const struct via_proxy_guest *guest);
/* The data of a side's pointer. */
VIA_API void *via_proxy_data(void *side);
/* Whether via_proxy_guest.idle would be called now. */
VIA_API BOOL via_is_idle(void);
/* Whether the thread runs a call of another process, or waits in one of its own. */
VIA_API BOOL via_thread_is_busy(void);

/* A packet is a proxy as bytes, for one other process of the same machine and user that has a
 * runtime: that one connects to the object's owner, and does not need the process that wrote the
 * packet any more. It may be read once, for as long as via_options.handoff_timeout_ms of the owner
 * (30 s), while the process that wrote it runs; so long that process keeps the proxy. Whoever does
 * not need it releases it. What is read may come from anybody. Both block. */
struct IStream;
VIA_API HRESULT via_write_packet(struct IStream *stream, IUnknown *proxy);
VIA_API HRESULT via_read_packet(struct IStream *stream, REFIID iid, void **object);
VIA_API HRESULT via_release_packet(struct IStream *stream);

#ifdef __cplusplus
}
#endif

#endif
