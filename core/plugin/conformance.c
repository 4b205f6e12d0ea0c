/*
 * The run of the conformance suite: each test on a thread of its own under a time limit, one after
 * another.
 *
 * A test that does not end cannot be ended: its failure is reported, the run stops, and what the
 * test uses (the run's state, the plugin) is left as it is for good.
 */
#include "core/plugin/conformance_parts.h"

#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/module.h"
#include "core/os/path.h"
#include "core/plugin/conformance_peer.h"
#include "core/plugin/conformance_reactor.h"
#include "core/plugin/host_table.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one test: several times what the slowest takes on a busy machine under a sanitizer. */
#define TEST_LIMIT_NS (60000 * CONFORMANCE_MS)

#define PREFIX_SIZE 512

static const struct conformance_test *const tables[] = {
    conformance_address_tests, conformance_connect_tests, conformance_bytes_tests,
    conformance_handles_tests, conformance_ready_tests,   conformance_closed_tests,
    conformance_wait_tests,
};

static const struct conformance_test *test_at(size_t index)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct conformance_test *test = tables[i]; test->name != NULL; test++) {
            if (index-- == 0)
                return test;
        }
    }
    return NULL;
}

/* One test on its own thread. */
struct job {
    struct conformance *c;
    const struct conformance_test *test;
    _Atomic bool done;
};

static void run_job(void *argument)
{
    struct job *job = argument;
    job->test->run(job->c);
    error_clear();
    job->done = true;
}

/* False: the test hangs, or no thread could be had; `c` must not be touched any more. */
static bool run_test(struct conformance *c, const struct conformance_test *test)
{
    struct job *job = calloc(1, sizeof *job);
    struct os_thread *thread;
    c->failed = c->skipped = false;
    c->message[0] = 0;
    if (job == NULL)
        return false;
    job->c = c;
    job->test = test;
    if (FAILED(os_thread_start(run_job, job, "conformance", &thread))) {
        free(job);
        return false;
    }
    uint64_t deadline = conformance_now(c) + TEST_LIMIT_NS;
    for (uint64_t pause = 20000; !job->done; pause = pause < 2000000 ? pause * 2 : pause) {
        if (conformance_now(c) > deadline)
            return false;
        conformance_sleep(pause);
    }
    os_thread_join(thread);
    free(job);
    return true;
}

/* Whether every buffer that the test borrowed is back; the reactor may hold one for a moment. */
static void check_buffers(struct conformance *c, unsigned before)
{
    uint64_t deadline = conformance_now(c) + 1000 * CONFORMANCE_MS;
    while (conformance_buffers_lent(c) > before && conformance_now(c) < deadline)
        conformance_sleep(CONFORMANCE_MS);
    CONF_CHECK(c, conformance_buffers_lent(c) <= before,
               "%u borrowed buffers were not given back when the streams closed",
               conformance_buffers_lent(c) - before);
}

/* Where a run's results go. */
struct results {
    plugin_conformance_report report;
    void *context;
    unsigned *n_failed;
};

static void tell(const struct conformance *c, const struct results *to,
                 const struct conformance_test *test, enum plugin_conformance_result result,
                 const char *message)
{
    char name[96];
    const char *role = c->peer == NULL         ? ""
                       : c->client == c->local ? "peer_listens."
                                               : "peer_connects.";
    snprintf(name, sizeof name, "%s%s", role, test->name);
    if (result == PLUGIN_CONFORMANCE_FAIL)
        ++*to->n_failed;
    to->report(to->context, name, result, message);
}

/* S_FALSE: the test hangs. */
static HRESULT run_one(struct conformance *c, const struct conformance_test *test,
                       const struct results *to)
{
    if (test->reach == CONFORMANCE_ALONE && c->peer != NULL) {
        tell(c, to, test, PLUGIN_CONFORMANCE_ALONE, "it is about one process");
        return S_OK;
    }
    if (test->reach == CONFORMANCE_PEER && c->peer == NULL) {
        tell(c, to, test, PLUGIN_CONFORMANCE_SKIP, "it needs a peer in another process");
        return S_OK;
    }
    HRESULT hr = c->peer != NULL ? conformance_peer_ensure(c->peer) : S_OK;
    if (FAILED(hr))
        return hr;
    unsigned lent = conformance_buffers_lent(c);
    if (!run_test(c, test)) {
        tell(c, to, test, PLUGIN_CONFORMANCE_FAIL,
             "it did not end within its time limit; the run stops here");
        return S_FALSE;
    }
    check_buffers(c, lent);
    if (c->failed)
        tell(c, to, test, PLUGIN_CONFORMANCE_FAIL, c->message);
    else if (c->skipped)
        tell(c, to, test, PLUGIN_CONFORMANCE_SKIP, c->message);
    else
        tell(c, to, test, PLUGIN_CONFORMANCE_PASS, NULL);
    return S_OK;
}

static HRESULT run_all(struct conformance *c, const char *only, const struct results *to)
{
    const struct conformance_test *test;
    unsigned n_run = 0;
    for (size_t i = 0; (test = test_at(i)) != NULL; i++) {
        if (only != NULL && strcmp(only, test->name) != 0)
            continue;
        n_run++;
        HRESULT hr = run_one(c, test, to);
        if (hr != S_OK)
            return hr;
    }
    return n_run > 0 ? S_OK
                     : error_set(E_INVALIDARG, "there is no conformance test named \"%s\"", only);
}

/* Once for each way round, where there are two. */
static HRESULT run_sides(struct conformance *c, const struct plugin_conformance_options *options,
                         const char *directory, const struct results *to)
{
    c->local = conformance_local_side(c->plugin, c->host);
    c->client = c->server = c->local;
    if (options->peer == NULL)
        return run_all(c, options->only, to);
    HRESULT hr = conformance_peer_new(options->peer, directory != NULL ? directory : "",
                                      c->plugin->schemes[0], &c->peer);
    if (FAILED(hr))
        return hr;
    c->client = conformance_peer_side(c->peer);
    hr = run_all(c, options->only, to);
    if (hr == S_OK) {
        c->server = c->client;
        c->client = c->local;
        hr = run_all(c, options->only, to);
    }
    if (hr != S_FALSE)
        conformance_peer_free(c->peer);
    return hr;
}

/* A private directory for this run, as this plugin's host calls it; NULL where the transport needs
 * none. */
static char *make_directory(unsigned seed)
{
    char name[64];
    snprintf(name, sizeof name, "viaduct-conformance-%x", seed);
    char *temporary = os_path_temporary();
    char *directory = temporary != NULL ? os_path_join(temporary, name) : NULL;
    free(temporary);
    if (directory != NULL && SUCCEEDED(os_directory_make_private(directory)))
        return directory;
    free(directory);
    return NULL;
}

/* With the sockets of listeners that were killed. */
static void remove_with_content(const char *directory)
{
    char **names = NULL;
    if (SUCCEEDED(os_directory_list(directory, &names))) {
        for (size_t i = 0; names[i] != NULL; i++) {
            char *path = os_path_join(directory, names[i]);
            if (path != NULL)
                os_file_remove(path);
            free(path);
        }
        os_names_free(names);
    }
    os_directory_remove(directory);
}

static void remove_directory(char *directory)
{
    if (directory == NULL)
        return;
    char *pipes = os_path_join(directory, "pipes");
    if (pipes != NULL)
        remove_with_content(pipes);
    remove_with_content(directory);
    free(pipes);
    free(directory);
    error_clear();
}

/* What stands before a unique number in each address: a path for sockets, else just a name. A
 * Windows program's addresses of sockets are Unix paths, under Wine; and a peer there knows a
 * segment of this system by its path only. */
static void make_prefix(const struct conformance *c, const char *wanted, bool has_peer,
                        char *prefix, size_t size)
{
    bool is_shm = strcmp(c->plugin->schemes[0], "shm") == 0;
    const char *directory = c->host->unix_calls != NULL ? "/tmp" : c->host->runtime_directory;
    if (wanted != NULL)
        snprintf(prefix, size, "%s", wanted);
    else if ((strcmp(c->plugin->schemes[0], "unix") == 0 ||
              (is_shm &&
               (c->host->unix_calls != NULL || (has_peer && os_path_separator == '/')))) &&
             directory != NULL)
        snprintf(prefix, size, "%s/viaduct-", directory);
    else
        snprintf(prefix, size, "viaduct-");
}

HRESULT plugin_conformance_run(const struct via_plugin *plugin, struct os_poller *poller,
                               const struct plugin_conformance_options *options,
                               plugin_conformance_report report, void *context, unsigned *n_failed)
{
    static const struct plugin_conformance_options defaults;
    struct conformance *c = calloc(1, sizeof *c + PREFIX_SIZE);
    if (c == NULL)
        return error_set(E_OUTOFMEMORY, "out of memory");
    if (options == NULL)
        options = &defaults;
    struct results results = {report, context, n_failed};
    *n_failed = 0;
    c->seed = options->seed != 0 ? options->seed : (unsigned)(os_now_ns() >> 10) | 1u;
    c->random = c->seed;
    c->plugin = plugin;
    c->prefix = (char *)(c + 1);
    char *directory = make_directory(c->seed);
    HRESULT hr = plugin_host_acquire(poller, directory, &c->host);
    if (SUCCEEDED(hr)) {
        make_prefix(c, options->address_prefix, options->peer != NULL, (char *)(c + 1),
                    PREFIX_SIZE);
        hr = plugin->init(c->host);
        if (SUCCEEDED(hr)) {
            hr = run_sides(c, options, directory, &results);
            if (hr == S_FALSE) /* a test hangs: its thread still uses all this */
                return hr;
            plugin->deinit();
        }
        plugin_host_release();
    }
    struct error_record *failure = error_take();
    remove_directory(directory);
    error_give(failure);
    free(c);
    return hr;
}

HRESULT plugin_conformance_run_file(const char *path,
                                    const struct plugin_conformance_options *options,
                                    plugin_conformance_report report, void *context,
                                    unsigned *n_failed)
{
    struct os_module *module;
    const struct via_plugin *plugin;
    struct conformance_reactor *reactor = NULL;
    HRESULT hr = plugin_open(path, &module, &plugin);
    if (FAILED(hr))
        return hr;
    hr = conformance_reactor_start(&reactor);
    if (SUCCEEDED(hr)) {
        hr = plugin_conformance_run(plugin, conformance_reactor_poller(reactor), options, report,
                                    context, n_failed);
        if (hr == S_FALSE)
            return S_OK;
        conformance_reactor_stop(reactor);
    }
    os_module_close(module);
    return hr;
}
