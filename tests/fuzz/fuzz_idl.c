/*
 * The interface compiler: the bytes are a file, read from memory; of others it finds only
 * viaduct.idl. What it accepts comes out in every form, and IDL that is made of the tables has to
 * be accepted again, and to describe the same interfaces.
 */
#include "com/idl/emit.h"
#include "com/idl/unit.h"
#include "com/typelib/typelib.h"
#include "core/os/file.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME  "fuzz.idl"
#define MAX_OUTPUT (16u << 20)

static const char *const directories[] = {TEST_SOURCE_DIRECTORY "/include", NULL};

/* --- files --- */

static const void *the_text;
static size_t the_size;

HRESULT __real_os_file_read(const char *path, size_t max_size, char **data, size_t *size);
HRESULT __wrap_os_file_read(const char *path, size_t max_size, char **data, size_t *size);
bool __real_os_file_exists(const char *path);
bool __wrap_os_file_exists(const char *path);

static bool is_ours(const char *path)
{
    static const char end[] = "/viaduct.idl";
    size_t length = strlen(path);
    return length >= sizeof(end) && strcmp(path + length - (sizeof(end) - 1), end) == 0;
}

/* As the system would, and zero-terminated. */
HRESULT __wrap_os_file_read(const char *path, size_t max_size, char **data, size_t *size)
{
    if (strcmp(path, FILE_NAME) != 0)
        return is_ours(path) ? __real_os_file_read(path, max_size, data, size)
                             : error_set(E_FAIL, "%s is not there", path);
    *data = malloc(the_size + 1);
    if (*data == NULL)
        fuzz_fail("no memory");
    memcpy(*data, the_text, the_size);
    (*data)[the_size] = '\0';
    *size = the_size;
    return S_OK;
}

bool __wrap_os_file_exists(const char *path)
{
    return is_ours(path) && __real_os_file_exists(path);
}

/* --- what is accepted --- */

static bool compile(struct unit *unit, const void *text, size_t size)
{
    the_text = text;
    the_size = size;
    *unit = (struct unit){.program = "fuzz"};
    return unit_parse(unit, FILE_NAME, directories) && unit_finish(unit);
}

static bool is_described(const struct via_typelib *lib, uint16_t index)
{
    return !(lib->interfaces[index].flags & VIA_INTERFACE_EXTERNAL);
}

static void compare(const struct via_typelib *lib, const struct via_typelib *other)
{
    for (uint16_t i = 0; i < lib->n_interfaces; i++) {
        uint8_t hashes[2][TYPELIB_HASH_SIZE];
        uint16_t j = typelib_find_interface(other, &lib->interfaces[i].iid);
        if (!is_described(lib, i))
            continue;
        if (j == VIA_NO_INDEX || FAILED(typelib_hash(lib, i, hashes[0])) ||
            FAILED(typelib_hash(other, j, hashes[1])) ||
            memcmp(hashes[0], hashes[1], sizeof(hashes[0])) != 0)
            fuzz_fail("an interface is another one in another form");
    }
}

static void check_json(const struct via_typelib *lib)
{
    struct via_typelib *again;
    char *text = NULL;
    if (FAILED(typelib_to_json(lib, 0, &text)) ||
        FAILED(typelib_from_json(text, strlen(text), &again)))
        fuzz_fail(error_get() ? error_get()->text : "no JSON form");
    compare(lib, again);
    typelib_free(again);
    free(text);
}

/* What has no form in IDL is refused with that reason. */
static void check_idl(const struct via_typelib *lib)
{
    struct unit again;
    struct buffer text;
    buffer_init(&text, MAX_OUTPUT);
    if (SUCCEEDED(typelib_to_idl(lib, &text)) && SUCCEEDED(buffer_result(&text))) {
        if (!compile(&again, text.data, text.size))
            fuzz_fail("IDL that was made of tables is refused");
        compare(lib, &again.lib);
        unit_free(&again);
    }
    buffer_deinit(&text);
}

static void check_outputs(const struct unit *unit)
{
    struct buffer out;
    buffer_init(&out, MAX_OUTPUT);
    emit_header(unit, &out);
    emit_tables(unit, "fuzz.h", &out);
    if (FAILED(buffer_result(&out)))
        fuzz_fail("the outputs are too large");
    buffer_deinit(&out);
    check_json(&unit->lib);
    check_idl(&unit->lib);
}

/* What is wrong with a file is printed; that much would be in the way of what a run is about. */
static FILE *be_quiet(void)
{
    static FILE *nothing;
    FILE *before = stderr;
    if (nothing == NULL && (nothing = fopen("/dev/null", "w")) == NULL)
        fuzz_fail("no /dev/null");
    stderr = nothing;
    return before;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct unit unit;
    FILE *before = be_quiet();
    bool is_good = compile(&unit, data, size);
    stderr = before;
    if (is_good) {
        fuzz_accepted = true;
        check_outputs(&unit);
    }
    unit_free(&unit);
    error_clear();
    return 0;
}

/* Written by hand. */
void fuzz_write_corpus(const char *directory)
{
    (void)directory;
}
