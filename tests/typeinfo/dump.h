/*
 * Type information as text, by what clients of COM call: ours on both systems, and on Windows the
 * system's own, for comparison.
 */
#ifndef TESTS_TYPEINFO_DUMP_H
#define TESTS_TYPEINFO_DUMP_H

#include <viaduct/com.h>

/* Everything that ITypeInfo says of one type, for free(); NULL, after a failed check, when it does
 * not. Of a dual interface both sides. */
char *dump_type(ITypeInfo *info);
/* The name of a type, for free(). */
char *dump_name(ITypeInfo *info);

#endif
