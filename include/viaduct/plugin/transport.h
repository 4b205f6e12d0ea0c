/*
 * The operations of a transport: a duplex byte stream that can carry OS handles.
 *
 * No operation blocks, except `wait`. Framing, hello, spinning, limits and retry are the host's; a
 * transport moves bytes. What one side commits the other side sees in the same order, and the
 * handles given with a commit can be taken by the time the first byte of that commit can be seen.
 *
 * Threads. The host serialises: `reserve` and `commit` under the stream's sender lock; `peek`,
 * `consume`, `read_into`, `take_handles`, `arm`, `disarm`, `wait` by whoever holds the stream's
 * reader right (which moves between threads, with the needed memory barriers). The two groups run
 * at the same time. `interrupt` and `shutdown` may come from any thread at any time before `close`.
 * `close` is the last call.
 *
 * Results. S_OK; VIA_S_WOULD_BLOCK where a comment says so; RPC_E_DISCONNECTED once the peer has
 * closed and (for reading) everything that it had sent has been consumed; other failures break the
 * stream, and every later operation but `close` fails the same way.
 */
#ifndef VIADUCT_PLUGIN_TRANSPORT_H
#define VIADUCT_PLUGIN_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>
#include <viaduct/plugin/host.h>

#ifdef __cplusplus
extern "C" {
#endif

struct via_listener; /* the plugin's */
struct via_stream;   /* the plugin's */

/* A file descriptor on POSIX (and under Wine on a unix transport); a HANDLE on Windows. */
typedef intptr_t via_os_handle;

/* Who the peer is, as the kernel says; never as the peer says. */
#define VIA_PEER_HAS_UNIX 0x1u /* uid, gid are set */
#define VIA_PEER_HAS_PID  0x2u /* pid is set: of the process that connected or listened */
#define VIA_PEER_HAS_SID  0x4u /* sid is set */
struct via_peer_identity {
    uint32_t size;  /* set by the caller: sizeof(struct via_peer_identity) */
    uint32_t flags; /* VIA_PEER_HAS_...; 0: the transport cannot say */
    uint32_t uid;
    uint32_t gid;
    uint32_t pid;  /* a Windows process id where VIA_PEER_HAS_SID is set, else a POSIX one */
    char sid[188]; /* "S-1-5-...", zero-terminated */
};

/* Who may connect to a listener, enforced by the system's own means (mode, security descriptor) as
 * well as by the host after peer_identity. */
enum via_listen_access {
    VIA_ACCESS_SAME_USER = 0, /* this user, and root / SYSTEM / Administrators */
    VIA_ACCESS_EVERYONE = 1   /* any local user; the host decides by policy */
};

/* How a name is used; `flags` of both options. A plugin that is older does not see them. */
/* The other side may be any program, not only one that uses Viaduct: the stream ends when the
 * system says so, and not with the process that opened it, which may have left it to a child; what
 * other programs need to open a name is allowed, and what they have made is taken as it is. */
#define VIA_OPEN_FOREIGN 0x1u
/* Addresses that other machines can reach are allowed; only tcp has any. */
#define VIA_OPEN_NETWORK 0x2u
/* Listening: the streams keep the boundaries of messages. Only where VIA_TRANSPORT_MESSAGES is. */
#define VIA_OPEN_MESSAGES 0x4u

struct via_listen_options {
    uint32_t size;   /* sizeof(struct via_listen_options) */
    uint32_t access; /* enum via_listen_access */
    uint32_t backlog;
    uint32_t flags; /* VIA_OPEN_... */
};

struct via_connect_options {
    uint32_t size; /* sizeof(struct via_connect_options) */
    /* The client refuses a server that runs as another, unprivileged user, where the transport can
     * tell. */
    uint32_t check_server_owner;
    uint32_t flags; /* VIA_OPEN_... */
};

/* Capabilities of a transport. */
#define VIA_TRANSPORT_HANDLES 0x1u /* commit and take_handles carry OS handles */
/* The bytes that peek shows lie in memory that the peer can still change: whoever decides by them
 * copies them first, and looks at the copy alone. */
#define VIA_TRANSPORT_SHARED 0x2u
/* Its handles are Unix descriptors, also in a Windows program under Wine. */
#define VIA_TRANSPORT_DESCRIPTORS 0x4u
/* Its offers have no handles: any connection can bring them to the peer. */
#define VIA_TRANSPORT_BARE_OFFERS 0x8u
/* It goes on watching for bytes when it has reported some, without a report, so that to arm it
 * again costs no system call. Who means to read for long without arming calls `disarm` first. */
#define VIA_TRANSPORT_WATCHES 0x10u
/* It serves relays and nothing else: connections of objects over it are refused. */
#define VIA_TRANSPORT_RELAYS_ONLY 0x20u
/* peer_identity never knows anything. */
#define VIA_TRANSPORT_ANONYMOUS 0x40u
/* Its streams can keep the boundaries of messages: see keeps_messages. */
#define VIA_TRANSPORT_MESSAGES 0x80u

/* commit flags */
#define VIA_COMMIT_FLUSH 0x1u /* send now; without it the bytes may wait for a later commit */
/* With VIA_COMMIT_FLUSH, on a stream that keeps messages: the bytes are one message, which may be
 * empty. */
#define VIA_COMMIT_MESSAGE 0x2u

/* What one side of a connection makes for a second one, and the other needs to join it. */
#define VIA_OFFER_MAX_HANDLES 8
#define VIA_OFFER_MAX_BYTES   64
struct via_offer {
    uint32_t size; /* set by the caller: sizeof(struct via_offer) */
    uint32_t n_handles;
    via_os_handle handles[VIA_OFFER_MAX_HANDLES];
    uint32_t n_bytes;
    uint8_t bytes[VIA_OFFER_MAX_BYTES];
};

struct via_transport {
    uint32_t size;         /* sizeof(struct via_transport) */
    uint32_t version;      /* 1 */
    uint32_t capabilities; /* VIA_TRANSPORT_... */
    uint32_t max_span;     /* reserve and peek give at least this much contiguous room; >= 64 KiB */
    uint32_t max_handles;  /* in one commit; 0 without VIA_TRANSPORT_HANDLES */

    /* --- listening
     * ------------------------------------------------------------------------------- */

    /* [any thread] Starts to listen at `address`, which is what follows "scheme:" ("/run/x.sock").
     * A stale name that nobody serves any more is replaced; VIA_E_ADDRESS_IN_USE if somebody does,
     * VIA_E_ADDRESS if it is malformed or too long. `ready(token, VIA_READY_READ)` is called on the
     * reactor thread once for each listener_arm when a client waits. */
    HRESULT(*listen)
    (const char *address, const struct via_listen_options *options,
     void (*ready)(void *token, uint32_t events), void *token, struct via_listener **listener);
    /* [one thread at a time] Takes one waiting client; VIA_S_WOULD_BLOCK if there is none. When
     * descriptors are exhausted it fails with VIA_E_LIMIT and the listener stays usable. */
    HRESULT (*listener_accept)(struct via_listener *listener, struct via_stream **stream);
    /* [one thread at a time] */
    HRESULT (*listener_arm)(struct via_listener *listener);
    /* [any thread, not from `ready`] Removes the name. After it returns no `ready` call is
     * running. */
    void (*listener_close)(struct via_listener *listener);

    /* --- connecting
     * ------------------------------------------------------------------------------ */

    /* [any thread] Connects at once; VIA_S_WOULD_BLOCK when all of the server's places are taken
     * for the moment (the host tries again until its deadline); VIA_WIN32(2) (ERROR_FILE_NOT_FOUND)
     * when nobody listens there; E_ACCESSDENIED; VIA_E_IDENTITY when the server's owner is the
     * wrong one. */
    HRESULT(*connect)
    (const char *address, const struct via_connect_options *options, struct via_stream **stream);

    /* Gives the stream the function that is called for what `arm` armed, on the reactor thread.
     * Called once, before the first arm, on accepted and connected streams alike. */
    HRESULT(*set_ready)
    (struct via_stream *stream, void (*ready)(void *token, uint32_t events), void *token);

    /* --- sending: under the sender lock
     * ---------------------------------------------------------- */

    /* Gives contiguous room for at least `min` (<= max_span) bytes, behind what is committed and
     * not yet sent; more is given where there is room. VIA_S_WOULD_BLOCK while too much is still
     * unsent. A second reserve replaces the first. */
    HRESULT (*reserve)(struct via_stream *stream, size_t min, uint8_t **span, size_t *size);
    /* Appends the first `n` bytes of the reserved room to the stream, with `n_handles` handles
     * attached to their first byte. The handles are duplicated or sent before it returns or kept by
     * the plugin as its own duplicates: the caller keeps its own. With VIA_COMMIT_FLUSH everything
     * committed is sent as far as the system takes it without blocking. S_OK: all is sent (or waits
     * for a flush); VIA_S_WOULD_BLOCK: some remains, arm VIA_READY_WRITE and call commit(0, flush)
     * then. */
    HRESULT(*commit)
    (struct via_stream *stream, size_t n, const via_os_handle *handles, uint32_t n_handles,
     uint32_t flags);

    /* --- receiving: by the holder of the reader right
     * -------------------------------------------- */

    /* Shows what has arrived: at least `want` (<= max_span) contiguous bytes, receiving without
     * blocking if fewer are there. VIA_S_WOULD_BLOCK while fewer have arrived; `size` then says how
     * many there are. The span is valid until the next receiving operation. */
    HRESULT (*peek)(struct via_stream *stream, size_t want, const uint8_t **span, size_t *size);
    /* Drops `n` bytes from the front; n <= the last peek's size. */
    void (*consume)(struct via_stream *stream, size_t n);
    /* For bulk: copies up to `size` bytes to `buffer`, what is buffered first and then directly
     * from the system, without blocking. VIA_S_WOULD_BLOCK when nothing has arrived. */
    HRESULT (*read_into)(struct via_stream *stream, void *buffer, size_t size, size_t *n);
    /* Takes the next `n` received handles, in the order of sending; they are the caller's from now
     * on, not inherited by child processes. VIA_E_PROTOCOL if fewer have arrived; none is taken
     * then. Handles that nobody took are closed with the stream. */
    HRESULT (*take_handles)(struct via_stream *stream, via_os_handle *handles, uint32_t n);

    /* Blocks the calling thread until bytes beyond those already received have come (they can be
     * peeked then; it may receive them itself), the peer is gone (S_OK; peek then says so), the
     * stream is interrupted (VIA_S_INTERRUPTED) or `deadline_ns` of the host's now_ns has passed
     * (RPC_E_TIMEOUT, at most 2 ms late, never early; UINT64_MAX: no deadline). */
    HRESULT (*wait)(struct via_stream *stream, uint64_t deadline_ns);
    /* [any thread] Makes the `wait` that is running, or else the next one, return
     * VIA_S_INTERRUPTED. */
    void (*interrupt)(struct via_stream *stream);

    /* [holder of the reader right for READ, sender lock for WRITE] Arms one report of readiness for
     * each bit; bits armed before stay armed. READY_READ is reported also when the peer is gone, or
     * when bytes are buffered already, unless the last peek said VIA_S_WOULD_BLOCK and nothing has
     * come since: then only more bytes than it saw are news. Each arm gives exactly one ready call
     * for that bit (one call may report both), unless disarmed before. READY_CLOSED, on a stream
     * that has `is_over` or keeps messages, and of which the peer's last byte or an empty message
     * has been received: the peer may be gone altogether, now or before; others ignore it. */
    HRESULT (*arm)(struct via_stream *stream, uint32_t events);
    /* Takes back what `events` names. A ready call that is already running may still come. */
    void (*disarm)(struct via_stream *stream, uint32_t events);
    /* [holder of the reader right] Gives idle buffers back to the host, as far as nothing is in
     * them. */
    void (*park)(struct via_stream *stream);

    /* [any thread before close] The peer as the kernel names it; S_FALSE and flags 0 where it
     * cannot. */
    HRESULT (*peer_identity)(struct via_stream *stream, struct via_peer_identity *identity);
    /* [any thread] Ends both directions at once: this side's `wait` returns, the peer sees the
     * end. */
    void (*shutdown)(struct via_stream *stream);
    /* [not from `ready`, last call] After it returns no `ready` call is running. Frees the
     * stream. */
    void (*close)(struct via_stream *stream);

    /* --- a stream without an address, for two who are connected already: optional
     * ------------------------------------------------------------------------------
     * Both NULL, or past the table's `size`, where a transport has no such thing; E_NOTIMPL where
     * this system has not. */

    /* [any thread] Makes one end of a new stream to the process that `peer` names, and says in
     * `offer` what that process must give to `attach`. The stream can be used at once, what is
     * committed waits in it. The offer's handles are the caller's, who sends them to the peer and
     * closes them. VIA_E_LIMIT: no memory or descriptors; nothing is left then. */
    HRESULT(*offer)
    (const struct via_peer_identity *peer, struct via_offer *offer, struct via_stream **stream);
    /* [any thread] Joins the stream that `peer` has offered. The handles are the plugin's from now
     * on, also when it fails: VIA_E_PROTOCOL when they or the bytes are not what offer makes,
     * VIA_E_IDENTITY when they were made by somebody else than `peer`, VIA_E_LIMIT. */
    HRESULT(*attach)
    (const struct via_peer_identity *peer, const struct via_offer *offer,
     struct via_stream **stream);

    /* --- a stream by which no handles are to come: optional
     * ------------------------------------------------------------------------------
     * NULL, or past the table's `size`, where it would make no difference. */

    /* [holder of the reader right] Handles that arrive from now on are closed, not kept for
     * take_handles, which makes receiving cheaper; until expect_handles. */
    void (*refuse_handles)(struct via_stream *stream);

    /* --- memory that one process writes and another reads: optional
     * ------------------------------------------------------------------------------
     * All NULL, or past the table's `size`, where a transport has no such thing. It belongs to no
     * stream; the host brings the handle to the other process. */

    /* [any thread] Makes memory of exactly `size` bytes, a multiple of 64 KiB, all of it there, and
     * maps it. Nobody else can write to it, or change its size. The handle, which is the caller's,
     * lets another process map it. VIA_E_LIMIT: there is not so much left. */
    HRESULT (*memory_new)(size_t size, via_os_handle *handle, void **base);
    /* [any thread] Maps the memory of another process to read it; its size is as it says, or
     * VIA_E_PROTOCOL. Its owner may change what is in it at any time, and no more than that. The
     * handle stays the caller's. */
    HRESULT (*memory_map)(via_os_handle handle, size_t size, const void **base);
    /* [any thread] Takes either out of this process. */
    void (*memory_unmap)(const void *base, size_t size);

    /* --- with refuse_handles: optional
     * ------------------------------------------------------------------------------
     * NULL, or past the table's `size`: a stream that may have to carry handles later is never told
     * to refuse them. */

    /* [holder of the reader right] Handles that are sent from now on are kept again. */
    void (*expect_handles)(struct via_stream *stream);

    /* --- one direction that ends before the other: optional
     * ------------------------------------------------------------------------------
     * Both NULL, or past the table's `size`, where a stream ends only as a whole. */

    /* [sender lock] Everything that was committed has been sent (commit has said S_OK): tells the
     * peer that no more comes. It finds the end behind the last byte, and can go on sending.
     * Nothing is reserved or committed after it. RPC_E_DISCONNECTED: it is gone already. */
    HRESULT (*finish)(struct via_stream *stream);
    /* [holder of the reader right] After a receiving operation has said RPC_E_DISCONNECTED. S_OK:
     * the peer receives no more either; S_FALSE: it has only finished, or the system cannot tell.
     */
    HRESULT (*is_over)(struct via_stream *stream);

    /* --- messages instead of bytes, for relays: optional
     * ------------------------------------------------------------------------------
     * Both NULL, or past the table's `size`, where a transport knows bytes only. */

    /* [any thread before close] S_OK: the stream keeps the boundaries of messages, since it was
     * listened for with VIA_OPEN_MESSAGES, or opened with VIA_OPEN_FOREIGN and its server made it
     * so; S_FALSE: it does not. On one that does, only read_message receives; each commit of bytes
     * has VIA_COMMIT_MESSAGE, and `reserve` says VIA_S_WOULD_BLOCK until the one before has been
     * sent. */
    HRESULT (*keeps_messages)(struct via_stream *stream);
    /* [holder of the reader right] Receives one message, or, where `size` is not enough, the next
     * piece of one, and `goes_on` says so with 1. `n` 0: an empty message. VIA_S_WOULD_BLOCK:
     * nothing has come, or it is about to be reported. */
    HRESULT(*read_message)
    (struct via_stream *stream, void *buffer, size_t size, size_t *n, uint32_t *goes_on);

    /* --- bytes that move without passing through this process's memory: optional
     * ------------------------------------------------------------------------------
     * Both NULL, or past the table's `size`, where the system has no such thing. `pipe` is an end
     * of a pipe of the system's that does not block. Nobody waits (`wait`) on a stream that has
     * been used so. E_NOTIMPL: not with this stream; nothing has moved, and it works as before. */

    /* [holder of the reader right] Moves up to `size` of the bytes that have arrived into the empty
     * `pipe`, at least one. Otherwise as read_into; the stream refuses handles. */
    HRESULT(*read_to_pipe)
    (struct via_stream *stream, via_os_handle pipe, size_t size, size_t *n);
    /* [sender lock] Everything that was committed has been sent. Sends up to `size` of the bytes in
     * `pipe`, at least one; VIA_S_WOULD_BLOCK: the system takes none now, arm VIA_READY_WRITE. */
    HRESULT(*send_from_pipe)
    (struct via_stream *stream, via_os_handle pipe, size_t size, size_t *n);

    /* --- with peer_identity: optional
     * ------------------------------------------------------------------------------
     * NULL, or past the table's `size`: only the group in the identity is known. */

    /* [any thread before close] S_OK: the peer was in the group of that number, its own or a
     * supplementary one, when it connected or listened; S_FALSE: it was not, or the system does not
     * say. */
    HRESULT (*peer_in_group)(struct via_stream *stream, uint32_t gid);

    /* --- connecting that takes its time: optional
     * ------------------------------------------------------------------------------
     * NULL, or past the table's `size`, where a stream that `connect` gives is connected. */

    /* [nobody else uses the stream] Of a stream from `connect`. S_OK: it is connected; S_FALSE: not
     * yet, VIA_READY_WRITE is reported once it is decided; a failure: why not, each time. */
    HRESULT (*is_connected)(struct via_stream *stream);
};

#ifdef __cplusplus
}
#endif

#endif
