/* An object with the interface ITypeMore, whose members are there for late-bound calls. */
#ifndef TESTS_TYPEINFO_TYPE_OBJECT_H
#define TESTS_TYPEINFO_TYPE_OBJECT_H

#include "type_test.h"

/* Registers the type libraries. NULL after a failed check. */
ITypeMore *type_object_new(void);

#endif
