/* Values as JSON text. */
#include "com/abi/error_border.h"
#include "com/abi/guid.h"
#include "core/util/error.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/value.h>

#define MAX_DEPTH 128

static HRESULT from_json(json_t *json, struct via_value *value)
{
    HRESULT hr = S_OK;
    switch (json_typeof(json)) {
    case JSON_NULL:
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        value->kind = VIA_VALUE_BOOL;
        value->as.boolean = json_is_true(json);
        break;
    case JSON_INTEGER:
        value->kind = VIA_VALUE_I64;
        value->as.i64 = json_integer_value(json);
        break;
    case JSON_REAL:
        value->kind = VIA_VALUE_F64;
        value->as.f64 = json_real_value(json);
        break;
    case JSON_STRING:
        hr = via_value_set_string(value, json_string_value(json), json_string_length(json));
        break;
    case JSON_ARRAY:
        hr = via_value_set_list(value, (uint32_t)json_array_size(json));
        for (uint32_t i = 0; SUCCEEDED(hr) && i < value->n; i++)
            hr = from_json(json_array_get(json, i), &value->as.items[i]);
        break;
    case JSON_OBJECT: {
        const char *key;
        json_t *entry;
        value->kind = VIA_VALUE_STRUCT;
        json_object_foreach(json, key, entry)
        {
            struct via_value *field;
            hr = via_value_add_field(value, key, &field);
            if (SUCCEEDED(hr))
                hr = from_json(entry, field);
            if (FAILED(hr))
                break;
        }
        break;
    }
    }
    return hr;
}

static const char *how_to_mend(const json_error_t *where)
{
    return json_error_code(where) == json_error_numeric_overflow
               ? "; write the number as a text, in quotes"
               : "";
}

static HRESULT read_json(const char *text, struct via_value *value)
{
    json_error_t where;
    via_value_clear(value);
    /* Jansson has no unsigned 64-bit integers: one that stands alone is read here. */
    char *end;
    if (text[0] >= '0' && text[0] <= '9') {
        errno = 0;
        unsigned long long number = strtoull(text, &end, 10);
        if (!*end && number > INT64_MAX && errno == 0) {
            value->kind = VIA_VALUE_U64;
            value->as.u64 = number;
            return S_OK;
        }
    }
    json_t *json =
        json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &where);
    if (!json)
        return error_set(E_INVALIDARG, "not JSON, line %d, column %d: %s%s", where.line,
                         where.column, where.text, how_to_mend(&where));
    HRESULT hr = from_json(json, value);
    json_decref(json);
    if (FAILED(hr)) {
        via_value_clear(value);
        return error_set(hr, "no memory for a value");
    }
    return S_OK;
}

HRESULT via_value_from_json(const char *text, struct via_value *value)
{
    HRESULT hr = read_json(text, value);
    if (FAILED(hr))
        error_border_publish(hr);
    return hr;
}

static json_t *real_to_json(double number)
{
    if (__builtin_isnan(number))
        return json_string("NaN");
    if (__builtin_isinf(number))
        return json_string(number < 0 ? "-Infinity" : "Infinity");
    return json_real(number);
}

static json_t *to_json(const struct via_value *value, unsigned depth)
{
    char text[GUID_TEXT_SIZE];
    if (depth > MAX_DEPTH)
        return NULL;
    switch (value->kind) {
    case VIA_VALUE_BOOL:
        return json_boolean(value->as.boolean);
    case VIA_VALUE_I64:
        return json_integer(value->as.i64);
    case VIA_VALUE_U64:
        snprintf(text, sizeof(text), "%" PRIu64, value->as.u64);
        return value->as.u64 <= INT64_MAX ? json_integer((json_int_t)value->as.u64)
                                          : json_string(text);
    case VIA_VALUE_F64:
        return real_to_json(value->as.f64);
    case VIA_VALUE_STRING:
        return json_stringn(value->as.string, value->n);
    case VIA_VALUE_GUID:
        return json_string(guid_format(&value->as.guid, text));
    case VIA_VALUE_LIST: {
        json_t *list = json_array();
        for (uint32_t i = 0; i < value->n; i++)
            json_array_append_new(list, to_json(&value->as.items[i], depth + 1));
        return list;
    }
    case VIA_VALUE_STRUCT: {
        json_t *record = json_object();
        for (uint32_t i = 0; i < value->n; i++)
            json_object_set_new(record, value->as.fields[i].name,
                                to_json(&value->as.fields[i].value, depth + 1));
        return record;
    }
    default:
        return json_null();
    }
}

HRESULT via_value_to_json(const struct via_value *value, unsigned indent, char **text)
{
    json_t *json = to_json(value, 0);
    size_t flags = JSON_ENCODE_ANY | (indent ? JSON_INDENT(indent) : 0);
    char *dumped = json ? json_dumps(json, flags) : NULL;
    json_decref(json);
    if (!dumped)
        return error_set(E_OUTOFMEMORY, "no memory to write a value as JSON");
    *text = dumped;
    return S_OK;
}

void via_value_free_text(char *text)
{
    free(text);
}
