/* UTF-8 inside, BSTR at the border. */
#ifndef COM_REMOTE_TEXT_H
#define COM_REMOTE_TEXT_H

#include <stdlib.h>
#include <string.h>
#include <viaduct/com.h>

#include "core/util/utf.h"

/* For SysFreeString(); NULL when memory is short. */
static inline BSTR text_to_bstr(const char *text)
{
    WCHAR *wide = utf_to_wide(text);
    BSTR string = wide == NULL ? NULL : SysAllocString(wide);
    free(wide);
    return string;
}

/* For free(); "" for NULL, NULL when memory is short. */
static inline char *text_from_bstr(BSTR string)
{
    return utf_from_wide(string != NULL ? string : VIA_STR(""), SysStringLen(string));
}

/* Into `size` bytes, cut between two characters; "" for NULL. */
static inline void text_copy(char *to, size_t size, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);
    if (length >= size) {
        length = size - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    memcpy(to, text == NULL ? "" : text, length);
    to[length] = '\0';
}

#endif
