/* See versions.h. A version is the last part of a ProgID, if that is a number. */
#include "com/registry/versions.h"

#include <stdio.h>
#include <string.h>

#define DIGITS "0123456789"

size_t version_stem(const char *progid)
{
    const char *dot = strrchr(progid, '.');

    if (!dot || dot[1] == 0 || dot[1 + strspn(dot + 1, DIGITS)] != 0)
        return 0;
    return (size_t)(dot - progid);
}

bool version_is_higher(const char *version, const char *other)
{
    size_t length, other_length;

    version += strspn(version, "0");
    other += strspn(other, "0");
    length = strlen(version);
    other_length = strlen(other);
    return length != other_length ? length > other_length : strcmp(version, other) > 0;
}

/* All versions stand one behind the other in the order, perhaps with other classes between them:
 * "A.B.1", "A.B.1.C", "A.B.2". */
uint32_t version_newest(const struct catalogue *catalogue, const char *progid)
{
    char stem[CLASS_NAME_PROGID_SIZE + 1];
    size_t length = (size_t)snprintf(stem, sizeof(stem), "%s.", progid);
    uint32_t newest = CATALOGUE_NONE;
    const char *highest = "";

    for (uint32_t at = catalogue_behind(catalogue, stem); at < catalogue->n_used; at++) {
        uint32_t class = catalogue->order[at];
        const char *other = catalogue_text(catalogue, catalogue->classes[class].progid);

        if (strncmp(other, stem, length) != 0 || other[length] < '0' || other[length] > '9')
            break; /* digits come before letters */
        if (version_stem(other) == length - 1 &&
            (newest == CATALOGUE_NONE || version_is_higher(other + length, highest))) {
            newest = class;
            highest = other + length;
        }
    }
    return newest;
}

bool version_is_current(const struct catalogue *catalogue, uint32_t class)
{
    const char *progid = catalogue_text(catalogue, catalogue->classes[class].progid);
    size_t length = version_stem(progid);
    struct class_name stem = {.by_clsid = false};

    if (length == 0 || length >= sizeof(stem.progid))
        return false;
    memcpy(stem.progid, progid, length);
    return catalogue_find(catalogue, &stem) == CATALOGUE_NONE &&
           version_newest(catalogue, stem.progid) == class;
}
