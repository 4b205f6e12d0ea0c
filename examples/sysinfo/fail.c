#include "fail.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

HRESULT fail(HRESULT code, const char *format, ...)
{
    ICreateErrorInfo *writer;
    IErrorInfo *info;
    char text[1024];
    va_list arguments;
    BSTR wide;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (FAILED(CreateErrorInfo(&writer)))
        return code;
    wide = text_to_bstr(text);
    ICreateErrorInfo_SetSource(writer, (LPOLESTR)VIA_STR("Viaduct.SysInfo"));
    ICreateErrorInfo_SetDescription(writer, wide);
    SysFreeString(wide);
    if (SUCCEEDED(ICreateErrorInfo_QueryInterface(writer, &IID_IErrorInfo, (void **)&info))) {
        SetErrorInfo(0, info);
        IErrorInfo_Release(info);
    }
    ICreateErrorInfo_Release(writer);
    return code;
}

/* One character of at most four bytes; moves `text` behind it. A byte that begins no character is
 * one by itself. */
static uint32_t next_character(const unsigned char **text)
{
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *at = *text;
    unsigned more = *at < 0x80 ? 0 : *at >= 0xF0 ? 3 : *at >= 0xE0 ? 2 : 1;
    uint32_t character = more ? *at & (0x3Fu >> more) : *at;

    if (*at >= 0x80 && (*at < 0xC0 || *at >= 0xF8)) {
        ++*text;
        return 0xFFFD;
    }
    for (unsigned i = 1; i <= more; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            ++*text;
            return 0xFFFD;
        }
        character = character << 6 | (at[i] & 0x3Fu);
    }
    *text += more + 1;
    if (character < smallest[more] || character > 0x10FFFF || character >> 11 == 0x1B)
        return 0xFFFD;
    return character;
}

BSTR text_to_bstr(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    BSTR string;
    UINT units = 0;
    WCHAR *wide = malloc((strlen(text) + 1) * sizeof(WCHAR));

    if (!wide)
        return NULL;
    while (*at) {
        uint32_t character = next_character(&at);

        if (character >= 0x10000) {
            wide[units++] = (WCHAR)(0xD7C0 + (character >> 10));
            wide[units++] = (WCHAR)(0xDC00 + (character & 0x3FF));
        } else {
            wide[units++] = (WCHAR)character;
        }
    }
    string = SysAllocStringLen(wide, units);
    free(wide);
    return string;
}

char *text_from_bstr(BSTR string)
{
    UINT length = SysStringLen(string);
    unsigned char *text = malloc((size_t)length * 3 + 1), *at = text;

    for (UINT i = 0; text && i < length; i++) {
        uint32_t unit = string[i], next = i + 1 < length ? string[i + 1] : 0;

        if (unit >> 10 == 0x36 && next >> 10 == 0x37) {
            unit = 0x10000 + ((unit & 0x3FF) << 10) + (next & 0x3FF);
            i++;
            *at++ = (unsigned char)(0xF0 | unit >> 18);
            *at++ = (unsigned char)(0x80 | (unit >> 12 & 0x3F));
        } else if (unit >= 0x800) {
            unit = unit >> 11 == 0x1B ? 0xFFFD : unit;
            *at++ = (unsigned char)(0xE0 | unit >> 12);
        }
        if (unit >= 0x800)
            *at++ = (unsigned char)(0x80 | (unit >> 6 & 0x3F));
        else if (unit >= 0x80)
            *at++ = (unsigned char)(0xC0 | unit >> 6);
        *at++ = (unsigned char)(unit < 0x80 ? unit : 0x80 | (unit & 0x3F));
    }
    if (text)
        *at = 0;
    return (char *)text;
}
