/*
 * How a stream gets its section: the other form of setup.c.
 *
 * The maker says the numbers of its handles, in the first message over the pipe or in an offer, and
 * the other side duplicates them out of the maker's process, whose id the system knows. So a peer
 * can name none but its own handles, and nobody needs rights in a process that has more of them
 * than he: who accepts has to be allowed to duplicate handles of who connects (PROCESS_DUP_HANDLE),
 * as a process is of those of its user, and a service of all. Where it is not, the set-up is
 * refused.
 *
 * The maker keeps its handles open for that as long as the stream lives. If it closes that, or
 * ends, before the other side has come so far, there is nothing to join: what it had sent is lost,
 * and the stream is at its end. Numbers of handles that have been closed can name others by the
 * time they are used; hence the mark, which the maker writes into the segment and says in the
 * message.
 */
#include "plugins/shm/form_windows.h"
#include "plugins/shm/section_windows.h"

#include "plugins/unixsock/overlapped_windows.h"

#include <string.h>

#define SECTION_MAGIC   0x54434553u /* "SECT" */
#define SECTION_VERSION 1u

/* Which handle is which: the section; for the maker and for the other side the event of who is
 * parked, and the bell of a thread that waits. */
enum {
    SECTION_MEMORY,
    SECTION_MAKER_EVENT,
    SECTION_MAKER_BELL,
    SECTION_OTHER_EVENT,
    SECTION_OTHER_BELL,
    SECTION_N_HANDLES
};

struct section_setup {
    uint32_t magic;
    uint32_t version;
    uint32_t capacity; /* of each ring */
    int32_t handles[SECTION_N_HANDLES];
    uint64_t mark;
};
_Static_assert(sizeof(struct section_setup) == SECTION_SETUP_SIZE, "the layout is shared");
_Static_assert(SECTION_SETUP_SIZE <= VIA_OFFER_MAX_BYTES, "an offer holds it");

static void close_all(const int32_t handles[SECTION_N_HANDLES])
{
    for (unsigned i = 0; i < SECTION_N_HANDLES; i++) {
        if (handles[i] >= 0)
            system_close(handles[i]);
    }
}

/* The stream has the handles from then on. */
static void bring_up(struct via_stream *stream, const int32_t handles[SECTION_N_HANDLES])
{
    bool is_maker = stream->is_maker;
    stream->memory = handles[SECTION_MEMORY];
    stream->own_event = handles[is_maker ? SECTION_MAKER_EVENT : SECTION_OTHER_EVENT];
    stream->own_bell = handles[is_maker ? SECTION_MAKER_BELL : SECTION_OTHER_BELL];
    stream->peer_event = handles[is_maker ? SECTION_OTHER_EVENT : SECTION_MAKER_EVENT];
    stream->peer_bell = handles[is_maker ? SECTION_OTHER_BELL : SECTION_MAKER_BELL];
    atomic_store(&stream->state, STREAM_UP);
}

/* --- the maker --- */

/* Makes the segment of a stream, brings that up, and says what the peer has to know. */
static HRESULT make(struct via_stream *stream, struct section_setup *setup)
{
    static _Atomic uint64_t n_made;
    int32_t handles[SECTION_N_HANDLES] = {-1, -1, -1, -1, -1};
    HRESULT hr = segment_new(SEGMENT_CAPACITY, &handles[SECTION_MEMORY]);
    for (unsigned i = SECTION_MAKER_EVENT; SUCCEEDED(hr) && i < SECTION_N_HANDLES; i++)
        hr = system_event_new(&handles[i]);
    if (SUCCEEDED(hr))
        hr = setup_map(stream, handles[SECTION_MEMORY], SEGMENT_CAPACITY, true);
    if (FAILED(hr)) {
        close_all(handles);
        return hr;
    }
    *setup = (struct section_setup){.magic = SECTION_MAGIC,
                                    .version = SECTION_VERSION,
                                    .capacity = SEGMENT_CAPACITY,
                                    .mark = atomic_fetch_add(&n_made, 1) + 1};
    memcpy(setup->handles, handles, sizeof handles);
    atomic_store(segment_mark(&stream->segment), setup->mark);
    bring_up(stream, handles);
    return S_OK;
}

HRESULT section_setup_start(struct via_stream *stream)
{
    struct carrier_line *line = &stream->carrier.line;
    struct section_setup setup;
    HRESULT hr = make(stream, &setup);
    if (FAILED(hr))
        return hr;
    hr = line->kind->send(line, &setup, sizeof setup, NULL, 0);
    if (hr == RPC_E_DISCONNECTED) { /* a connection that ends at once, and was one */
        shm_end(stream, STREAM_GONE);
        hr = S_OK;
    }
    return hr;
}

HRESULT section_offer(const struct via_peer_identity *peer, struct via_offer *offer,
                      struct via_stream **stream)
{
    struct carrier_line line;
    struct section_setup setup;
    struct via_stream *self;
    HRESULT hr = carrier_absent_line(peer, &line);
    if (SUCCEEDED(hr))
        hr = shm_new(&line, &self);
    if (FAILED(hr))
        return hr;
    hr = make(self, &setup);
    if (FAILED(hr)) {
        shm_close(self);
        return hr;
    }
    offer->n_handles = 0;
    offer->n_bytes = sizeof setup;
    memcpy(offer->bytes, &setup, sizeof setup);
    *stream = self;
    return S_OK;
}

/* --- the other side --- */

static HRESULT check(const struct section_setup *setup, size_t size)
{
    if (size != sizeof *setup || setup->magic != SECTION_MAGIC)
        return socket_fail(VIA_E_PROTOCOL, "the peer's first message is no set-up of shm");
    if (setup->version != SECTION_VERSION)
        return socket_fail(VIA_E_PROTOCOL, "the peer's set-up of shm has version %u, known is %u",
                           setup->version, SECTION_VERSION);
    for (unsigned i = 0; i < SECTION_N_HANDLES; i++) {
        if (setup->handles[i] <= 0) /* negative ones stand for processes and threads */
            return socket_fail(VIA_E_PROTOCOL, "the peer's set-up of shm names no handles");
    }
    return S_OK;
}

/* The maker has closed what it names, or has ended. */
static HRESULT fail_gone(void)
{
    return socket_fail(RPC_E_DISCONNECTED,
                       "the peer closed the connection before its set-up of shm was taken");
}

/* Duplicates out of the maker's process. All or none are open afterwards. */
static HRESULT fetch(HANDLE process, const struct section_setup *setup,
                     int32_t handles[SECTION_N_HANDLES])
{
    for (unsigned i = 0; i < SECTION_N_HANDLES; i++)
        handles[i] = -1;
    for (unsigned i = 0; i < SECTION_N_HANDLES; i++) {
        DWORD access = i == SECTION_MEMORY ? SECTION_MAP_READ | SECTION_MAP_WRITE | SECTION_QUERY
                                           : SYNCHRONIZE | EVENT_MODIFY_STATE | 1 /* query */;
        HANDLE copy;
        if (!DuplicateHandle(process, section_handle(setup->handles[i]), GetCurrentProcess(), &copy,
                             access, FALSE, 0)) {
            DWORD error = GetLastError();
            close_all(handles);
            return error == ERROR_ACCESS_DENIED
                       ? socket_fail(VIA_E_PROTOCOL, "a handle of the peer's set-up of shm does "
                                                     "not let this side do what it has to")
                       : fail_gone();
        }
        handles[i] = section_descriptor(copy);
    }
    return S_OK;
}

static HRESULT check_handles(const struct section_setup *setup,
                             const int32_t handles[SECTION_N_HANDLES])
{
    for (unsigned i = SECTION_MAKER_EVENT; i < SECTION_N_HANDLES; i++) {
        if (!system_event_check(handles[i]))
            return socket_fail(VIA_E_PROTOCOL, "the peer's set-up of shm has other handles than "
                                               "events that reset themselves");
    }
    return segment_check(handles[SECTION_MEMORY], setup->capacity);
}

/* Joins the peer's segment; with setup_lock, or before anybody else knows the stream. */
static HRESULT join(struct via_stream *stream, const struct section_setup *setup)
{
    int32_t handles[SECTION_N_HANDLES];
    uint32_t pid = stream->carrier.line.peer.pid;
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid);
    if (process == NULL)
        return GetLastError() == ERROR_INVALID_PARAMETER
                   ? fail_gone()
                   : socket_fail(E_ACCESSDENIED,
                                 "shared memory cannot be taken from process %u (Windows error "
                                 "%lu); does it run with more rights than this one?",
                                 pid, GetLastError());
    HRESULT hr = fetch(process, setup, handles);
    CloseHandle(process);
    if (FAILED(hr))
        return hr;
    hr = check_handles(setup, handles);
    if (SUCCEEDED(hr))
        hr = setup_map(stream, handles[SECTION_MEMORY], setup->capacity, false);
    if (SUCCEEDED(hr) && atomic_load(segment_mark(&stream->segment)) != setup->mark)
        hr = fail_gone();
    if (FAILED(hr)) {
        close_all(handles);
        return hr;
    }
    system_close(handles[SECTION_MEMORY]);
    handles[SECTION_MEMORY] = -1;
    bring_up(stream, handles);
    return S_OK;
}

HRESULT section_setup_receive(struct via_stream *stream)
{
    struct carrier_line *line = &stream->carrier.line;
    struct section_setup setup;
    struct socket_received received;
    size_t n = 0;
    HRESULT hr = line->kind->receive(line, &setup, sizeof setup, &n, &received);
    if (hr == S_OK)
        hr = check(&setup, n);
    return hr == S_OK ? join(stream, &setup) : hr;
}

HRESULT section_attach(const struct via_peer_identity *peer, const struct via_offer *offer,
                       struct via_stream **stream)
{
    struct carrier_line line;
    struct section_setup setup = {0};
    struct via_stream *self;
    if (offer->n_handles != 0 || offer->n_bytes != sizeof setup)
        return socket_fail(VIA_E_PROTOCOL, "the peer's offer has %u handles and %u bytes",
                           offer->n_handles, offer->n_bytes);
    memcpy(&setup, offer->bytes, sizeof setup);
    HRESULT hr = check(&setup, sizeof setup);
    if (SUCCEEDED(hr))
        hr = carrier_absent_line(peer, &line);
    if (SUCCEEDED(hr))
        hr = shm_new(&line, &self);
    if (FAILED(hr))
        return hr;
    hr = join(self, &setup);
    if (FAILED(hr)) {
        shm_close(self);
        return hr;
    }
    *stream = self;
    return S_OK;
}
