/* What a client in C needs of an object, made from the object's description alone. */
#ifndef CLI_REGENERATE_H
#define CLI_REGENERATE_H

#include <stdbool.h>
#include <viaduct/typelib.h>

/* Prints IDL, or the header that the interface compiler makes of it, with the ids and tables in the
 * same file. -1, or the exit code. */
int regenerate(const struct via_typelib *lib, bool as_header);

#endif
