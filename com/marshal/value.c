#include <viaduct/value.h>

#include <stdlib.h>
#include <string.h>

void via_value_clear(struct via_value *value)
{
    switch (value->kind) {
    case VIA_VALUE_STRING:
        free(value->as.string);
        break;
    case VIA_VALUE_LIST:
        for (uint32_t i = 0; i < value->n; i++)
            via_value_clear(&value->as.items[i]);
        free(value->as.items);
        break;
    case VIA_VALUE_STRUCT:
        for (uint32_t i = 0; i < value->n; i++) {
            free(value->as.fields[i].name);
            via_value_clear(&value->as.fields[i].value);
        }
        free(value->as.fields);
        break;
    case VIA_VALUE_OBJECT:
        IUnknown_Release(value->as.object);
        break;
    default:
        break;
    }
    memset(value, 0, sizeof(*value));
}

HRESULT via_value_set_string(struct via_value *value, const char *text, size_t size)
{
    via_value_clear(value);
    char *copy = size < UINT32_MAX ? malloc(size + 1) : NULL;
    if (!copy)
        return E_OUTOFMEMORY;
    memcpy(copy, text, size);
    copy[size] = 0;
    value->kind = VIA_VALUE_STRING;
    value->n = (uint32_t)size;
    value->as.string = copy;
    return S_OK;
}

void via_value_set_object(struct via_value *value, IUnknown *object)
{
    if (object)
        IUnknown_AddRef(object);
    via_value_clear(value);
    if (!object)
        return;
    value->kind = VIA_VALUE_OBJECT;
    value->as.object = object;
}

HRESULT via_value_set_list(struct via_value *value, uint32_t n)
{
    via_value_clear(value);
    struct via_value *items = calloc((size_t)n + 1, sizeof(*items));
    if (!items)
        return E_OUTOFMEMORY;
    value->kind = VIA_VALUE_LIST;
    value->n = n;
    value->as.items = items;
    return S_OK;
}

HRESULT via_value_append(struct via_value *list, struct via_value **item)
{
    if (list->kind != VIA_VALUE_LIST && list->kind != VIA_VALUE_NULL)
        return E_INVALIDARG;
    if (list->n == UINT32_MAX - 1)
        return E_OUTOFMEMORY;
    struct via_value *items = realloc(list->kind == VIA_VALUE_LIST ? list->as.items : NULL,
                                      ((size_t)list->n + 1) * sizeof(*items));
    if (!items)
        return E_OUTOFMEMORY;
    list->kind = VIA_VALUE_LIST;
    list->as.items = items;
    *item = &items[list->n++];
    memset(*item, 0, sizeof(**item));
    return S_OK;
}

HRESULT via_value_add_field(struct via_value *record, const char *name, struct via_value **field)
{
    if (record->kind != VIA_VALUE_STRUCT && record->kind != VIA_VALUE_NULL)
        return E_INVALIDARG;
    size_t name_size = strlen(name) + 1;
    char *copy = malloc(name_size);
    struct via_value_field *fields =
        copy ? realloc(record->kind == VIA_VALUE_STRUCT ? record->as.fields : NULL,
                       ((size_t)record->n + 1) * sizeof(*fields))
             : NULL;
    if (!fields) {
        free(copy);
        return E_OUTOFMEMORY;
    }
    memcpy(copy, name, name_size);
    record->kind = VIA_VALUE_STRUCT;
    record->as.fields = fields;
    memset(&fields[record->n], 0, sizeof(*fields));
    fields[record->n].name = copy;
    *field = &fields[record->n++].value;
    return S_OK;
}

const struct via_value *via_value_field(const struct via_value *record, const char *name)
{
    for (uint32_t i = 0; record->kind == VIA_VALUE_STRUCT && i < record->n; i++)
        if (!strcmp(record->as.fields[i].name, name))
            return &record->as.fields[i].value;
    return NULL;
}
