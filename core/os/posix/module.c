#include "core/os/module.h"
#include "core/os/path.h"
#include "core/os/posix/trust.h"
#include "core/util/error.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char os_module_suffix[] = ".so";

struct os_module {
    void *handle;
};

/* How many bytes the file needs for what its headers have mapped; 0: the loader will say what is
 * wrong. */
static uint64_t size_needed(int descriptor)
{
    ElfW(Ehdr) header;
    ElfW(Phdr) part;
    uint64_t needed = 0;
    if (pread(descriptor, &header, sizeof(header), 0) != sizeof(header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(part))
        return 0;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        off_t at = (off_t)(header.e_phoff + i * sizeof(part));
        if (pread(descriptor, &part, sizeof(part), at) != sizeof(part))
            return UINT64_MAX;
        uint64_t end = part.p_offset + part.p_filesz;
        if (part.p_type == PT_LOAD && end > needed)
            needed = end;
    }
    return needed;
}

/* The C library maps what the headers say. Of a file that was copied half-way, onto a full disk,
 * that ends the process with SIGBUS. */
static HRESULT check_whole(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    HRESULT hr = S_OK;
    if (descriptor < 0)
        return error_set(E_ACCESSDENIED, "%s: %s", path, strerror(errno));
    if (fstat(descriptor, &info) == 0 && size_needed(descriptor) > (uint64_t)info.st_size)
        hr = error_set(CO_E_DLLNOTFOUND, "%s is cut off: it has only %lld bytes; copy it again",
                       path, (long long)info.st_size);
    close(descriptor);
    return hr;
}

HRESULT os_module_open(const char *path, struct os_module **module)
{
    if (!os_path_is_absolute(path))
        return error_set(E_INVALIDARG, "module %s: give its absolute path", path);
    char *real = realpath(path, NULL);
    if (!real)
        return error_set(VIA_WIN32(2), "module %s: %s", path, strerror(errno));
    HRESULT hr = trust_check(real);
    if (SUCCEEDED(hr))
        hr = check_whole(real);
    if (FAILED(hr)) {
        free(real);
        return error_wrap(hr, "module %s is not loaded", path);
    }
    struct os_module *self = malloc(sizeof(*self));
    void *handle = self ? dlopen(real, RTLD_NOW | RTLD_LOCAL) : NULL;
    free(real);
    if (!handle) {
        hr = self ? error_set(CO_E_DLLNOTFOUND, "module %s: %s", path, dlerror())
                  : error_set(E_OUTOFMEMORY, "no memory to load %s", path);
        free(self);
        return hr;
    }
    self->handle = handle;
    *module = self;
    return S_OK;
}

void *os_module_symbol(struct os_module *module, const char *name)
{
    return dlsym(module->handle, name);
}

void os_module_close(struct os_module *module)
{
    if (!module)
        return;
    dlclose(module->handle);
    free(module);
}
