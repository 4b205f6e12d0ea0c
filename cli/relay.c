/* viaduct relay: one relay, in the foreground. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/relay.h>
#include <viaduct/runtime.h>

#include "cli/cli.h"
#include "core/os/program.h"
#include "core/util/log.h"
#include "core/util/strings.h"

#define MAX_TARGETS 16

/* "a,b" as a list for strings_free(); NULL: there is none. */
static char **split(const char *text)
{
    char **list = NULL;

    for (const char *word = text; word && *word;) {
        size_t length = strcspn(word, ",");
        char *copy = calloc(length + 1, 1);

        if (copy)
            memcpy(copy, word, length);
        if (FAILED(strings_append(&list, copy)))
            cli_no_memory();
        word += length + (word[length] == ',');
    }
    return list;
}

static int run(const struct cli_options *options, char **access, char **trust)
{
    struct via_relay_options relay_options = {
        .size = sizeof(relay_options),
        .flags = (options->network ? VIA_RELAY_NETWORK : 0) |
                 (options->messages ? VIA_RELAY_MESSAGES : 0),
        .listen = options->arguments[0],
        .connect = (const char *const *)(options->arguments + 1),
        .access = (const char *const *)access,
        .trust = (const char *const *)trust,
        .idle_timeout_ms = options->idle_ms,
        .connect_timeout_ms = options->wait_ms,
    };
    struct via_relay *relay;
    HRESULT hr = via_relay_start(&relay_options, &relay);

    if (FAILED(hr)) {
        int code = cli_fail_runtime(hr);

        /* An address or a WHO that is none. */
        return hr == VIA_E_ADDRESS || hr == E_INVALIDARG ? CLI_USAGE : code;
    }
    fprintf(stderr, "viaduct: relaying %s to %s\n", options->arguments[0], options->arguments[1]);
    os_program_wait_stop();
    via_relay_stop(relay);
    return CLI_OK;
}

int command_relay(int argc, char **argv)
{
    struct cli_options options;
    char **access, **trust;
    int code = cli_read_options(argc, argv, "relay", 2, 1 + MAX_TARGETS, &options);

    if (code >= 0)
        return code;
    options.arguments[options.n_arguments] = NULL; /* a "--" may have left a word behind it */
    if (FAILED(os_program_catch_stop()))
        return cli_fail(E_FAIL, "cannot wait for signals");
    code = cli_initialize(&options);
    if (code >= 0)
        return code;
    access = split(options.access);
    trust = split(options.trust);
    code = run(&options, access, trust);
    strings_free(access);
    strings_free(trust);
    return cli_disconnect(NULL, code);
}
