#include "com/inproc/register_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "com/abi/guid.h"
#include "com/inproc/typelib_write.h"
#include "com/typelib/typelib.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#define PATH_UNITS 512
/* oleaut32's, by type libraries. */
#define MARSHALER L"{00020424-0000-0000-C000-000000000046}"

static void note(const struct register_options *options, const char *text)
{
    if (options->note != NULL)
        options->note(options->context, text);
}

/* --- paths --- */

/* "TypeLib\{libid}", and what is below it. */
static void library_key(const GUID *libid, const WCHAR *below, WCHAR path[PATH_UNITS])
{
    WCHAR guid[GUID_TEXT_SIZE];
    StringFromGUID2(libid, guid, GUID_TEXT_SIZE);
    _snwprintf(path, PATH_UNITS, L"TypeLib\\%ls%ls", guid, below);
    path[PATH_UNITS - 1] = 0;
}

static void version_key(const struct registered *class, const WCHAR *below, WCHAR path[PATH_UNITS])
{
    WCHAR version[PATH_UNITS];
    _snwprintf(version, PATH_UNITS, L"\\%x.%x%ls", class->major, class->minor, below);
    library_key(&class->libid, version, path);
}

static void interface_key(const WCHAR *guid, const WCHAR *below, WCHAR path[PATH_UNITS])
{
    _snwprintf(path, PATH_UNITS, L"Interface\\%ls%ls", guid, below);
    path[PATH_UNITS - 1] = 0;
}

/* For free(). */
static char *library_directory(bool is_user)
{
    CLEANUP(cleanup_free) char *root = os_environment(is_user ? "LOCALAPPDATA" : "ProgramData");
    CLEANUP(cleanup_free) char *ours = root != NULL ? os_path_join(root, "Viaduct") : NULL;
    return ours != NULL ? os_path_join(ours, "typelibs") : NULL;
}

/* --- what the host says --- */

static HRESULT describe(IViaductHost *host, const char *name, struct via_typelib **lib)
{
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide(name);
    BSTR string = wide != NULL ? SysAllocString(wide) : NULL, json = NULL;
    char text[ERROR_TEXT_SIZE];
    if (string == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a name");
    HRESULT hr = IViaductHost_DescribeClass(host, string, &json);
    SysFreeString(string);
    if (FAILED(hr))
        return error_set(hr, "%s", via_error_message(hr, text, sizeof text));
    CLEANUP(cleanup_free) char *utf8 = utf_from_wide(json, SysStringLen(json));
    SysFreeString(json);
    return utf8 != NULL ? typelib_from_json(utf8, strlen(utf8), lib)
                        : error_set(E_OUTOFMEMORY, "no memory for a description");
}

/* Whether the library is registered by somebody else, who then goes on describing it. */
static bool is_foreign(const struct registered *class, const char *path)
{
    WCHAR key[PATH_UNITS];
    char text[REGISTERED_TEXT_SIZE];
    version_key(class, L"\\0\\win64", key);
    return registered_text(class->is_user, key, NULL, text, sizeof text) &&
           _stricmp(text, path) != 0;
}

static HRESULT write_file(const struct via_typelib *lib, const struct register_options *options,
                          struct library_file *file)
{
    struct typelib_fit fit;
    CLEANUP(cleanup_free) char *directory = os_path_directory(file->path);
    CLEANUP(cleanup_free) WCHAR *path = utf_to_wide(file->written);
    HRESULT hr = directory != NULL && path != NULL ? os_directory_make(directory) : E_OUTOFMEMORY;
    if (FAILED(hr))
        return error_wrap(hr, "the type library cannot be written");
    hr = typelib_fit_init(&fit, lib, options->note, options->context);
    if (SUCCEEDED(hr))
        hr = typelib_write(lib, &fit, path);
    typelib_fit_deinit(&fit);
    return hr;
}

static HRESULT choose_paths(const struct registered *class, struct library_file *file)
{
    char guid[GUID_TEXT_SIZE], name[GUID_TEXT_SIZE + 32];
    CLEANUP(cleanup_free) char *directory = library_directory(class->is_user);
    snprintf(name, sizeof name, "%s-%u.%u.tlb", guid_format(&class->libid, guid), class->major,
             class->minor);
    file->path = directory != NULL ? os_path_join(directory, name) : NULL;
    size_t size = file->path != NULL ? strlen(file->path) + 5 : 0;
    file->written = size > 0 ? malloc(size) : NULL;
    if (file->written == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a path");
    snprintf(file->written, size, "%s.new", file->path);
    return S_OK;
}

static void no_file(struct library_file *file)
{
    free(file->path);
    free(file->written);
    file->path = file->written = NULL;
}

HRESULT library_begin(IViaductHost *host, const char *name, const struct register_options *options,
                      struct registered *class, struct library_file *file)
{
    struct via_typelib *lib = NULL;
    char text[ERROR_TEXT_SIZE];
    memset(file, 0, sizeof *file);
    HRESULT hr = describe(host, name, &lib);
    if (FAILED(hr)) {
        note(options, "there is no type library of the class, which can be called by name only:");
        note(options, error_format(error_get(), hr, text, sizeof text));
        error_clear();
        return S_OK;
    }
    /* It stays with the runtime, which has it from typelib_write() on. */
    class->libid = lib->libid;
    class->major = lib->version_major;
    class->minor = lib->version_minor;
    class->has_library = true;
    hr = choose_paths(class, file);
    if (SUCCEEDED(hr) && is_foreign(class, file->path)) {
        note(options, "its type library is registered already by something else, and stays so");
        no_file(file);
        return S_OK;
    }
    return SUCCEEDED(hr) ? write_file(lib, options, file) : hr;
}

/* --- the registry --- */

static void set(struct journal *journal, const WCHAR *path, const WCHAR *name, const char *text)
{
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide(text);
    journal_set(journal, path, name, wide != NULL ? wide : L"");
}

/* What is registered already is left to whoever has done it. */
static void write_interface(struct journal *journal, const struct registered *class, BSTR name,
                            const GUID *iid)
{
    WCHAR guid[GUID_TEXT_SIZE], libid[GUID_TEXT_SIZE], path[PATH_UNITS], version[32];
    char text[GUID_TEXT_SIZE];
    GUID owner;
    StringFromGUID2(iid, guid, GUID_TEXT_SIZE);
    StringFromGUID2(&class->libid, libid, GUID_TEXT_SIZE);
    interface_key(guid, L"\\TypeLib", path);
    bool is_ours = registered_text(class->is_user, path, NULL, text, sizeof text) &&
                   guid_parse(text, &owner) && IsEqualGUID(&owner, &class->libid);
    interface_key(guid, L"", path);
    if (!is_ours && (registered_key_exists(false, path) || registered_key_exists(true, path)))
        return;
    journal_set(journal, path, NULL, name);
    interface_key(guid, L"\\ProxyStubClsid32", path);
    journal_set(journal, path, NULL, MARSHALER);
    interface_key(guid, L"\\TypeLib", path);
    journal_set(journal, path, NULL, libid);
    _snwprintf(version, 32, L"%x.%x", class->major, class->minor);
    journal_set(journal, path, L"Version", version);
}

/* Those that Windows' marshaler can marshal: dispinterfaces have one of their own. */
static void write_one(struct journal *journal, const struct registered *class, ITypeInfo *info)
{
    TYPEATTR *attributes;
    BSTR name = NULL;
    if (FAILED(ITypeInfo_GetTypeAttr(info, &attributes)))
        return;
    bool is_interface =
        attributes->typekind == TKIND_INTERFACE ||
        (attributes->typekind == TKIND_DISPATCH && (attributes->wTypeFlags & TYPEFLAG_FDUAL) != 0);
    if (is_interface &&
        SUCCEEDED(ITypeInfo_GetDocumentation(info, MEMBERID_NIL, &name, NULL, NULL, NULL)))
        write_interface(journal, class, name, &attributes->guid);
    SysFreeString(name);
    ITypeInfo_ReleaseTypeAttr(info, attributes);
}

static HRESULT write_types(struct journal *journal, const struct registered *class,
                           const struct library_file *file, BSTR *name)
{
    ITypeLib *library;
    CLEANUP(cleanup_free) WCHAR *path = utf_to_wide(file->written);
    HRESULT hr = path != NULL ? LoadTypeLibEx(path, REGKIND_NONE, &library) : E_OUTOFMEMORY;
    if (FAILED(hr))
        return error_set(hr, "the type library that was written, %s, cannot be read",
                         file->written);
    UINT n = ITypeLib_GetTypeInfoCount(library);
    for (UINT i = 0; i < n; i++) {
        ITypeInfo *info;
        if (FAILED(ITypeLib_GetTypeInfo(library, i, &info)))
            continue;
        write_one(journal, class, info);
        ITypeInfo_Release(info);
    }
    hr = ITypeLib_GetDocumentation(library, -1, name, NULL, NULL, NULL);
    ITypeLib_Release(library);
    return hr;
}

void library_write(struct journal *journal, const struct registered *class,
                   const struct library_file *file)
{
    WCHAR key[PATH_UNITS];
    BSTR name = NULL;
    CLEANUP(cleanup_free) char *directory = NULL;
    if (file->path == NULL || FAILED(journal->result))
        return;
    HRESULT hr = write_types(journal, class, file, &name);
    directory = os_path_directory(file->path);
    if (FAILED(hr) || directory == NULL) {
        journal->result = FAILED(hr) ? hr : error_set(E_OUTOFMEMORY, "no memory for a path");
        return;
    }
    version_key(class, L"", key);
    journal_set(journal, key, NULL, name);
    version_key(class, L"\\0\\win64", key);
    set(journal, key, NULL, file->path);
    version_key(class, L"\\FLAGS", key);
    journal_set(journal, key, NULL, L"0");
    version_key(class, L"\\HELPDIR", key);
    set(journal, key, NULL, directory);
    SysFreeString(name);
}

/* --- taking it away --- */

struct users {
    const struct registered *class;
    bool is_used;
};

static bool look_for_user(void *context, const struct registered *class)
{
    struct users *self = context;
    self->is_used |= class->has_library && IsEqualGUID(&class->libid, &self->class->libid) &&
                     class->major == self->class->major && class->minor == self->class->minor;
    return !self->is_used;
}

static void delete_interfaces(struct journal *journal, const struct registered *class)
{
    HKEY key;
    WCHAR guid[64], path[PATH_UNITS];
    char text[GUID_TEXT_SIZE];
    GUID owner;
    if (RegOpenKeyExW(journal->root, L"Interface", 0, KEY_READ, &key) != ERROR_SUCCESS)
        return;
    for (DWORD i = 0, n = 64;
         RegEnumKeyExW(key, i, guid, &n, NULL, NULL, NULL, NULL) == ERROR_SUCCESS; n = 64) {
        DWORD next = i + 1;
        interface_key(guid, L"\\TypeLib", path);
        if (registered_text(class->is_user, path, NULL, text, sizeof text) &&
            guid_parse(text, &owner) && IsEqualGUID(&owner, &class->libid)) {
            interface_key(guid, L"", path);
            journal_delete(journal, path);
            next = SUCCEEDED(journal->result) ? i : next; /* the next one is here now */
        }
        i = next;
    }
    RegCloseKey(key);
}

void library_delete(struct journal *journal, const struct registered *class,
                    struct library_file *file)
{
    struct users users = {.class = class};
    WCHAR key[PATH_UNITS];
    memset(file, 0, sizeof *file);
    if (!class->has_library || FAILED(journal->result))
        return;
    HRESULT hr = registered_each(class->is_user, look_for_user, &users);
    if (SUCCEEDED(hr))
        hr = choose_paths(class, file);
    if (FAILED(hr))
        journal->result = hr;
    bool is_ours = SUCCEEDED(hr) && !users.is_used && !is_foreign(class, file->path);
    if (is_ours) {
        delete_interfaces(journal, class);
        version_key(class, L"", key);
        journal_delete(journal, key);
        library_key(&class->libid, L"", key);
        journal_delete_empty(journal, key);
        journal_delete_empty(journal, L"Interface");
        journal_delete_empty(journal, L"TypeLib");
        file->before = TAKE(file->path);
    }
    no_file(file);
}

/* --- the file --- */

static HRESULT move_file(const struct library_file *file)
{
    CLEANUP(cleanup_free) WCHAR *from = utf_to_wide(file->written);
    CLEANUP(cleanup_free) WCHAR *to = utf_to_wide(file->path);
    if (from != NULL && to != NULL && MoveFileExW(from, to, MOVEFILE_REPLACE_EXISTING))
        return S_OK;
    return error_set(HRESULT_FROM_WIN32(GetLastError()),
                     "%s cannot be replaced: a program that uses it has to end first", file->path);
}

/* With its directories, where they are empty then. */
static HRESULT delete_file(const char *path)
{
    HRESULT hr = os_file_remove(path);
    if (FAILED(hr))
        return error_wrap(hr, "the type library cannot be deleted");
    CLEANUP(cleanup_free) char *directory = os_path_directory(path);
    CLEANUP(cleanup_free) char *above = directory != NULL ? os_path_directory(directory) : NULL;
    if (above == NULL || FAILED(os_directory_remove(directory)) ||
        FAILED(os_directory_remove(above)))
        error_clear();
    return S_OK;
}

HRESULT library_end(struct library_file *file, HRESULT hr)
{
    if (SUCCEEDED(hr) && file->path != NULL)
        hr = move_file(file);
    if (FAILED(hr) && file->written != NULL)
        DeleteFileA(file->written);
    if (SUCCEEDED(hr) && file->before != NULL)
        hr = delete_file(file->before);
    no_file(file);
    free(file->before);
    file->before = NULL;
    return hr;
}
