#include "com/idl/unit.h"
#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"
#include "core/util/sha1.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

uint16_t unit_add_type(struct unit *unit, const struct via_type *type)
{
    for (size_t i = 0; i < unit->n_types; i++)
        if (!memcmp(&unit->types[i], type, sizeof(*type)))
            return (uint16_t)i;
    if (unit->n_types >= VIA_NO_INDEX - 1)
        return 0;
    *(struct via_type *)arena_append(&unit->arena, (void **)&unit->types, &unit->n_types,
                                     sizeof(*type)) = *type;
    return (uint16_t)(unit->n_types - 1);
}

uint16_t unit_add_expression(struct unit *unit, const struct via_expression *expression)
{
    for (size_t i = 0; i < unit->n_expressions; i++)
        if (!memcmp(&unit->expressions[i], expression, sizeof(*expression)))
            return (uint16_t)i;
    if (unit->n_expressions >= VIA_NO_INDEX - 1)
        return 0;
    *(struct via_expression *)arena_append(&unit->arena, (void **)&unit->expressions,
                                           &unit->n_expressions, sizeof(*expression)) = *expression;
    return (uint16_t)(unit->n_expressions - 1);
}

const struct unit_name *unit_find_name(const struct unit *unit, const char *name)
{
    for (size_t i = 0; i < unit->n_names; i++)
        if (!strcmp(unit->names[i].name, name))
            return &unit->names[i];
    return NULL;
}

const struct unit_constant *unit_find_constant(const struct unit *unit, const char *name)
{
    for (size_t i = 0; i < unit->n_constants; i++)
        if (!strcmp(unit->constants[i].name, name))
            return &unit->constants[i];
    return NULL;
}

void unit_add_item(struct unit *unit, enum unit_item_kind kind, size_t index, const char *text)
{
    struct unit_item *item =
        arena_append(&unit->arena, (void **)&unit->items, &unit->n_items, sizeof(*item));
    *item = (struct unit_item){kind, index, text};
}

size_t unit_interface(struct unit *unit, const char *name)
{
    for (size_t i = 0; i < unit->n_interfaces; i++)
        if (!strcmp(unit->interfaces[i].itf.name, name))
            return i;
    struct unit_interface *self =
        arena_append(&unit->arena, (void **)&unit->interfaces, &unit->n_interfaces, sizeof(*self));
    self->itf.name = arena_text(&unit->arena, name, strlen(name));
    self->itf.base = VIA_NO_INDEX;
    size_t index = unit->n_interfaces - 1;
    const char *base_name;
    const GUID *iid = builtin_find_interface(name, &base_name);
    if (iid) {
        self->itf.iid = *iid;
        self->itf.flags = VIA_INTERFACE_EXTERNAL;
        self->is_defined = true;
        self->is_imported = true;
        if (base_name) {
            uint16_t base = (uint16_t)unit_interface(unit, base_name);
            unit->interfaces[index].itf.base = base;
        }
    }
    return index;
}

/* Version 5 of RFC 4122, over the IIDs in order, in the namespace of OIDs. */
static GUID derive_libid(const struct unit *unit)
{
    static const uint8_t name_space[16] = {0x6b, 0xa7, 0xb8, 0x12, 0x9d, 0xad, 0x11, 0xd1,
                                           0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};
    struct sha1 sha1;
    uint8_t digest[SHA1_SIZE];
    GUID guid;
    sha1_init(&sha1);
    sha1_update(&sha1, name_space, sizeof(name_space));
    for (size_t i = 0; i < unit->n_interfaces; i++)
        if (!unit->interfaces[i].is_imported)
            sha1_update(&sha1, &unit->interfaces[i].itf.iid, sizeof(GUID));
    sha1_finish(&sha1, digest);
    guid.Data1 = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
                 digest[3];
    guid.Data2 = (uint16_t)(digest[4] << 8 | digest[5]);
    guid.Data3 = (uint16_t)(((digest[6] << 8 | digest[7]) & 0x0FFF) | 0x5000);
    memcpy(guid.Data4, digest + 8, sizeof(guid.Data4));
    guid.Data4[0] = (uint8_t)((guid.Data4[0] & 0x3F) | 0x80);
    return guid;
}

static struct via_interface *interface_array(struct unit *unit)
{
    struct via_interface *list =
        arena_allocate(&unit->arena, (unit->n_interfaces + 1) * sizeof(*list));
    for (size_t i = 0; i < unit->n_interfaces; i++) {
        struct unit_interface *self = &unit->interfaces[i];
        struct via_method *methods =
            arena_allocate(&unit->arena, (self->n_methods + 1) * sizeof(*methods));
        list[i] = self->itf;
        if (self->is_imported || !self->is_defined) {
            list[i].flags |= VIA_INTERFACE_EXTERNAL;
            continue;
        }
        for (size_t j = 0; j < self->n_methods; j++)
            methods[j] = self->methods[j].method;
        list[i].methods = methods;
        list[i].n_methods = (uint16_t)self->n_methods;
    }
    return list;
}

/* What was only mentioned: nothing says what it is. */
static bool check_definitions(struct unit *unit)
{
    for (size_t i = 0; i < unit->n_structs; i++)
        if (!unit->structs[i].is_defined)
            diagnostics_error(&unit->diagnostics, unit->structs[i].position,
                              "struct %s is never defined", unit->structs[i].tag);
    for (size_t i = 0; i < unit->n_unions; i++)
        if (!unit->unions[i].is_defined)
            diagnostics_error(&unit->diagnostics, unit->unions[i].position,
                              "union %s is never defined", unit->unions[i].tag);
    for (size_t i = 0; i < unit->n_interfaces; i++)
        if (!unit->interfaces[i].is_defined)
            diagnostics_error(&unit->diagnostics, unit->interfaces[i].position,
                              "interface %s is never defined: import the file that defines it",
                              unit->interfaces[i].itf.name);
    return unit->diagnostics.n_errors == 0;
}

bool unit_finish(struct unit *unit)
{
    if (!check_definitions(unit))
        return false;
    /* Mentions make entries too, which no parser of definitions has counted. */
    if (unit->n_interfaces > TYPELIB_MAX_ENTRIES) {
        fprintf(stderr, "%s: error: more than %u interfaces\n", unit->path, TYPELIB_MAX_ENTRIES);
        return false;
    }
    struct via_struct *structs =
        arena_allocate(&unit->arena, (unit->n_structs + 1) * sizeof(*structs));
    struct via_enum *enums = arena_allocate(&unit->arena, (unit->n_enums + 1) * sizeof(*enums));
    for (size_t i = 0; i < unit->n_structs; i++)
        structs[i] = unit->structs[i].record;
    for (size_t i = 0; i < unit->n_enums; i++)
        enums[i] = unit->enums[i].list;
    struct via_union *unions = arena_allocate(&unit->arena, (unit->n_unions + 1) * sizeof(*unions));
    for (size_t i = 0; i < unit->n_unions; i++)
        unions[i] = unit->unions[i].record;
    if (!unit->has_library)
        unit->libid = derive_libid(unit);
    unit->lib = (struct via_typelib){.abi = VIA_TYPELIB_ABI,
                                     .size = sizeof(unit->lib),
                                     .name = unit->name,
                                     .libid = unit->libid,
                                     .version_major = unit->version_major,
                                     .version_minor = unit->version_minor,
                                     .n_types = (uint16_t)unit->n_types,
                                     .n_structs = (uint16_t)unit->n_structs,
                                     .n_enums = (uint16_t)unit->n_enums,
                                     .n_interfaces = (uint16_t)unit->n_interfaces,
                                     .n_coclasses = (uint16_t)unit->n_coclasses,
                                     .types = unit->types,
                                     .structs = structs,
                                     .enums = enums,
                                     .interfaces = interface_array(unit),
                                     .coclasses = unit->coclasses,
                                     .n_unions = (uint16_t)unit->n_unions,
                                     .n_expressions = (uint16_t)unit->n_expressions,
                                     .unions = unions,
                                     .expressions = unit->expressions,
                                     .flags = unit->flags,
                                     .n_aliases = (uint16_t)unit->n_aliases,
                                     .aliases = unit->aliases,
                                     .help = unit->help};
    if (SUCCEEDED(typelib_check(&unit->lib)))
        return true;
    char text[ERROR_TEXT_SIZE];
    fprintf(stderr, "%s: error: %s\n", unit->path,
            error_format(error_get(), VIA_E_TYPE, text, sizeof(text)));
    error_clear();
    return false;
}

void unit_free(struct unit *unit)
{
    arena_free(&unit->arena);
}
