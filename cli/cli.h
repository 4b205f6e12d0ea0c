/*
 * viaduct, the command-line tool: what its commands share.
 *
 * A command is a function that reads its own options and returns the exit code. Data goes to
 * standard output, everything else to standard error. Failures are printed in full, causes
 * included.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <viaduct/com.h>
#include <viaduct/host.h>

#include "core/util/printf.h"

/* Part of the interface for scripts: never renumbered. README.md lists them. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,      /* the call, or the command, failed */
    CLI_USAGE = 2,       /* wrong options or arguments */
    CLI_UNREACHABLE = 3, /* no host answers */
    CLI_NO_CLASS = 4,    /* the class is not registered */
    CLI_NO_METHOD = 5,   /* the class has no such interface or method */
    CLI_CHECK_FAILED = 6 /* plugin check: a test failed */
};

/* Which of the shared options mean something to a command, and what else is special about it. */
enum cli_command_flag {
    CLI_PRINTS = 1,          /* --json */
    CLI_CONNECTS = 2,        /* --host, --timeout */
    CLI_LISTS = 4,           /* --local, --limit, --after, --running */
    CLI_FREE_ARGUMENTS = 8,  /* behind CLI_FREE_BEHIND arguments the others may look like options */
    CLI_OWN_OPTIONS = 16,    /* it reads its options itself */
    CLI_HIDDEN = 32,         /* not in the help */
    CLI_REGENERATES = 64,    /* --idl, --header */
    CLI_WATCHES = 128,       /* --count; with CLI_FREE_ARGUMENTS, --watch */
    CLI_KNOWS_COM = 256,     /* --user, --machine */
    CLI_REGISTERS_COM = 512, /* --local-server */
    CLI_ANSWERS = 1024,      /* --answer */
    CLI_RELAYS = 2048        /* --access, --trust, --idle, --wait, --network, --messages */
};
#define CLI_FREE_BEHIND 2

struct cli_command {
    const char *name;
    /* The word that has to follow, or NULL. Commands of one name stand together. */
    const char *subcommand;
    const char *arguments; /* for the usage line */
    const char *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
    const char *details;               /* lines for its help, or NULL */
    unsigned flags;
};

extern const struct cli_command cli_commands[]; /* name NULL at the end */

/* --- options --- */

struct cli_options {
    bool json;
    bool local;          /* --local, of `list` */
    bool running;        /* --running, of `list` */
    unsigned limit;      /* --limit N, of `list`; 0: none */
    const char *after;   /* --after CLASS, of `list` */
    bool idl;            /* --idl, of `introspect` */
    bool header;         /* --header, of `introspect` */
    bool watch;          /* --watch, of `call`, `get` and `set` */
    unsigned count;      /* --count N, of `watch` and --watch; 0: any */
    bool user;           /* --user, of `com` */
    bool machine;        /* --machine, of `com` */
    bool local_server;   /* --local-server, of `com register` */
    bool answer;         /* --answer, of `plugin check` */
    const char *host;    /* --host ADDRESS, or the NAME of a peer (`list`) */
    const char *access;  /* --access WHO,..., of `relay` */
    const char *trust;   /* --trust WHO,..., of `relay` */
    unsigned idle_ms;    /* --idle MS, of `relay`; 0: never */
    unsigned wait_ms;    /* --wait MS, of `relay`; 0: the default */
    bool network;        /* --network, of `relay` */
    bool messages;       /* --messages, of `relay` */
    unsigned timeout_ms; /* --timeout MS; 0: the default */
    char **arguments;    /* the other words */
    int n_arguments;
};

/* Reads the words of a command ("list", "com register"); reorders `argv`. -1, or the exit code
 * after help or a complaint. */
int cli_read_options(int argc, char **argv, const char *command, int min_arguments,
                     int max_arguments, struct cli_options *options);
/* Of the commands called `name` the one whose subcommand the words behind it say; the first, where
 * none is. NULL: there is no such command. */
const struct cli_command *cli_find_command(const char *name, int argc, char **argv);
/* How many words in front of the command's name are options. */
int cli_leading_options(int argc, char **argv);
/* Says what is wrong with the words after "viaduct" or, if there is one, the command; CLI_USAGE. */
int cli_fail_usage(const char *command, const char *format, ...) PRINTF_LIKE(2, 3);

/* --- output --- */

/* A whole chain of causes. */
#define CLI_MESSAGE_SIZE 8192

/* From now on failures are printed as JSON: one line on standard error. */
void cli_print_json(void);
bool cli_prints_json(void);
_Noreturn void cli_no_memory(void);

int cli_fail(HRESULT hr, const char *format, ...) PRINTF_LIKE(2, 3);
/* Prints the runtime's latest error; the exit code that fits `hr`. */
int cli_fail_runtime(HRESULT hr);
/* The same with the record of the layers below. */
int cli_fail_record(HRESULT hr);

/* A table: columns are as wide as their widest cell. Cells are copied. What is printed is dropped,
 * so that a long table can be printed in parts; columns only grow then. */
struct cli_table;
struct cli_table *cli_table_new(unsigned n_columns, const char *const *titles);
void cli_table_add(struct cli_table *table, const char *const *cells);
void cli_table_print(struct cli_table *table);
void cli_table_free(struct cli_table *table);

/* Prints and releases it. */
struct json_t;
void cli_print_value(struct json_t *json);

/* UTF-8, for free(); ends the process without memory. */
char *cli_text(BSTR string);
BSTR cli_bstr(const char *text);

/* --- the host --- */

/* Joins the runtime. -1, or the exit code. */
int cli_initialize(const struct cli_options *options);
/* Joins and connects. -1 with the host, or the exit code. */
int cli_connect(const struct cli_options *options, IViaductHost **host);
/* Ends what cli_connect() began; returns `code`. */
int cli_disconnect(IViaductHost *host, int code);

/* --- commands --- */

int command_list(int argc, char **argv);
/* `viaduct list --running`, for command_list(), which has read the options. */
int command_list_running(const struct cli_options *options);
int command_introspect(int argc, char **argv);
int command_call(int argc, char **argv);
int command_get(int argc, char **argv);
int command_set(int argc, char **argv);
int command_watch(int argc, char **argv);
int command_register(int argc, char **argv);
int command_unregister(int argc, char **argv);
int command_describe_module(int argc, char **argv);
int command_status(int argc, char **argv);
int command_plugin(int argc, char **argv);
int command_relay(int argc, char **argv);
int command_idl(int argc, char **argv);
int command_com_register(int argc, char **argv);
int command_com_unregister(int argc, char **argv);
int command_com_list(int argc, char **argv);

#endif
