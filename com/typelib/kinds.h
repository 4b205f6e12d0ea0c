/* Names of the kinds of types that need nothing else to be told: "i32", "bstr"; and of the kinds of
 * handles. */
#ifndef COM_TYPELIB_KINDS_H
#define COM_TYPELIB_KINDS_H

#include <stdint.h>

/* NULL for a kind that refers to something. */
const char *kinds_name(uint8_t kind);
/* 0 for an unknown name. */
uint8_t kinds_parse(const char *name);
/* Of an enum via_handle_kind, "file"; NULL and 0 as above. */
const char *kinds_handle_name(uint32_t kind);
uint32_t kinds_handle_parse(const char *name);

/* An operator of an expression; 0: none has that name. */
uint16_t kinds_parse_operator(const char *name);

#endif
