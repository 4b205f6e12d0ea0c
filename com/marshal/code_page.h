/*
 * Texts of `char *` in a process whose objects know no UTF-8: COM's have them in the system's code
 * page. A payload has UTF-8 in any case.
 */
#ifndef COM_MARSHAL_CODE_PAGE_H
#define COM_MARSHAL_CODE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <viaduct/hresult.h>

#define CODE_PAGE_LACKS \
    "the system's code page, in which the object has its texts, lacks a character of this one"

/* Whether via_use_code_page() was called; never on systems whose texts are UTF-8. */
bool code_page_is_used(void);
/* For free(). NULL: no memory. */
char *code_page_to_utf8(const char *text);
/* UTF-8 of `size` bytes, for CoTaskMemFree(). E_INVALIDARG: CODE_PAGE_LACKS; E_OUTOFMEMORY; both
 * without a text. */
HRESULT code_page_from_utf8(const char *text, size_t size, char **narrow);

#endif
