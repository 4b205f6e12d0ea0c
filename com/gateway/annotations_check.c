#include "com/gateway/annotations_check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "com/abi/guid.h"
#include "com/gateway/annotations.h"
#include "com/gateway/methods.h"
#include "com/gateway/registry.h"
#include "com/gateway/types.h"
#include "core/config/config.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/log.h"

static struct {
    size_t n;
    size_t room;
    ITypeLib **list;
    size_t n_without; /* classes that are registered without a library */
} the_libraries;

/* --- the classes' libraries --- */

static bool is_there(ITypeLib *library)
{
    for (size_t i = 0; i < the_libraries.n; i++)
        if (the_libraries.list[i] == library)
            return true;
    return false;
}

/* Takes the reference over. */
static void keep(ITypeLib *library)
{
    if (!is_there(library) && the_libraries.n == the_libraries.room) {
        size_t room = the_libraries.room * 2 + 16;
        ITypeLib **larger = realloc(the_libraries.list, room * sizeof *larger);
        the_libraries.list = larger != NULL ? larger : the_libraries.list;
        the_libraries.room = larger != NULL ? room : the_libraries.room;
    }
    if (is_there(library) || the_libraries.n == the_libraries.room)
        ITypeLib_Release(library); /* COM has one object of each library */
    else
        the_libraries.list[the_libraries.n++] = library;
}

void annotations_check_add(const struct com_class *class)
{
    ITypeLib *library = NULL;
    if (annotations_n_files() == 0)
        return;
    if (class->has_library && SUCCEEDED(LoadRegTypeLib(&class->libid, class->major, class->minor,
                                                       LOCALE_SYSTEM_DEFAULT, &library)))
        keep(library);
    else
        the_libraries.n_without++;
}

/* --- looking names up --- */

static bool is_called(ITypeInfo *info, const char *name)
{
    TYPEATTR attributes;
    GUID iid;
    CLEANUP(cleanup_free) char *own = types_name(info);
    if (guid_parse(name, &iid))
        return types_attributes(info, &attributes) && IsEqualGUID(&attributes.guid, &iid);
    return own != NULL && strcasecmp(own, name) == 0;
}

/* With a reference; NULL: no library has an interface of that name, or with that IID. */
static ITypeInfo *find_interface(const char *name)
{
    for (size_t i = 0; i < the_libraries.n; i++) {
        UINT n = ITypeLib_GetTypeInfoCount(the_libraries.list[i]);
        for (UINT j = 0; j < n; j++) {
            ITypeInfo *info = NULL;
            if (FAILED(ITypeLib_GetTypeInfo(the_libraries.list[i], j, &info)))
                continue;
            ITypeInfo *face = types_described(info);
            ITypeInfo_Release(info);
            if (face != NULL && is_called(face, name))
                return face;
            if (face != NULL)
                ITypeInfo_Release(face);
        }
    }
    return NULL;
}

/* --- reporting --- */

static void report(const struct config_node *node, const char *what)
{
    char text[ERROR_TEXT_SIZE];
    HRESULT hr = config_fail(node, "%s; what is said there has no effect", what);
    log_warning("com", "%s", error_format(error_get(), hr, text, sizeof text));
    error_clear();
}

/* "n", or what is computed of such. */
static void check_reference(ITypeInfo *info, const char *method, const struct config_node *node)
{
    json_t *json = node->json;
    for (size_t i = 0; i < json_array_size(json); i++) {
        struct config_node child;
        config_element(node, i, &child);
        if (i != 1) /* the operator */
            check_reference(info, method, &child);
    }
    if (json_is_string(json) && !methods_have(info, method, json_string_value(json)))
        report(node, "the method has no such parameter");
}

static void check_param(ITypeInfo *info, const char *method, const char *name,
                        const struct config_node *param)
{
    static const char *const references[] = {"size_is", "length_is", "iid_is"};
    struct config_node node;
    if (!methods_have(info, method, name)) {
        report(param, "the method has no such parameter");
        return;
    }
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        if (config_find(param, references[i], &node))
            check_reference(info, method, &node);
}

static void check_method(ITypeInfo *info, const char *name, const struct config_node *method)
{
    const char *key;
    json_t *value;
    if (!methods_have(info, name, NULL)) {
        report(method,
               "the interface has no such method (get_X and put_X are those of properties)");
        return;
    }
    json_object_foreach((json_t *)method->json, key, value)
    {
        struct config_node param;
        if (config_find(method, key, &param))
            check_param(info, name, key, &param);
    }
}

static void check_interface(const char *name, const struct config_node *face)
{
    const char *key;
    json_t *value;
    ITypeInfo *info = find_interface(name);
    if (info == NULL) {
        report(face, the_libraries.n_without == 0
                         ? "no type library of an exposed class has such an interface"
                         : "no type library that an exposed class is registered with has such "
                           "an interface (some are registered without)");
        return;
    }
    json_object_foreach((json_t *)face->json, key, value)
    {
        struct config_node method;
        if (config_find(face, key, &method))
            check_method(info, key, &method);
    }
    ITypeInfo_Release(info);
}

void annotations_check_report(void)
{
    for (size_t i = 0; i < annotations_n_files(); i++) {
        const struct config_node root = annotations_file(i);
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)root.json, key, value)
        {
            struct config_node face;
            if (config_find(&root, key, &face))
                check_interface(key, &face);
        }
    }
    for (size_t i = 0; i < the_libraries.n; i++)
        ITypeLib_Release(the_libraries.list[i]);
    free(the_libraries.list);
    memset(&the_libraries, 0, sizeof the_libraries);
}
