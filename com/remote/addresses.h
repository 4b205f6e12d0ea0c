/* Where hosts listen unless they are told otherwise. */
#ifndef COM_REMOTE_ADDRESSES_H
#define COM_REMOTE_ADDRESSES_H

#include <stdbool.h>

/* The address of this user's host, or of the system's: "unix:/run/user/1000/viaduct/host.sock",
 * "pipe:viaduct-anna" and "pipe:viaduct" on Windows. For free(); NULL without memory. */
char *address_of_host(bool system);

#endif
