/*
 * Side files: what a type library cannot say of pointers, by interface, method and parameter.
 *
 *     { "ILabSized": { "Sum": { "values": { "size_is": "n" } } } }
 *
 * An interface may be named by its IID, names have no case, and accessors of properties are called
 * get_Name, put_Name and putref_Name. Read once, at the start.
 */
#ifndef COM_GATEWAY_ANNOTATIONS_H
#define COM_GATEWAY_ANNOTATIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <viaduct/com.h>

#include "core/config/config.h"

/* What is said of a parameter; the values are borrowed from the file, and NULL where it says none.
 */
struct annotation {
    json_t *size_is;   /* a parameter, a number, or [LEFT, OPERATOR, RIGHT] */
    json_t *length_is; /* the same */
    json_t *iid_is;    /* a parameter */
    bool is_text;      /* ends with a zero */
    bool is_one;       /* a pointer leads to one value */
};

/* `paths`: NULL at the end; may be NULL. VIA_E_CONFIG names file, line, column and key. */
HRESULT annotations_load(char *const *paths);
size_t annotations_n_files(void);
struct config_node annotations_file(size_t i);
/* `method` as it is called in C. False: no file says anything. */
bool annotations_find(const char *owner, const GUID *iid, const char *method, const char *param,
                      struct annotation *annotation);

#endif
