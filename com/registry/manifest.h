/*
 * A manifest: the JSON file that says which classes a component provides and how it is run.
 *
 *     {
 *         "component": "calculator.so",
 *         "activation": "surrogate",
 *         "classes": [
 *             { "clsid": "{6e710ce2-04ce-46d5-ba6b-ac571b96b4b9}", "progid": "Viaduct.Calculator",
 *               "description": "Adds numbers" }
 *         ]
 *     }
 *
 * A relative component path counts from the manifest's directory, so that a tree can be moved.
 * Manifests are immutable once loaded, and counted.
 */
#ifndef COM_REGISTRY_MANIFEST_H
#define COM_REGISTRY_MANIFEST_H

#include <stdatomic.h>
#include <stddef.h>
#include <viaduct/guid.h>
#include <viaduct/hresult.h>

/* A manifest file is at most this long, and has at most so many classes and arguments: what a
 * person may write, with a margin. */
#define MANIFEST_MAX_SIZE      (256u * 1024)
#define MANIFEST_MAX_CLASSES   1024u
#define MANIFEST_MAX_ARGUMENTS 64u

/* The values of ClassActivation in host.idl. */
enum manifest_activation {
    MANIFEST_IN_HOST = 0,
    MANIFEST_IN_SURROGATE = 1,
    MANIFEST_IN_PROGRAM = 2
};

/* The values of enum via_threading. */
enum manifest_threading {
    MANIFEST_FREE = 0,     /* calls run at once, on any thread */
    MANIFEST_SERIAL = 1,   /* one call at a time for each object */
    MANIFEST_APARTMENT = 2 /* all calls on one thread of the component's process */
};

struct manifest_class {
    GUID clsid;
    enum manifest_threading threading;
    char *progid;
    char *description; /* may be empty */
};

struct manifest {
    atomic_uint refs;
    enum manifest_activation activation;
    char *path;       /* of the file; "" for one that has none yet */
    char *component;  /* absolute path of the module or program */
    char **arguments; /* for programs; NULL at the end */
    size_t n_classes;
    struct manifest_class *classes;
};

/* VIA_E_CONFIG names file, line, column and key. */
HRESULT manifest_load(const char *path, struct manifest **manifest);
/* `path` stands for the file in messages, and relative component paths count from its directory. */
HRESULT manifest_parse(const char *text, size_t size, const char *path, struct manifest **manifest);
/* The JSON text, for free(); NULL without memory. The component is written as it is: absolute. */
char *manifest_format(const struct manifest *manifest);

struct manifest *manifest_ref(struct manifest *manifest);
/* Takes NULL. */
void manifest_unref(struct manifest *manifest);

const char *manifest_activation_name(enum manifest_activation activation);
const char *manifest_threading_name(enum manifest_threading threading);

#endif
