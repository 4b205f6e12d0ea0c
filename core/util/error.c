/* The thread's record is freed with its thread. */
#include "core/util/error.h"

#include "core/os/thread.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_at_exit(void *record)
{
    error_record_free(record);
}

static struct os_thread_value thread_record = OS_THREAD_VALUE_INITIALIZER(free_at_exit);

static struct error_record *current(void)
{
    return os_thread_value_get(&thread_record);
}

static void replace(struct error_record *record)
{
    os_thread_value_set(&thread_record, record);
}

/* Cuts `text` so that it ends with a whole character. */
static void cut_at_character(char *text)
{
    size_t size = strlen(text);
    size_t start = size;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t needed = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (size - start < needed)
        text[start - 1] = 0;
}

static struct error_record *make(HRESULT code, const char *format, va_list arguments)
{
    char text[ERROR_TEXT_SIZE];
    int n = vsnprintf(text, sizeof(text), format, arguments);
    if (n < 0)
        text[0] = 0;
    else if ((size_t)n >= sizeof(text))
        cut_at_character(text);
    struct error_record *record = calloc(1, sizeof(*record));
    if (!record)
        return NULL;
    record->code = code;
    record->text = strdup(text);
    if (!record->text) {
        free(record);
        return NULL;
    }
    return record;
}

HRESULT error_set(HRESULT code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct error_record *record = make(code, format, arguments);
    va_end(arguments);
    error_give(record);
    return code;
}

HRESULT error_wrap(HRESULT code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct error_record *record = make(code, format, arguments);
    va_end(arguments);
    if (record) {
        record->cause = current();
        replace(record);
    }
    return code;
}

void error_set_source(const char *source)
{
    struct error_record *record = current();
    char *copy = record ? strdup(source) : NULL;
    if (!copy)
        return;
    free(record->source);
    record->source = copy;
}

static void help_free(struct error_help *help)
{
    if (help)
        free(help->file);
    free(help);
}

static struct error_help *help_new(const GUID *iid, const char *file, uint32_t context)
{
    struct error_help *help = calloc(1, sizeof(*help));
    if (!help)
        return NULL;
    help->iid = *iid;
    help->context = context;
    help->file = file ? strdup(file) : NULL;
    return help;
}

void error_set_help(const GUID *iid, const char *file, uint32_t context)
{
    struct error_record *record = current();
    struct error_help *help = record ? help_new(iid, file, context) : NULL;
    if (!help)
        return;
    help_free(record->help);
    record->help = help;
}

const struct error_record *error_get(void)
{
    return current();
}

void error_clear(void)
{
    error_give(NULL);
}

struct error_record *error_take(void)
{
    struct error_record *record = current();
    replace(NULL);
    return record;
}

void error_give(struct error_record *record)
{
    struct error_record *old = current();
    if (old == record)
        return;
    replace(record);
    error_record_free(old);
}

struct error_record *error_record_copy(const struct error_record *record)
{
    struct error_record *first = NULL;
    struct error_record **end = &first;
    for (; record; record = record->cause) {
        struct error_record *copy = calloc(1, sizeof(*copy));
        if (!copy)
            break;
        copy->code = record->code;
        copy->text = strdup(record->text);
        copy->source = record->source ? strdup(record->source) : NULL;
        if (record->help)
            copy->help = help_new(&record->help->iid, record->help->file, record->help->context);
        if (!copy->text) {
            error_record_free(copy);
            break;
        }
        *end = copy;
        end = &copy->cause;
    }
    return first;
}

void error_record_free(struct error_record *record)
{
    while (record) {
        struct error_record *cause = record->cause;
        free(record->source);
        free(record->text);
        help_free(record->help);
        free(record);
        record = cause;
    }
}

char *error_format(const struct error_record *record, HRESULT code, char *buffer, unsigned size)
{
    if (!record) {
        const char *name = error_code_name(code);
        if (name)
            snprintf(buffer, size, "%s (0x%08X)", name, (unsigned)code);
        else
            snprintf(buffer, size, "error 0x%08X", (unsigned)code);
        return buffer;
    }
    size_t used = 0;
    buffer[0] = 0;
    for (const char *between = ""; record && used + 1 < size; record = record->cause) {
        int n = snprintf(buffer + used, size - used, "%s%s", between, record->text);
        used += n > 0 ? (size_t)n : 0;
        between = ": ";
    }
    if (used >= size)
        cut_at_character(buffer);
    return buffer;
}

#define NAME(id)  \
    {             \
        (id), #id \
    }
/* The names are macros of other headers: only spelled. */
#define ITF_NAME(code, id)                   \
    {                                        \
        (HRESULT)(0x80040000u | (code)), #id \
    }
#define WIN32_NAME(code, id) \
    {                        \
        VIA_WIN32(code), #id \
    }
static const struct {
    HRESULT code;
    const char *name;
} names[] = {
    NAME(S_OK),
    NAME(S_FALSE),
    NAME(E_NOTIMPL),
    NAME(E_NOINTERFACE),
    NAME(E_POINTER),
    NAME(E_ABORT),
    NAME(E_FAIL),
    NAME(E_UNEXPECTED),
    NAME(E_ACCESSDENIED),
    NAME(E_HANDLE),
    NAME(E_OUTOFMEMORY),
    NAME(E_INVALIDARG),
    NAME(E_PENDING),
    NAME(CLASS_E_NOAGGREGATION),
    NAME(CLASS_E_CLASSNOTAVAILABLE),
    NAME(REGDB_E_CLASSNOTREG),
    NAME(REGDB_E_IIDNOTREG),
    NAME(CO_E_SERVER_EXEC_FAILURE),
    NAME(CO_E_SERVER_STOPPING),
    NAME(CO_E_OBJNOTCONNECTED),
    NAME(CO_E_NOTINITIALIZED),
    NAME(CO_E_CLASSSTRING),
    NAME(CO_E_DLLNOTFOUND),
    NAME(MK_E_UNAVAILABLE),
    NAME(RPC_E_CALL_REJECTED),
    NAME(RPC_E_CALL_CANCELED),
    NAME(RPC_E_SERVER_DIED),
    NAME(RPC_E_INVALID_DATA),
    NAME(RPC_E_SERVERFAULT),
    NAME(RPC_E_INVALIDMETHOD),
    NAME(RPC_E_DISCONNECTED),
    NAME(RPC_E_VERSION_MISMATCH),
    NAME(RPC_E_INVALID_HEADER),
    NAME(RPC_E_INVALID_OBJECT),
    NAME(RPC_E_CALL_COMPLETE),
    NAME(RPC_E_TIMEOUT),
    NAME(DISP_E_UNKNOWNINTERFACE),
    NAME(DISP_E_MEMBERNOTFOUND),
    NAME(DISP_E_PARAMNOTFOUND),
    NAME(DISP_E_TYPEMISMATCH),
    NAME(DISP_E_UNKNOWNNAME),
    NAME(DISP_E_NONAMEDARGS),
    NAME(DISP_E_BADVARTYPE),
    NAME(DISP_E_EXCEPTION),
    NAME(DISP_E_OVERFLOW),
    NAME(DISP_E_BADINDEX),
    NAME(DISP_E_UNKNOWNLCID),
    NAME(DISP_E_ARRAYISLOCKED),
    NAME(DISP_E_BADPARAMCOUNT),
    NAME(DISP_E_PARAMNOTOPTIONAL),
    NAME(DISP_E_NOTACOLLECTION),
    NAME(TYPE_E_ELEMENTNOTFOUND),
    NAME(TYPE_E_INVDATAREAD),
    NAME(TYPE_E_WRONGTYPEKIND),
    NAME(TYPE_E_BADMODULEKIND),
    NAME(TYPE_E_TYPEMISMATCH),
    NAME(VIA_S_WOULD_BLOCK),
    NAME(VIA_S_INTERRUPTED),
    NAME(VIA_E_PROTOCOL),
    NAME(VIA_E_LIMIT),
    NAME(VIA_E_MISMATCH),
    NAME(VIA_E_UNREACHABLE),
    NAME(VIA_E_CONFIG),
    NAME(VIA_E_PLUGIN),
    NAME(VIA_E_ADDRESS),
    NAME(VIA_E_ADDRESS_IN_USE),
    NAME(VIA_E_AMBIGUOUS),
    NAME(VIA_E_IDENTITY),
    NAME(VIA_E_DEPTH),
    NAME(VIA_E_TYPE),
    NAME(VIA_E_FORKED),
    NAME(VIA_E_DEADLOCK),
    NAME(VIA_E_NO_HANDLES),
    NAME(VIA_E_ELSEWHERE),
    ITF_NAME(0x200, CONNECT_E_NOCONNECTION),
    ITF_NAME(0x201, CONNECT_E_ADVISELIMIT),
    ITF_NAME(0x202, CONNECT_E_CANNOTCONNECT),
    WIN32_NAME(2, ERROR_FILE_NOT_FOUND),
    WIN32_NAME(3, ERROR_PATH_NOT_FOUND),
    WIN32_NAME(32, ERROR_SHARING_VIOLATION),
    WIN32_NAME(80, ERROR_FILE_EXISTS),
    WIN32_NAME(87, ERROR_INVALID_PARAMETER),
    WIN32_NAME(109, ERROR_BROKEN_PIPE),
    WIN32_NAME(112, ERROR_DISK_FULL),
    WIN32_NAME(126, ERROR_MOD_NOT_FOUND),
    WIN32_NAME(145, ERROR_DIR_NOT_EMPTY),
    WIN32_NAME(183, ERROR_ALREADY_EXISTS),
    WIN32_NAME(193, ERROR_BAD_EXE_FORMAT),
    WIN32_NAME(203, ERROR_ENVVAR_NOT_FOUND),
    WIN32_NAME(231, ERROR_PIPE_BUSY),
};
#undef WIN32_NAME
#undef ITF_NAME
#undef NAME

const char *error_code_name(HRESULT code)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].code == code)
            return names[i].name;
    return NULL;
}
