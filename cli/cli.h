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

struct cli_command {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
    const char *options;               /* lines for its help, or NULL */
    bool hidden;
};

extern const struct cli_command cli_commands[]; /* name NULL at the end */

/* --- options --- */

/* What all commands take besides their own; `json` where the command prints data. */
struct cli_options {
    bool json;
    bool local;          /* --local, of `list` */
    const char *host;    /* --host ADDRESS */
    unsigned timeout_ms; /* --timeout MS; 0: the default */
};

/* Reads them, reordering nothing: what stands behind the first argument that is no option belongs
 * to the command. Returns -1, with the first argument's index in `first`, or the exit code. */
int cli_read_options(int argc, char **argv, const char *command, int min_arguments,
                     int max_arguments, struct cli_options *options, int *first);

/* --- output --- */

int cli_fail(HRESULT hr, const char *format, ...) PRINTF_LIKE(2, 3);
/* Prints the runtime's latest error; the exit code that fits `hr`. */
int cli_fail_runtime(HRESULT hr);
/* The same with the record of the layers below. */
int cli_fail_record(HRESULT hr);

/* A table: columns are as wide as their widest cell. Cells are copied. */
struct cli_table;
struct cli_table *cli_table_new(unsigned n_columns, const char *const *titles);
void cli_table_add(struct cli_table *table, const char *const *cells);
void cli_table_print(struct cli_table *table);
void cli_table_free(struct cli_table *table);

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
int command_introspect(int argc, char **argv);
int command_call(int argc, char **argv);
int command_register(int argc, char **argv);
int command_unregister(int argc, char **argv);
int command_describe_module(int argc, char **argv);
int command_status(int argc, char **argv);
int command_plugin(int argc, char **argv);
int command_idl(int argc, char **argv);

#endif
