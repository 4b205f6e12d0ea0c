/*
 * The type libraries of a registered class: made of what the host says of the class, in files of
 * ours, and registered with those of their interfaces that are in them, for which Windows' own
 * marshaler goes by them. The class' own library may refer to interfaces of others, which come
 * along. Classes that have a library in common share it. An interface that several libraries have
 * is registered for one of them, and for another one when that goes.
 */
#ifndef COM_INPROC_REGISTER_LIBRARY_H
#define COM_INPROC_REGISTER_LIBRARY_H

#include "com/inproc/journal.h"
#include "com/inproc/register.h"

struct library_file {
    struct library_id id;
    char *path;    /* NULL: there is none */
    char *written; /* "...tlb.new", beside the place where it will be; NULL: none is written */
    bool is_first; /* the place was empty until it was moved there */
};

/* What one class adds, or takes away. */
struct library_files {
    unsigned n;
    struct library_file list[REGISTERED_MAX_OTHERS + 1];
};

/* Before anything is written of the class: makes the files, and fills in has_library and the ids. A
 * class that nobody describes, or whose library is somebody else's already, is no failure: the user
 * is told. For library_end(), on failure too. */
HRESULT library_begin(IViaductHost *host, const char *name, const struct register_options *options,
                      struct registered *class, struct library_files *files);
/* The registry's part. */
void library_write(struct journal *journal, bool is_user, const struct library_files *files);
/* Takes those libraries of a class away, which is no longer registered, that no other one has; the
 * files are deleted by library_end(). */
void library_delete(struct journal *journal, const struct registered *class,
                    struct library_files *files);
/* `hr`: of the registry's part. Puts new files in their places, or deletes them; on failure nothing
 * has changed, but that libraries which were there before may be new ones of the same. To be called
 * before journal_end(). */
HRESULT library_end(struct library_files *files, HRESULT hr);

#endif
