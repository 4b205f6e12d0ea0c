/* Who a process is, to the kernel. */
#ifndef CORE_OS_IDENTITY_H
#define CORE_OS_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <viaduct/plugin/transport.h>

/* This process. */
void os_identity_self(struct via_peer_identity *identity);
/* The same user as this process, by uid or SID; false when nothing comparable is known. */
bool os_identity_is_self(const struct via_peer_identity *identity);
/* This very process; false when no process is known. */
bool os_identity_is_this_process(const struct via_peer_identity *identity);
/* root, SYSTEM, Administrators. */
bool os_identity_is_privileged(const struct via_peer_identity *identity);
/* The user of that name as identities have it: by uid, on Windows by SID. E_INVALIDARG: there is
 * none. */
HRESULT os_identity_find_user(const char *name, struct via_peer_identity *identity);
/* The number of that group. E_INVALIDARG: there is none, or groups have no numbers here. */
HRESULT os_identity_find_group(const char *name, uint32_t *gid);
/* "uid 1000, process 4711"; returns `buffer`. */
char *os_identity_format(const struct via_peer_identity *identity, char *buffer, size_t size);

#endif
