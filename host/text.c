#include "host/text.h"

#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/util/error.h"
#include "core/util/utf.h"

BSTR text_to_bstr(const char *text)
{
    WCHAR *wide = utf_to_wide(text);
    BSTR string = wide ? SysAllocString(wide) : NULL;

    free(wide);
    return string;
}

char *text_from_bstr(BSTR string)
{
    return utf_from_wide(string, SysStringLen(string));
}

HRESULT text_take_error(HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];

    return error_set(hr, "%s", via_error_message(hr, text, sizeof(text)));
}

HRESULT text_publish_error(HRESULT hr)
{
    ICreateErrorInfo *writer;
    IErrorInfo *info;
    char text[4 * ERROR_TEXT_SIZE];
    BSTR wide;

    if (SUCCEEDED(hr) || !error_get() || FAILED(CreateErrorInfo(&writer)))
        return hr;
    wide = text_to_bstr(error_format(error_get(), hr, text, sizeof(text)));
    ICreateErrorInfo_SetSource(writer, (LPOLESTR)VIA_STR("viaductd"));
    ICreateErrorInfo_SetDescription(writer, wide);
    SysFreeString(wide);
    if (SUCCEEDED(ICreateErrorInfo_QueryInterface(writer, &IID_IErrorInfo, (void **)&info))) {
        SetErrorInfo(0, info);
        IErrorInfo_Release(info);
    }
    ICreateErrorInfo_Release(writer);
    error_clear();
    return hr;
}
