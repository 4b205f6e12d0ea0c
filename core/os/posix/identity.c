#include "core/os/identity.h"

#include "core/util/error.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An entry of the user database: a group may have very many members. */
#define MAX_ENTRY_SIZE (1024u * 1024u)

void os_identity_self(struct via_peer_identity *identity)
{
    *identity = (struct via_peer_identity){.size = sizeof(*identity),
                                           .flags = VIA_PEER_HAS_UNIX | VIA_PEER_HAS_PID,
                                           .uid = geteuid(),
                                           .gid = getegid(),
                                           .pid = (uint32_t)getpid()};
}

bool os_identity_is_self(const struct via_peer_identity *identity)
{
    return (identity->flags & VIA_PEER_HAS_UNIX) && identity->uid == geteuid();
}

bool os_identity_is_this_process(const struct via_peer_identity *identity)
{
    return (identity->flags & VIA_PEER_HAS_PID) && identity->pid == (uint32_t)getpid();
}

bool os_identity_is_privileged(const struct via_peer_identity *identity)
{
    return (identity->flags & VIA_PEER_HAS_UNIX) && identity->uid == 0;
}

/* 0 or an error; calls `look` with more and more room. */
static int look_up(int (*look)(const char *name, char *room, size_t size, uint32_t *id,
                               bool *found),
                   const char *name, uint32_t *id, bool *found)
{
    int error = ERANGE;
    for (size_t size = 4096; error == ERANGE && size <= MAX_ENTRY_SIZE; size *= 4) {
        char *room = malloc(size);
        if (room == NULL)
            return ENOMEM;
        error = look(name, room, size, id, found);
        free(room);
    }
    return error;
}

static int look_up_user(const char *name, char *room, size_t size, uint32_t *id, bool *found)
{
    struct passwd entry;
    struct passwd *user = NULL;
    int error = getpwnam_r(name, &entry, room, size, &user);
    *found = user != NULL;
    if (user != NULL)
        *id = user->pw_uid;
    return error;
}

static int look_up_group(const char *name, char *room, size_t size, uint32_t *id, bool *found)
{
    struct group entry;
    struct group *group = NULL;
    int error = getgrnam_r(name, &entry, room, size, &group);
    *found = group != NULL;
    if (group != NULL)
        *id = group->gr_gid;
    return error;
}

/* Some databases say that there is none by an error. */
static HRESULT fail_to_find(const char *kind, const char *name, int error)
{
    if (error == 0 || error == ENOENT || error == ESRCH)
        return error_set(E_INVALIDARG, "this system has no %s \"%.100s\"", kind, name);
    return error_set(E_FAIL, "cannot look up the %s \"%.100s\": %s", kind, name, strerror(error));
}

HRESULT os_identity_find_user(const char *name, struct via_peer_identity *identity)
{
    bool found = false;
    *identity = (struct via_peer_identity){.size = sizeof(*identity), .flags = VIA_PEER_HAS_UNIX};
    int error = look_up(look_up_user, name, &identity->uid, &found);
    return found ? S_OK : fail_to_find("user", name, error);
}

HRESULT os_identity_find_group(const char *name, uint32_t *gid)
{
    bool found = false;
    int error = look_up(look_up_group, name, gid, &found);
    return found ? S_OK : fail_to_find("group", name, error);
}

char *os_identity_format(const struct via_peer_identity *identity, char *buffer, size_t size)
{
    int n = 0;
    if (identity->flags & VIA_PEER_HAS_UNIX)
        n = snprintf(buffer, size, "uid %u", identity->uid);
    else
        n = snprintf(buffer, size, "unknown user");
    if ((identity->flags & VIA_PEER_HAS_PID) && n > 0 && (size_t)n < size)
        snprintf(buffer + n, size - (size_t)n, ", process %u", identity->pid);
    return buffer;
}
