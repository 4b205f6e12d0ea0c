/* An object in C++, made of the generated header's C++ form. */
#ifndef TESTS_IDL_CPP_NUMBERS_H
#define TESTS_IDL_CPP_NUMBERS_H

#include "broad.h"

#ifdef __cplusplus
extern "C" {
#endif

IBroadNumbers *cpp_numbers_new(void);

#ifdef __cplusplus
}
#endif

#endif
