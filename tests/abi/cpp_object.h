/* An object that is written in C++, for the tests of the ABI. */
#ifndef TESTS_ABI_CPP_OBJECT_H
#define TESTS_ABI_CPP_OBJECT_H

#include <viaduct/com.h>

#ifdef __cplusplus
extern "C" {
#endif

/* With one reference. Its CreateInstance gives itself. */
IClassFactory *cpp_factory_new(void);
LONG cpp_locks(IClassFactory *factory);
/* Release, called from C++. */
ULONG cpp_release(IUnknown *object);

#ifdef __cplusplus
}
#endif

#endif
