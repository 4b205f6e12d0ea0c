#include "com/marshal/code_page.h"

#include <string.h>
#include <viaduct/server.h>

bool code_page_is_used(void)
{
    return false;
}

char *code_page_to_utf8(const char *text)
{
    return strdup(text);
}

HRESULT code_page_from_utf8(const char *text, size_t size, char **narrow)
{
    (void)text;
    (void)size;
    *narrow = NULL;
    return E_INVALIDARG;
}

void via_use_code_page(void)
{
}
