#include "com/idl/idl.h"
#include "com/idl/emit.h"
#include "com/typelib/typelib.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/error.h"

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
        "      --help          show this\n"
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
                                          {"header", required_argument, NULL, 'h'},
                                          {"source", required_argument, NULL, 's'},
                                          {"json", required_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, '?' + 256},
                                          {"version", no_argument, NULL, 'v'},
                                          {NULL, 0, NULL, 0}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "I:", known, NULL)) != -1) {
        switch (option) {
        case 'I':
            if (options->n_directories == MAX_DIRECTORIES)
                return usage_error(program, "too many directories");
            options->directories[options->n_directories++] = optarg;
            break;
        case 'h':
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
        case '?' + 256:
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

static bool write_file(const char *program, const char *path, const void *data, size_t size)
{
    char text[ERROR_TEXT_SIZE];
    if (!strcmp(path, "-"))
        return fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0;
    if (SUCCEEDED(os_file_write(path, data, size)))
        return true;
    fprintf(stderr, "%s: %s\n", program, error_format(error_get(), E_FAIL, text, sizeof(text)));
    error_clear();
    return false;
}

static bool write_buffer(const char *program, const char *path, struct buffer *out)
{
    bool ok = SUCCEEDED(buffer_result(out)) && write_file(program, path, out->data, out->size);
    buffer_deinit(out);
    return ok;
}

static bool write_json(const char *program, const char *path, const struct via_typelib *lib)
{
    char *text;
    if (FAILED(typelib_to_json(lib, 2, &text)))
        return false;
    bool ok = write_file(program, path, text, strlen(text));
    free(text);
    return ok;
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
    struct unit unit = {0};
    bool ok = unit_parse(&unit, options.file, options.directories) && unit_finish(&unit) &&
              write_outputs(program, &options, &unit);
    unit_free(&unit);
    return ok ? 0 : 1;
}
