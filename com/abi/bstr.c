/*
 * BSTRs. In front of the text stand the allocation's padding and the count of bytes, as on Windows,
 * where the count is the 32-bit word right before the text; 8 bytes keep the text aligned.
 */
#include <viaduct/taskmem.h>

#include <stdlib.h>
#include <string.h>

#define PREFIX_SIZE   8
#define LARGEST_BYTES (UINT32_MAX - PREFIX_SIZE - sizeof(OLECHAR))

static void *block_of(BSTR string)
{
    return (char *)string - PREFIX_SIZE;
}

static void set_length(BSTR string, uint32_t n_bytes)
{
    memcpy((char *)string - sizeof(n_bytes), &n_bytes, sizeof(n_bytes));
}

/* One unit 0 behind the last whole or half unit. */
static BSTR allocate(size_t n_bytes)
{
    if (n_bytes > LARGEST_BYTES)
        return NULL;
    size_t text_size = n_bytes + n_bytes % sizeof(OLECHAR);
    char *block = malloc(PREFIX_SIZE + text_size + sizeof(OLECHAR));
    if (!block)
        return NULL;
    BSTR string = (BSTR)(void *)(block + PREFIX_SIZE);
    set_length(string, (uint32_t)n_bytes);
    memset((char *)string + n_bytes, 0, text_size - n_bytes + sizeof(OLECHAR));
    return string;
}

static size_t count_units(const OLECHAR *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    return n;
}

BSTR SysAllocString(const OLECHAR *text)
{
    if (!text)
        return NULL;
    size_t n_units = count_units(text);
    return n_units > UINT32_MAX / sizeof(OLECHAR) ? NULL : SysAllocStringLen(text, (UINT)n_units);
}

BSTR SysAllocStringLen(const OLECHAR *text, UINT n_units)
{
    BSTR string = allocate((size_t)n_units * sizeof(OLECHAR));
    if (string && text && n_units)
        memcpy(string, text, (size_t)n_units * sizeof(OLECHAR));
    return string;
}

BSTR SysAllocStringByteLen(const char *bytes, UINT n_bytes)
{
    BSTR string = allocate(n_bytes);
    if (string && bytes && n_bytes)
        memcpy(string, bytes, n_bytes);
    return string;
}

INT SysReAllocString(BSTR *string, const OLECHAR *text)
{
    return SysReAllocStringLen(string, text, text ? (UINT)count_units(text) : 0);
}

INT SysReAllocStringLen(BSTR *string, const OLECHAR *text, UINT n_units)
{
    if (!string)
        return FALSE;
    /* `text` may point into the old string, which is freed last. */
    BSTR replacement = SysAllocStringLen(text, n_units);
    if (!replacement)
        return FALSE;
    SysFreeString(*string);
    *string = replacement;
    return TRUE;
}

void SysFreeString(BSTR string)
{
    if (string)
        free(block_of(string));
}

UINT SysStringByteLen(BSTR string)
{
    uint32_t n_bytes = 0;
    if (string)
        memcpy(&n_bytes, (char *)string - sizeof(n_bytes), sizeof(n_bytes));
    return n_bytes;
}

UINT SysStringLen(BSTR string)
{
    return SysStringByteLen(string) / (UINT)sizeof(OLECHAR);
}
