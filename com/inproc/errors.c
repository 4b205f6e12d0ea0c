#include "com/inproc/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <viaduct/runtime.h>

#include <windows.h>

#define TEXT_SIZE 2048

static void set_text(const char *text)
{
    ICreateErrorInfo *writer;
    IErrorInfo *info;
    WCHAR wide[TEXT_SIZE];
    if (MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, TEXT_SIZE) == 0 ||
        FAILED(CreateErrorInfo(&writer)))
        return;
    ICreateErrorInfo_SetSource(writer, (LPOLESTR)L"Viaduct");
    ICreateErrorInfo_SetDescription(writer, wide);
    if (SUCCEEDED(ICreateErrorInfo_QueryInterface(writer, &IID_IErrorInfo, (void **)&info))) {
        SetErrorInfo(0, info);
        IErrorInfo_Release(info);
    }
    ICreateErrorInfo_Release(writer);
}

HRESULT errors_explain(HRESULT code, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text - 3, format, arguments);
    va_end(arguments);
    size_t used = n < 0 ? 0 : strlen(text);
    memcpy(text + used, ": ", 3);
    via_error_message(code, text + used + 2, sizeof text - used - 2);
    set_text(text);
    return code;
}
