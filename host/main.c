/* viaductd: options, and one of its three works: the host, a surrogate, or a look at the
 * configuration. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>
#include <viaduct/host.h>
#include <viaduct/server.h>

#include "core/os/program.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "host/exposed.h"
#include "host/host.h"

/* Exit codes; docs/configuration.md lists them. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3, EXIT_IN_USE = 4 };

enum work { WORK_HOST, WORK_CHECK, WORK_SURROGATE };

struct command {
    enum work work;
    bool system;
    const char *config;
    const char *component; /* of a surrogate */
};

static void print_help(void)
{
    puts("Usage: viaductd [OPTION]...\n"
         "Keeps the registry of components, starts them, and lets other programs find them.\n"
         "\n"
         "      --user           serve this user (the default)\n"
         "      --system         serve the whole machine\n"
         "  -c, --config FILE    the configuration; default: viaductd.json in the user's or the\n"
         "                       system's configuration directory, if there is one\n"
         "      --check-config   read the configuration, say what is wrong, and end\n"
         "      --foreground     stay in the foreground (it always does; for service files that "
         "say so)\n"
         "  -h, --help           print this\n"
         "  -V, --version        print the version\n"
         "\n"
         "It ends on SIGTERM, SIGINT or Ctrl+C, and ends what it has started.\n"
         "Exit status: 0 ended as asked, 1 failed, 2 wrong usage, 3 wrong configuration,\n"
         "4 another host serves the address.");
}

static const struct option options[] = {
    {"user", no_argument, NULL, 'u'},
    {"system", no_argument, NULL, 's'},
    {"config", required_argument, NULL, 'c'},
    {"check-config", no_argument, NULL, 'k'},
    {"foreground", no_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {"surrogate", required_argument, NULL, 'S'},
    {NULL, 0, NULL, 0},
};

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct command *command)
{
    int option;

    while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        switch (option) {
        case 'u':
        case 's':
            command->system = option == 's';
            break;
        case 'c':
            command->config = optarg;
            break;
        case 'k':
            command->work = WORK_CHECK;
            break;
        case 'f':
            break;
        case 'S':
            command->work = WORK_SURROGATE;
            command->component = optarg;
            break;
        case 'h':
            print_help();
            return EXIT_OK;
        case 'V':
            puts("viaductd " VIADUCT_VERSION);
            return EXIT_OK;
        default:
            fputs("Try 'viaductd --help'.\n", stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "viaductd: unexpected argument '%s'\nTry 'viaductd --help'.\n",
                argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

static int print_failure(HRESULT hr, int code)
{
    char text[4 * ERROR_TEXT_SIZE];

    fprintf(stderr, "viaductd: %s\n", error_format(error_get(), hr, text, sizeof(text)));
    return code;
}

static int print_runtime_failure(HRESULT hr)
{
    char text[4 * ERROR_TEXT_SIZE];

    fprintf(stderr, "viaductd: %s\n", via_error_message(hr, text, sizeof(text)));
    return EXIT_FAILED;
}

static int run_surrogate(const char *path)
{
    const struct via_component *component;
    HRESULT hr = via_component_load(path, &component);

    if (SUCCEEDED(hr))
        hr = via_component_serve(component);
    return FAILED(hr) ? print_runtime_failure(hr) : EXIT_OK;
}

/* Until it is asked to end. */
static int serve(const struct configuration *configuration)
{
    struct host *host = NULL;
    HRESULT hr = host_start(configuration, &host);
    int code = EXIT_OK;

    if (SUCCEEDED(hr)) {
        log_info("host", "ready");
        log_info("host", "ending: %s", os_program_wait_stop());
    } else {
        code = print_failure(hr, hr == VIA_E_ADDRESS_IN_USE ? EXIT_IN_USE
                                 : hr == VIA_E_CONFIG       ? EXIT_CONFIG
                                                            : EXIT_FAILED);
    }
    if (host)
        host_stop(host);
    via_uninitialize();
    host_free(host);
    if (code == EXIT_OK)
        log_info("host", "ended");
    return code;
}

/* What else than the configuration's own text is wrong. */
static int check_exposed(const struct configuration *configuration)
{
    HRESULT hr = exposed_check(configuration);

    if (FAILED(hr))
        return print_failure(hr, EXIT_CONFIG);
    printf("%s is valid\n",
           configuration->path ? configuration->path : "the default configuration");
    return EXIT_OK;
}

static int run_host(const struct configuration *configuration)
{
    struct via_options runtime = {
        .size = sizeof(runtime),
        .plugin_directories = (const char *const *)configuration->plugin_directories,
        .host_address = configuration->listen[0],
        .agent = "viaductd " VIADUCT_VERSION,
        .call_timeout_ms = configuration->call_timeout_ms,
        .max_workers = configuration->max_workers,
    };
    HRESULT hr = S_OK;

    log_set_level(configuration->log_level);
    if (configuration->log_file)
        hr = log_set_file(configuration->log_file);
    if (SUCCEEDED(hr))
        hr = os_program_catch_stop();
    if (FAILED(hr))
        return print_failure(hr, EXIT_FAILED);
    hr = via_initialize(&runtime);
    return FAILED(hr) ? print_runtime_failure(hr) : serve(configuration);
}

static int run(int argc, char **arguments)
{
    struct configuration *configuration;
    struct command command = {.work = WORK_HOST};
    int code = read_options(argc, arguments, &command);
    HRESULT hr;

    if (code >= 0)
        return code;
    if (command.work == WORK_SURROGATE)
        return run_surrogate(command.component);
    hr = configuration_load(command.config, command.system, &configuration);
    if (FAILED(hr))
        return print_failure(hr, EXIT_CONFIG);
    if (command.work == WORK_CHECK)
        code = check_exposed(configuration);
    else
        code = run_host(configuration);
    configuration_free(configuration);
    return code < 0 ? EXIT_OK : code;
}

int main(int argc, char **argv)
{
    char **arguments = os_program_start(argc, argv);

    os_program_share_memory();
    return os_program_end("viaductd", run(argc, arguments));
}
