/* com/idl: no input, however large, deep, endless or mangled, brings it down. */
#include "core/os/file.h"
#include "core/os/path.h"
#include "tests/harness/harness.h"
#include "tests/idl/compiler.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each `piece` comes `n` times, with its number for "%u". */
static const struct endless {
    const char *before;
    const char *piece;
    unsigned n;
    const char *after;
    const char *expected; /* NULL: it is right */
} endless[] = {
    {"", "struct A { ", 100000, "", "definitions are nested too deeply"},
    {"", "[" ID "] library L { ", 20000, "", "error: "},
    {"", "[", 500000, "", "error: "},
    {"", "#if 1\n", 100, "", "#if is nested too deeply"},
    {"typedef LONG ", "*", 300000, " T;", "more than 8 levels of pointers"},
    {"struct S { LONG ", "(", 300000, "a; };", "definitions are nested too deeply"},
    {"struct S { LONG ", "*", 300000, " a; };", "more than 8 levels of pointers and arrays"},
    {"enum E { ", "A%u, ", 70000, " };", "an enum has at most 65535 values"},
    {"struct S { ", "LONG a%u; ", 66000, " };", "struct S has too many fields"},
    {"", "struct S%u { LONG a; }; ", 66000, "", "more than 2048 structs"},
    {"", "interface I%u; ", 66000, "", "more than 2048 interfaces"},
    {"", "#define M%u 1\n", 5000, "", "more than 4096 macros"},
    {"", "#define A%u ;;;;;;;;;;;;;;;;\n", 4000, "", NULL},
    {HEAD "HRESULT A(", "[in] LONG a%u,", 20000, "[in] LONG b);" TAIL, "at most 64 parameters"},
    {HEAD, "HRESULT A%u();", 3000, TAIL, "an interface has at most 1024 methods"},
    {"", "cpp_quote(\"a\") ", 60000, "",
     NULL}, /* one line; a copy of its rest for each ends memory */
    {"struct S { LONG ", "a", 900000, ";};", "error: "},
    {"/", "*/", 40000, "", "error: "},
    {"enum E { A = -", "9223372036854775808", 1, " };", "this expression has no value"},
    {HEAD "[id(", "9", 12, ")] HRESULT A();" TAIL, "an id is a number of 32 bits"},
};

static void append(char **text, size_t *size, const char *format, unsigned number)
{
    *size += (size_t)snprintf(*text + *size, 64 + strlen(format), format, number);
}

TEST(large_and_deep_input_ends)
{
    for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
        const struct endless *it = &endless[i];
        char *text = malloc(strlen(it->before) + strlen(it->after) + 256 +
                            (size_t)it->n * (strlen(it->piece) + 8));
        char *said;
        size_t size = 0;

        REQUIRE_NOT_NULL(text);
        append(&text, &size, it->before, 0);
        for (unsigned j = 0; j < it->n; j++)
            append(&text, &size, it->piece, j);
        append(&text, &size, it->after, 0);
        if (!CHECK_EQ(compile_text(text, size, &said), it->expected ? 1 : 0))
            harness_note("\"%.20s\" %u times", it->piece, it->n);
        CHECK_STR_HAS(said ? said : "", it->expected ? it->expected : "");
        free(said);
        free(text);
    }
}

/* Each macro, each file twice in the one before: 2 to the power of 40 of them. */
TEST(doublings_end)
{
    char text[8192], name[32];
    size_t size = 0;
    char *said;

    for (int i = 0; i < 40; i++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "#define A%d A%d A%d\n", i,
                                 i + 1, i + 1);
    size += (size_t)snprintf(text + size, sizeof(text) - size, "#define A40 ;\nA0\n");
    CHECK_EQ(compile_text(text, size, &said), 1);
    CHECK_STR_HAS(said ? said : "", "files and macros come to more than 16777216 bytes in all");
    free(said);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "double%d.idl", i);
        char *path = os_path_join(harness_temporary_directory(), name);
        size = (size_t)snprintf(text, sizeof(text),
                                "#include \"double%d.idl\"\n#include \"double%d.idl\"\n", i + 1,
                                i + 1);
        CHECK_OK(os_file_write(path, text, i == 39 ? 0 : size));
        free(path);
    }
    static const char first[] = "#include \"double0.idl\"\n";
    CHECK_EQ(compile_text(first, strlen(first), &said), 1);
    CHECK_STR_HAS(said ? said : "", "more than 1024 files are included");
    free(said);
}

TEST(files_that_hold_themselves_end)
{
    static const char importing[] = "import \"wrong.idl\";\n",
                      including[] = "#include \"wrong.idl\"\n";
    char *said;

    CHECK_EQ(compile_text(importing, strlen(importing), &said), 0);
    free(said);
    CHECK_EQ(compile_text(including, strlen(including), &said), 1);
    CHECK_STR_HAS(said ? said : "", "files or macros are nested too deeply");
    free(said);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* One change: bytes that go, come twice, or become something that means much to the lexer. */
static size_t mutate(char *text, size_t size, size_t room, uint32_t *state)
{
    static const char *const pieces[] = {
        "{",   "}",    ";",       "[",          "]",          "(",          ")",      "*",
        ",",   "\"",   "#",       "/*",         "\n#if",      "\n#endif\n", "struct", "import",
        "[0]", "\x80", "size_is", "4294967296", "IBroadSink", "BroadOuter"};
    size_t at = next_random(state) % size;
    size_t n = 1 + next_random(state) % 40;

    n = n < size - at ? n : size - at;
    switch (next_random(state) % 4) {
    case 0:
        memmove(text + at, text + at + n, size - at - n);
        return size - n;
    case 1:
        if (size + n > room)
            return size;
        memmove(text + at + n, text + at, size - at);
        return size + n;
    case 2:
        return at > 0 && next_random(state) % 16 == 0 ? at : size;
    default: {
        const char *piece = pieces[next_random(state) % (sizeof(pieces) / sizeof(pieces[0]))];
        n = strlen(piece);
        if (size + n > room)
            return size;
        memmove(text + at + n, text + at, size - at);
        memcpy(text + at, piece, n);
        return size + n;
    }
    }
}

#define N_MUTANTS 400

/* Whatever the text is, the compiler ends by itself, with an error that names the file or none. */
TEST(mutated_input_brings_nothing_down)
{
    char *path = os_path_join(TEST_SOURCE_DIRECTORY, "tests/idl/broad.idl");
    char *base_path = os_path_join(TEST_SOURCE_DIRECTORY, "tests/idl/base.idl");
    char *copy = os_path_join(harness_temporary_directory(), "base.idl");
    char *good = NULL, *base = NULL;
    size_t size, base_size;
    uint32_t state = 20260101;
    unsigned n_refused = 0;

    CHECK_OK(os_file_read(path, MAX_TEXT, &good, &size));
    CHECK_OK(os_file_read(base_path, MAX_TEXT, &base, &base_size));
    REQUIRE(good && base);
    CHECK_OK(os_file_write(copy, base, base_size));
    char *text = malloc(2 * size);
    REQUIRE_NOT_NULL(text);
    for (unsigned i = 0; i < N_MUTANTS; i++) {
        char *said;
        size_t n = size;
        memcpy(text, good, size);
        for (unsigned j = next_random(&state) % 4 + 1; j > 0; j--)
            n = mutate(text, n, 2 * size, &state);
        int status = compile_text(text, n, &said);
        n_refused += status == 1;
        if (status == 1)
            CHECK_STR_HAS(said ? said : "", "wrong.idl");
        else
            CHECK_EQ(status, 0);
        free(said);
    }
    harness_note("%u of %u mutants refused", n_refused, N_MUTANTS);
    CHECK(n_refused > N_MUTANTS / 2);
    free(text);
    free(good);
    free(base);
    free(path);
    free(base_path);
    free(copy);
}

HARNESS_MAIN("idl_limits", TEST_ENTRY_LIMIT(large_and_deep_input_ends, 60000),
             TEST_ENTRY_LIMIT(doublings_end, 60000), TEST_ENTRY(files_that_hold_themselves_end),
             TEST_ENTRY_LIMIT(mutated_input_brings_nothing_down, 60000))
