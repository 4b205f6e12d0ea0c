/* Names of the kinds of types that need nothing else to be told: "i32", "bstr". */
#ifndef COM_TYPELIB_KINDS_H
#define COM_TYPELIB_KINDS_H

#include <stdint.h>

/* NULL for a kind that refers to something. */
const char *kinds_name(uint8_t kind);
/* 0 for an unknown name. */
uint8_t kinds_parse(const char *name);

#endif
