/*
 * How people name classes: "Viaduct.Calculator", "{6e710ce2-...}", and either with "@HOST" behind
 * it.
 */
#ifndef COM_REGISTRY_CLASS_NAME_H
#define COM_REGISTRY_CLASS_NAME_H

#include <stdbool.h>
#include <viaduct/guid.h>
#include <viaduct/hresult.h>

/* Sizes include the terminator. COM limits a ProgID to 39 characters; names of namespaces make ours
 * longer. */
#define CLASS_NAME_PROGID_SIZE 128
#define CLASS_NAME_HOST_SIZE   64

/* The host part that means "this very host, and no peer": what hosts ask each other with, so that a
 * question goes one hop and no further. */
#define CLASS_NAME_LOCAL "local"

struct class_name {
    bool by_clsid;
    GUID clsid;
    char progid[CLASS_NAME_PROGID_SIZE]; /* empty with by_clsid */
    char host[CLASS_NAME_HOST_SIZE];     /* empty: any */
};

/* CO_E_CLASSSTRING says what is wrong. */
HRESULT class_name_parse(const char *text, struct class_name *name);
/* The class without its host; returns `buffer`, which has CLASS_NAME_PROGID_SIZE bytes. */
char *class_name_format(const struct class_name *name, char *buffer);

/* Letters, digits and underscores (not first) in parts joined by dots. */
bool class_name_is_progid(const char *text);
/* Letters, digits, '-' and '_'. */
bool class_name_is_host(const char *text);

#endif
