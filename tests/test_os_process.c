/* Children: what they are given, what they inherit, how they end. The child is this program. */
#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/os/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"
#include "tests/os/descriptors.h"

#define MAX_ARGUMENTS 16

/* Starts this program as `--child` with the arguments behind it. */
static HRESULT start(const char *const *arguments, const char *const *environment,
                     const char *stderr_path, struct os_process **process)
{
    CLEANUP(cleanup_free) char *program = os_path_program();
    const char *all[MAX_ARGUMENTS] = {program, "--child"};
    for (size_t i = 0; arguments[i] && i + 3 < MAX_ARGUMENTS; i++)
        all[i + 2] = arguments[i];
    struct os_spawn_options options = {
        .arguments = all, .environment = environment, .stderr_path = stderr_path};
    return os_process_spawn(&options, process);
}

static const char *const sleeps[] = {"sleep", NULL};

TEST(exit_status_is_collected_once_for_all)
{
    static const char *const arguments[] = {"exit", "7", NULL};
    struct os_process *process;
    struct os_exit_status status = {.by_signal = true};
    char text[100];
    REQUIRE_OK(start(arguments, NULL, NULL, &process));
    CHECK(os_process_pid(process) != os_process_id());
    CHECK_OK(os_process_wait(process, os_deadline_ms(15000), &status));
    CHECK_FALSE(status.by_signal);
    CHECK_EQ(status.code, 7);
    status.code = 0;
    CHECK_OK(os_process_wait(process, 0, &status));
    CHECK_EQ(status.code, 7);
    CHECK_STR_EQ(os_exit_status_format(&status, text, sizeof(text)), "exited with status 7");
    os_process_kill(process); /* too late, and harmless */
    os_process_free(process);
    os_process_free(NULL);
}

TEST(waiting_ends_at_its_deadline_and_killing_ends_the_child)
{
    struct os_process *process;
    struct os_exit_status status = {0};
    char text[100];
    REQUIRE_OK(start(sleeps, NULL, NULL, &process));
    CHECK_HR(os_process_wait(process, 0, &status), RPC_E_TIMEOUT);
    uint64_t deadline = os_deadline_ms(20);
    CHECK_HR(os_process_wait(process, deadline, &status), RPC_E_TIMEOUT);
    CHECK(os_now_ns() >= deadline);
    os_process_kill(process);
    CHECK_OK(os_process_wait(process, OS_NEVER, &status));
    os_exit_status_format(&status, text, sizeof(text));
    if (status.by_signal)
        CHECK_STR_EQ(text, "was killed by signal 9 (SIGKILL)");
    else
        CHECK_STR_EQ(text, "exited with status 1");
    os_process_free(process);
}

TEST(termination_is_asked_for)
{
    struct os_process *process;
    struct os_exit_status status;
    REQUIRE_OK(start(sleeps, NULL, NULL, &process));
    os_process_terminate(process);
    CHECK_OK(os_process_wait(process, os_deadline_ms(15000), &status));
    CHECK_EQ(status.code, status.by_signal ? 15 : 1);
    os_process_free(process);
}

TEST(absent_program_is_named)
{
    CLEANUP(cleanup_free) char *path = os_path_join(harness_temporary_directory(), "absent");
    const char *arguments[] = {path, NULL};
    struct os_spawn_options options = {.arguments = arguments};
    struct os_process *process = NULL;
    CHECK_HR(os_process_spawn(&options, &process), CO_E_SERVER_EXEC_FAILURE);
    CHECK_STR_HAS(error_get() ? error_get()->text : "", path);
    CHECK_NULL(process);
    error_clear();
}

/* What the child wrote to its standard error, for free(). */
static char *run(const char *const *arguments, const char *const *environment)
{
    CLEANUP(cleanup_free) char *path = os_path_join(harness_temporary_directory(), "stderr.txt");
    struct os_process *process;
    struct os_exit_status status = {.code = -1};
    char *text = NULL;
    size_t size;
    if (!CHECK_OK(start(arguments, environment, path, &process)))
        return NULL;
    CHECK_OK(os_process_wait(process, os_deadline_ms(15000), &status));
    CHECK_EQ(status.code, 0);
    os_process_free(process);
    CHECK_OK(os_file_read(path, 100000, &text, &size));
    return text;
}

TEST(arguments_arrive_as_they_were)
{
    static const char *const arguments[] = {
        "arguments", "plain", "",      "two words", "quo\"te", "back\\slash",        "end\\",
        "a b\\",     "\\\"",  "tab\t", "*.c",       "%PATH%",  "gr\xC3\xBC\xC3\x9F", NULL};
    CLEANUP(cleanup_free) char *text = run(arguments, NULL);
    REQUIRE_NOT_NULL(text);
    char *line = text;
    for (size_t i = 1; arguments[i]; i++) {
        char *end = strchr(line, '\n');
        REQUIRE_NOT_NULL(end);
        *end = 0;
        CHECK_STR_EQ(line, arguments[i]);
        line = end + 1;
    }
    CHECK_STR_EQ(line, "");
}

TEST(environment_is_added_to_and_replaced)
{
    static const char *const arguments[] = {"environment", "VIADUCT_A", "VIADUCT_B", "VIADUCT_C",
                                            NULL};
    static const char *const first[] = {"VIADUCT_A=one=two", "VIADUCT_B=\xE2\x82\xAC", NULL};
    CLEANUP(cleanup_free) char *text = run(arguments, first);
    CHECK_STR_EQ(text, "one=two\n\xE2\x82\xAC\n-\n");
    CLEANUP(cleanup_free) char *path = os_environment("PATH");
    static const char *const asks[] = {"environment", "PATH", NULL};
    CLEANUP(cleanup_free) char *inherited = run(asks, NULL);
    REQUIRE_NOT_NULL(inherited);
    CHECK_STR_HAS(inherited, path); /* behind the lines of the first child */
    static const char *const second[] = {"PATH=elsewhere", NULL};
    CLEANUP(cleanup_free) char *replaced = run(asks, second);
    REQUIRE_NOT_NULL(replaced);
    size_t size = strlen(replaced);
    CHECK(size > 10 && strcmp(replaced + size - 10, "elsewhere\n") == 0);
}

TEST(nothing_else_is_inherited)
{
    struct descriptors_leak leak;
    if (!descriptors_leak_open(&leak))
        SKIP("no inheritable descriptor can be made here");
    const char *arguments[] = {"open", leak.name, NULL};
    CLEANUP(cleanup_free) char *text = run(arguments, NULL);
    CHECK_STR_EQ(text, "closed\n");
    descriptors_leak_close(&leak);
}

/* ---- the child ---- */

static void say_environment(char **names)
{
    for (; *names; names++) {
        char *value = os_environment(*names);
        fprintf(stderr, "%s\n", value ? value : "-");
        free(value);
    }
}

TEST(standard_input_and_output_are_pipes)
{
    CLEANUP(cleanup_free) char *program = os_path_program();
    const char *const arguments[] = {program, "--child", "echo", NULL};
    char received[64] = "";
    FILE *to, *from;
    struct os_spawn_options options = {
        .arguments = arguments, .to_stdin = &to, .from_stdout = &from};
    struct os_process *process;
    struct os_exit_status status = {.code = 1};
    REQUIRE_OK(os_process_spawn(&options, &process));
    for (int i = 0; i < 2; i++) {
        CHECK(fputs("there and back\n", to) >= 0);
        CHECK_EQ(fflush(to), 0);
        CHECK(fgets(received, sizeof(received), from) != NULL);
        received[strcspn(received, "\r\n")] = 0;
        CHECK_STR_EQ(received, "there and back");
    }
    CHECK_EQ(fclose(to), 0);
    CHECK(fgets(received, sizeof(received), from) == NULL);
    fclose(from);
    CHECK_OK(os_process_wait(process, os_deadline_ms(15000), &status));
    CHECK_EQ(status.code, 0);
    os_process_free(process);
}

/* Nothing of the pipes is left either; the leak check looks. */
TEST(absent_program_gets_no_pipes)
{
    const char *const arguments[] = {"/nonexistent/program", NULL};
    FILE *to, *from;
    struct os_spawn_options options = {
        .arguments = arguments, .to_stdin = &to, .from_stdout = &from};
    struct os_process *process;
    CHECK_HR(os_process_spawn(&options, &process), CO_E_SERVER_EXEC_FAILURE);
    error_clear();
}

/* Until its input ends. */
static int echo(void)
{
    char line[64];
    while (fgets(line, sizeof(line), stdin)) {
        fputs(line, stdout);
        fflush(stdout);
    }
    return 0;
}

static int child(char **arguments)
{
    if (!strcmp(arguments[0], "sleep"))
        os_sleep_ms(30000);
    else if (!strcmp(arguments[0], "echo"))
        return echo();
    else if (!strcmp(arguments[0], "exit"))
        return atoi(arguments[1]);
    else if (!strcmp(arguments[0], "arguments"))
        for (char **argument = arguments + 1; *argument; argument++)
            fprintf(stderr, "%s\n", *argument);
    else if (!strcmp(arguments[0], "environment"))
        say_environment(arguments + 1);
    else if (!strcmp(arguments[0], "open"))
        fprintf(stderr, "%s\n", descriptors_leak_is_open(arguments[1]) ? "open" : "closed");
    return 0;
}

static const struct harness_test tests[] = {
    TEST_ENTRY(exit_status_is_collected_once_for_all),
    TEST_ENTRY(waiting_ends_at_its_deadline_and_killing_ends_the_child),
    TEST_ENTRY(termination_is_asked_for),
    TEST_ENTRY(absent_program_is_named),
    TEST_ENTRY(arguments_arrive_as_they_were),
    TEST_ENTRY(environment_is_added_to_and_replaced),
    TEST_ENTRY(nothing_else_is_inherited),
    TEST_ENTRY(standard_input_and_output_are_pipes),
    TEST_ENTRY(absent_program_gets_no_pipes),
};

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--child") == 0)
        return child(os_program_start(argc, argv) + 2);
    return harness_run("os_process", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
