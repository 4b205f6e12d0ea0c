#include "com/marshal/code_page.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/com.h>
#include <viaduct/server.h>

#include "core/util/utf.h"

static atomic_bool is_used;

bool code_page_is_used(void)
{
    return atomic_load_explicit(&is_used, memory_order_relaxed);
}

void via_use_code_page(void)
{
    atomic_store(&is_used, GetACP() != CP_UTF8); /* which Windows may be set to */
}

char *code_page_to_utf8(const char *text)
{
    int n = MultiByteToWideChar(CP_ACP, 0, text, -1, NULL, 0);
    WCHAR *wide = n > 0 ? malloc((size_t)n * sizeof *wide) : NULL;
    if (wide == NULL)
        return NULL;
    MultiByteToWideChar(CP_ACP, 0, text, -1, wide, n);
    char *utf8 = utf_from_wide(wide, (size_t)n - 1);
    free(wide);
    return utf8;
}

/* What the code page has no character for is not replaced by another one. */
static HRESULT narrow_from_wide(const WCHAR *wide, char **narrow)
{
    BOOL is_lossy = FALSE;
    int n = WideCharToMultiByte(CP_ACP, WC_NO_BEST_FIT_CHARS, wide, -1, NULL, 0, NULL, &is_lossy);
    if (n <= 0 || is_lossy)
        return E_INVALIDARG;
    *narrow = CoTaskMemAlloc((size_t)n);
    if (*narrow == NULL)
        return E_OUTOFMEMORY;
    WideCharToMultiByte(CP_ACP, WC_NO_BEST_FIT_CHARS, wide, -1, *narrow, n, NULL, NULL);
    return S_OK;
}

HRESULT code_page_from_utf8(const char *text, size_t size, char **narrow)
{
    *narrow = NULL;
    char *ended = malloc(size + 1);
    if (ended == NULL)
        return E_OUTOFMEMORY;
    memcpy(ended, text, size);
    ended[size] = 0;
    WCHAR *wide = utf_to_wide(ended);
    free(ended);
    HRESULT hr = wide != NULL ? narrow_from_wide(wide, narrow) : E_OUTOFMEMORY;
    free(wide);
    return hr;
}
