#include "host/exposed.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "com/abi/guid.h"
#include "com/gateway/annotations.h"
#include "com/gateway/annotations_check.h"
#include "com/gateway/registry.h"
#include "com/registry/class_name.h"
#include "com/registry/manifest.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "core/util/strings.h"
#include "core/util/utf.h"
#include "host/configuration.h"

/* A manifest of one class is much shorter. */
#define MAX_MANIFEST (64u * 1024)

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
    char *const *patterns; /* of the configuration */
    size_t *n_found;       /* by pattern */
    const char *program;
    const struct configuration *configuration;
    const char *directory; /* NULL: nothing is written */
    char **written;        /* names of files; NULL at the end, or none */
    HRESULT result;        /* sticky */
};

/* --- manifests --- */

/* Not again where it is there already: a file that is new would be read again (com/registry). */
static HRESULT write_changed(const char *path, const char *text)
{
    CLEANUP(cleanup_free) char *there = NULL;
    size_t size = 0;
    if (SUCCEEDED(os_file_read(path, MAX_MANIFEST, &there, &size)) && size == strlen(text) &&
        memcmp(there, text, size) == 0)
        return S_OK;
    error_clear();
    return os_file_write(path, text, strlen(text));
}

static HRESULT write_manifest(struct writing *self, const struct com_class *class)
{
    char guid[GUID_TEXT_SIZE];
    char name[GUID_TEXT_SIZE + 8];
    char hang[16];
    char *const *annotations = self->configuration->annotations;
    char *arguments[CONFIGURATION_MAX_ANNOTATIONS + 3] = {guid, hang};
    for (size_t i = 0; annotations != NULL && annotations[i] != NULL; i++)
        arguments[i + 2] = annotations[i];
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
    snprintf(hang, sizeof hang, "%u", (unsigned)self->configuration->hang_ms);
    snprintf(name, sizeof name, "%s.json", guid);
    CLEANUP(cleanup_free) char *path = os_path_join(self->directory, name);
    CLEANUP(cleanup_free) char *text = manifest_format(&manifest);
    if (path == NULL || text == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the manifest of COM class %s", guid);
    HRESULT hr = strings_append(&self->written, strdup(name));
    if (FAILED(hr))
        return error_set(hr, "no memory for the manifest of COM class %s", guid);
    return write_changed(path, text);
}

static HRESULT take(struct writing *self, const struct com_class *class)
{
    annotations_check_add(class);
    return self->directory != NULL ? write_manifest(self, class) : S_OK;
}

/* What an earlier configuration exposed. */
static HRESULT remove_others(const struct writing *self)
{
    char **names = NULL;
    HRESULT hr = os_directory_list(self->directory, &names);
    for (size_t i = 0; SUCCEEDED(hr) && names[i] != NULL; i++) {
        bool is_kept = false;
        for (size_t j = 0; self->written != NULL && self->written[j] != NULL && !is_kept; j++)
            is_kept = strcmp(names[i], self->written[j]) == 0;
        CLEANUP(cleanup_free) char *path = os_path_join(self->directory, names[i]);
        if (!is_kept && path == NULL)
            hr = error_set(E_OUTOFMEMORY, "no memory for what the configuration exposes");
        else if (!is_kept)
            hr = os_file_remove(path);
    }
    os_names_free(names);
    return hr;
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
        self->result = take(self, &class);
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
        hr = take(self, &class);
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

/* `directory`: NULL: nothing is written. */
static HRESULT go_through(const struct configuration *configuration, const char *directory)
{
    char *const *patterns = configuration->exposed;
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
                              .configuration = configuration,
                              .directory = directory};
    HRESULT hr = annotations_load(configuration->annotations);
    if (SUCCEEDED(hr) && directory != NULL)
        hr = os_directory_make_private(directory);
    if (SUCCEEDED(hr))
        hr = com_class_each(visit, &writing);
    if (SUCCEEDED(hr))
        hr = writing.result;
    if (SUCCEEDED(hr))
        hr = write_nameless(&writing);
    if (SUCCEEDED(hr) && directory != NULL)
        hr = remove_others(&writing);
    if (SUCCEEDED(hr)) {
        report(&writing);
        annotations_check_report();
    }
    strings_free(writing.written);
    return hr;
}

HRESULT exposed_write_manifests(const struct configuration *configuration, const char *directory)
{
    return go_through(configuration, directory);
}

HRESULT exposed_check(const struct configuration *configuration)
{
    return configuration->exposed != NULL && configuration->exposed[0] != NULL
               ? go_through(configuration, NULL)
               : S_OK;
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
