/* See manifest.h. Reading goes through core/config, so that each complaint has its place in the
 * file. */
#include "com/registry/manifest.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "com/abi/guid.h"
#include "com/registry/class_name.h"
#include "core/config/config.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/error.h"

static const char *const activation_names[] = {"host", "surrogate", "program", NULL};
static const char *const threading_names[] = {"free", "serial", "apartment", NULL};

const char *manifest_activation_name(enum manifest_activation activation)
{
    return activation_names[activation];
}

const char *manifest_threading_name(enum manifest_threading threading)
{
    return threading_names[threading];
}

struct manifest *manifest_ref(struct manifest *manifest)
{
    atomic_fetch_add_explicit(&manifest->refs, 1, memory_order_relaxed);
    return manifest;
}

void manifest_unref(struct manifest *manifest)
{
    if (!manifest || atomic_fetch_sub_explicit(&manifest->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < manifest->n_classes; i++) {
        free(manifest->classes[i].progid);
        free(manifest->classes[i].description);
    }
    for (size_t i = 0; manifest->arguments && manifest->arguments[i]; i++)
        free(manifest->arguments[i]);
    free(manifest->arguments);
    free(manifest->classes);
    free(manifest->component);
    free(manifest->path);
    free(manifest);
}

/* --- reading --- */

static HRESULT copy_text(const char *text, char **copy)
{
    *copy = strdup(text);
    return *copy ? S_OK : error_set(E_OUTOFMEMORY, "no memory for a manifest");
}

static HRESULT read_component(const struct config_node *root, struct manifest *manifest)
{
    struct config_node node;
    const char *text;
    char *directory, *joined;
    HRESULT hr = config_require(root, "component", &node);

    if (SUCCEEDED(hr))
        hr = config_string(&node, &text);
    if (FAILED(hr))
        return hr;
    if (!*text)
        return config_fail(&node, "the path of the component is empty");
    if (os_path_is_absolute(text))
        return copy_text(text, &manifest->component);
    directory = os_path_directory(manifest->path);
    joined = directory ? os_path_join(directory, text) : NULL;
    manifest->component = joined ? os_path_absolute(joined) : NULL;
    free(joined);
    free(directory);
    return manifest->component ? S_OK : error_set(E_OUTOFMEMORY, "no memory for a manifest");
}

static HRESULT read_activation(const struct config_node *root, struct manifest *manifest)
{
    struct config_node node, element;
    unsigned activation = MANIFEST_IN_SURROGATE;
    size_t count = 0;
    HRESULT hr = S_OK;

    if (config_find(root, "activation", &node))
        hr = config_word(&node, activation_names, &activation);
    manifest->activation = (enum manifest_activation)activation;
    if (FAILED(hr) || !config_find(root, "arguments", &node))
        return hr;
    if (activation != MANIFEST_IN_PROGRAM)
        return config_fail(&node, "only a program has arguments; \"activation\" is \"%s\"",
                           activation_names[activation]);
    hr = config_count(&node, MANIFEST_MAX_ARGUMENTS, &count);
    if (SUCCEEDED(hr) && !(manifest->arguments = calloc(count + 1, sizeof(char *))))
        hr = error_set(E_OUTOFMEMORY, "no memory for a manifest");
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        config_element(&node, i, &element);
        hr = config_text(&element, &manifest->arguments[i]);
    }
    return hr;
}

static HRESULT read_names(const struct config_node *object, struct manifest_class *class)
{
    struct config_node node;
    HRESULT hr = config_require(object, "clsid", &node);
    const char *text;

    if (SUCCEEDED(hr))
        hr = config_string(&node, &text);
    if (SUCCEEDED(hr) && (text[0] != '{' || !guid_parse(text, &class->clsid)))
        hr = config_fail(&node,
                         "\"%.64s\" is not a CLSID: expected "
                         "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}",
                         text);
    if (SUCCEEDED(hr))
        hr = config_require(object, "progid", &node);
    if (SUCCEEDED(hr))
        hr = config_text(&node, &class->progid);
    if (SUCCEEDED(hr) && !class_name_is_progid(class->progid))
        hr = config_fail(&node, "\"%.64s\" is not a ProgID: expected words joined by dots",
                         class->progid);
    return hr;
}

static HRESULT read_class(const struct config_node *object, struct manifest_class *class)
{
    static const char *const known[] = {"clsid", "progid", "description", "threading", NULL};
    struct config_node node;
    unsigned threading = MANIFEST_FREE;
    HRESULT hr = config_check_keys(object, known);

    if (SUCCEEDED(hr))
        hr = read_names(object, class);
    if (SUCCEEDED(hr))
        hr = config_find(object, "description", &node) ? config_text(&node, &class->description)
                                                       : copy_text("", &class->description);
    if (SUCCEEDED(hr) && config_find(object, "threading", &node))
        hr = config_word(&node, threading_names, &threading);
    class->threading = (enum manifest_threading)threading;
    return hr;
}

static HRESULT check_distinct(const struct config_node *array, const struct manifest *manifest,
                              size_t last)
{
    const struct manifest_class *class = &manifest->classes[last];
    struct config_node element;

    config_element(array, last, &element);
    for (size_t i = 0; i < last; i++) {
        if (IsEqualGUID(&manifest->classes[i].clsid, &class->clsid) ||
            strcmp(manifest->classes[i].progid, class->progid) == 0)
            return config_fail(&element, "class %s has the name or the CLSID of class %s",
                               class->progid, manifest->classes[i].progid);
    }
    return S_OK;
}

static HRESULT read_classes(const struct config_node *root, struct manifest *manifest)
{
    struct config_node node, element;
    size_t count;
    HRESULT hr = config_require(root, "classes", &node);

    if (SUCCEEDED(hr))
        hr = config_count(&node, MANIFEST_MAX_CLASSES, &count);
    if (SUCCEEDED(hr) && count == 0)
        hr = config_fail(&node, "a component has at least one class");
    if (FAILED(hr))
        return hr;
    manifest->classes = calloc(count, sizeof(*manifest->classes));
    if (!manifest->classes)
        return error_set(E_OUTOFMEMORY, "no memory for a manifest");
    manifest->n_classes = count;
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        config_element(&node, i, &element);
        hr = read_class(&element, &manifest->classes[i]);
        if (SUCCEEDED(hr))
            hr = check_distinct(&node, manifest, i);
    }
    return hr;
}

static HRESULT read_manifest(struct config *config, const char *path, struct manifest *manifest)
{
    static const char *const known[] = {"component", "activation", "arguments", "classes", NULL};
    struct config_node root = config_root(config);
    HRESULT hr = copy_text(path, &manifest->path);

    if (SUCCEEDED(hr))
        hr = config_check_keys(&root, known);
    if (SUCCEEDED(hr))
        hr = read_component(&root, manifest);
    if (SUCCEEDED(hr))
        hr = read_activation(&root, manifest);
    if (SUCCEEDED(hr))
        hr = read_classes(&root, manifest);
    return hr;
}

HRESULT manifest_parse(const char *text, size_t size, const char *path, struct manifest **out)
{
    struct manifest *manifest = calloc(1, sizeof(*manifest));
    struct config *config = NULL;
    HRESULT hr = manifest ? S_OK : error_set(E_OUTOFMEMORY, "no memory for a manifest");

    if (SUCCEEDED(hr)) {
        manifest->refs = 1;
        hr = config_parse(text, size, path, &config);
    }
    if (SUCCEEDED(hr))
        hr = read_manifest(config, path, manifest);
    config_free(config);
    if (FAILED(hr)) {
        manifest_unref(manifest);
        return hr;
    }
    *out = manifest;
    return S_OK;
}

HRESULT manifest_load(const char *path, struct manifest **manifest)
{
    char *text;
    size_t size;
    HRESULT hr = os_file_read(path, MANIFEST_MAX_SIZE, &text, &size);

    if (FAILED(hr))
        return hr;
    hr = manifest_parse(text, size, path, manifest);
    free(text);
    return hr;
}

/* --- writing --- */

static json_t *write_class(const struct manifest_class *class)
{
    char clsid[GUID_TEXT_SIZE];

    return json_pack("{s:s, s:s, s:s, s:s}", "clsid", guid_format(&class->clsid, clsid), "progid",
                     class->progid, "description", class->description, "threading",
                     manifest_threading_name(class->threading));
}

char *manifest_format(const struct manifest *manifest)
{
    json_t *root = json_pack("{s:s, s:s}", "component", manifest->component, "activation",
                             manifest_activation_name(manifest->activation));
    json_t *classes = json_array(), *arguments = NULL;
    char *text = NULL;
    int failed = 0;

    for (size_t i = 0; i < manifest->n_classes; i++)
        failed |= json_array_append_new(classes, write_class(&manifest->classes[i]));
    if (manifest->arguments) {
        arguments = json_array();
        for (size_t i = 0; manifest->arguments[i]; i++)
            failed |= json_array_append_new(arguments, json_string(manifest->arguments[i]));
        failed |= json_object_set_new(root, "arguments", arguments);
    }
    failed |= json_object_set_new(root, "classes", classes);
    if (!failed)
        text = json_dumps(root, JSON_INDENT(4));
    json_decref(root);
    return text;
}
