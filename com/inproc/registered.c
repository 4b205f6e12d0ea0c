#include "com/inproc/registered.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "com/abi/guid.h"
#include "com/inproc/ids.h"
#include "com/registry/versions.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#define MAX_PATH_UNITS 512

HKEY registered_hive(bool is_user)
{
    return is_user ? HKEY_CURRENT_USER : HKEY_LOCAL_MACHINE;
}

const char *registered_hive_name(bool is_user)
{
    return is_user ? "HKCU\\Software\\Classes" : "HKLM\\Software\\Classes";
}

static void whole_path(const WCHAR *path, WCHAR whole[MAX_PATH_UNITS])
{
    _snwprintf(whole, MAX_PATH_UNITS, L"Software\\Classes\\%ls", path);
    whole[MAX_PATH_UNITS - 1] = 0;
}

bool registered_text(bool is_user, const WCHAR *path, const WCHAR *name, char *text, size_t size)
{
    WCHAR whole[MAX_PATH_UNITS], value[REGISTERED_TEXT_SIZE];
    DWORD n_bytes = sizeof value;
    text[0] = 0;
    whole_path(path, whole);
    if (RegGetValueW(registered_hive(is_user), whole, name, RRF_RT_REG_SZ, NULL, value, &n_bytes) !=
        ERROR_SUCCESS)
        return false;
    CLEANUP(cleanup_free) char *utf8 = utf_from_wide(value, utf16_length(value));
    if (utf8 == NULL || strlen(utf8) >= size)
        return false;
    strcpy(text, utf8);
    return true;
}

bool registered_key_exists(bool is_user, const WCHAR *path)
{
    WCHAR whole[MAX_PATH_UNITS];
    HKEY key;
    whole_path(path, whole);
    if (RegOpenKeyExW(registered_hive(is_user), whole, 0, KEY_READ, &key) != ERROR_SUCCESS)
        return false;
    RegCloseKey(key);
    return true;
}

/* --- one class --- */

static bool class_text(const struct registered *class, const WCHAR *below, const WCHAR *name,
                       char *text, size_t size)
{
    WCHAR guid[GUID_TEXT_SIZE], path[MAX_PATH_UNITS];
    StringFromGUID2(&class->clsid, guid, GUID_TEXT_SIZE);
    _snwprintf(path, MAX_PATH_UNITS, L"CLSID\\%ls%ls", guid, below);
    path[MAX_PATH_UNITS - 1] = 0;
    return registered_text(class->is_user, path, name, text, size);
}

static void read_others(struct registered *class)
{
    char text[REGISTERED_TEXT_SIZE], *rest = NULL;
    class_text(class, L"\\" INPROC_CLASS_KEY, INPROC_LIBRARIES_VALUE, text, sizeof text);
    for (char *one = strtok_r(text, ";", &rest);
         one != NULL && class->n_others < REGISTERED_MAX_OTHERS; one = strtok_r(NULL, ";", &rest)) {
        struct library_id *other = &class->others[class->n_others];
        char *version = strchr(one, ' ');
        if (version == NULL || sscanf(version, "%u.%u", &other->major, &other->minor) != 2)
            continue;
        *version = 0;
        class->n_others += guid_parse(one, &other->guid);
    }
}

static void read_library(struct registered *class)
{
    char text[REGISTERED_TEXT_SIZE];
    class->has_library = class_text(class, L"\\TypeLib", NULL, text, sizeof text) &&
                         guid_parse(text, &class->library.guid) &&
                         class_text(class, L"\\Version", NULL, text, sizeof text) &&
                         sscanf(text, "%u.%u", &class->library.major, &class->library.minor) == 2;
    if (class->has_library)
        read_others(class);
}

bool registered_read(bool is_user, const CLSID *clsid, struct registered *class)
{
    memset(class, 0, sizeof *class);
    class->clsid = *clsid;
    class->is_user = is_user;
    if (!class_text(class, L"\\" INPROC_CLASS_KEY, NULL, class->name, sizeof class->name))
        return false;
    class_text(class, L"\\" INPROC_CLASS_KEY, INPROC_HOST_VALUE, class->host, sizeof class->host);
    class_text(class, L"", NULL, class->description, sizeof class->description);
    class_text(class, L"\\ProgID", NULL, class->progid, sizeof class->progid);
    class_text(class, L"\\InprocServer32", NULL, class->server, sizeof class->server);
    class_text(class, L"\\LocalServer32", NULL, class->local_server, sizeof class->local_server);
    read_library(class);
    return true;
}

/* --- all --- */

HRESULT registered_each(bool is_user, bool (*visit)(void *context, const struct registered *class),
                        void *context)
{
    HKEY root;
    struct registered class;
    bool goes_on = true;
    LSTATUS status =
        RegOpenKeyExW(registered_hive(is_user), L"Software\\Classes\\CLSID", 0, KEY_READ, &root);
    if (status == ERROR_FILE_NOT_FOUND)
        return S_OK;
    if (status != ERROR_SUCCESS)
        return error_set(HRESULT_FROM_WIN32((DWORD)status), "%s\\CLSID cannot be read",
                         registered_hive_name(is_user));
    for (DWORD i = 0; goes_on; i++) {
        WCHAR key[64];
        DWORD n = 64;
        CLSID clsid;
        status = RegEnumKeyExW(root, i, key, &n, NULL, NULL, NULL, NULL);
        if (status != ERROR_SUCCESS && status != ERROR_MORE_DATA)
            break;
        if (status == ERROR_SUCCESS && SUCCEEDED(CLSIDFromString(key, &clsid)) &&
            registered_read(is_user, &clsid, &class))
            goes_on = visit(context, &class);
    }
    RegCloseKey(root);
    return S_OK;
}

/* --- by name --- */

struct search {
    const char *name;
    struct registered *best;
    bool is_found;
};

static bool look_at(void *context, const struct registered *class)
{
    struct search *self = context;
    size_t stem = version_stem(class->progid);
    bool is_exact =
        _stricmp(class->name, self->name) == 0 || _stricmp(class->progid, self->name) == 0;
    bool is_version =
        stem > 0 && strlen(self->name) == stem && _strnicmp(class->progid, self->name, stem) == 0;
    /* Without a version the name means the newest. */
    if (is_exact ||
        (is_version && (!self->is_found || version_is_higher(class->progid + stem + 1,
                                                             self->best->progid + stem + 1)))) {
        *self->best = *class;
        self->is_found = true;
    }
    return !is_exact;
}

bool registered_find(bool is_user, const char *name, struct registered *class)
{
    CLSID clsid;
    if (guid_parse(name, &clsid))
        return registered_read(is_user, &clsid, class);
    struct search search = {.name = name, .best = class};
    if (FAILED(registered_each(is_user, look_at, &search)))
        error_clear();
    return search.is_found;
}
