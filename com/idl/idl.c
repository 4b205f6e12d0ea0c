#include "com/idl/idl.h"
#include "com/idl/emit.h"
#include "com/typelib/typelib.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/error.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OUTPUT      (64u << 20)
#define MAX_DIRECTORIES 64

struct options {
    const char *file;
    const char *header;
    const char *source;
    const char *json;
    const char *directories[MAX_DIRECTORIES + 1];
    size_t n_directories;
};

static void print_help(const char *program)
{
    printf(
        "Usage: %s FILE [-I DIR]... [--header FILE] [--source FILE] [--json FILE]\n"
        "Compiles interface descriptions. Without an output option, the file is only checked; an\n"
        "output FILE - is the standard output.\n\n"
        "  -I, --include DIR   also look for imported and included files there\n"
        "      --header FILE   write the C and C++ header\n"
        "      --source FILE   write the C source with ids and tables\n"
        "      --json FILE     write the type library in JSON form\n"
        "  -h, --help          show this\n"
        "      --version       show the version\n",
        program);
}

static int usage_error(const char *program, const char *text)
{
    fprintf(stderr, "%s: %s; see %s --help\n", program, text, program);
    return 2;
}

/* -1: go on; else the exit status. */
static int parse_options(const char *program, int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"include", required_argument, NULL, 'I'},
                                          {"header", required_argument, NULL, 'H'},
                                          {"source", required_argument, NULL, 's'},
                                          {"json", required_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'v'},
                                          {NULL, 0, NULL, 0}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "I:h", known, NULL)) != -1) {
        switch (option) {
        case 'I':
            if (options->n_directories == MAX_DIRECTORIES)
                return usage_error(program, "too many directories");
            options->directories[options->n_directories++] = optarg;
            break;
        case 'H':
            options->header = optarg;
            break;
        case 's':
            options->source = optarg;
            break;
        case 'j':
            options->json = optarg;
            break;
        case 'v':
            printf("viaduct-idl %s\n", VIADUCT_VERSION);
            return 0;
        case 'h':
            print_help(program);
            return 0;
        default:
            return 2;
        }
    }
    if (optind + 1 != argc)
        return usage_error(program, optind == argc ? "a FILE is missing" : "one FILE at a time");
    options->file = argv[optind];
    return -1;
}

/* False: prints why not. */
static bool succeeded(const char *program, HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    if (SUCCEEDED(hr))
        return true;
    fprintf(stderr, "%s: %s\n", program, error_format(error_get(), hr, text, sizeof(text)));
    error_clear();
    return false;
}

static HRESULT write_file(const char *path, const void *data, size_t size)
{
    if (strcmp(path, "-") != 0)
        return os_file_write(path, data, size);
    if (fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0)
        return S_OK;
    HRESULT hr = error_set(E_FAIL, "cannot write to the standard output: %s", strerror(errno));
    clearerr(stdout); /* it has been said */
    return hr;
}

static bool write_buffer(const char *program, const char *path, struct buffer *out)
{
    HRESULT hr = buffer_result(out);
    if (SUCCEEDED(hr))
        hr = write_file(path, out->data, out->size);
    buffer_deinit(out);
    return succeeded(program, hr);
}

static bool write_json(const char *program, const char *path, const struct via_typelib *lib)
{
    char *text = NULL;
    HRESULT hr = typelib_to_json(lib, 2, &text);
    if (SUCCEEDED(hr))
        hr = write_file(path, text, strlen(text));
    free(text);
    return succeeded(program, hr);
}

/* A slip of the command line must not cost a source file. */
static bool check_output(const char *program, const char *path, const struct unit *unit,
                         const char *const *others)
{
    if (!path || !strcmp(path, "-"))
        return true;
    for (size_t i = 0; i < unit->n_imported_paths; i++)
        if (os_file_is_same(path, unit->imported_paths[i])) {
            fprintf(stderr, "%s: %s is read from, and would be overwritten\n", program, path);
            return false;
        }
    for (; *others; others++)
        if (!strcmp(path, *others)) {
            fprintf(stderr, "%s: %s is named for two outputs\n", program, path);
            return false;
        }
    return true;
}

static bool check_outputs(const char *program, const struct options *options,
                          const struct unit *unit)
{
    const char *const none = NULL;
    const char *before[3] = {NULL};
    size_t n = 0;
    if (!check_output(program, options->header, unit, &none))
        return false;
    if (options->header)
        before[n++] = options->header;
    if (!check_output(program, options->source, unit, before))
        return false;
    if (options->source)
        before[n++] = options->source;
    return check_output(program, options->json, unit, before);
}

static bool write_outputs(const char *program, const struct options *options,
                          const struct unit *unit)
{
    struct buffer out;
    bool ok = true;
    if (options->header) {
        buffer_init(&out, MAX_OUTPUT);
        emit_header(unit, &out);
        ok &= write_buffer(program, options->header, &out);
    }
    if (options->source) {
        const char *header = options->header ? os_path_name(options->header) : NULL;
        char *default_header = arena_print((struct arena *)&unit->arena, "%s.h", unit->stem);
        buffer_init(&out, MAX_OUTPUT);
        emit_tables(unit, header ? header : default_header, &out);
        ok &= write_buffer(program, options->source, &out);
    }
    if (options->json)
        ok &= write_json(program, options->json, &unit->lib);
    return ok;
}

int idl_main(const char *program, int argc, char **argv)
{
    struct options options = {0};
    int status = parse_options(program, argc, argv, &options);
    if (status >= 0)
        return status;
    struct unit unit = {.program = program};
    bool ok = unit_parse(&unit, options.file, options.directories) && unit_finish(&unit) &&
              check_outputs(program, &options, &unit) && write_outputs(program, &options, &unit);
    unit_free(&unit);
    return ok ? 0 : 1;
}
