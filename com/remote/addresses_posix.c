#include "com/remote/addresses.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/os/path.h"

char *address_of_host(bool system)
{
    char *directory = os_path_runtime(system);
    char *address = NULL;
    if (directory != NULL && asprintf(&address, "unix:%s/host.sock", directory) < 0)
        address = NULL;
    free(directory);
    return address;
}
