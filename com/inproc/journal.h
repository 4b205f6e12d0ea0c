/*
 * Changes of Windows' registry that are all made, or none: each is noted, and taken back when a
 * later one fails.
 *
 * All paths are below one key, such as HKEY_LOCAL_MACHINE\Software\Classes. Failures are sticky:
 * after the first one nothing more is changed, and journal_end() takes back what was.
 *
 * Other programs see the changes as they are made; none of them is made in a transaction, which
 * Wine has not.
 */
#ifndef COM_INPROC_JOURNAL_H
#define COM_INPROC_JOURNAL_H

#include <stdbool.h>
#include <viaduct/com.h>

struct journal_entry;

/* Of one thread. */
struct journal {
    HKEY hive;
    HKEY root;             /* hive\Software\Classes */
    const char *root_name; /* for messages: "HKLM\Software\Classes" */
    struct journal_entry *entries;
    size_t n_entries, capacity;
    HRESULT result; /* the first failure */
};

/* Opens the key for writing. Failing is sticky too. */
void journal_begin(struct journal *journal, HKEY hive, const char *hive_name);
/* S_OK, with everything as it was told; or the first failure, with everything as it was before. */
HRESULT journal_end(struct journal *journal);
/* The same on behalf of something else that has failed: takes all back. Returns `failure`. */
HRESULT journal_take_back(struct journal *journal, HRESULT failure);

/* Makes the key, with its parents. */
void journal_make(struct journal *journal, const WCHAR *path);
/* A text; `name` NULL: the key's default value. */
void journal_set(struct journal *journal, const WCHAR *path, const WCHAR *name, const WCHAR *text);
/* A key with all that is below it. It need not be there. */
void journal_delete(struct journal *journal, const WCHAR *path);
/* A key that has neither subkeys nor values; any other is left. */
void journal_delete_empty(struct journal *journal, const WCHAR *path);

#endif
