#include "com/abi/guid.h"
#include "core/os/random.h"
#include "core/util/error.h"

#include <stdio.h>

char *guid_format(const GUID *guid, char text[GUID_TEXT_SIZE])
{
    const uint8_t *d = guid->Data4;
    snprintf(text, GUID_TEXT_SIZE, "{%08X-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}",
             (unsigned)guid->Data1, guid->Data2, guid->Data3, d[0], d[1], d[2], d[3], d[4], d[5],
             d[6], d[7]);
    return text;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool guid_parse(const char *text, GUID *guid)
{
    uint8_t bytes[16];
    bool braces = text[0] == '{';
    const char *next = text + braces;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *next++ != '-')
            return false;
        int high = hex_digit(next[0]);
        int low = high < 0 ? -1 : hex_digit(next[1]);
        if (low < 0)
            return false;
        bytes[i] = (uint8_t)(high * 16 + low);
        next += 2;
    }
    if (braces && *next++ != '}')
        return false;
    if (*next)
        return false;
    guid->Data1 =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    guid->Data2 = (uint16_t)(bytes[4] << 8 | bytes[5]);
    guid->Data3 = (uint16_t)(bytes[6] << 8 | bytes[7]);
    memcpy(guid->Data4, bytes + 8, sizeof(guid->Data4));
    return true;
}

GUID guid_random(void)
{
    GUID guid = {0};
    if (FAILED(os_random(&guid, sizeof(guid)))) {
        error_clear();
        return (GUID){0};
    }
    guid.Data3 = (uint16_t)((guid.Data3 & 0x0FFF) | 0x4000);
    guid.Data4[0] = (uint8_t)((guid.Data4[0] & 0x3F) | 0x80);
    return guid;
}
