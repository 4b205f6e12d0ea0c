/* GUIDs as text, "{8C1D5A34-6F0B-4B7E-9A52-3F6F0F2F1B01}". */
#ifndef COM_ABI_GUID_H
#define COM_ABI_GUID_H

#include <stdbool.h>
#include <stddef.h>
#include <viaduct/guid.h>

/* With braces and the terminator. */
#define GUID_TEXT_SIZE 39

/* Upper case, in braces; returns `text`. */
char *guid_format(const GUID *guid, char text[GUID_TEXT_SIZE]);
/* With or without braces, either case; the whole text. */
bool guid_parse(const char *text, GUID *guid);
/* A random one (version 4), or zeroes when the system gives no random bytes. */
GUID guid_random(void);

#endif
