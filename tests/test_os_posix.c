/* core/os on POSIX: unsafe modules, foreign and open directories, a full disk, forks. */
#include "core/os/file.h"
#include "core/os/module.h"
#include "core/os/path.h"
#include "core/os/thread.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"

static const char *message(void)
{
    return error_get() ? error_get()->text : "";
}

/* The text of the first cause. */
static const char *cause(void)
{
    const struct error_record *record = error_get();
    return record && record->cause ? record->cause->text : "";
}

static char *copy_module(const char *directory)
{
    CLEANUP(cleanup_free) char *program_directory = os_path_program_directory();
    CLEANUP(cleanup_free) char *from = os_path_join(program_directory, "test_os_module.so");
    CLEANUP(cleanup_free) char *to = os_path_join(directory, "copy.so");
    CLEANUP(cleanup_free) char *data = NULL;
    size_t size;
    if (!CHECK_OK(os_file_read(from, 1 << 24, &data, &size)) ||
        !CHECK_OK(os_file_write(to, data, size)))
        return NULL;
    return TAKE(to);
}

TEST(module_that_others_can_write_is_refused)
{
    struct os_module *module = NULL;
    CLEANUP(cleanup_free) char *path = copy_module(harness_temporary_directory());
    REQUIRE_NOT_NULL(path);
    REQUIRE_OK(os_module_open(path, &module));
    os_module_close(module);
    CHECK_EQ(chmod(path, 0666), 0);
    CHECK_HR(os_module_open(path, &module), E_ACCESSDENIED);
    CHECK_STR_HAS(message(), "is not loaded");
    CHECK_STR_HAS(cause(), "can be written by other users");
    CHECK_EQ(chmod(path, 0644), 0);
    CHECK_EQ(chmod(harness_temporary_directory(), 0777), 0);
    CHECK_HR(os_module_open(path, &module), E_ACCESSDENIED);
    CHECK_STR_HAS(cause(), harness_temporary_directory());
    CHECK_EQ(chmod(harness_temporary_directory(), 0700), 0);
    error_clear();
}

TEST(module_of_another_user_is_refused)
{
    struct os_module *module = NULL;
    if (geteuid() != 0)
        SKIP("only root can give a file away");
    CLEANUP(cleanup_free) char *path = copy_module(harness_temporary_directory());
    REQUIRE_NOT_NULL(path);
    CHECK_EQ(chown(path, 12345, 12345), 0);
    CHECK_HR(os_module_open(path, &module), E_ACCESSDENIED);
    CHECK_STR_HAS(cause(), "belongs to user 12345");
    error_clear();
}

TEST(symbolic_link_leads_to_what_is_checked)
{
    struct os_module *module = NULL;
    CLEANUP(cleanup_free) char *path = copy_module(harness_temporary_directory());
    CLEANUP(cleanup_free) char *link = os_path_join(harness_temporary_directory(), "link.so");
    REQUIRE_NOT_NULL(path);
    CHECK_EQ(symlink(path, link), 0);
    REQUIRE_OK(os_module_open(link, &module));
    os_module_close(module);
    CHECK_EQ(chmod(path, 0666), 0);
    CHECK_HR(os_module_open(link, &module), E_ACCESSDENIED);
    error_clear();
}

TEST(directory_that_is_not_private_is_refused)
{
    CLEANUP(cleanup_free) char *path = os_path_join(harness_temporary_directory(), "directory");
    CLEANUP(cleanup_free) char *link = os_path_join(harness_temporary_directory(), "link");
    struct stat info;
    REQUIRE_OK(os_directory_make_private(path));
    CHECK_EQ(stat(path, &info), 0);
    CHECK_EQ(info.st_mode & 0777, 0700);
    CHECK_EQ(symlink(path, link), 0);
    CHECK_HR(os_directory_make_private(link), E_ACCESSDENIED);
    CHECK_EQ(chmod(path, 0750), 0);
    CHECK_HR(os_directory_make_private(path), E_ACCESSDENIED);
    CHECK_STR_HAS(message(), "chmod 700");
    CHECK_EQ(chmod(path, 0700), 0);
    if (geteuid() == 0) {
        CHECK_EQ(chown(path, 12345, 12345), 0);
        CHECK_HR(os_directory_make_private(path), E_ACCESSDENIED);
        CHECK_STR_HAS(message(), "belongs to user 12345");
    }
    error_clear();
}

TEST(directory_in_which_others_can_replace_names_is_refused)
{
    CLEANUP(cleanup_free) char *path = os_path_join(harness_temporary_directory(), "shared");
    CLEANUP(cleanup_free) char *inner = os_path_join(path, "inner");
    CHECK_HR(os_directory_check(path), VIA_WIN32(2));
    REQUIRE_OK(os_directory_make(inner));
    CHECK_EQ(chmod(path, 0755), 0);
    CHECK_OK(os_directory_check(path));
    CHECK_EQ(chmod(path, 0777), 0);
    CHECK_HR(os_directory_check(path), E_ACCESSDENIED);
    CHECK_STR_HAS(message(), "chmod go-w");
    CHECK_HR(os_directory_check(inner), E_ACCESSDENIED);
    CHECK_EQ(chmod(path, 01777), 0);
    CHECK_OK(os_directory_check(path));
    CHECK_OK(os_directory_check(inner));
    if (geteuid() == 0) {
        CHECK_EQ(chown(path, 12345, 12345), 0);
        CHECK_HR(os_directory_check(path), E_ACCESSDENIED);
        CHECK_STR_HAS(message(), "belongs to user 12345");
    }
    error_clear();
}

TEST(absolute_paths_have_no_dots)
{
    static const char *const paths[][2] = {
        {"/", "/"},
        {"/..", "/"},
        {"/../..", "/"},
        {"/a/../b", "/b"},
        {"/a/./b//c/", "/a/b/c"},
        {"/a/b/../../c", "/c"},
        {"/a/b/../..", "/"},
        {"/a/...", "/a/..."},
        {"//a", "/a"},
    };
    CLEANUP(cleanup_free) char *link = os_path_join(harness_temporary_directory(), "up");
    CLEANUP(cleanup_free) char *behind = os_path_join(link, "../x");
    CLEANUP(cleanup_free) char *dots = os_path_join(harness_temporary_directory(), "y/../x");
    CLEANUP(cleanup_free) char *plain = os_path_join(harness_temporary_directory(), "x");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        CLEANUP(cleanup_free) char *path = os_path_absolute(paths[i][0]);
        CHECK_STR_EQ(path, paths[i][1]);
    }
    CLEANUP(cleanup_free) char *short_path = os_path_absolute(dots);
    CHECK_STR_EQ(short_path, plain);
    CHECK_EQ(symlink("/tmp", link), 0);
    CLEANUP(cleanup_free) char *kept = os_path_absolute(behind);
    CHECK_STR_EQ(kept, behind);
    CLEANUP(cleanup_free) char *relative = os_path_absolute("x");
    CHECK(relative && relative[0] == '/');
}

/* A limit on file sizes stands for the full disk: the write fails half-way in the same place. */
TEST(failed_write_leaves_the_old_file)
{
    enum { SIZE = 100000 };
    CLEANUP(cleanup_free) char *path = os_path_join(harness_temporary_directory(), "file");
    CLEANUP(cleanup_free) char *data = calloc(1, SIZE);
    CLEANUP(cleanup_free) char *text = NULL;
    struct rlimit before, limit;
    size_t size;
    char **names;
    REQUIRE_OK(os_file_write(path, "old", 3));
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    CHECK_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 50000;
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    HRESULT hr = os_file_write(path, data, SIZE);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    CHECK(FAILED(hr));
    CHECK_STR_HAS(message(), "cannot write");
    REQUIRE_OK(os_file_read(path, 100, &text, &size));
    CHECK_STR_EQ(text, "old");
    REQUIRE_OK(os_directory_list(harness_temporary_directory(), &names));
    CHECK_STR_EQ(names[0], "file");
    CHECK_NULL(names[1]);
    os_names_free(names);
    error_clear();
}

/* Nothing that could block for ever, or never end, is read or written as a file. */
TEST(pipes_and_devices_are_no_files)
{
    CLEANUP(cleanup_free) char *pipe = os_path_join(harness_temporary_directory(), "pipe");
    char *text = NULL;
    size_t size;
    FILE *file = NULL;
    REQUIRE_EQ(mkfifo(pipe, 0600), 0);
    CHECK_HR(os_file_read(pipe, 100, &text, &size), E_INVALIDARG);
    CHECK_STR_HAS(message(), "pipe is a pipe or a device, and no file");
    CHECK_HR(os_file_append(pipe, &file), E_INVALIDARG);
    int reader = open(pipe, O_RDONLY | O_NONBLOCK);
    CHECK_HR(os_file_append(pipe, &file), E_INVALIDARG);
    int writer = open(pipe, O_WRONLY | O_NONBLOCK);
    CHECK_HR(os_file_read(pipe, 100, &text, &size), E_INVALIDARG);
    close(reader);
    close(writer);
    CHECK_HR(os_file_read("/dev/zero", 100, &text, &size), E_INVALIDARG);
    CHECK_HR(os_file_read("/dev/null", 100, &text, &size), E_INVALIDARG);
    REQUIRE_OK(os_file_append("/dev/null", &file));
    CHECK(fcntl(fileno(file), F_GETFD) & FD_CLOEXEC);
    fclose(file);
    CHECK_NULL(text);
    error_clear();
}

TEST(child_of_a_fork_knows_it)
{
    int status = -1;
    os_notice_forks();
    CHECK_FALSE(os_is_forked());
    pid_t pid = fork();
    if (pid == 0)
        _exit(os_is_forked() ? 7 : 1);
    REQUIRE(pid > 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK_FALSE(os_is_forked());
}

static void check_path(char *path, const char *expected)
{
    CHECK_STR_EQ(path, expected);
    free(path);
}

TEST(environment_decides_where_things_are)
{
    CLEANUP(cleanup_free) char *runtime = os_environment("XDG_RUNTIME_DIR");
    CLEANUP(cleanup_free) char *configuration = os_environment("XDG_CONFIG_HOME");
    CLEANUP(cleanup_free) char *chosen = os_environment("VIADUCT_RUNTIME_DIR");
    char expected[64];
    unsetenv("VIADUCT_RUNTIME_DIR");
    setenv("XDG_RUNTIME_DIR", "/run/user/5", 1);
    setenv("XDG_CONFIG_HOME", "/home/x/.config", 1);
    check_path(os_path_runtime(false), "/run/user/5/viaduct");
    check_path(os_path_runtime(true), "/run/viaduct");
    check_path(os_path_configuration(false), "/home/x/.config/viaduct");
    check_path(os_path_configuration(true), "/etc/viaduct");
    setenv("XDG_RUNTIME_DIR", "relative", 1);
    snprintf(expected, sizeof(expected), "/tmp/viaduct-%u", (unsigned)geteuid());
    check_path(os_path_runtime(false), expected);
    setenv("VIADUCT_RUNTIME_DIR", "/chosen", 1);
    check_path(os_path_runtime(false), "/chosen");
    check_path(os_path_runtime(true), "/chosen");
    unsetenv("VIADUCT_RUNTIME_DIR");
    unsetenv("XDG_RUNTIME_DIR");
    unsetenv("XDG_CONFIG_HOME");
    if (runtime)
        setenv("XDG_RUNTIME_DIR", runtime, 1);
    if (configuration)
        setenv("XDG_CONFIG_HOME", configuration, 1);
    if (chosen)
        setenv("VIADUCT_RUNTIME_DIR", chosen, 1);
}

HARNESS_MAIN("os_posix", TEST_ENTRY(module_that_others_can_write_is_refused),
             TEST_ENTRY(module_of_another_user_is_refused),
             TEST_ENTRY(symbolic_link_leads_to_what_is_checked),
             TEST_ENTRY(directory_that_is_not_private_is_refused),
             TEST_ENTRY(directory_in_which_others_can_replace_names_is_refused),
             TEST_ENTRY(absolute_paths_have_no_dots), TEST_ENTRY(failed_write_leaves_the_old_file),
             TEST_ENTRY(pipes_and_devices_are_no_files), TEST_ENTRY(child_of_a_fork_knows_it),
             TEST_ENTRY(environment_decides_where_things_are))
