#include "tests/idl/compiler.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "com/idl/idl.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"

static int compile(const char *path, char **said)
{
    char include[] = "-I", program[] = "viaduct-idl";
    char *directory = os_path_join(TEST_SOURCE_DIRECTORY, "include");
    char *log = os_path_join(harness_temporary_directory(), "stderr.txt");
    char *arguments[] = {program, (char *)path, include, directory, NULL};
    size_t size = 0;

    *said = NULL;
    fflush(stderr);
    int before = dup(2);
    FILE *file = fopen(log, "wb");
    int status = -1;
    if (file) {
        dup2(fileno(file), 2);
        fclose(file);
        status = idl_main(program, 4, arguments);
        fflush(stderr);
    }
    dup2(before, 2);
    close(before);
    if (FAILED(os_file_read(log, MAX_TEXT, said, &size)))
        FAIL("what the compiler said cannot be read");
    free(directory);
    free(log);
    return status;
}

int compile_text(const char *text, size_t size, char **said)
{
    char *path = os_path_join(harness_temporary_directory(), "wrong.idl");

    CHECK_OK(os_file_write(path, text, size));
    int status = compile(path, said);
    free(path);
    return status;
}
