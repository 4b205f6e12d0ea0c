#include "com/abi/error_border.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#include <viaduct/com.h>

/* A record and its causes in one line. */
#define FULL_TEXT_SIZE (4 * ERROR_TEXT_SIZE)

static const char *outermost_source(const struct error_record *record)
{
    for (; record; record = record->cause)
        if (record->source)
            return record->source;
    return NULL;
}

static void describe(ICreateErrorInfo *create, const struct error_record *record, HRESULT code)
{
    char text[FULL_TEXT_SIZE];
    const char *source = outermost_source(record);
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide(error_format(record, code, text, sizeof(text)));
    CLEANUP(cleanup_free) WCHAR *wide_source = source ? utf_to_wide(source) : NULL;
    if (wide)
        ICreateErrorInfo_SetDescription(create, wide);
    if (wide_source)
        ICreateErrorInfo_SetSource(create, wide_source);
}

void error_border_publish(HRESULT code)
{
    const struct error_record *record = error_get();
    ICreateErrorInfo *create = NULL;
    IErrorInfo *info = NULL;
    if (record && SUCCEEDED(CreateErrorInfo(&create)))
        describe(create, record, code);
    if (create)
        ICreateErrorInfo_QueryInterface(create, &IID_IErrorInfo, (void **)&info);
    SetErrorInfo(0, info);
    if (info)
        IErrorInfo_Release(info);
    if (create)
        ICreateErrorInfo_Release(create);
}

static char *take_utf8(BSTR string)
{
    char *text = string ? utf_from_wide(string, SysStringLen(string)) : NULL;
    SysFreeString(string);
    return text;
}

void error_border_capture(HRESULT code)
{
    IErrorInfo *info = NULL;
    BSTR description = NULL;
    BSTR source = NULL;
    if (GetErrorInfo(0, &info) == S_OK) {
        IErrorInfo_GetDescription(info, &description);
        IErrorInfo_GetSource(info, &source);
        IErrorInfo_Release(info);
    }
    CLEANUP(cleanup_free) char *text = take_utf8(description);
    CLEANUP(cleanup_free) char *who = take_utf8(source);
    if (text && *text) {
        error_set(code, "%s", text);
    } else {
        char name[64];
        error_set(code, "%s", error_format(NULL, code, name, sizeof(name)));
    }
    if (who && *who)
        error_set_source(who);
}

void error_border_clear(void)
{
    error_clear();
    SetErrorInfo(0, NULL);
}
