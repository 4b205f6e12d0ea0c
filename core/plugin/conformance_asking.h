/*
 * Between the peer's process (conformance_peer.c) and the operations that it carries out
 * (conformance_remote.c).
 */
#ifndef CORE_PLUGIN_CONFORMANCE_ASKING_H
#define CORE_PLUGIN_CONFORMANCE_ASKING_H

#include "core/plugin/conformance_peer.h"
#include "core/util/printf.h"

/* A stream or listener that the peer holds. */
struct peer_object {
    struct peer_object *next; /* the peer's lock, like the two below */
    uint32_t id;
    void (*ready)(void *token, uint32_t events);
    void *token;
};
/* Numbers it. */
void peer_object_add(struct peer_object *object);
void peer_object_report(struct peer_object *object, void (*ready)(void *token, uint32_t events),
                        void *token);
void peer_object_remove(struct peer_object *object);

struct peer_question {
    const void *bytes; /* sent behind it, if not NULL */
    size_t n_bytes;
    uint64_t most_ns; /* how long it may take by itself */
};
/* [any thread] Asks and waits for the answer. `values`, for free(): what stands in it behind the
 * result, or NULL where nothing has come. */
HRESULT peer_ask(struct peer_question *question, char **values, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The first question: prepares the remote side's table by its answer. */
HRESULT peer_begin(const char *directory, const char *scheme);

#endif
