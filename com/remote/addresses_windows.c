#include "com/remote/addresses.h"

#include <stdlib.h>
#include <string.h>

#include "core/os/path.h"

char *address_of_host(bool system)
{
    static const char prefix[] = "pipe:viaduct";
    char *user = system ? NULL : os_environment("USERNAME");
    size_t length = user == NULL ? 0 : strlen(user);
    char *address = malloc(sizeof prefix + 1 + length);
    if (address != NULL) {
        memcpy(address, prefix, sizeof prefix);
        if (user != NULL) {
            address[sizeof prefix - 1] = '-';
            memcpy(address + sizeof prefix, user, length + 1);
        }
    }
    free(user);
    return address;
}
