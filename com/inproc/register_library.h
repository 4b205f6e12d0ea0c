/*
 * The type library of a registered class: made of what the host says of the class, in a file of
 * ours, and registered with those of its interfaces that are in it, for which Windows' own
 * marshaler goes by it. Classes of one library share it.
 */
#ifndef COM_INPROC_REGISTER_LIBRARY_H
#define COM_INPROC_REGISTER_LIBRARY_H

#include "com/inproc/journal.h"
#include "com/inproc/register.h"

/* A new library file, beside the place where it will be. */
struct library_file {
    char *path;    /* NULL: there is none */
    char *written; /* "...tlb.new" */
    char *before;  /* a file to delete; NULL: none */
};

/* Before anything is written of the class: makes the file, and fills in has_library, libid and the
 * version. A class that nobody describes, or whose library is somebody else's already, is no
 * failure: the user is told. For library_end(), on failure too. */
HRESULT library_begin(IViaductHost *host, const char *name, const struct register_options *options,
                      struct registered *class, struct library_file *file);
/* The registry's part. */
void library_write(struct journal *journal, const struct registered *class,
                   const struct library_file *file);
/* Takes the library of a class away, which is no longer registered, when no other one has it; the
 * file is deleted by library_end(). */
void library_delete(struct journal *journal, const struct registered *class,
                    struct library_file *file);
/* `hr`: of the registry's part. Puts the file in its place, or deletes it; on failure nothing has
 * changed. To be called before journal_end(). */
HRESULT library_end(struct library_file *file, HRESULT hr);

#endif
