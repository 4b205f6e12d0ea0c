/* See class_name.h. */
#include "com/registry/class_name.h"

#include <stdio.h>
#include <string.h>

#include "com/abi/guid.h"
#include "core/util/error.h"

static bool is_letter(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

static bool is_word(char character)
{
    return is_letter(character) || (character >= '0' && character <= '9') || character == '_';
}

bool class_name_is_progid(const char *text)
{
    if (strlen(text) >= CLASS_NAME_PROGID_SIZE)
        return false;
    for (;;) {
        /* A version is a part that is a number: "Viaduct.Calculator.1". */
        if (!is_word(*text) || *text == '_')
            return false;
        while (is_word(*text))
            text++;
        if (!*text)
            return true;
        if (*text++ != '.')
            return false;
    }
}

bool class_name_is_host(const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || length >= CLASS_NAME_HOST_SIZE)
        return false;
    while (is_word(*text) || *text == '-')
        text++;
    return !*text;
}

HRESULT class_name_parse(const char *text, struct class_name *name)
{
    const char *at = strchr(text, '@');
    size_t length = at ? (size_t)(at - text) : strlen(text);

    memset(name, 0, sizeof(*name));
    if (length == 0 || length >= sizeof(name->progid))
        return error_set(
            CO_E_CLASSSTRING,
            "\"%.100s\" does not name a class: expected a ProgID or {CLSID}, and @HOST behind it "
            "where it must be that host's",
            text);
    memcpy(name->progid, text, length);
    if (at && !class_name_is_host(at + 1))
        return error_set(CO_E_CLASSSTRING,
                         "\"%.200s\" does not name a class: behind @ stands the name of a host, of "
                         "letters, digits, '-' and '_'",
                         text);
    if (at)
        snprintf(name->host, sizeof(name->host), "%s", at + 1);
    if (name->progid[0] == '{') {
        if (!guid_parse(name->progid, &name->clsid))
            return error_set(CO_E_CLASSSTRING,
                             "\"%.100s\" is not a CLSID: expected "
                             "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx} in hexadecimal digits",
                             name->progid);
        name->by_clsid = true;
        name->progid[0] = 0;
    } else if (!class_name_is_progid(name->progid)) {
        return error_set(CO_E_CLASSSTRING,
                         "\"%.100s\" is not a ProgID: expected words joined by dots, as in "
                         "Viaduct.Calculator",
                         name->progid);
    }
    return S_OK;
}

char *class_name_format(const struct class_name *name, char *buffer)
{
    if (name->by_clsid)
        return guid_format(&name->clsid, buffer);
    snprintf(buffer, CLASS_NAME_PROGID_SIZE, "%s", name->progid);
    return buffer;
}
