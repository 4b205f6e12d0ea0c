#include "com/abi/error_border.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#include <stdbool.h>
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

/* Where the outermost record that knows says more. */
static void describe_help(ICreateErrorInfo *create, const struct error_record *record)
{
    while (record && !record->help)
        record = record->cause;
    if (!record)
        return;
    const struct error_help *help = record->help;
    CLEANUP(cleanup_free) WCHAR *file = help->file ? utf_to_wide(help->file) : NULL;
    ICreateErrorInfo_SetGUID(create, &help->iid);
    ICreateErrorInfo_SetHelpContext(create, help->context);
    if (file)
        ICreateErrorInfo_SetHelpFile(create, file);
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
    describe_help(create, record);
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

static void set_text(HRESULT code, const char *text)
{
    char name[64];
    if (text && *text)
        error_set(code, "%s", text);
    else
        error_set(code, "%s", error_format(NULL, code, name, sizeof(name)));
}

static void set_help(IErrorInfo *info)
{
    static const GUID none;
    GUID iid = none;
    DWORD context = 0;
    BSTR name = NULL;
    IErrorInfo_GetGUID(info, &iid);
    IErrorInfo_GetHelpContext(info, &context);
    IErrorInfo_GetHelpFile(info, &name);
    CLEANUP(cleanup_free) char *file = take_utf8(name);
    bool has_file = file && *file;
    if (has_file || context != 0 || !IsEqualGUID(&iid, &none))
        error_set_help(&iid, has_file ? file : NULL, context);
}

static void set(HRESULT code, IErrorInfo *info)
{
    BSTR description = NULL;
    BSTR source = NULL;
    IErrorInfo_GetDescription(info, &description);
    IErrorInfo_GetSource(info, &source);
    CLEANUP(cleanup_free) char *text = take_utf8(description);
    CLEANUP(cleanup_free) char *who = take_utf8(source);
    set_text(code, text);
    if (who && *who)
        error_set_source(who);
    set_help(info);
}

void error_border_capture(HRESULT code)
{
    IErrorInfo *info = NULL;
    if (GetErrorInfo(0, &info) != S_OK) {
        set_text(code, NULL);
        return;
    }
    set(code, info);
    IErrorInfo_Release(info);
}

void error_border_clear(void)
{
    error_clear();
    SetErrorInfo(0, NULL);
}
