/*
 * Who may be at the other end of a stream, by what the kernel says of it.
 *
 * Words: "everyone"; "uid:1000", "gid:100" of a peer that has such; "sid:S-1-5-21-..." of a Windows
 * one; "user:alice", "group:docker", which are looked up when they are parsed. This user and
 * privileged ones are let in without a word.
 */
#ifndef CORE_RELAY_ACCESS_H
#define CORE_RELAY_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <viaduct/plugin/transport.h>

#define ACCESS_MAX_RULES 64u

enum access_kind { ACCESS_UID, ACCESS_GID, ACCESS_SID };

struct access_rule {
    enum access_kind kind;
    uint32_t id;
    char sid[sizeof(((struct via_peer_identity *)0)->sid)];
};

struct access {
    bool is_everyone;
    struct access_rule *rules;
    size_t n_rules;
};

/* E_INVALIDARG names the word that is none. Deinit in either case. */
HRESULT access_parse(const char *const *words, struct access *access);
void access_deinit(struct access *access);
/* Whether the words let in anybody but this user. */
bool access_is_wide(const struct access *access);
/* `identity`, of the stream's peer, with flags 0 is nobody in particular. */
bool access_allows(const struct access *access, const struct via_peer_identity *identity,
                   const struct via_transport *transport, struct via_stream *stream);

#endif
