#include "com/gateway/annotations.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "com/abi/guid.h"
#include "core/util/error.h"

/* The files, in the order in which they were given; read-only once they are loaded. */
static struct {
    size_t n;
    struct config **files;
} the_annotations;

/* --- checking --- */

static HRESULT check_reference(const struct config_node *param, const char *key)
{
    struct config_node node;
    if (!config_find(param, key, &node))
        return S_OK;
    json_t *json = node.json;
    bool is_good = json_is_string(json) ||
                   (strcmp(key, "iid_is") != 0 && (json_is_integer(json) || json_is_array(json)));
    return is_good ? S_OK
                   : config_fail(&node, "expected the name of a parameter of the same method%s",
                                 strcmp(key, "iid_is") != 0 ? ", or a number" : "");
}

static HRESULT check_param(const struct config_node *param)
{
    static const char *const known[] = {"size_is", "iid_is", "string", "one", "length_is", NULL};
    struct config_node node;
    unsigned n = 0;
    bool is_said;
    HRESULT hr = config_check_keys(param, known);
    if (FAILED(hr))
        return hr;
    for (unsigned i = 0; i < 4; i++)
        n += config_find(param, known[i], &node);
    if (n != 1)
        return config_fail(param,
                           "expected one of \"size_is\", \"iid_is\", \"string\" and \"one\"");
    if (config_find(param, "length_is", &node) && !config_find(param, "size_is", &node))
        return config_fail(param, "\"length_is\" needs \"size_is\"");
    static const char *const references[] = {"size_is", "length_is", "iid_is"};
    for (unsigned i = 0; i < 3 && SUCCEEDED(hr); i++)
        hr = check_reference(param, references[i]);
    for (unsigned i = 2; i < 4 && SUCCEEDED(hr); i++)
        if (config_find(param, known[i], &node))
            hr = config_boolean(&node, &is_said);
    return hr;
}

/* Interfaces have methods, those have parameters. */
static HRESULT check_level(const struct config_node *parent, unsigned depth)
{
    static const char *const what[] = {"an object with interfaces",
                                       "an object with the interface's methods",
                                       "an object with the method's parameters"};
    const char *key;
    json_t *value;
    HRESULT hr = S_OK;
    if (depth == 3)
        return check_param(parent);
    if (!json_is_object((json_t *)parent->json))
        return config_fail(parent, "expected %s", what[depth]);
    json_object_foreach((json_t *)parent->json, key, value)
    {
        struct config_node child;
        if (FAILED(hr) || !config_find(parent, key, &child))
            return hr;
        hr = check_level(&child, depth + 1);
    }
    return hr;
}

HRESULT annotations_load(char *const *paths)
{
    size_t n = 0;
    while (paths != NULL && paths[n] != NULL)
        n++;
    the_annotations.files = calloc(n + 1, sizeof *the_annotations.files);
    if (the_annotations.files == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for annotations");
    for (size_t i = 0; i < n; i++) {
        struct config *file;
        HRESULT hr = config_load(paths[i], &file);
        if (FAILED(hr))
            return error_wrap(VIA_E_CONFIG, "a file of annotations cannot be used");
        the_annotations.files[the_annotations.n++] = file;
        const struct config_node root = config_root(file);
        hr = check_level(&root, 0);
        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

/* --- looking up --- */

size_t annotations_n_files(void)
{
    return the_annotations.n;
}

struct config_node annotations_file(size_t i)
{
    return config_root(the_annotations.files[i]);
}

static json_t *find(json_t *object, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (strcasecmp(key, name) == 0)
            return value;
    }
    return NULL;
}

bool annotations_find(const char *owner, const GUID *iid, const char *method, const char *param,
                      struct annotation *annotation)
{
    char guid[GUID_TEXT_SIZE];
    guid_format(iid, guid);
    for (size_t i = 0; i < the_annotations.n; i++) {
        json_t *all = config_root(the_annotations.files[i]).json;
        json_t *methods = find(all, guid);
        if (methods == NULL)
            methods = find(all, owner);
        json_t *found = find(find(methods, method), param);
        if (found == NULL)
            continue;
        *annotation = (struct annotation){
            .size_is = json_object_get(found, "size_is"),
            .length_is = json_object_get(found, "length_is"),
            .iid_is = json_object_get(found, "iid_is"),
            .is_text = json_is_true(json_object_get(found, "string")),
            .is_one = json_is_true(json_object_get(found, "one")),
        };
        return true;
    }
    return false;
}
