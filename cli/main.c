/* viaduct: which commands there are, and their help. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "core/os/program.h"

#define COM_DETAILS                                                                              \
    "What is registered is for all users of the machine, or with --user for this one, who then " \
    "need not\n"                                                                                 \
    "be an administrator. On Windows, or under Wine, where a user's own classes are not looked " \
    "at.\n"

const struct cli_command cli_commands[] = {
    {"list", NULL, "", "list the classes that can be created, or what runs", command_list, NULL,
     CLI_PRINTS | CLI_CONNECTS | CLI_LISTS},
    {"introspect", NULL, "CLASS", "show a class' interfaces and methods", command_introspect, NULL,
     CLI_PRINTS | CLI_CONNECTS | CLI_REGENERATES},
    {"call", NULL, "OBJECT METHOD [ARGUMENT...]", "call a method of an object, print the results",
     command_call,
     "OBJECT is a CLASS, of which one is created, or running:NAME for one that a program has\n"
     "published. METHOD is one of its default interface, or INTERFACE.METHOD.\n"
     "ARGUMENTs are the [in] parameters in order: text, numbers, true and false, and JSON for\n"
     "arrays ([1,2]) and structs ({\"a\":1}). They may begin with '-'; one that is spelled like "
     "an\n"
     "option below goes behind --.\n",
     CLI_PRINTS | CLI_CONNECTS | CLI_FREE_ARGUMENTS | CLI_WATCHES},
    {"get", NULL, "OBJECT PROPERTY [INDEX...]", "print a property of an object", command_get,
     "OBJECT is a CLASS, of which one is created, or running:NAME for one that a program has\n"
     "published.\n",
     CLI_PRINTS | CLI_CONNECTS | CLI_FREE_ARGUMENTS | CLI_WATCHES},
    {"set", NULL, "OBJECT PROPERTY [INDEX...] VALUE", "set a property of an object", command_set,
     "OBJECT is a CLASS, of which one is created, or running:NAME for one that a program has\n"
     "published.\n",
     CLI_PRINTS | CLI_CONNECTS | CLI_FREE_ARGUMENTS | CLI_WATCHES},
    {"watch", NULL, "OBJECT [INTERFACE]", "print the events of an object as they come",
     command_watch,
     "OBJECT is a CLASS, of which one is created, or running:NAME for one that a program has\n"
     "published. Each event is a line of JSON; those of one INTERFACE, or all. It ends when the\n"
     "object is gone, after --count, after --timeout, or when it is interrupted.\n",
     CLI_CONNECTS | CLI_WATCHES},
    {"register", NULL, "MODULE", "make a component module's classes known to the host",
     command_register, NULL, CLI_PRINTS | CLI_CONNECTS},
    {"unregister", NULL, "CLASS", "take the component that has the class away from the host",
     command_unregister, NULL, CLI_PRINTS | CLI_CONNECTS},
    {"status", NULL, "", "show what the host does", command_status, NULL,
     CLI_PRINTS | CLI_CONNECTS},
    {"relay", NULL, "LISTEN CONNECT...",
     "join two addresses, pipe:, unix: or tcp:, for any program", command_relay,
     "Whoever connects to LISTEN is joined to CONNECT, or to the first one that can be reached, "
     "until\n"
     "this is interrupted. WHO is everyone, user:NAME, group:NAME, uid:N, gid:N or sid:S-1-...; "
     "this\n"
     "user, root and administrators need no mention. 'relays' in viaductd's configuration does "
     "the\n"
     "same for good.\n",
     CLI_RELAYS},
    {"com", "register", "CLASS", "make a class of Viaduct a COM class of Windows",
     command_com_register, COM_DETAILS,
     CLI_PRINTS | CLI_CONNECTS | CLI_KNOWS_COM | CLI_REGISTERS_COM},
    {"com", "unregister", "CLASS", "take a COM class of Viaduct away", command_com_unregister,
     COM_DETAILS, CLI_PRINTS | CLI_KNOWS_COM},
    {"com", "list", "", "list the classes of Viaduct that are COM classes", command_com_list,
     COM_DETAILS, CLI_PRINTS | CLI_KNOWS_COM},
    {"plugin", "check", "FILE [PEER...]", "test a transport plugin against its contract",
     command_plugin,
     "PEER is the command of another process, a path and arguments, that holds one end of every\n"
     "stream: 'viaduct plugin check --answer FILE' with its own build of the plugin, which may be\n"
     "the other system's. Options of the command go behind --.\n",
     CLI_PRINTS | CLI_ANSWERS | CLI_FREE_ARGUMENTS},
    {"idl", NULL, "FILE [OPTION...]", "compile interface descriptions", command_idl, NULL,
     CLI_OWN_OPTIONS},
    {"describe-module", NULL, "MODULE OUTPUT", "write a module's manifest", command_describe_module,
     NULL, CLI_PRINTS | CLI_HIDDEN},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0},
};

static void print_help(FILE *to)
{
    fputs("Usage: viaduct COMMAND [OPTION...] [ARGUMENT...]\n"
          "Finds components, looks into them and calls them.\n\n",
          to);
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        char usage[64];

        snprintf(usage, sizeof(usage), "%s%s%s %s", command->name, command->subcommand ? " " : "",
                 command->subcommand ? command->subcommand : "", command->arguments);
        if (!(command->flags & CLI_HIDDEN))
            fprintf(to, "  %-36s %s\n", usage, command->summary);
    }
    fputs("\n'viaduct COMMAND --help' says more about one. A CLASS is a ProgID (Viaduct.SysInfo) "
          "or a\n"
          "{CLSID}, with @HOST behind it where it must be that host's (Viaduct.SysInfo@wine).\n"
          "\n"
          "Exit status: 0 done, 1 the call or command failed, 2 wrong usage, 3 no host answers,\n"
          "4 no such class or peer, 5 no such method or interface, 6 a plugin failed its test.\n",
          to);
}

/* Puts the options that stand in front of the command behind it. */
static int run_command(const struct cli_command *command, int n_leading, int argc, char **words)
{
    char *name = words[n_leading];

    if (n_leading > 0 && (command->flags & CLI_OWN_OPTIONS))
        return cli_fail_usage(command->name, "its options stand behind it, not before");
    memmove(words + 1, words, (size_t)n_leading * sizeof(*words));
    words[0] = name;
    return command->run(argc, words);
}

static int run(int argc, char **arguments)
{
    int n_leading = cli_leading_options(argc - 1, arguments + 1);
    const char *first = argc > 1 ? arguments[1] : "", *name = arguments[1 + n_leading];

    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || strcmp(first, "help") == 0) {
        print_help(stdout);
        return CLI_OK;
    }
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0) {
        puts("viaduct " VIADUCT_VERSION);
        return CLI_OK;
    }
    if (!name && n_leading > 0)
        return cli_fail_usage(NULL, "there is no command behind '%.100s'", first);
    if (!name) {
        print_help(stderr);
        return CLI_USAGE;
    }
    const struct cli_command *command =
        cli_find_command(name, argc - 2 - n_leading, arguments + 2 + n_leading);
    if (command)
        return run_command(command, n_leading, argc - 1, arguments + 1);
    return cli_fail_usage(NULL, "there is no command '%.100s'", name);
}

int main(int argc, char **argv)
{
    char **arguments = os_program_start(argc, argv);

    return os_program_end("viaduct", run(argc, arguments));
}
