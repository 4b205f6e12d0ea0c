#include "com/inproc/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#define CLASSES L"Software\\Classes"
/* What Windows allows. */
#define MAX_NAME_UNITS 256
#define MAX_VALUE_NAME 16384

enum what { KEY_MADE, KEY_DELETED, VALUE_CHANGED };

struct journal_entry {
    enum what what;
    WCHAR *path;
    /* Of a value, as it was before: */
    WCHAR *name; /* NULL: the default one */
    bool was_there;
    DWORD type, size;
    BYTE *data;
};

/* --- notes --- */

static void entry_deinit(struct journal_entry *entry)
{
    free(entry->path);
    free(entry->name);
    free(entry->data);
}

/* Room for what is about to be done, so that nothing is done that could not be taken back. NULL:
 * without memory. */
static struct journal_entry *note(struct journal *self, enum what what, const WCHAR *path,
                                  const WCHAR *name)
{
    if (self->n_entries == self->capacity) {
        size_t capacity = self->capacity > 0 ? 2 * self->capacity : 32;
        void *grown = realloc(self->entries, capacity * sizeof *self->entries);
        if (grown != NULL) {
            self->entries = grown;
            self->capacity = capacity;
        }
    }
    if (self->n_entries < self->capacity) {
        struct journal_entry *entry = &self->entries[self->n_entries];
        *entry = (struct journal_entry){.what = what, .path = _wcsdup(path)};
        entry->name = name != NULL ? _wcsdup(name) : NULL;
        if (entry->path != NULL && (name == NULL || entry->name != NULL)) {
            self->n_entries++;
            return entry;
        }
        entry_deinit(entry);
    }
    self->result = error_set(E_OUTOFMEMORY, "no memory for changes of the registry");
    return NULL;
}

static void forget_last(struct journal *self)
{
    entry_deinit(&self->entries[--self->n_entries]);
}

static void fail(struct journal *self, LSTATUS status, const WCHAR *path, const char *what)
{
    CLEANUP(cleanup_free) char *text = utf_from_wide(path, utf16_length(path));
    HRESULT hr = HRESULT_FROM_WIN32((DWORD)status);
    if (FAILED(self->result))
        return;
    self->result = error_set(hr, "%s\\%s cannot be %s%s", self->root_name, text != NULL ? text : "",
                             what, status == ERROR_ACCESS_DENIED ? ": access is denied" : "");
}

/* --- taking back --- */

static LSTATUS set_raw(struct journal *self, const WCHAR *path, const WCHAR *name, DWORD type,
                       const void *data, DWORD size)
{
    HKEY key;
    LSTATUS status = RegOpenKeyExW(self->root, path, 0, KEY_SET_VALUE, &key);
    if (status != ERROR_SUCCESS)
        return status;
    status = RegSetValueExW(key, name, 0, type, data, size);
    RegCloseKey(key);
    return status;
}

static void take_back(struct journal *self, const struct journal_entry *entry)
{
    HKEY key;
    switch (entry->what) {
    case KEY_MADE:
        RegDeleteKeyW(self->root, entry->path);
        return;
    case KEY_DELETED:
        if (RegCreateKeyExW(self->root, entry->path, 0, NULL, 0, KEY_READ, NULL, &key, NULL) ==
            ERROR_SUCCESS)
            RegCloseKey(key);
        return;
    case VALUE_CHANGED:
        if (entry->was_there) {
            set_raw(self, entry->path, entry->name, entry->type, entry->data, entry->size);
        } else if (RegOpenKeyExW(self->root, entry->path, 0, KEY_SET_VALUE, &key) ==
                   ERROR_SUCCESS) {
            RegDeleteValueW(key, entry->name);
            RegCloseKey(key);
        }
        return;
    }
}

/* Wine's users have no such key before the first class is written, and none stays behind. */
static void delete_empty_root(HKEY hive)
{
    HKEY key;
    DWORD n_keys = 1, n_values = 1;
    if (RegOpenKeyExW(hive, CLASSES, 0, KEY_READ, &key) != ERROR_SUCCESS)
        return;
    RegQueryInfoKeyW(key, NULL, NULL, NULL, &n_keys, NULL, NULL, &n_values, NULL, NULL, NULL, NULL);
    RegCloseKey(key);
    if (n_keys == 0 && n_values == 0)
        RegDeleteKeyW(hive, CLASSES);
}

/* --- beginning and end --- */

void journal_begin(struct journal *self, HKEY hive, const char *hive_name)
{
    memset(self, 0, sizeof *self);
    self->hive = hive;
    self->root_name = hive_name;
    LSTATUS status =
        RegCreateKeyExW(hive, CLASSES, 0, NULL, 0, KEY_READ | KEY_WRITE, NULL, &self->root, NULL);
    if (status == ERROR_SUCCESS)
        return;
    self->root = NULL;
    fail(self, status, L"", "opened for writing");
}

HRESULT journal_end(struct journal *self)
{
    bool has_failed = FAILED(self->result);
    for (size_t i = self->n_entries; i-- > 0;) {
        if (has_failed)
            take_back(self, &self->entries[i]);
        entry_deinit(&self->entries[i]);
    }
    free(self->entries);
    self->entries = NULL;
    self->n_entries = 0;
    if (self->root != NULL)
        RegCloseKey(self->root);
    self->root = NULL;
    delete_empty_root(self->hive);
    return self->result;
}

HRESULT journal_take_back(struct journal *self, HRESULT failure)
{
    self->result = failure;
    return journal_end(self);
}

/* --- changes --- */

static void make_one(struct journal *self, const WCHAR *path)
{
    HKEY key;
    DWORD how = 0;
    if (note(self, KEY_MADE, path, NULL) == NULL)
        return;
    LSTATUS status =
        RegCreateKeyExW(self->root, path, 0, NULL, 0, KEY_READ | KEY_WRITE, NULL, &key, &how);
    if (status == ERROR_SUCCESS)
        RegCloseKey(key);
    if (status != ERROR_SUCCESS || how != REG_CREATED_NEW_KEY)
        forget_last(self);
    if (status != ERROR_SUCCESS)
        fail(self, status, path, "made");
}

void journal_make(struct journal *self, const WCHAR *path)
{
    CLEANUP(cleanup_free) WCHAR *part = _wcsdup(path);
    if (part == NULL && SUCCEEDED(self->result))
        self->result = error_set(E_OUTOFMEMORY, "no memory for changes of the registry");
    if (FAILED(self->result))
        return;
    for (WCHAR *end = wcschr(part, L'\\'); end != NULL && SUCCEEDED(self->result);
         end = wcschr(end + 1, L'\\')) {
        *end = 0;
        make_one(self, part);
        *end = L'\\';
    }
    if (SUCCEEDED(self->result))
        make_one(self, part);
}

/* What the value is now, in the note. */
static LSTATUS remember(HKEY key, struct journal_entry *entry)
{
    LSTATUS status = RegQueryValueExW(key, entry->name, NULL, &entry->type, NULL, &entry->size);
    if (status == ERROR_FILE_NOT_FOUND)
        return ERROR_SUCCESS;
    if (status != ERROR_SUCCESS)
        return status;
    entry->data = malloc(entry->size + 1u);
    if (entry->data == NULL)
        return ERROR_OUTOFMEMORY;
    status = RegQueryValueExW(key, entry->name, NULL, &entry->type, entry->data, &entry->size);
    entry->was_there = status == ERROR_SUCCESS;
    return status;
}

void journal_set(struct journal *self, const WCHAR *path, const WCHAR *name, const WCHAR *text)
{
    HKEY key;
    journal_make(self, path);
    if (FAILED(self->result))
        return;
    LSTATUS status = RegOpenKeyExW(self->root, path, 0, KEY_READ | KEY_WRITE, &key);
    if (status != ERROR_SUCCESS) {
        fail(self, status, path, "written");
        return;
    }
    struct journal_entry *entry = note(self, VALUE_CHANGED, path, name);
    if (entry != NULL) {
        status = remember(key, entry);
        if (status == ERROR_SUCCESS)
            status = RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)text,
                                    (DWORD)((utf16_length(text) + 1) * sizeof *text));
        if (status != ERROR_SUCCESS) {
            forget_last(self);
            fail(self, status, path, "written");
        }
    }
    RegCloseKey(key);
}

/* --- deleting --- */

static void note_values(struct journal *self, HKEY key, const WCHAR *path)
{
    CLEANUP(cleanup_free) WCHAR *name = malloc(MAX_VALUE_NAME * sizeof *name);
    LSTATUS status = name != NULL ? ERROR_SUCCESS : ERROR_OUTOFMEMORY;
    for (DWORD i = 0; status == ERROR_SUCCESS && SUCCEEDED(self->result); i++) {
        DWORD n = MAX_VALUE_NAME;
        status = RegEnumValueW(key, i, name, &n, NULL, NULL, NULL, NULL);
        if (status != ERROR_SUCCESS)
            break;
        struct journal_entry *entry = note(self, VALUE_CHANGED, path, name);
        status = entry != NULL ? remember(key, entry) : ERROR_SUCCESS;
    }
    if (status != ERROR_NO_MORE_ITEMS && status != ERROR_SUCCESS)
        fail(self, status, path, "read");
}

/* Depth first. A key's values are noted before the key, so that it is there again before they
 * are. */
static void delete_children(struct journal *self, HKEY key, const WCHAR *path)
{
    WCHAR name[MAX_NAME_UNITS];
    while (SUCCEEDED(self->result)) {
        DWORD n = MAX_NAME_UNITS;
        LSTATUS status = RegEnumKeyExW(key, 0, name, &n, NULL, NULL, NULL, NULL);
        if (status == ERROR_NO_MORE_ITEMS)
            return;
        size_t size = utf16_length(path) + utf16_length(name) + 2;
        CLEANUP(cleanup_free) WCHAR *child = malloc(size * sizeof *child);
        if (status != ERROR_SUCCESS || child == NULL) {
            fail(self, status != ERROR_SUCCESS ? status : ERROR_OUTOFMEMORY, path, "read");
            return;
        }
        _snwprintf(child, size, L"%ls\\%ls", path, name);
        journal_delete(self, child);
    }
}

void journal_delete(struct journal *self, const WCHAR *path)
{
    HKEY key;
    if (FAILED(self->result))
        return;
    LSTATUS status = RegOpenKeyExW(self->root, path, 0, KEY_READ, &key);
    if (status == ERROR_FILE_NOT_FOUND)
        return;
    if (status != ERROR_SUCCESS) {
        fail(self, status, path, "opened");
        return;
    }
    delete_children(self, key, path);
    note_values(self, key, path);
    RegCloseKey(key);
    if (FAILED(self->result) || note(self, KEY_DELETED, path, NULL) == NULL)
        return;
    status = RegDeleteKeyW(self->root, path);
    if (status == ERROR_SUCCESS)
        return;
    forget_last(self);
    fail(self, status, path, "deleted");
}

void journal_delete_empty(struct journal *self, const WCHAR *path)
{
    HKEY key;
    DWORD n_keys = 1, n_values = 1;
    if (FAILED(self->result) || RegOpenKeyExW(self->root, path, 0, KEY_READ, &key) != ERROR_SUCCESS)
        return;
    LSTATUS status = RegQueryInfoKeyW(key, NULL, NULL, NULL, &n_keys, NULL, NULL, &n_values, NULL,
                                      NULL, NULL, NULL);
    RegCloseKey(key);
    if (status == ERROR_SUCCESS && n_keys == 0 && n_values == 0)
        journal_delete(self, path);
}
