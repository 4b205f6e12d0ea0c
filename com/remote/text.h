/* UTF-8 inside, BSTR at the border. */
#ifndef COM_REMOTE_TEXT_H
#define COM_REMOTE_TEXT_H

#include <stdlib.h>
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

#endif
