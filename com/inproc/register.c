#include "com/inproc/register.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "com/abi/guid.h"
#include "com/inproc/ids.h"
#include "com/inproc/journal.h"
#include "com/inproc/register_library.h"
#include "com/registry/versions.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#define PATH_UNITS 512
#define SERVER_DLL "viaduct-inproc.dll"
#define SERVER_EXE "viaduct-com-server.exe"

/* One class on its way into the registry. */
struct writing {
    struct journal journal;
    const struct register_options *options;
    struct registered class; /* what is to be written */
    struct library_files libraries;
};

/* What a failed call into the runtime has said, as this module's error. */
static HRESULT take_error(HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    return error_set(hr, "%s", via_error_message(hr, text, sizeof text));
}

/* --- writing --- */

static void print_path(WCHAR path[PATH_UNITS], const WCHAR *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    _vsnwprintf(path, PATH_UNITS, format, arguments);
    va_end(arguments);
    path[PATH_UNITS - 1] = 0;
}

static void class_path(const CLSID *clsid, const WCHAR *below, WCHAR path[PATH_UNITS])
{
    WCHAR guid[GUID_TEXT_SIZE];
    StringFromGUID2(clsid, guid, GUID_TEXT_SIZE);
    print_path(path, L"CLSID\\%ls%ls", guid, below);
}

static void progid_path(const char *progid, const WCHAR *below, WCHAR path[PATH_UNITS])
{
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide(progid);
    print_path(path, L"%ls%ls", wide != NULL ? wide : L"", below);
}

static void set_text(struct journal *journal, const WCHAR *path, const WCHAR *name,
                     const char *text)
{
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide(text);
    if (wide != NULL)
        journal_set(journal, path, name, wide);
    else if (SUCCEEDED(journal->result))
        journal->result = error_set(E_OUTOFMEMORY, "no memory for changes of the registry");
}

static void set_class(struct writing *self, const WCHAR *below, const WCHAR *name, const char *text)
{
    WCHAR path[PATH_UNITS];
    class_path(&self->class.clsid, below, path);
    set_text(&self->journal, path, name, text);
}

static void set_server(struct journal *journal, const CLSID *clsid, const char *dll)
{
    WCHAR path[PATH_UNITS];
    class_path(clsid, L"\\InprocServer32", path);
    set_text(journal, path, NULL, dll);
    set_text(journal, path, L"ThreadingModel", "Both");
}

static void set_progid(struct journal *journal, const struct registered *class, const char *progid,
                       bool is_current)
{
    WCHAR path[PATH_UNITS];
    char guid[GUID_TEXT_SIZE];
    progid_path(progid, L"", path);
    set_text(journal, path, NULL, class->description);
    progid_path(progid, L"\\CLSID", path);
    set_text(journal, path, NULL, guid_format(&class->clsid, guid));
    progid_path(progid, L"\\CurVer", path);
    if (is_current)
        set_text(journal, path, NULL, class->progid);
}

/* --- names without a version --- */

struct versions {
    const char *stem;
    size_t length;
    struct registered newest; /* progid "": there is none */
    bool is_class;            /* a class has exactly this ProgID, which then is no other's */
};

static bool look_at_version(void *context, const struct registered *class)
{
    struct versions *self = context;
    self->is_class |= _stricmp(class->progid, self->stem) == 0;
    if (version_stem(class->progid) != self->length ||
        _strnicmp(class->progid, self->stem, self->length) != 0)
        return true;
    const char *highest = self->newest.progid + self->length + 1;
    if (self->newest.progid[0] == 0 || version_is_higher(class->progid + self->length + 1, highest))
        self->newest = *class;
    return true;
}

/* Lets the ProgID without a version mean the newest version that is registered. */
static void settle_stem(struct journal *journal, bool is_user, const char *progid)
{
    char stem[CLASS_NAME_PROGID_SIZE];
    WCHAR path[PATH_UNITS];
    struct versions versions = {.stem = stem, .length = version_stem(progid)};
    if (versions.length == 0 || FAILED(journal->result))
        return;
    snprintf(stem, sizeof stem, "%.*s", (int)versions.length, progid);
    HRESULT hr = registered_each(is_user, look_at_version, &versions);
    if (FAILED(hr))
        journal->result = hr;
    if (versions.is_class)
        return;
    progid_path(stem, L"", path);
    if (versions.newest.progid[0] == 0)
        journal_delete(journal, path);
    else
        set_progid(journal, &versions.newest, stem, true);
}

/* --- the class of the DLL's own --- */

static bool count_one(void *context, const struct registered *class)
{
    (void)class;
    *(bool *)context = true;
    return false;
}

/* It is there while any class is. */
static void settle_unmarshal_class(struct journal *journal, bool is_user, const char *dll)
{
    static const CLSID clsid = INPROC_UNMARSHAL_CLSID;
    WCHAR path[PATH_UNITS];
    bool is_used = false;
    if (FAILED(journal->result))
        return;
    HRESULT hr = registered_each(is_user, count_one, &is_used);
    if (FAILED(hr))
        journal->result = hr;
    class_path(&clsid, L"", path);
    if (!is_used) {
        journal_delete(journal, path);
    } else if (dll != NULL) {
        set_text(journal, path, NULL, "Viaduct's references from other processes");
        set_server(journal, &clsid, dll);
    }
}

/* --- a class as a whole --- */

static void delete_class(struct journal *journal, const struct registered *class)
{
    WCHAR path[PATH_UNITS];
    class_path(&class->clsid, L"", path);
    journal_delete(journal, path);
    progid_path(class->progid, L"", path);
    if (class->progid[0] != 0)
        journal_delete(journal, path);
}

static void set_libraries(struct writing *self)
{
    const struct registered *class = &self->class;
    char text[GUID_TEXT_SIZE], others[REGISTERED_TEXT_SIZE];
    size_t n = 0;
    if (!class->has_library)
        return;
    set_class(self, L"\\TypeLib", NULL, guid_format(&class->library.guid, text));
    snprintf(text, sizeof text, "%u.%u", class->library.major, class->library.minor);
    set_class(self, L"\\Version", NULL, text);
    for (unsigned i = 0; i < class->n_others; i++)
        n += (size_t)snprintf(others + n, sizeof others - n, "%s%s %u.%u", i > 0 ? ";" : "",
                              guid_format(&class->others[i].guid, text), class->others[i].major,
                              class->others[i].minor);
    if (class->n_others > 0)
        set_class(self, L"\\" INPROC_CLASS_KEY, INPROC_LIBRARIES_VALUE, others);
    library_write(&self->journal, class->is_user, &self->libraries);
}

static void write_class(struct writing *self)
{
    const struct registered *class = &self->class;
    char stem[CLASS_NAME_PROGID_SIZE];
    size_t length = version_stem(class->progid);
    set_class(self, L"", NULL, class->description);
    set_server(&self->journal, &class->clsid, class->server);
    if (class->local_server[0] != 0)
        set_class(self, L"\\LocalServer32", NULL, class->local_server);
    set_class(self, L"\\ProgID", NULL, class->progid);
    snprintf(stem, sizeof stem, "%.*s", (int)length, class->progid);
    if (length > 0)
        set_class(self, L"\\VersionIndependentProgID", NULL, stem);
    set_class(self, L"\\Programmable", NULL, "");
    set_class(self, L"\\" INPROC_CLASS_KEY, NULL, class->name);
    set_libraries(self);
    if (class->host[0] != 0)
        set_class(self, L"\\" INPROC_CLASS_KEY, INPROC_HOST_VALUE, class->host);
    set_progid(&self->journal, class, class->progid, false);
    settle_stem(&self->journal, class->is_user, class->progid);
    settle_unmarshal_class(&self->journal, class->is_user, class->server);
}

static HRESULT write_registration(struct writing *self)
{
    struct registered before;
    struct library_files old = {.n = 0};
    journal_begin(&self->journal, registered_hive(self->class.is_user),
                  registered_hive_name(self->class.is_user));
    bool was_there = registered_read(self->class.is_user, &self->class.clsid, &before);
    if (was_there)
        delete_class(&self->journal, &before);
    write_class(self);
    if (was_there) /* libraries that it has no more */
        library_delete(&self->journal, &before, &old);
    self->journal.result = library_end(&self->libraries, self->journal.result);
    self->journal.result = library_end(&old, self->journal.result);
    return journal_end(&self->journal);
}

/* --- what belongs to something else --- */

static HRESULT refuse(const char *what, const char *owner, bool is_user)
{
    return error_set(HRESULT_FROM_WIN32(ERROR_ALREADY_EXISTS),
                     "%s belongs to something else in %s: %s. It stays as it is; nothing was "
                     "registered",
                     what, registered_hive_name(is_user), owner[0] != 0 ? owner : "(no name)");
}

static HRESULT check_clsid(const CLSID *clsid, bool is_user)
{
    struct registered ours;
    WCHAR path[PATH_UNITS];
    char name[REGISTERED_TEXT_SIZE], server[REGISTERED_TEXT_SIZE], guid[GUID_TEXT_SIZE];
    char owner[2 * REGISTERED_TEXT_SIZE + 4], what[64];
    class_path(clsid, L"", path);
    if (!registered_key_exists(is_user, path) || registered_read(is_user, clsid, &ours))
        return S_OK;
    registered_text(is_user, path, NULL, name, sizeof name);
    class_path(clsid, L"\\InprocServer32", path);
    if (!registered_text(is_user, path, NULL, server, sizeof server)) {
        class_path(clsid, L"\\LocalServer32", path);
        registered_text(is_user, path, NULL, server, sizeof server);
    }
    snprintf(owner, sizeof owner, "%s%s%s", name, server[0] != 0 ? ", " : "", server);
    snprintf(what, sizeof what, "CLSID %s", guid_format(clsid, guid));
    return refuse(what, owner, is_user);
}

/* A ProgID without a version may come to mean another version of ours; one that means this class
 * is left from a class that was taken away otherwise. */
static HRESULT check_progid(const char *progid, const CLSID *own, bool is_user)
{
    struct registered ours;
    CLSID clsid;
    WCHAR path[PATH_UNITS];
    char text[GUID_TEXT_SIZE], owner[REGISTERED_TEXT_SIZE], what[CLASS_NAME_PROGID_SIZE + 16];
    progid_path(progid, L"", path);
    if (!registered_key_exists(is_user, path))
        return S_OK;
    registered_text(is_user, path, NULL, owner, sizeof owner);
    progid_path(progid, L"\\CLSID", path);
    if (registered_text(is_user, path, NULL, text, sizeof text) && guid_parse(text, &clsid) &&
        (IsEqualGUID(&clsid, own) ||
         (registered_read(is_user, &clsid, &ours) &&
          (_stricmp(ours.progid, progid) != 0 || version_stem(progid) == 0))))
        return S_OK;
    if (owner[0] == 0)
        snprintf(owner, sizeof owner, "%s", text);
    snprintf(what, sizeof what, "ProgID %s", progid);
    return refuse(what, owner, is_user);
}

static HRESULT check_names(const struct registered *class, bool is_user)
{
    char stem[CLASS_NAME_PROGID_SIZE];
    size_t length = version_stem(class->progid);
    snprintf(stem, sizeof stem, "%.*s", (int)length, class->progid);
    HRESULT hr = check_clsid(&class->clsid, is_user);
    if (SUCCEEDED(hr))
        hr = check_progid(class->progid, &class->clsid, is_user);
    if (SUCCEEDED(hr) && length > 0)
        hr = check_progid(stem, &class->clsid, is_user);
    return hr;
}

/* --- what the host says --- */

static HRESULT use_info(const struct ClassInfo *info, const char *asked, struct registered *class)
{
    struct class_name name;
    HRESULT hr = class_name_parse(asked, &name);
    CLEANUP(cleanup_free) char *progid = utf_from_wide(info->progid, SysStringLen(info->progid));
    CLEANUP(cleanup_free)
    char *description = utf_from_wide(info->description, SysStringLen(info->description));
    if (FAILED(hr))
        return hr;
    if (progid == NULL || description == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a class");
    if (!class_name_is_progid(progid))
        return error_set(RPC_E_INVALID_DATA, "the host says that a class has the ProgID \"%.100s\"",
                         progid);
    class->clsid = info->clsid;
    snprintf(class->progid, sizeof class->progid, "%s", progid);
    snprintf(class->description, sizeof class->description, "%s",
             description[0] != 0 ? description : progid);
    snprintf(class->name, sizeof class->name, "%s%s%s", progid, name.host[0] != 0 ? "@" : "",
             name.host);
    return S_OK;
}

static HRESULT ask_host(IViaductHost *host, const char *name, struct registered *class)
{
    struct ClassInfo info = {.processId = 0};
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide(name);
    BSTR string = wide != NULL ? SysAllocString(wide) : NULL;
    if (string == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a name");
    HRESULT hr = IViaductHost_FindClass(host, string, &info);
    SysFreeString(string);
    if (FAILED(hr))
        return take_error(hr);
    hr = use_info(&info, name, class);
    SysFreeString(info.progid);
    SysFreeString(info.description);
    SysFreeString(info.host);
    SysFreeString(info.component);
    SysFreeString(info.manifest);
    return hr;
}

static HRESULT find_servers(const struct register_options *options, struct registered *class)
{
    CLEANUP(cleanup_free) char *dll = os_path_join(options->directory, SERVER_DLL);
    CLEANUP(cleanup_free) char *program = os_path_join(options->directory, SERVER_EXE);
    if (dll == NULL || program == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a path");
    if (!os_file_exists(dll) || (options->has_local_server && !os_file_exists(program)))
        return error_set(VIA_WIN32(2), "%s, the server of registered classes, is not there",
                         os_file_exists(dll) ? program : dll);
    if (strlen(program) + 3 > sizeof class->local_server)
        return error_set(E_INVALIDARG, "%s is too long for a server's path", program);
    snprintf(class->server, sizeof class->server, "%s", dll);
    if (options->has_local_server)
        snprintf(class->local_server, sizeof class->local_server, "\"%s\"", program);
    if (options->host != NULL)
        snprintf(class->host, sizeof class->host, "%s", options->host);
    return S_OK;
}

/* --- the two functions --- */

HRESULT register_class(IViaductHost *host, const char *name, const struct register_options *options,
                       struct registered *done)
{
    struct writing writing = {.options = options};
    writing.class.is_user = options->is_user;
    HRESULT hr = ask_host(host, name, &writing.class);
    if (SUCCEEDED(hr))
        hr = find_servers(options, &writing.class);
    /* A class of this user's hides one of the machine. */
    for (int is_user = options->is_user; SUCCEEDED(hr) && is_user >= 0; is_user--)
        hr = check_names(&writing.class, is_user);
    if (SUCCEEDED(hr))
        hr = library_begin(host, name, options, &writing.class, &writing.libraries);
    if (SUCCEEDED(hr))
        hr = write_registration(&writing);
    else
        library_end(&writing.libraries, hr);
    if (SUCCEEDED(hr) && done != NULL)
        *done = writing.class;
    return hr;
}

HRESULT register_remove(const char *name, bool is_user, struct registered *done)
{
    struct registered class, other;
    struct library_files libraries;
    struct journal journal;
    if (!registered_find(is_user, name, &class))
        return error_set(REGDB_E_CLASSNOTREG, "%s is not registered as a COM class in %s%s", name,
                         registered_hive_name(is_user),
                         !registered_find(!is_user, name, &other) ? ""
                         : is_user ? ", but for the whole machine: leave --user out"
                                   : ", but for this user: say --user");
    journal_begin(&journal, registered_hive(is_user), registered_hive_name(is_user));
    delete_class(&journal, &class);
    settle_stem(&journal, is_user, class.progid);
    settle_unmarshal_class(&journal, is_user, NULL);
    library_delete(&journal, &class, &libraries);
    journal_delete_empty(&journal, L"CLSID");
    journal.result = library_end(&libraries, journal.result);
    HRESULT hr = journal_end(&journal);
    if (SUCCEEDED(hr) && done != NULL)
        *done = class;
    return hr;
}
