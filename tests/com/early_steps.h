/*
 * How the clients that call COM classes through vtables say what came of each step: as cscript does
 * with the same steps.
 */
#ifndef TESTS_COM_EARLY_STEPS_H
#define TESTS_COM_EARLY_STEPS_H

#include <stdio.h>
#include <viaduct/automation.h>

static int the_step = 1; /* the first line is a comment */

static inline int failed(HRESULT hr)
{
    printf("%d: ", ++the_step);
    if (FAILED(hr))
        printf("error %08X\n", (unsigned)hr);
    return FAILED(hr);
}

static inline void done(HRESULT hr)
{
    if (!failed(hr))
        printf("\n");
}

static inline void print_bstr(BSTR text)
{
    for (UINT i = 0; i < SysStringLen(text); i++)
        printf("%c", text[i] == '\n' || text[i] == '\r' ? '|' : (char)text[i]);
}

static inline void got_bstr(HRESULT hr, BSTR text)
{
    if (failed(hr))
        return;
    print_bstr(text);
    printf("\n");
    SysFreeString(text);
}

static inline void got_bool(HRESULT hr, VARIANT_BOOL value)
{
    if (!failed(hr))
        printf("%s\n", value ? "true" : "false");
}

static inline void got_number(HRESULT hr, LONG value)
{
    if (!failed(hr))
        printf("%d\n", (int)value);
}

static inline VARIANT number_variant(LONG number)
{
    VARIANT value;
    VariantInit(&value);
    V_VT(&value) = VT_I4;
    V_I4(&value) = number;
    return value;
}

#endif
