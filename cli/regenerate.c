#include "cli/regenerate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "com/idl/idl.h"
#include "com/typelib/typelib.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/util/buffer.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"

#define TEXT_LIMIT (16u << 20)

/* The interface compiler reads and writes files: they live in a directory of our own. */
struct files {
    char directory[512];
    char idl[640];
    char header[640];
    char source[640];
};

static HRESULT make_files(struct files *self, const char *stem)
{
    CLEANUP(cleanup_free) char *temporary = os_path_temporary();

    if (!temporary)
        return error_set(E_OUTOFMEMORY, "no memory for a path");
    snprintf(self->directory, sizeof(self->directory), "%s%cviaduct-idl-%u", temporary,
             os_path_separator, (unsigned)os_process_id());
    snprintf(self->idl, sizeof(self->idl), "%s%c%.100s.idl", self->directory, os_path_separator,
             stem);
    snprintf(self->header, sizeof(self->header), "%s%cmade.h", self->directory, os_path_separator);
    snprintf(self->source, sizeof(self->source), "%s%cmade.c", self->directory, os_path_separator);
    return os_directory_make_private(self->directory);
}

static void remove_files(const struct files *self)
{
    os_file_remove(self->idl);
    os_file_remove(self->header);
    os_file_remove(self->source);
    os_directory_remove(self->directory);
    error_clear(); /* what could not be removed is the system's to clean up */
}

/* The tables include the header, which they are a part of here. */
static const char *behind_include(const char *source)
{
    const char *include = strstr(source, "#include \"");
    const char *end = include ? strchr(include, '\n') : NULL;

    return end ? end + 1 : source;
}

static int print_header(const struct files *files)
{
    CLEANUP(cleanup_free) char *header = NULL;
    CLEANUP(cleanup_free) char *source = NULL;
    char *arguments[] = {"idl",      (char *)files->idl,    "--header", (char *)files->header,
                         "--source", (char *)files->source, NULL};
    size_t size;
    HRESULT hr;

    if (idl_main("viaduct", 6, arguments) != 0)
        return CLI_FAILED; /* it has said why */
    hr = os_file_read(files->header, TEXT_LIMIT, &header, &size);
    if (SUCCEEDED(hr))
        hr = os_file_read(files->source, TEXT_LIMIT, &source, &size);
    if (FAILED(hr))
        return cli_fail_record(hr);
    printf("%s\n/* In one file of a program: define VIADUCT_TABLES before this is included. */\n"
           "#ifdef VIADUCT_TABLES\n\n%s\n#endif\n",
           header, behind_include(source));
    return -1;
}

static int compile(const struct via_typelib *lib, const char *idl)
{
    struct files files;
    HRESULT hr = make_files(&files, lib->name);
    int code;

    if (SUCCEEDED(hr))
        hr = os_file_write(files.idl, idl, strlen(idl));
    code = SUCCEEDED(hr) ? print_header(&files) : cli_fail_record(hr);
    remove_files(&files);
    return code;
}

int regenerate(const struct via_typelib *lib, bool as_header)
{
    CLEANUP(cleanup_free) char *idl = NULL;
    struct buffer text;
    HRESULT hr;

    buffer_init(&text, TEXT_LIMIT);
    hr = typelib_to_idl(lib, &text);
    if (SUCCEEDED(hr))
        idl = buffer_take_text(&text);
    buffer_deinit(&text);
    if (!idl)
        return cli_fail_record(FAILED(hr) ? hr : E_OUTOFMEMORY);
    if (as_header)
        return compile(lib, idl);
    fputs(idl, stdout);
    return -1;
}
