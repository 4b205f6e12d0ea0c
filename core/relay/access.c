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

static bool parse_rule(const char *word, struct access_rule *rule)
{
    if (strncmp(word, "uid:", 4) == 0) {
        rule->kind = ACCESS_UID;
        return parse_id(word + 4, &rule->id);
    }
    if (strncmp(word, "gid:", 4) == 0) {
        rule->kind = ACCESS_GID;
        return parse_id(word + 4, &rule->id);
    }
    rule->kind = ACCESS_SID;
    return strncmp(word, "sid:", 4) == 0 && parse_sid(word + 4, rule);
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
        if (strcmp(words[i], "everyone") == 0)
            access->is_everyone = true;
        else if (parse_rule(words[i], &access->rules[access->n_rules]))
            access->n_rules++;
        else
            return error_set(E_INVALIDARG,
                             "\"%.100s\" says nobody; expected \"everyone\", \"uid:NUMBER\", "
                             "\"gid:NUMBER\" or \"sid:S-1-...\"",
                             words[i]);
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

static bool rule_matches(const struct access_rule *rule, const struct via_peer_identity *identity)
{
    switch (rule->kind) {
    case ACCESS_UID:
        return (identity->flags & VIA_PEER_HAS_UNIX) && identity->uid == rule->id;
    case ACCESS_GID:
        return (identity->flags & VIA_PEER_HAS_UNIX) && identity->gid == rule->id;
    case ACCESS_SID:
        return (identity->flags & VIA_PEER_HAS_SID) && strcmp(identity->sid, rule->sid) == 0;
    }
    return false;
}

bool access_allows(const struct access *access, const struct via_peer_identity *identity)
{
    if (access->is_everyone || os_identity_is_self(identity) || os_identity_is_privileged(identity))
        return true;
    for (size_t i = 0; i < access->n_rules; i++) {
        if (rule_matches(&access->rules[i], identity))
            return true;
    }
    return false;
}
