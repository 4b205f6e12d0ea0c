#include "host/exposed.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "com/abi/guid.h"
#include "com/gateway/registry.h"
#include "com/registry/class_name.h"
#include "com/registry/manifest.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/log.h"

/* --- patterns --- */

/* `*` stands for any text; case makes no difference. */
static bool matches(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *retry = NULL;
    while (*text != 0) {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (tolower((unsigned char)*pattern) == tolower((unsigned char)*text)) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == 0;
}

struct writing {
    const char *pattern;
    const char *program;
    const char *directory;
    size_t n_found;
    HRESULT result; /* sticky */
};

/* --- manifests --- */

static HRESULT write_manifest(const struct writing *self, const struct com_class *class)
{
    char guid[GUID_TEXT_SIZE];
    char name[GUID_TEXT_SIZE + 8];
    char *arguments[] = {guid, NULL};
    struct manifest_class entry = {
        .clsid = class->clsid,
        .threading = class->is_apartment ? MANIFEST_APARTMENT : MANIFEST_FREE,
        .progid = (char *)class->progid,
        .description = (char *)class->description,
    };
    struct manifest manifest = {
        .activation = MANIFEST_IN_PROGRAM,
        .component = (char *)self->program,
        .arguments = arguments,
        .n_classes = 1,
        .classes = &entry,
    };
    guid_format(&class->clsid, guid);
    snprintf(name, sizeof name, "%s.json", guid);
    CLEANUP(cleanup_free) char *path = os_path_join(self->directory, name);
    CLEANUP(cleanup_free) char *text = manifest_format(&manifest);
    if (path == NULL || text == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the manifest of COM class %s", guid);
    return os_file_write(path, text, strlen(text));
}

static bool visit(void *context, const struct com_class *class)
{
    struct writing *self = context;
    if (!matches(self->pattern, class->progid) || !class_name_is_progid(class->progid))
        return true;
    self->n_found++;
    self->result = write_manifest(self, class);
    return SUCCEEDED(self->result);
}

/* A class that has no ProgID is called after its CLSID. */
static HRESULT write_by_clsid(struct writing *self, const CLSID *clsid)
{
    struct com_class class;
    HRESULT hr = com_class_read(clsid, &class);
    if (FAILED(hr)) {
        error_clear();
        return S_OK;
    }
    if (!class_name_is_progid(class.progid))
        snprintf(class.progid, sizeof class.progid, "Class.C%08X", (unsigned)clsid->Data1);
    self->n_found++;
    return write_manifest(self, &class);
}

HRESULT exposed_write_manifests(char *const *patterns, const char *directory)
{
    CLEANUP(cleanup_free) char *beside = os_path_program_directory();
    CLEANUP(cleanup_free)
    char *program = beside != NULL ? os_path_join(beside, "viaduct-com.exe") : NULL;
    if (program == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a path");
    for (size_t i = 0; patterns[i] != NULL; i++) {
        struct writing writing = {
            .pattern = patterns[i], .program = program, .directory = directory};
        CLSID clsid;
        HRESULT hr = guid_parse(patterns[i], &clsid) ? write_by_clsid(&writing, &clsid)
                                                     : com_class_each(visit, &writing);
        if (SUCCEEDED(hr))
            hr = writing.result;
        if (FAILED(hr))
            return hr;
        if (writing.n_found == 0)
            log_warning("com",
                        "\"%s\", which the configuration exposes, means no COM class that "
                        "is registered here",
                        patterns[i]);
        else
            log_info("com", "\"%s\" exposes %zu COM classes", patterns[i], writing.n_found);
    }
    return S_OK;
}
