#include "core/relay/access.h"

#include "core/os/identity.h"
#include "core/util/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_id(const char *text, uint32_t *id)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value >= UINT32_MAX)
        return false;
    *id = (uint32_t)value;
    return true;
}

static bool parse_sid(const char *text, struct access_rule *rule)
{
    if (strncmp(text, "S-1-", 4) != 0 || strspn(text + 4, "0123456789-") != strlen(text + 4) ||
        strlen(text) >= sizeof rule->sid)
        return false;
    snprintf(rule->sid, sizeof rule->sid, "%s", text);
    return true;
}

static HRESULT find_user(const char *name, struct access_rule *rule)
{
    struct via_peer_identity identity;
    HRESULT hr = os_identity_find_user(name, &identity);
    if (FAILED(hr))
        return hr;
    rule->kind = (identity.flags & VIA_PEER_HAS_UNIX) ? ACCESS_UID : ACCESS_SID;
    rule->id = identity.uid;
    snprintf(rule->sid, sizeof rule->sid, "%s", identity.sid);
    return S_OK;
}

/* S_FALSE: the word is none. */
static HRESULT parse_rule(const char *word, struct access_rule *rule)
{
    if (strncmp(word, "user:", 5) == 0)
        return find_user(word + 5, rule);
    if (strncmp(word, "group:", 6) == 0) {
        rule->kind = ACCESS_GID;
        return os_identity_find_group(word + 6, &rule->id);
    }
    if (strncmp(word, "uid:", 4) == 0 || strncmp(word, "gid:", 4) == 0) {
        rule->kind = word[0] == 'u' ? ACCESS_UID : ACCESS_GID;
        return parse_id(word + 4, &rule->id) ? S_OK : S_FALSE;
    }
    rule->kind = ACCESS_SID;
    return strncmp(word, "sid:", 4) == 0 && parse_sid(word + 4, rule) ? S_OK : S_FALSE;
}

HRESULT access_parse(const char *const *words, struct access *access)
{
    size_t n = 0;
    *access = (struct access){.is_everyone = false};
    while (words != NULL && words[n] != NULL)
        n++;
    if (n == 0)
        return S_OK;
    if (n > ACCESS_MAX_RULES)
        return error_set(E_INVALIDARG, "%zu rules of access are more than %u", n, ACCESS_MAX_RULES);
    access->rules = calloc(n, sizeof *access->rules);
    if (access->rules == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for rules of access");
    for (size_t i = 0; i < n; i++) {
        if (strcmp(words[i], "everyone") == 0) {
            access->is_everyone = true;
            continue;
        }
        HRESULT hr = parse_rule(words[i], &access->rules[access->n_rules]);
        if (hr == S_FALSE)
            hr = error_set(E_INVALIDARG,
                           "\"%.100s\" says nobody; expected \"everyone\", \"user:NAME\", "
                           "\"group:NAME\", \"uid:NUMBER\", \"gid:NUMBER\" or \"sid:S-1-...\"",
                           words[i]);
        if (FAILED(hr))
            return hr;
        access->n_rules++;
    }
    return S_OK;
}

void access_deinit(struct access *access)
{
    free(access->rules);
    *access = (struct access){.is_everyone = false};
}

bool access_is_wide(const struct access *access)
{
    return access->is_everyone || access->n_rules > 0;
}

static bool is_in_group(const struct via_peer_identity *identity, uint32_t gid,
                        const struct via_transport *transport, struct via_stream *stream)
{
    if (!(identity->flags & VIA_PEER_HAS_UNIX))
        return false;
    return identity->gid == gid ||
           (transport->size >=
                offsetof(struct via_transport, peer_in_group) + sizeof transport->peer_in_group &&
            transport->peer_in_group != NULL && transport->peer_in_group(stream, gid) == S_OK);
}

bool access_allows(const struct access *access, const struct via_peer_identity *identity,
                   const struct via_transport *transport, struct via_stream *stream)
{
    bool allows =
        access->is_everyone || os_identity_is_self(identity) || os_identity_is_privileged(identity);
    for (size_t i = 0; i < access->n_rules && !allows; i++) {
        const struct access_rule *rule = &access->rules[i];
        if (rule->kind == ACCESS_UID)
            allows = (identity->flags & VIA_PEER_HAS_UNIX) && identity->uid == rule->id;
        else if (rule->kind == ACCESS_GID)
            allows = is_in_group(identity, rule->id, transport, stream);
        else
            allows = (identity->flags & VIA_PEER_HAS_SID) && strcmp(identity->sid, rule->sid) == 0;
    }
    return allows;
}
