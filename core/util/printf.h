/* Lets the compiler check a printf-like function's arguments against its format. The C library's
 * own rules hold on both systems: MinGW's gcc has to be told so, and clang has only one set. */
#ifndef CORE_UTIL_PRINTF_H
#define CORE_UTIL_PRINTF_H

#ifdef __clang__
#define PRINTF_LIKE(format_index, first_index) \
    __attribute__((format(printf, format_index, first_index)))
#else
#define PRINTF_LIKE(format_index, first_index) \
    __attribute__((format(gnu_printf, format_index, first_index)))
#endif

/* Failures, and whatever leads to nothing else, are kept out of the way of the code around them. */
#define COLD __attribute__((cold))

#endif
