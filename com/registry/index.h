/*
 * Index files: a catalogue on the disk, so that a host which starts need not read every manifest.
 *
 *     header      64 bytes: magic, version, sizes, checksum
 *     directories struct catalogue_directory each
 *     files       struct catalogue_file each
 *     classes     struct catalogue_class each
 *     order       the used classes by ProgID, 32 bits each
 *     text        zero-terminated strings; the first is empty, zeroes at the end
 *
 * Every part begins where the one before ends, rounded up to 8 bytes. Numbers are little-endian:
 * elsewhere the magic number does not match, and there is no index. A file is written under another
 * name and renamed, so that readers see an old one or a new one; hosts that share directories share
 * it. The name tells which directories it is for, and so does the content.
 *
 * Nothing in a file is believed: what is damaged, cut off, old or made up gives a reason why there
 * is no index, and the manifests are read. What such a file could do at most is hide a manifest, or
 * prefer one in the registry's own directories to another; whoever can write it is this user.
 */
#ifndef COM_REGISTRY_INDEX_H
#define COM_REGISTRY_INDEX_H

#include <stddef.h>
#include <viaduct/hresult.h>

struct buffer;
struct catalogue;

/* Where the index for these directories is, in `place`; for free(), NULL without memory. */
char *index_path(const char *place, const char *const *directories);
/* VIA_WIN32(2) when there is none; any other failure says why it cannot be used. */
HRESULT index_load(const char *path, const char *const *directories, struct catalogue **catalogue);
/* Makes the file's directory if need be, and removes what writers that were killed have left. */
HRESULT index_save(const char *path, const struct catalogue *catalogue);

/* A catalogue as the bytes of a file, into an empty buffer. */
void index_write(struct buffer *out, const struct catalogue *catalogue);
/* Puts the size and the checksum of a file's bytes into its header: at least 64 bytes, and a
 * multiple of 8. */
void index_seal(void *data, size_t size);
/* The catalogue in the bytes of a file, which are changed and must outlive it; aligned to 8 bytes.
 * VIA_E_CONFIG says what is wrong. */
HRESULT index_parse(void *data, size_t size, const char *const *directories,
                    struct catalogue **catalogue);

#endif
