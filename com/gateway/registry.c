#include "com/gateway/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "com/abi/guid.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#define MAX_PATH_UNITS 320
#define MAX_VALUE      512

static HRESULT of_win32(LSTATUS status)
{
    return status == ERROR_SUCCESS ? S_OK : HRESULT_FROM_WIN32((DWORD)status);
}

/* The default value of HKEY_CLASSES_ROOT\path, or the named one, as UTF-8. */
static bool read_text(const WCHAR *path, const WCHAR *name, char *text, size_t size)
{
    WCHAR value[MAX_VALUE];
    DWORD n_bytes = sizeof value - sizeof *value;
    text[0] = 0;
    if (RegGetValueW(HKEY_CLASSES_ROOT, path, name, RRF_RT_REG_SZ, NULL, value, &n_bytes) !=
        ERROR_SUCCESS)
        return false;
    CLEANUP(cleanup_free) char *utf8 = utf_from_wide(value, utf16_length(value));
    if (utf8 == NULL || strlen(utf8) >= size)
        return false;
    strcpy(text, utf8);
    return true;
}

/* HKEY_CLASSES_ROOT\CLSID\{...}, and what is below it. */
static void class_path(const CLSID *clsid, const WCHAR *below, WCHAR path[MAX_PATH_UNITS])
{
    WCHAR guid[40];
    StringFromGUID2(clsid, guid, 40);
    _snwprintf(path, MAX_PATH_UNITS, L"CLSID\\%ls%ls", guid, below);
    path[MAX_PATH_UNITS - 1] = 0;
}

static bool class_text(const CLSID *clsid, const WCHAR *below, const WCHAR *name, char *text,
                       size_t size)
{
    WCHAR path[MAX_PATH_UNITS];
    class_path(clsid, below, path);
    return read_text(path, name, text, size);
}

static void read_library(struct com_class *class)
{
    char text[REGISTRY_NAME_SIZE];
    unsigned major, minor;
    class->has_library = class_text(&class->clsid, L"\\TypeLib", NULL, text, sizeof text) &&
                         guid_parse(text, &class->libid);
    class->major = class->minor = 0;
    if (class->has_library && class_text(&class->clsid, L"\\Version", NULL, text, sizeof text) &&
        sscanf(text, "%u.%u", &major, &minor) == 2) {
        class->major = (unsigned short)major;
        class->minor = (unsigned short)minor;
    }
}

/* A name that means this class, and not another version of it. */
static bool read_progid(const CLSID *clsid, const WCHAR *below, char progid[REGISTRY_NAME_SIZE])
{
    CLSID meant;
    if (!class_text(clsid, below, NULL, progid, REGISTRY_NAME_SIZE))
        return false;
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide(progid);
    if (wide != NULL && SUCCEEDED(CLSIDFromProgID(wide, &meant)) && IsEqualGUID(&meant, clsid))
        return true;
    progid[0] = 0;
    return false;
}

static void read_name(const CLSID *clsid, char progid[REGISTRY_NAME_SIZE])
{
    if (!read_progid(clsid, L"\\VersionIndependentProgID", progid))
        read_progid(clsid, L"\\ProgID", progid);
}

HRESULT com_class_read(const CLSID *clsid, struct com_class *class)
{
    char text[MAX_VALUE];
    char guid[GUID_TEXT_SIZE];
    memset(class, 0, sizeof *class);
    class->clsid = *clsid;
    bool is_here = class_text(clsid, L"\\InprocServer32", NULL, text, sizeof text);
    if (is_here) {
        bool is_named =
            class_text(clsid, L"\\InprocServer32", L"ThreadingModel", text, sizeof text);
        class->is_apartment = !is_named || _stricmp(text, "Apartment") == 0;
    } else if (!class_text(clsid, L"\\LocalServer32", NULL, text, sizeof text)) {
        return error_set(REGDB_E_CLASSNOTREG,
                         "no COM class %s with a server for this system is registered",
                         guid_format(clsid, guid));
    }
    class_text(clsid, L"", NULL, class->description, sizeof class->description);
    read_name(clsid, class->progid);
    read_library(class);
    return S_OK;
}

HRESULT com_class_each(bool (*visit)(void *context, const CLSID *clsid, const char *progid),
                       void *context)
{
    HKEY root;
    LSTATUS status = RegOpenKeyExW(HKEY_CLASSES_ROOT, L"CLSID", 0, KEY_READ, &root);
    if (status != ERROR_SUCCESS)
        return error_set(of_win32(status), "Windows' registry of classes cannot be read");
    for (DWORD i = 0;; i++) {
        WCHAR key[64];
        DWORD n = 64;
        status = RegEnumKeyExW(root, i, key, &n, NULL, NULL, NULL, NULL);
        if (status == ERROR_MORE_DATA)
            continue;
        if (status != ERROR_SUCCESS)
            break;
        CLSID clsid;
        char progid[REGISTRY_NAME_SIZE] = "";
        if (SUCCEEDED(CLSIDFromString(key, &clsid)))
            read_name(&clsid, progid);
        if (progid[0] != 0 && !visit(context, &clsid, progid))
            break;
    }
    RegCloseKey(root);
    return S_OK;
}
