#include "com/inproc/register_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "com/abi/guid.h"
#include "com/inproc/class_libraries.h"
#include "com/inproc/typelib_write.h"
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

static void version_key(const struct library_id *id, const WCHAR *below, WCHAR path[PATH_UNITS])
{
    WCHAR version[PATH_UNITS];
    _snwprintf(version, PATH_UNITS, L"\\%x.%x%ls", id->major, id->minor, below);
    library_key(&id->guid, version, path);
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

/* --- the files --- */

/* Whether the library is registered by somebody else, who then goes on describing it. */
static bool is_foreign(bool is_user, const struct library_file *file)
{
    WCHAR key[PATH_UNITS];
    char text[REGISTERED_TEXT_SIZE];
    version_key(&file->id, L"\\0\\win64", key);
    return registered_text(is_user, key, NULL, text, sizeof text) &&
           _stricmp(text, file->path) != 0;
}

static HRESULT choose_path(bool is_user, const struct library_id *id, struct library_file *file)
{
    char guid[GUID_TEXT_SIZE], name[GUID_TEXT_SIZE + 32];
    CLEANUP(cleanup_free) char *directory = library_directory(is_user);
    snprintf(name, sizeof name, "%s-%u.%u.tlb", guid_format(&id->guid, guid), id->major, id->minor);
    memset(file, 0, sizeof *file);
    file->id = *id;
    file->path = directory != NULL ? os_path_join(directory, name) : NULL;
    return file->path != NULL ? S_OK : error_set(E_OUTOFMEMORY, "no memory for a path");
}

static HRESULT begin_file(struct library_file *file)
{
    size_t size = strlen(file->path) + 5;
    CLEANUP(cleanup_free) char *directory = os_path_directory(file->path);
    file->written = malloc(size);
    if (file->written == NULL || directory == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a path");
    snprintf(file->written, size, "%s.new", file->path);
    HRESULT hr = os_directory_make(directory);
    return FAILED(hr) ? error_wrap(hr, "the type library cannot be written") : S_OK;
}

static void no_file(struct library_file *file)
{
    free(file->path);
    free(file->written);
    file->path = file->written = NULL;
}

/* Whatever has failed before is what the user is told. */
static void delete_quietly(const char *path)
{
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide(path);
    if (wide != NULL)
        DeleteFileW(wide);
}

/* --- writing them --- */

struct making {
    const struct register_options *options;
    struct registered *class;
    struct library_files *files;
    unsigned n_written;
    struct typelib_written written[TYPELIB_MAX_WRITTEN + 1];
};
_Static_assert(CLASS_MAX_LIBRARIES == TYPELIB_MAX_WRITTEN + 1 &&
                   CLASS_MAX_LIBRARIES == REGISTERED_MAX_OTHERS + 1,
               "the class' own and those that it refers to");

static HRESULT write_file(struct making *self, const struct via_typelib *lib,
                          struct library_file *file)
{
    struct typelib_written *written = &self->written[self->n_written];
    HRESULT hr = begin_file(file);
    if (FAILED(hr))
        return hr;
    WCHAR *path = utf_to_wide(file->written);
    *written = (struct typelib_written){.lib = lib, .path = path};
    hr = path != NULL ? typelib_fit_init(&written->fit, lib, self->written, self->n_written,
                                         self->options->note, self->options->context)
                      : error_set(E_OUTOFMEMORY, "no memory for a path");
    if (SUCCEEDED(hr))
        hr = typelib_write(lib, &written->fit, self->written, self->n_written, path);
    self->n_written++;
    return hr;
}

static void end_written(struct typelib_written *written)
{
    typelib_fit_deinit(&written->fit);
    free((WCHAR *)written->path);
}

/* Whether there is something in it that others can refer to. */
static bool is_of_use(const struct typelib_written *written)
{
    bool is = false;
    for (uint16_t i = 0; i < written->lib->n_interfaces; i++)
        is |= written->fit.interfaces[i] &&
              !(written->lib->interfaces[i].flags & VIA_INTERFACE_EXTERNAL);
    return is;
}

static HRESULT make_one(struct making *self, const struct via_typelib *lib, bool is_own)
{
    struct registered *class = self->class;
    struct library_file *file = &self->files->list[self->files->n++];
    const struct library_id id = {lib->libid, lib->version_major, lib->version_minor};
    HRESULT hr = choose_path(class->is_user, &id, file);
    if (FAILED(hr))
        return hr;
    if (is_own) {
        class->library = id;
        class->has_library = true;
    }
    if (is_foreign(class->is_user, file)) {
        note(self->options, is_own ? "its type library is registered already by something else, "
                                     "and stays so"
                                   : "a type library that it refers to is registered already by "
                                     "something else, and stays so");
        no_file(file);
        return S_OK;
    }
    hr = write_file(self, lib, file);
    if (is_own || FAILED(hr))
        return hr;
    if (is_of_use(&self->written[self->n_written - 1])) {
        class->others[class->n_others++] = id;
        return S_OK;
    }
    end_written(&self->written[--self->n_written]);
    delete_quietly(file->written);
    no_file(file);
    return S_OK;
}

HRESULT library_begin(IViaductHost *host, const char *name, const struct register_options *options,
                      struct registered *class, struct library_files *files)
{
    struct class_libraries libraries;
    struct making making = {.options = options, .class = class, .files = files};
    char text[ERROR_TEXT_SIZE];
    memset(files, 0, sizeof *files);
    HRESULT hr = class_libraries_ask(host, name, &libraries);
    if (FAILED(hr)) {
        note(options, "there is no type library of the class, which can be called by name only:");
        note(options, error_format(error_get(), hr, text, sizeof text));
        error_clear();
        return S_OK;
    }
    for (unsigned i = 0; i < libraries.n && SUCCEEDED(hr); i++)
        hr = make_one(&making, libraries.list[i], i == libraries.n - 1);
    while (making.n_written > 0)
        end_written(&making.written[--making.n_written]);
    return hr;
}

/* --- the registry --- */

static void set(struct journal *journal, const WCHAR *path, const WCHAR *name, const char *text)
{
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide(text);
    journal_set(journal, path, name, wide != NULL ? wide : L"");
}

/* What is registered already is left to whoever has done it. */
static void write_interface(struct journal *journal, bool is_user, const struct library_id *id,
                            BSTR name, const GUID *iid)
{
    WCHAR guid[GUID_TEXT_SIZE], libid[GUID_TEXT_SIZE], path[PATH_UNITS], version[32];
    char text[GUID_TEXT_SIZE];
    GUID owner;
    StringFromGUID2(iid, guid, GUID_TEXT_SIZE);
    StringFromGUID2(&id->guid, libid, GUID_TEXT_SIZE);
    interface_key(guid, L"\\TypeLib", path);
    bool is_ours = registered_text(is_user, path, NULL, text, sizeof text) &&
                   guid_parse(text, &owner) && IsEqualGUID(&owner, &id->guid);
    interface_key(guid, L"", path);
    if (!is_ours && (registered_key_exists(false, path) || registered_key_exists(true, path)))
        return;
    journal_set(journal, path, NULL, name);
    interface_key(guid, L"\\ProxyStubClsid32", path);
    journal_set(journal, path, NULL, MARSHALER);
    interface_key(guid, L"\\TypeLib", path);
    journal_set(journal, path, NULL, libid);
    _snwprintf(version, 32, L"%x.%x", id->major, id->minor);
    journal_set(journal, path, L"Version", version);
}

/* Those that Windows' marshaler can marshal: dispinterfaces have one of their own. */
static void write_one(struct journal *journal, bool is_user, const struct library_id *id,
                      ITypeInfo *info)
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
        write_interface(journal, is_user, id, name, &attributes->guid);
    SysFreeString(name);
    ITypeInfo_ReleaseTypeAttr(info, attributes);
}

static HRESULT write_types(struct journal *journal, bool is_user, const struct library_file *file,
                           BSTR *name)
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
        write_one(journal, is_user, &file->id, info);
        ITypeInfo_Release(info);
    }
    hr = ITypeLib_GetDocumentation(library, -1, name, NULL, NULL, NULL);
    ITypeLib_Release(library);
    return hr;
}

static void write_library(struct journal *journal, bool is_user, const struct library_file *file)
{
    WCHAR key[PATH_UNITS];
    BSTR name = NULL;
    HRESULT hr = write_types(journal, is_user, file, &name);
    CLEANUP(cleanup_free) char *directory = os_path_directory(file->path);
    if (FAILED(hr) || directory == NULL) {
        journal->result = FAILED(hr) ? hr : error_set(E_OUTOFMEMORY, "no memory for a path");
        return;
    }
    version_key(&file->id, L"", key);
    journal_set(journal, key, NULL, name);
    version_key(&file->id, L"\\0\\win64", key);
    set(journal, key, NULL, file->path);
    version_key(&file->id, L"\\FLAGS", key);
    journal_set(journal, key, NULL, L"0");
    version_key(&file->id, L"\\HELPDIR", key);
    set(journal, key, NULL, directory);
    SysFreeString(name);
}

void library_write(struct journal *journal, bool is_user, const struct library_files *files)
{
    for (unsigned i = 0; i < files->n && SUCCEEDED(journal->result); i++)
        if (files->list[i].written != NULL)
            write_library(journal, is_user, &files->list[i]);
}

/* --- taking it away --- */

struct users {
    const struct library_id *id;
    bool is_used;
};

static bool is_same(const struct library_id *a, const struct library_id *b)
{
    return IsEqualGUID(&a->guid, &b->guid) && a->major == b->major && a->minor == b->minor;
}

static bool look_for_user(void *context, const struct registered *class)
{
    struct users *self = context;
    self->is_used |= class->has_library && is_same(&class->library, self->id);
    for (unsigned i = 0; i < class->n_others; i++)
        self->is_used |= is_same(&class->others[i], self->id);
    return !self->is_used;
}

static bool is_its(bool is_user, const WCHAR *guid, const struct library_id *id)
{
    WCHAR path[PATH_UNITS];
    char text[GUID_TEXT_SIZE], version[32];
    GUID owner;
    interface_key(guid, L"\\TypeLib", path);
    if (!registered_text(is_user, path, NULL, text, sizeof text) || !guid_parse(text, &owner) ||
        !IsEqualGUID(&owner, &id->guid))
        return false;
    snprintf(version, sizeof version, "%x.%x", id->major, id->minor);
    registered_text(is_user, path, L"Version", text, sizeof text);
    return strcmp(text, version) == 0; /* else another version of the library has it now */
}

/* Interfaces that a library has taken along, some of which others describe as well. */
struct orphan {
    IID iid;
    bool has_heir;
    struct library_id heir;
};

struct orphans {
    bool is_user;
    struct orphan *list; /* for free() */
    size_t n;
};

static HRESULT add_orphan(struct orphans *self, const WCHAR *guid)
{
    struct orphan *grown = realloc(self->list, (self->n + 1) * sizeof *grown);
    if (grown == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for changes of the registry");
    self->list = grown;
    memset(&grown[self->n], 0, sizeof *grown);
    if (SUCCEEDED(CLSIDFromString(guid, &grown[self->n].iid)))
        self->n++;
    return S_OK;
}

static void delete_interfaces(struct journal *journal, bool is_user, const struct library_id *id,
                              struct orphans *orphans)
{
    HKEY key;
    WCHAR guid[64], path[PATH_UNITS];
    if (RegOpenKeyExW(journal->root, L"Interface", 0, KEY_READ, &key) != ERROR_SUCCESS)
        return;
    for (DWORD i = 0, n = 64;
         RegEnumKeyExW(key, i, guid, &n, NULL, NULL, NULL, NULL) == ERROR_SUCCESS; n = 64) {
        DWORD next = i + 1;
        if (is_its(is_user, guid, id)) {
            if (SUCCEEDED(journal->result))
                journal->result = add_orphan(orphans, guid);
            interface_key(guid, L"", path);
            journal_delete(journal, path);
            next = SUCCEEDED(journal->result) ? i : next; /* the next one is here now */
        }
        i = next;
    }
    RegCloseKey(key);
}

/* NULL: it is not there, or not ours. */
static ITypeLib *load_ours(bool is_user, const struct library_id *id)
{
    struct library_file file;
    ITypeLib *library = NULL;
    if (SUCCEEDED(choose_path(is_user, id, &file)) && !is_foreign(is_user, &file)) {
        CLEANUP(cleanup_free) WCHAR *path = utf_to_wide(file.path);
        if (path == NULL || FAILED(LoadTypeLibEx(path, REGKIND_NONE, &library)))
            library = NULL;
    }
    no_file(&file);
    return library;
}

/* Of the versions of a library the newest one. */
static bool is_better(const struct library_id *id, const struct orphan *orphan)
{
    const struct library_id *heir = &orphan->heir;
    if (!orphan->has_heir)
        return true;
    return IsEqualGUID(&id->guid, &heir->guid) &&
           (id->major > heir->major || (id->major == heir->major && id->minor > heir->minor));
}

static void look_for_orphans(struct orphans *self, const struct library_id *id)
{
    ITypeLib *library = load_ours(self->is_user, id);
    for (size_t i = 0; library != NULL && i < self->n; i++) {
        ITypeInfo *info;
        if (!is_better(id, &self->list[i]) ||
            FAILED(ITypeLib_GetTypeInfoOfGuid(library, &self->list[i].iid, &info)))
            continue;
        self->list[i].has_heir = true;
        self->list[i].heir = *id;
        ITypeInfo_Release(info);
    }
    if (library != NULL)
        ITypeLib_Release(library);
}

static bool look_into_class(void *context, const struct registered *class)
{
    if (class->has_library)
        look_for_orphans(context, &class->library);
    for (unsigned i = 0; i < class->n_others; i++)
        look_for_orphans(context, &class->others[i]);
    return true;
}

/* What another library has of the interfaces that are gone, it describes from now on. */
static HRESULT hand_on(struct journal *journal, struct orphans *orphans)
{
    HRESULT hr =
        orphans->n > 0 ? registered_each(orphans->is_user, look_into_class, orphans) : S_OK;
    for (size_t i = 0; i < orphans->n && SUCCEEDED(hr); i++) {
        const struct orphan *orphan = &orphans->list[i];
        ITypeLib *library = orphan->has_heir ? load_ours(orphans->is_user, &orphan->heir) : NULL;
        ITypeInfo *info;
        if (library == NULL)
            continue;
        if (SUCCEEDED(ITypeLib_GetTypeInfoOfGuid(library, &orphan->iid, &info))) {
            write_one(journal, orphans->is_user, &orphan->heir, info);
            ITypeInfo_Release(info);
        }
        ITypeLib_Release(library);
        hr = journal->result;
    }
    return hr;
}

static HRESULT delete_library(struct journal *journal, bool is_user, const struct library_id *id,
                              struct library_files *files, struct orphans *orphans)
{
    struct users users = {.id = id};
    struct library_file *file = &files->list[files->n];
    WCHAR key[PATH_UNITS];
    HRESULT hr = registered_each(is_user, look_for_user, &users);
    if (SUCCEEDED(hr))
        hr = choose_path(is_user, id, file);
    if (FAILED(hr))
        return hr;
    if (users.is_used || is_foreign(is_user, file)) {
        no_file(file);
        return S_OK;
    }
    files->n++;
    delete_interfaces(journal, is_user, id, orphans);
    version_key(id, L"", key);
    journal_delete(journal, key);
    library_key(&id->guid, L"", key);
    journal_delete_empty(journal, key);
    return journal->result;
}

void library_delete(struct journal *journal, const struct registered *class,
                    struct library_files *files)
{
    struct orphans orphans = {.is_user = class->is_user};
    HRESULT hr = journal->result;
    memset(files, 0, sizeof *files);
    if (SUCCEEDED(hr) && class->has_library)
        hr = delete_library(journal, class->is_user, &class->library, files, &orphans);
    for (unsigned i = 0; i < class->n_others && SUCCEEDED(hr); i++)
        hr = delete_library(journal, class->is_user, &class->others[i], files, &orphans);
    if (SUCCEEDED(hr))
        hr = hand_on(journal, &orphans);
    free(orphans.list);
    if (FAILED(hr))
        journal->result = hr;
    if (files->n == 0)
        return;
    journal_delete_empty(journal, L"Interface");
    journal_delete_empty(journal, L"TypeLib");
}

/* --- the end --- */

static HRESULT move_file(struct library_file *file)
{
    CLEANUP(cleanup_free) WCHAR *from = utf_to_wide(file->written);
    CLEANUP(cleanup_free) WCHAR *to = utf_to_wide(file->path);
    file->is_first = !os_file_exists(file->path);
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

/* What an earlier one has done is taken back: its error is the one that counts. */
static void take_back(struct library_file *file, bool is_moved)
{
    if (is_moved && file->is_first)
        delete_quietly(file->path);
    else if (!is_moved && file->written != NULL)
        delete_quietly(file->written);
}

HRESULT library_end(struct library_files *files, HRESULT hr)
{
    unsigned n_done = 0;
    for (unsigned i = 0; i < files->n && SUCCEEDED(hr); i++, n_done += SUCCEEDED(hr)) {
        struct library_file *file = &files->list[i];
        if (file->written != NULL)
            hr = move_file(file);
        else if (file->path != NULL)
            hr = delete_file(file->path);
    }
    for (unsigned i = 0; i < files->n; i++) {
        if (FAILED(hr))
            take_back(&files->list[i], i < n_done);
        no_file(&files->list[i]);
    }
    files->n = 0;
    return hr;
}
