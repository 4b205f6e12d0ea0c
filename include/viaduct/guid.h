/*
 * GUIDs: what names interfaces, classes and type libraries. 16 bytes, COM's layout on both systems.
 */
#ifndef VIADUCT_GUID_H
#define VIADUCT_GUID_H

#include <stdint.h>
#include <string.h>

#ifdef _WIN32
#include <guiddef.h>
#else

typedef struct _GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;

typedef GUID IID;
typedef GUID CLSID;

#ifdef __cplusplus
#define REFGUID  const GUID &
#define REFIID   const IID &
#define REFCLSID const CLSID &
static inline bool IsEqualGUID(const GUID &left, const GUID &right)
{
    return memcmp(&left, &right, sizeof(GUID)) == 0;
}
static inline bool operator==(const GUID &left, const GUID &right)
{
    return IsEqualGUID(left, right);
}
static inline bool operator!=(const GUID &left, const GUID &right)
{
    return !IsEqualGUID(left, right);
}
#else
#define REFGUID  const GUID *
#define REFIID   const IID *
#define REFCLSID const CLSID *
static inline int IsEqualGUID(const GUID *left, const GUID *right)
{
    return memcmp(left, right, sizeof(GUID)) == 0;
}
#endif
#define IsEqualIID(left, right)   IsEqualGUID(left, right)
#define IsEqualCLSID(left, right) IsEqualGUID(left, right)

#endif /* _WIN32 */

#endif
