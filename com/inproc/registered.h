/*
 * What Windows' registry says of the classes of Viaduct that are registered as COM classes: those
 * whose CLSID has the key of ids.h. Reading needs no host.
 */
#ifndef COM_INPROC_REGISTERED_H
#define COM_INPROC_REGISTERED_H

#include <stdbool.h>
#include <viaduct/com.h>

#include "com/registry/class_name.h"

#define REGISTERED_TEXT_SIZE  512u
#define REGISTERED_MAX_OTHERS 8u

struct library_id {
    GUID guid;
    unsigned major, minor;
};

struct registered {
    CLSID clsid;
    bool is_user;                    /* in HKCU, and not in HKLM */
    char name[REGISTERED_TEXT_SIZE]; /* as via_create_instance() takes it */
    char host[REGISTERED_TEXT_SIZE]; /* the host's address; "": the usual one */
    char description[REGISTERED_TEXT_SIZE];
    char progid[CLASS_NAME_PROGID_SIZE];
    char server[REGISTERED_TEXT_SIZE];       /* the DLL */
    char local_server[REGISTERED_TEXT_SIZE]; /* command line; "": it has none */
    bool has_library;                        /* and then: */
    struct library_id library;
    unsigned n_others; /* libraries that this one refers to */
    struct library_id others[REGISTERED_MAX_OTHERS];
};

/* Where classes of the machine, or of this user, are. */
HKEY registered_hive(bool is_user);
/* "HKLM\Software\Classes". */
const char *registered_hive_name(bool is_user);

/* The text of Software\Classes\path, as UTF-8. False, and "": there is none, or it is longer. */
bool registered_text(bool is_user, const WCHAR *path, const WCHAR *name, char *text, size_t size);
bool registered_key_exists(bool is_user, const WCHAR *path);

/* False: the class is not there, or not ours. */
bool registered_read(bool is_user, const CLSID *clsid, struct registered *class);
/* `visit` for each; it says whether to go on. */
HRESULT registered_each(bool is_user, bool (*visit)(void *context, const struct registered *class),
                        void *context);
/* By "{CLSID}", by the name that it is registered with, or by a ProgID, without case. False: there
 * is none. */
bool registered_find(bool is_user, const char *name, struct registered *class);

#endif
