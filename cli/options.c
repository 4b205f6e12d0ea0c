/* The options that all commands share, and each command's help. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const struct cli_command *find_command(const char *name)
{
    const struct cli_command *command = cli_commands;

    while (strcmp(command->name, name) != 0)
        command++;
    return command;
}

static void print_usage(FILE *to, const struct cli_command *command)
{
    fprintf(to, "Usage: viaduct %s [OPTION...] %s\n", command->name, command->arguments);
}

static void print_help(const struct cli_command *command)
{
    print_usage(stdout, command);
    printf("%c%s.\n\n", command->summary[0] - 'a' + 'A', command->summary + 1);
    if (command->options)
        fputs(command->options, stdout);
    puts("      --json           print data as JSON\n"
         "      --host ADDRESS   ask the host at this address (default: $VIADUCT_HOST, else the\n"
         "                       user's host, else the system's)\n"
         "      --timeout MS     give up after so many milliseconds\n"
         "  -h, --help           print this");
}

static int read_timeout(const char *text, unsigned *timeout_ms)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*end || end == text || value == 0 || value > 86400000) {
        fprintf(stderr, "viaduct: '%.60s' is no time in milliseconds, 1 to 86400000\n", text);
        return CLI_USAGE;
    }
    *timeout_ms = (unsigned)value;
    return -1;
}

static int read_option(int option, const struct cli_command *command, struct cli_options *options)
{
    switch (option) {
    case 'j':
        options->json = true;
        return -1;
    case 'l':
        options->local = true;
        return -1;
    case 'H':
        options->host = optarg;
        return -1;
    case 't':
        return read_timeout(optarg, &options->timeout_ms);
    case 'h':
        print_help(command);
        return CLI_OK;
    default:
        fprintf(stderr, "Try 'viaduct %s --help'.\n", command->name);
        return CLI_USAGE;
    }
}

int cli_read_options(int argc, char **argv, const char *name, int min_arguments, int max_arguments,
                     struct cli_options *options, int *first)
{
    static const struct option known[] = {
        {"json", no_argument, NULL, 'j'},       {"local", no_argument, NULL, 'l'},
        {"host", required_argument, NULL, 'H'}, {"timeout", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
    };
    const struct cli_command *command = find_command(name);
    char program[64];
    int option, code;

    memset(options, 0, sizeof(*options));
    snprintf(program, sizeof(program), "viaduct %s", name);
    argv[0] = program; /* with which getopt's complaints begin */
    optind = 1;
    /* '+': options end at the first argument, so that a negative number is an argument. */
    while ((option = getopt_long(argc, argv, "+h", known, NULL)) != -1) {
        code = read_option(option, command, options);
        if (code >= 0)
            return code;
    }
    /* Behind the arguments these are welcome too, where no argument can look like them. */
    while (max_arguments < 1000 && argc > optind && argc > 1 &&
           (strcmp(argv[argc - 1], "--json") == 0 || strcmp(argv[argc - 1], "--help") == 0)) {
        code = read_option(argv[--argc][2], command, options);
        if (code >= 0)
            return code;
    }
    if (argc - optind < min_arguments || argc - optind > max_arguments) {
        fprintf(stderr, "viaduct: %s arguments\n",
                argc - optind < min_arguments ? "too few" : "too many");
        print_usage(stderr, command);
        return CLI_USAGE;
    }
    *first = optind;
    return -1;
}
