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
#include "core/util/utf.h"

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
    char *const *patterns;
    size_t *n_found; /* by pattern */
    const char *program;
    uint32_t hang_ms;
    const char *directory;
    HRESULT result; /* sticky */
};

/* --- manifests --- */

static HRESULT write_manifest(const struct writing *self, const struct com_class *class)
{
    char guid[GUID_TEXT_SIZE];
    char name[GUID_TEXT_SIZE + 8];
    char hang[16];
    char *arguments[] = {guid, hang, NULL};
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
    snprintf(hang, sizeof hang, "%u", (unsigned)self->hang_ms);
    snprintf(name, sizeof name, "%s.json", guid);
    CLEANUP(cleanup_free) char *path = os_path_join(self->directory, name);
    CLEANUP(cleanup_free) char *text = manifest_format(&manifest);
    if (path == NULL || text == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the manifest of COM class %s", guid);
    return os_file_write(path, text, strlen(text));
}

static bool is_meant(const struct writing *self, const CLSID *clsid, const char *progid)
{
    bool is = false;
    for (size_t i = 0; self->patterns[i] != NULL; i++) {
        CLSID own;
        bool fits = guid_parse(self->patterns[i], &own) ? IsEqualGUID(&own, clsid)
                                                        : matches(self->patterns[i], progid);
        self->n_found[i] += fits;
        is |= fits;
    }
    return is;
}

static bool visit(void *context, const CLSID *clsid, const char *progid)
{
    struct writing *self = context;
    struct com_class class;
    if (!class_name_is_progid(progid) || !is_meant(self, clsid, progid))
        return true;
    if (FAILED(com_class_read(clsid, &class)))
        error_clear(); /* registered, and without a server that this system could run */
    else
        self->result = write_manifest(self, &class);
    return SUCCEEDED(self->result);
}

/* A class that has no ProgID is called after its CLSID. */
static HRESULT write_nameless(struct writing *self)
{
    HRESULT hr = S_OK;
    for (size_t i = 0; self->patterns[i] != NULL && SUCCEEDED(hr); i++) {
        struct com_class class;
        CLSID clsid;
        if (self->n_found[i] > 0 || !guid_parse(self->patterns[i], &clsid))
            continue;
        if (FAILED(com_class_read(&clsid, &class))) {
            error_clear();
            continue;
        }
        snprintf(class.progid, sizeof class.progid, "Class.C%08X", (unsigned)clsid.Data1);
        self->n_found[i]++;
        hr = write_manifest(self, &class);
    }
    return hr;
}

static void report(const struct writing *self)
{
    for (size_t i = 0; self->patterns[i] != NULL; i++) {
        if (self->n_found[i] == 0)
            log_warning("com",
                        "\"%s\", which the configuration exposes, means no COM class that "
                        "is registered here",
                        self->patterns[i]);
        else
            log_info("com", "\"%s\" exposes %zu COM classes", self->patterns[i], self->n_found[i]);
    }
}

HRESULT exposed_write_manifests(char *const *patterns, uint32_t hang_ms, const char *directory)
{
    size_t n = 0;
    while (patterns[n] != NULL)
        n++;
    CLEANUP(cleanup_free) size_t *n_found = calloc(n + 1, sizeof *n_found);
    CLEANUP(cleanup_free) char *beside = os_path_program_directory();
    CLEANUP(cleanup_free)
    char *program = beside != NULL ? os_path_join(beside, "viaduct-com.exe") : NULL;
    if (program == NULL || n_found == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for what the configuration exposes");
    struct writing writing = {.patterns = patterns,
                              .n_found = n_found,
                              .program = program,
                              .hang_ms = hang_ms,
                              .directory = directory};
    HRESULT hr = com_class_each(visit, &writing);
    if (SUCCEEDED(hr))
        hr = writing.result;
    if (SUCCEEDED(hr))
        hr = write_nameless(&writing);
    if (SUCCEEDED(hr))
        report(&writing);
    return hr;
}

bool exposed_is_com_class(const struct class_name *name)
{
    char text[CLASS_NAME_PROGID_SIZE];
    CLSID clsid;
    struct com_class class;
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide(class_name_format(name, text));
    bool is = wide != NULL && SUCCEEDED(CLSIDFromString(wide, &clsid)) &&
              SUCCEEDED(com_class_read(&clsid, &class));
    return is;
}
