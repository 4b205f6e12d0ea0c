/* viaduct: which commands there are, and their help. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "core/os/program.h"

const struct cli_command cli_commands[] = {
    {"list", "[--local]", "list the classes that can be created", command_list,
     "      --local          without the classes of peered hosts\n", false},
    {"introspect", "CLASS", "show a class' interfaces and methods", command_introspect, NULL,
     false},
    {"call", "CLASS METHOD [ARGUMENT...]",
     "create an object, call a method of it, print the results", command_call,
     "METHOD is one of the class' default interface, or INTERFACE.METHOD.\n"
     "ARGUMENTs are the [in] parameters in order: text, numbers, true and false, and JSON for\n"
     "arrays ([1,2]) and structs ({\"a\":1}). Behind -- they may begin with '-'.\n",
     false},
    {"register", "MODULE", "make a component module's classes known to the host", command_register,
     NULL, false},
    {"unregister", "CLASS", "take the component that has the class away from the host",
     command_unregister, NULL, false},
    {"status", "", "show what the host does", command_status, NULL, false},
    {"plugin", "check FILE", "test a transport plugin against its contract", command_plugin, NULL,
     false},
    {"idl", "FILE [OPTION...]", "compile interface descriptions", command_idl, NULL, false},
    {"describe-module", "MODULE OUTPUT", "write a module's manifest", command_describe_module, NULL,
     true},
    {NULL, NULL, NULL, NULL, NULL, false},
};

static void print_help(FILE *to)
{
    fputs("Usage: viaduct COMMAND [OPTION...] [ARGUMENT...]\n"
          "Finds components, looks into them and calls them.\n\n",
          to);
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        char usage[64];

        snprintf(usage, sizeof(usage), "%s %s", command->name, command->arguments);
        if (!command->hidden)
            fprintf(to, "  %-32s %s\n", usage, command->summary);
    }
    fputs("\n'viaduct COMMAND --help' says more about one. A CLASS is a ProgID (Viaduct.SysInfo) "
          "or a\n"
          "{CLSID}, with @HOST behind it where it must be that host's (Viaduct.SysInfo@wine).\n"
          "\n"
          "Exit status: 0 done, 1 the call or command failed, 2 wrong usage, 3 no host answers,\n"
          "4 no such class, 5 no such method or interface, 6 a plugin failed its test.\n",
          to);
}

static int run(int argc, char **arguments)
{
    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0 ||
        strcmp(arguments[1], "help") == 0) {
        print_help(stdout);
        return CLI_OK;
    }
    if (strcmp(arguments[1], "--version") == 0 || strcmp(arguments[1], "-V") == 0) {
        puts("viaduct " VIADUCT_VERSION);
        return CLI_OK;
    }
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        if (strcmp(command->name, arguments[1]) == 0)
            return command->run(argc - 1, arguments + 1);
    }
    fprintf(stderr, "viaduct: there is no command '%.100s'\nTry 'viaduct --help'.\n", arguments[1]);
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    char **arguments = os_program_start(argc, argv);

    return os_program_end("viaduct", run(argc, arguments));
}
