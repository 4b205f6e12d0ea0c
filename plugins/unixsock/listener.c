/*
 * Listening and connecting by path.
 *
 * A name belongs to whoever holds the lock on "PATH.lock". A socket file that is there although we
 * hold the lock is stale, unless a server that knows nothing of the lock answers on it; that is
 * tried by connecting.
 */
#include "plugins/unixsock/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOCK_SUFFIX ".lock"

struct via_listener {
    int32_t descriptor;
    int32_t lock;
    uint32_t flags; /* VIA_OPEN_... */
    struct via_plugin_watch *watch;
    void (*ready)(void *token, uint32_t events);
    void *token;
    char path[SOCKET_PATH_SIZE];
    char lock_path[SOCKET_PATH_SIZE + sizeof LOCK_SUFFIX];
};

static void on_watch(void *argument, uint32_t events)
{
    struct via_listener *listener = argument;
    (void)events;
    listener->ready(listener->token, VIA_READY_READ);
}

/* Removes what a dead server left at the path. The name's lock is held. */
static HRESULT clear_stale(const char *path)
{
    enum socket_name_kind kind;
    HRESULT hr = socket_name_kind(path, &kind);
    if (FAILED(hr) || kind == SOCKET_NAME_FREE)
        return hr;
    if (kind == SOCKET_NAME_OTHER)
        return socket_fail_listen(VIA_E_ADDRESS, path,
                                  "a file that is not a socket is there; remove it or "
                                  "choose another name");
    int32_t descriptor;
    hr = socket_connect(path, &descriptor);
    if (hr == S_OK)
        socket_close(descriptor);
    if (hr != VIA_WIN32(2))
        return socket_fail_listen(VIA_E_ADDRESS_IN_USE, path, "another process listens there");
    socket_remove_name(path);
    return S_OK;
}

static HRESULT take_name(struct via_listener *listener, const struct via_listen_options *options)
{
    HRESULT hr = socket_lock_name(listener->lock_path, &listener->lock);
    if (FAILED(hr))
        return hr;
    hr = clear_stale(listener->path);
    if (SUCCEEDED(hr))
        hr = socket_listen(listener->path, options->access == VIA_ACCESS_EVERYONE ? 0666 : 0600,
                           options->backlog, &listener->descriptor);
    if (FAILED(hr)) {
        socket_unlock_name(listener->lock_path, listener->lock);
        return hr;
    }
    hr = socket_host->watch_open(listener->descriptor, on_watch, listener, &listener->watch);
    if (FAILED(hr)) {
        socket_remove_name(listener->path);
        socket_close(listener->descriptor);
        socket_unlock_name(listener->lock_path, listener->lock);
    }
    return hr;
}

HRESULT listener_new(const char *path, const struct via_listen_options *options,
                     void (*ready)(void *token, uint32_t events), void *token,
                     struct via_listener **listener)
{
    struct via_listener *self = calloc(1, sizeof *self);
    if (self == NULL)
        return socket_fail(E_OUTOFMEMORY, "out of memory");
    self->ready = ready;
    self->token = token;
    self->flags = socket_listen_flags(options);
    snprintf(self->path, sizeof self->path, "%s", path);
    snprintf(self->lock_path, sizeof self->lock_path, "%s" LOCK_SUFFIX, path);
    HRESULT hr = take_name(self, options);
    if (FAILED(hr)) {
        free(self);
        return hr;
    }
    *listener = self;
    return S_OK;
}

HRESULT listener_accept_socket(struct via_listener *listener, int32_t *descriptor)
{
    return socket_accept(listener->descriptor, descriptor);
}

HRESULT listener_accept(struct via_listener *listener, struct via_stream **stream)
{
    int32_t descriptor;
    HRESULT hr = listener_accept_socket(listener, &descriptor);
    return hr == S_OK ? stream_new(descriptor, listener->flags, stream) : hr;
}

HRESULT listener_arm(struct via_listener *listener)
{
    return socket_host->watch_arm(listener->watch, VIA_READY_READ);
}

void listener_close(struct via_listener *listener)
{
    socket_host->watch_close(listener->watch);
    socket_remove_name(listener->path);
    socket_close(listener->descriptor);
    socket_unlock_name(listener->lock_path, listener->lock);
    free(listener);
}

HRESULT socket_connect_checked(const char *path, const struct via_connect_options *options,
                               int32_t *descriptor)
{
    HRESULT hr = socket_connect(path, descriptor);
    struct socket_peer peer;
    if (hr == S_OK && options->check_server_owner) {
        hr = socket_peer_of(*descriptor, &peer);
        if (SUCCEEDED(hr) && !socket_owner_trusted(peer.uid))
            hr = socket_fail(VIA_E_IDENTITY,
                             "the server at %s runs as user %u, who is neither you nor root", path,
                             peer.uid);
        if (FAILED(hr))
            socket_close(*descriptor);
    }
    return hr;
}

HRESULT stream_connect(const char *path, const struct via_connect_options *options,
                       struct via_stream **stream)
{
    int32_t descriptor;
    HRESULT hr = socket_connect_checked(path, options, &descriptor);
    return hr == S_OK ? stream_new(descriptor, socket_connect_flags(options), stream) : hr;
}
