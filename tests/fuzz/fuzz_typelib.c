/*
 * The reader of type libraries in JSON form, which peers send: what it accepts is written again,
 * and read again, and is the same; and everything that is done with a library is done with it.
 */
#include "com/typelib/typelib.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define MAX_OUTPUT (16u << 20)

static void print_members(const struct via_typelib *lib, struct buffer *text)
{
    for (uint16_t i = 0; i < lib->n_structs; i++) {
        uint8_t hash[TYPELIB_HASH_SIZE];
        typelib_struct_layout(lib, i);
        typelib_struct_hash(lib, i, hash);
        for (uint16_t j = 0; j < lib->structs[i].n_fields; j++) {
            typelib_field_offset(lib, i, j);
            typelib_print_field(lib, &lib->structs[i], j, text);
        }
    }
    for (uint16_t i = 0; i < lib->n_interfaces; i++)
        for (uint16_t j = 0; j < lib->interfaces[i].n_methods; j++)
            typelib_print_method(lib, &lib->interfaces[i].methods[j], text);
}

static void look_at(const struct via_typelib *lib)
{
    struct buffer text;
    buffer_init(&text, MAX_OUTPUT);
    for (uint16_t i = 0; i < lib->n_types; i++)
        typelib_layout(lib, i);
    for (uint16_t i = 0; i < lib->n_unions; i++)
        typelib_union_layout(lib, i);
    print_members(lib, &text);
    for (uint16_t i = 0; i < lib->n_interfaces; i++) {
        struct typelib_method *methods;
        size_t n_methods;
        uint16_t slot;
        typelib_first_slot(lib, i, &slot);
        if (SUCCEEDED(typelib_methods(lib, i, &methods, &n_methods)))
            free(methods);
    }
    for (uint16_t i = 0; i < lib->n_coclasses; i++)
        typelib_default_interface(lib, &lib->coclasses[i]);
    typelib_to_idl(lib, &text);
    buffer_deinit(&text);
}

static void compare(const struct via_typelib *lib, const struct via_typelib *other)
{
    if (lib->n_interfaces != other->n_interfaces)
        fuzz_fail("a library has other interfaces when it is read again");
    for (uint16_t i = 0; i < lib->n_interfaces; i++) {
        uint8_t hashes[2][TYPELIB_HASH_SIZE];
        if (lib->interfaces[i].flags & VIA_INTERFACE_EXTERNAL)
            continue;
        HRESULT one = typelib_hash(lib, i, hashes[0]);
        HRESULT two = typelib_hash(other, i, hashes[1]);
        if (one != two || (SUCCEEDED(one) && memcmp(hashes[0], hashes[1], sizeof(hashes[0])) != 0))
            fuzz_fail("an interface changes when it is read again");
    }
}

static void check_again(const struct via_typelib *lib)
{
    struct via_typelib *again;
    char *first = NULL;
    char *second = NULL;
    if (FAILED(typelib_to_json(lib, 0, &first)))
        fuzz_fail("what was read cannot be written");
    if (FAILED(typelib_from_json(first, strlen(first), &again)))
        fuzz_fail(error_get() ? error_get()->text : "what was written cannot be read");
    compare(lib, again);
    if (FAILED(typelib_to_json(again, 0, &second)) || strcmp(first, second) != 0)
        fuzz_fail("a library changes when it is written again");
    typelib_free(again);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct via_typelib *lib;
    char *text = malloc(size ? size : 1);
    if (text == NULL)
        fuzz_fail("no memory");
    memcpy(text, data, size);
    if (SUCCEEDED(typelib_from_json(text, size, &lib))) {
        fuzz_accepted = true;
        look_at(lib);
        check_again(lib);
        typelib_free(lib);
    }
    free(text);
    error_clear();
    return 0;
}

/* Made by viaduct-idl of the corpus of `idl`. */
void fuzz_write_corpus(const char *directory)
{
    (void)directory;
}
