#include "com/inproc/names.h"

#include <stdio.h>
#include <string.h>

#include <windows.h>

#include "com/abi/guid.h"
#include "com/inproc/ids.h"

#define N_UNITS 256

/* UTF-8; false: there is no such value, or it is too long. */
static bool read_text(const WCHAR *key, const WCHAR *value, char *text, int size)
{
    WCHAR wide[N_UNITS];
    DWORD n_bytes = sizeof wide;
    return RegGetValueW(HKEY_CLASSES_ROOT, key, value, RRF_RT_REG_SZ, NULL, wide, &n_bytes) ==
               ERROR_SUCCESS &&
           WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL) > 0;
}

HRESULT names_find(const CLSID *clsid, struct class_name *found)
{
    WCHAR guid[GUID_TEXT_SIZE];
    WCHAR key[N_UNITS];
    StringFromGUID2(clsid, guid, GUID_TEXT_SIZE);
    swprintf(key, N_UNITS, L"CLSID\\%ls\\" INPROC_CLASS_KEY, guid);
    if (!read_text(key, NULL, found->name, sizeof found->name) || found->name[0] == '\0')
        return CLASS_E_CLASSNOTAVAILABLE;
    if (!read_text(key, INPROC_HOST_VALUE, found->host, sizeof found->host))
        found->host[0] = '\0';
    return S_OK;
}
