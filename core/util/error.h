/*
 * The error record: what failed, where, and what to do, kept for the calling thread beside the
 * HRESULT.
 *
 * Every function that returns a failed HRESULT leaves a record; the code travels as the return
 * value and the text through here, so that no layer needs an extra parameter. A caller adds context
 * with error_wrap(), which puts its own message in front and keeps the rest as the cause. A
 * function that handles a failure calls error_clear(). At the public border com/abi turns the
 * record into IErrorInfo.
 */
#ifndef CORE_UTIL_ERROR_H
#define CORE_UTIL_ERROR_H

#include "core/util/printf.h"

#include <stdint.h>
#include <viaduct/guid.h>
#include <viaduct/hresult.h>

/* One message of at most this many bytes, its end included; longer text is cut at a character. */
#define ERROR_TEXT_SIZE 1024

/* What COM's errors have beside a text: where a manual says more, and whose error it is. */
struct error_help {
    GUID iid;         /* the interface that defined the error; may be zero */
    uint32_t context; /* a topic of the help file */
    char *file;       /* UTF-8; may be NULL */
};

struct error_record {
    HRESULT code;
    char *source;               /* who failed: "unixsock", "Viaduct.Calculator"; may be NULL */
    char *text;                 /* UTF-8, one line, no full stop at the end; never NULL */
    struct error_help *help;    /* NULL: there is none, as of hardly any error */
    struct error_record *cause; /* what led to it; may be NULL */
};

/* Replaces the thread's record and returns `code`, so that `return error_set(...)` reads well. When
 * memory is short the text is dropped and the code kept. */
HRESULT error_set(HRESULT code, const char *format, ...) PRINTF_LIKE(2, 3) COLD;

/* Puts a message in front of the thread's record, which becomes its cause. */
HRESULT error_wrap(HRESULT code, const char *format, ...) PRINTF_LIKE(2, 3) COLD;

/* Sets who failed, on the thread's current record; no effect without one. */
void error_set_source(const char *source);

/* Sets where more is said, on the thread's current record; no effect without one, or without
 * memory. `file` may be NULL. */
void error_set_help(const GUID *iid, const char *file, uint32_t context);

/* The thread's record, or NULL; valid until the thread's next error_ call. */
const struct error_record *error_get(void);

void error_clear(void);

/* Takes the record away from the thread (NULL if there is none), to carry it elsewhere. */
struct error_record *error_take(void) COLD;

/* Gives a record to the thread, which owns it from now on; replaces what was there. */
void error_give(struct error_record *record);

struct error_record *error_record_copy(const struct error_record *record);
void error_record_free(struct error_record *record);

/* Writes "text: cause: cause" into `buffer`, cut to `size`; returns `buffer`. NULL record: the
 * code's name. */
char *error_format(const struct error_record *record, HRESULT code, char *buffer, unsigned size);

/* "E_INVALIDARG", or NULL for a code that has no name here. */
const char *error_code_name(HRESULT code);

#endif
