/*
 * The options that commands share, and each command's help.
 *
 * Options may stand before the command, behind it and among its arguments. Where what follows is
 * another's (the arguments of a called method: negative numbers, any text), only this tool's long
 * options are options, spelled in full, and none behind "--".
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* Which commands take it, and its help. */
static const struct known_option {
    struct option option;
    unsigned needs; /* of enum cli_command_flag */
    const char *help;
} known_options[] = {
    {{"local", no_argument, NULL, 'l'},
     CLI_LISTS,
     "      --local          without the classes of peered hosts\n"},
    {{"limit", required_argument, NULL, 'n'},
     CLI_LISTS,
     "      --limit N        at most so many classes\n"},
    {{"after", required_argument, NULL, 'a'},
     CLI_LISTS,
     "      --after CLASS    only those that come behind this one in the list\n"},
    {{"running", no_argument, NULL, 'r'},
     CLI_LISTS,
     "      --running        the objects that run under a name, not the classes\n"},
    {{"idl", no_argument, NULL, 'I'},
     CLI_REGENERATES,
     "      --idl            print the IDL of its type library, made from the description\n"},
    {{"header", no_argument, NULL, 'C'},
     CLI_REGENERATES,
     "      --header         print the header that viaduct-idl makes of that; with\n"
     "                       VIADUCT_TABLES defined it has the ids and tables too\n"},
    {{"watch", no_argument, NULL, 'o'},
     CLI_WATCHES | CLI_FREE_ARGUMENTS,
     "      --watch          print the object's events, from the call on until --count,\n"
     "                       --timeout, an interrupt, or the object's end\n"},
    {{"count", required_argument, NULL, 'c'},
     CLI_WATCHES,
     "      --count N        end after so many events\n"},
    {{"user", no_argument, NULL, 'u'},
     CLI_KNOWS_COM,
     "      --user           for this user only\n"},
    {{"machine", no_argument, NULL, 'm'},
     CLI_KNOWS_COM,
     "      --machine        for the whole machine (default)\n"},
    {{"local-server", no_argument, NULL, 's'},
     CLI_REGISTERS_COM,
     "      --local-server   for clients, too, that ask for a server in another process\n"},
    {{"answer", no_argument, NULL, 'A'},
     CLI_ANSWERS,
     "      --answer         be the PEER of another check, on standard input and output\n"},
    {{"access", required_argument, NULL, 'W'},
     CLI_RELAYS,
     "      --access WHO,... who may connect besides this user\n"},
    {{"trust", required_argument, NULL, 'T'},
     CLI_RELAYS,
     "      --trust WHO,...  who may be the server at CONNECT besides this user\n"},
    {{"idle", required_argument, NULL, 'i'},
     CLI_RELAYS,
     "      --idle MS        disconnect a client that is idle for so long (default: never)\n"},
    {{"wait", required_argument, NULL, 'w'},
     CLI_RELAYS,
     "      --wait MS        how long a client waits for a target that is missing (2000)\n"},
    {{"network", no_argument, NULL, 'N'},
     CLI_RELAYS,
     "      --network        allow tcp: addresses that other machines can reach\n"},
    {{"messages", no_argument, NULL, 'M'},
     CLI_RELAYS,
     "      --messages       LISTEN is a pipe in message mode\n"},
    {{"json", no_argument, NULL, 'j'},
     CLI_PRINTS,
     "      --json           print data, and what fails, as JSON\n"},
    {{"host", required_argument, NULL, 'H'},
     CLI_CONNECTS,
     "      --host ADDRESS   ask the host at this address (default: $VIADUCT_HOST, else the\n"
     "                       user's host, else the system's); of `list` also the NAME of\n"
     "                       a peered host, for its classes\n"},
    {{"timeout", required_argument, NULL, 't'},
     CLI_CONNECTS,
     "      --timeout MS     give up after so many milliseconds\n"},
    {{"help", no_argument, NULL, 'h'}, 0, "  -h, --help           print this\n"},
};
#define N_OPTIONS (sizeof(known_options) / sizeof(known_options[0]))

static bool takes(const struct cli_command *command, const struct known_option *known)
{
    return (command->flags & known->needs) == known->needs;
}

/* "list", "com register"; a name alone is that of the first one. */
static const struct cli_command *find_command(const char *name)
{
    const struct cli_command *command = cli_commands;
    size_t length = strcspn(name, " ");
    const char *word = name[length] ? name + length + 1 : NULL;

    while (strlen(command->name) != length || strncmp(command->name, name, length) != 0 ||
           (word && strcmp(command->subcommand, word) != 0))
        command++;
    return command;
}

const struct cli_command *cli_find_command(const char *name, int argc, char **argv)
{
    const struct cli_command *first = cli_commands;

    while (first->name && strcmp(first->name, name) != 0)
        first++;
    for (const struct cli_command *command = first; command->name; command++) {
        if (strcmp(command->name, name) != 0 || !command->subcommand)
            break;
        for (int i = 0; i < argc; i++) {
            if (strcmp(argv[i], command->subcommand) == 0)
                return command;
            if (argv[i][0] != '-')
                break;
        }
    }
    return first->name ? first : NULL;
}

static void print_usage(FILE *to, const struct cli_command *command)
{
    fprintf(to, "Usage: viaduct %s%s%s [OPTION...]%s%s\n", command->name,
            command->subcommand ? " " : "", command->subcommand ? command->subcommand : "",
            *command->arguments ? " " : "", command->arguments);
}

/* "'com register', 'com list'" */
static const char *list_subcommands(const char *name, char *text, size_t size)
{
    size_t used = 0;

    text[0] = 0;
    for (const struct cli_command *command = cli_commands; command->name; command++)
        if (strcmp(command->name, name) == 0 && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s'%s %s'", used ? ", " : "", name,
                                     command->subcommand);
    return text;
}

/* The command and those behind it that have its name. */
static void print_subcommands(const struct cli_command *first)
{
    const struct cli_command *command = first;

    for (; command->name && strcmp(command->name, first->name) == 0; command++) {
        print_usage(stdout, command);
        printf("    %s\n", command->summary);
    }
    printf("\n'viaduct %s SUBCOMMAND --help' says more about one.\n", first->name);
}

/* `is_said`: its subcommand, if it has one; else it is the first of its name. */
static void print_help(const struct cli_command *command, bool is_said)
{
    if (!is_said && command[1].name && strcmp(command[1].name, command->name) == 0) {
        print_subcommands(command);
        return;
    }
    print_usage(stdout, command);
    printf("%c%s.\n\n", command->summary[0] - 'a' + 'A', command->summary + 1);
    if (command->details)
        printf("%s\n", command->details);
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (takes(command, &known_options[i]))
            fputs(known_options[i].help, stdout);
}

int cli_fail_usage(const char *command, const char *format, ...)
{
    char text[CLI_MESSAGE_SIZE], place[64];
    va_list arguments;

    snprintf(place, sizeof(place), "%s%s", command ? " " : "", command ? command : "");
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (cli_prints_json())
        cli_fail(E_INVALIDARG, "%s", text);
    else
        fprintf(stderr, "viaduct%s: %s\nTry 'viaduct%s --help'.\n", place, text, place);
    return CLI_USAGE;
}

static int wrong_number(const struct cli_command *command, const char *what)
{
    if (cli_prints_json())
        return cli_fail_usage(command->name, "%s", what);
    fprintf(stderr, "viaduct %s: %s\n", command->name, what);
    print_usage(stderr, command);
    return CLI_USAGE;
}

static int read_number(const char *command, const char *text, const char *what, unsigned long most,
                       unsigned *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*end || end == text || value == 0 || value > most)
        return cli_fail_usage(command, "'%.60s' is no %s, 1 to %lu", text, what, most);
    *number = (unsigned)value;
    return -1;
}

/* `word`: the option as it was written. */
static int read_option(int option, const char *word, const struct cli_command *command,
                       struct cli_options *options)
{
    switch (option) {
    case 'j':
        options->json = true;
        return -1;
    case 'I':
        options->idl = true;
        return -1;
    case 'C':
        options->header = true;
        return -1;
    case 'A':
        options->answer = true;
        return -1;
    case 'o':
        options->watch = true;
        return -1;
    case 'c':
        return read_number(command->name, optarg, "number of events", 1000000000, &options->count);
    case 'u':
        options->user = true;
        return -1;
    case 'm':
        options->machine = true;
        return -1;
    case 's':
        options->local_server = true;
        return -1;
    case 'W':
        options->access = optarg;
        return -1;
    case 'T':
        options->trust = optarg;
        return -1;
    case 'i':
        return read_number(command->name, optarg, "time in milliseconds", 86400000,
                           &options->idle_ms);
    case 'w':
        return read_number(command->name, optarg, "time in milliseconds", 86400000,
                           &options->wait_ms);
    case 'N':
        options->network = true;
        return -1;
    case 'M':
        options->messages = true;
        return -1;
    case 'l':
        options->local = true;
        return -1;
    case 'r':
        options->running = true;
        return -1;
    case 'H':
        options->host = optarg;
        return -1;
    case 't':
        return read_number(command->name, optarg, "time in milliseconds", 86400000,
                           &options->timeout_ms);
    case 'n':
        return read_number(command->name, optarg, "number of classes", 1000000000, &options->limit);
    case 'a':
        options->after = optarg;
        return -1;
    case ':':
        return cli_fail_usage(command->name, "option '%.60s' requires an argument", word);
    default:
        return cli_fail_usage(command->name, "unrecognized option '%.60s'", word);
    }
}

/* --- which words are options --- */

/* "--host", "--host=ADDRESS"; with `shortened` "--ho" too. */
static const struct known_option *find_option(const char *word, bool shortened)
{
    size_t size = strcspn(word, "=");

    for (size_t i = 0; i < N_OPTIONS; i++) {
        const char *name = known_options[i].option.name;

        if (size > 2 && strncmp(word, "--", 2) == 0 && strncmp(word + 2, name, size - 2) == 0 &&
            (shortened || strlen(name) == size - 2))
            return &known_options[i];
    }
    return NULL;
}

static bool takes_next_word(const char *word)
{
    const struct known_option *known = find_option(word, true);

    return known && known->option.has_arg == required_argument && !strchr(word, '=');
}

static bool is_option(const struct cli_command *command, const char *word, int n_arguments)
{
    bool is_free = (command->flags & CLI_FREE_ARGUMENTS) && n_arguments >= CLI_FREE_BEHIND;

    return word[0] == '-' && word[1] && (!is_free || find_option(word, false));
}

int cli_leading_options(int argc, char **argv)
{
    int n = 0;

    for (; n < argc && argv[n][0] == '-'; n++) {
        if (strcmp(argv[n], "--json") == 0)
            cli_print_json();
        if (takes_next_word(argv[n]) && n + 1 < argc)
            n++;
    }
    return n;
}

/* Puts the options behind argv[0], then the arguments, without the first "--". Gives the number of
 * the options' words, and takes one from *argc for the "--". */
static int sort_words(const struct cli_command *command, int *argc, char **argv)
{
    char **arguments = calloc((size_t)*argc + 1, sizeof(*arguments));
    int n_options = 0, n_arguments = 0;
    bool is_behind = false;

    if (!arguments)
        cli_no_memory();
    for (int i = 1; i < *argc; i++) {
        char *word = argv[i];

        if (!is_behind && strcmp(word, "--") == 0) {
            is_behind = true;
        } else if (is_behind || !is_option(command, word, n_arguments)) {
            arguments[n_arguments++] = word;
        } else {
            argv[1 + n_options++] = word;
            if (strcmp(word, "--json") == 0)
                cli_print_json();
            if (takes_next_word(word) && i + 1 < *argc)
                argv[1 + n_options++] = argv[++i];
        }
    }
    memcpy(argv + 1 + n_options, arguments, (size_t)n_arguments * sizeof(*arguments));
    *argc = 1 + n_options + n_arguments;
    free(arguments);
    return n_options;
}

/* Those that the command takes, for getopt. */
static void list_options(const struct cli_command *command, struct option list[N_OPTIONS + 1])
{
    size_t n = 0;

    for (size_t i = 0; i < N_OPTIONS; i++)
        if (takes(command, &known_options[i]))
            list[n++] = known_options[i].option;
    memset(&list[n], 0, sizeof(list[n]));
}

static bool says_subcommand(const struct cli_command *command, int n_words, char **words)
{
    return !command->subcommand || (n_words > 0 && strcmp(words[0], command->subcommand) == 0);
}

int cli_read_options(int argc, char **argv, const char *name, int min_arguments, int max_arguments,
                     struct cli_options *options)
{
    const struct cli_command *command = find_command(name);
    struct option list[N_OPTIONS + 1];
    int option, code, n_options = sort_words(command, &argc, argv);
    int n_own = command->subcommand ? 1 : 0, n_words = argc - 1 - n_options;
    char known[128], **words = argv + 1 + n_options;

    memset(options, 0, sizeof(*options));
    list_options(command, list);
    optind = 1;
    while ((option = getopt_long(1 + n_options, argv, ":h", list, NULL)) != -1) {
        if (option == 'h') {
            print_help(command, says_subcommand(command, n_words, words));
            return CLI_OK;
        }
        code = read_option(option, argv[optind - 1], command, options);
        if (code >= 0)
            return code;
    }
    options->arguments = words + n_own;
    options->n_arguments = n_words - n_own;
    if (options->n_arguments < 0)
        return cli_fail_usage(command->name, "a subcommand is missing; there is %s",
                              list_subcommands(command->name, known, sizeof(known)));
    if (!says_subcommand(command, n_words, words))
        return cli_fail_usage(command->name, "there is %s, and no '%s %.60s'",
                              list_subcommands(command->name, known, sizeof(known)), command->name,
                              words[0]);
    if (options->n_arguments < min_arguments)
        return wrong_number(command, "too few arguments");
    if (options->n_arguments > max_arguments)
        return wrong_number(command, "too many arguments");
    if (options->user && options->machine)
        return cli_fail_usage(command->name, "--user and --machine exclude each other");
    return -1;
}
