/* Files and directories. Paths are UTF-8. Errors name the path and the system's reason. */
#ifndef CORE_OS_FILE_H
#define CORE_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <viaduct/hresult.h>

/* The whole file with a zero behind it, for free(); VIA_E_LIMIT above `limit` bytes; VIA_WIN32(2)
 * when it is not there. E_INVALIDARG for a directory, and for pipes and devices, whose reading
 * could block or never end. */
HRESULT os_file_read(const char *path, size_t limit, char **text, size_t *size);
/* Replaces the file in one step: readers see the old text or the new one, and after any failure (a
 * full disk too) the old one is still there. E_INVALIDARG when the path is a link or a device. */
HRESULT os_file_write(const char *path, const void *data, size_t size);
/* The same for what can be made again (a cache): for this user only, and not forced to the disk, so
 * that a machine that stops may leave anything under the name. */
HRESULT os_file_write_private(const char *path, const void *data, size_t size);
/* A whole file that os_file_write_private() may have written, for free(). E_ACCESSDENIED when it is
 * a link, another user's, or writable for others; VIA_E_LIMIT, and VIA_WIN32(2), as above. */
HRESULT os_file_read_private(const char *path, size_t limit, void **data, size_t *size);
/* S_FALSE when it was not there. */
HRESULT os_file_remove(const char *path);
bool os_file_exists(const char *path);
/* Whether both paths lead to one file that is there. */
bool os_file_is_same(const char *left, const char *right);
/* For appending, made if needed, for fclose(); the processes that this one starts do not have it.
 * Files, and devices like terminals; never blocks: E_INVALIDARG for a pipe. */
HRESULT os_file_append(const char *path, FILE **file);

/* Names in the directory, sorted by bytes, without "." and ".."; NULL at the end. For
 * os_names_free(). S_FALSE, with an empty list, when there is no such directory. */
HRESULT os_directory_list(const char *path, char ***names);
void os_names_free(char **names);
/* Makes the directory, and its parents, as one that only this user can enter (0700); E_ACCESSDENIED
 * when it exists and is another's, or is open to others. */
HRESULT os_directory_make_private(const char *path);
/* Whether what this user puts into the directory stays what it is: S_OK when nobody but root (an
 * administrator) and this user owns it or can replace names in it. E_ACCESSDENIED says what to
 * change. */
HRESULT os_directory_check(const char *path);
/* Removes an empty directory. S_FALSE when it was not there. */
HRESULT os_directory_remove(const char *path);
/* Makes it with its parents, with ordinary rights. */
HRESULT os_directory_make(const char *path);

#endif
