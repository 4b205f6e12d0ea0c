/*
 * sd-bus between two processes, with no broker: a thread of the server for each client. With
 * `dbus` in the program's name they meet at a dbus-daemon, which the server starts.
 */
#include "bench/peers/peer.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define PATH      "/bench"
#define INTERFACE "viaduct.Bench"
#define NAME      "viaduct.Bench"

static bool uses_daemon;

static void check(const char *what, int result)
{
    if (result < 0)
        peer_fail(what, strerror(-result));
}

/* --- the server --- */

static int on_call(sd_bus_message *message, void *context, sd_bus_error *error)
{
    struct peer_request request = {0};
    const void *bytes;
    size_t size;
    (void)context;
    (void)error;
    int result = sd_bus_message_read(message, "uuu", &request.kind, &request.a, &request.b);
    if (result >= 0)
        result = sd_bus_message_read_array(message, 'y', &bytes, &size);
    if (result < 0)
        return result;
    uint64_t value = peer_answer(&request, bytes, size);
    if (request.kind == PEER_NOTIFY)
        return 1;
    return sd_bus_reply_method_return(message, "t", value);
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Call", "uuuay", "t", on_call, SD_BUS_VTABLE_UNPRIVILEGED), SD_BUS_VTABLE_END};

static void process(sd_bus *bus)
{
    int result;
    do {
        result = sd_bus_process(bus, NULL);
        if (result == 0)
            result = sd_bus_wait(bus, UINT64_MAX);
    } while (result >= 0);
    sd_bus_unref(bus);
}

static void *serve_client(void *argument)
{
    int descriptor = (int)(intptr_t)argument;
    sd_bus *bus;
    sd_id128_t id;
    check("sd_bus_new", sd_bus_new(&bus));
    check("sd_id128_randomize", sd_id128_randomize(&id));
    check("sd_bus_set_fd", sd_bus_set_fd(bus, descriptor, descriptor));
    check("sd_bus_set_server", sd_bus_set_server(bus, 1, id));
    check("sd_bus_add_object_vtable",
          sd_bus_add_object_vtable(bus, NULL, PATH, INTERFACE, vtable, NULL));
    check("sd_bus_start", sd_bus_start(bus));
    process(bus);
    return NULL;
}

static void serve_peers(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    pthread_t thread;
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&name, sizeof(name)) != 0 ||
        listen(listener, 64) != 0)
        peer_fail(path, "cannot listen");
    peer_ready();
    for (;;) {
        int descriptor = accept(listener, NULL, NULL);
        if (descriptor < 0 ||
            pthread_create(&thread, NULL, serve_client, (void *)(intptr_t)descriptor) != 0)
            peer_fail(path, "cannot accept");
        pthread_detach(thread);
    }
}

static sd_bus *open_bus(const char *path, bool is_client_of_daemon)
{
    char address[256];
    sd_bus *bus;
    snprintf(address, sizeof(address), "unix:path=%s", path);
    check("sd_bus_new", sd_bus_new(&bus));
    check("sd_bus_set_address", sd_bus_set_address(bus, address));
    check("sd_bus_set_bus_client", sd_bus_set_bus_client(bus, is_client_of_daemon));
    check(address, sd_bus_start(bus));
    return bus;
}

static void start_daemon(const char *path)
{
    char argument[300];
    snprintf(argument, sizeof(argument), "--address=unix:path=%s", path);
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* with the server, however that ends */
        execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--nopidfile", argument,
               NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && access(path, F_OK) != 0; i++)
        usleep(10000);
}

static void serve(const char *path)
{
    if (!uses_daemon) {
        serve_peers(path);
        return;
    }
    start_daemon(path);
    sd_bus *bus = open_bus(path, true);
    check("sd_bus_add_object_vtable",
          sd_bus_add_object_vtable(bus, NULL, PATH, INTERFACE, vtable, NULL));
    check("sd_bus_request_name", sd_bus_request_name(bus, NAME, 0));
    peer_ready();
    process(bus);
}

/* --- the client --- */

static void *connect_to(const char *path)
{
    return open_bus(path, uses_daemon);
}

static sd_bus_message *new_call(sd_bus *bus, enum peer_kind kind, uint32_t a, const void *bytes,
                                size_t size)
{
    sd_bus_message *message;
    check("sd_bus_message_new_method_call",
          sd_bus_message_new_method_call(bus, &message, uses_daemon ? NAME : NULL, PATH, INTERFACE,
                                         "Call"));
    check("sd_bus_message_append", sd_bus_message_append(message, "uuu", kind, a, 7));
    check("sd_bus_message_append_array", sd_bus_message_append_array(message, 'y', bytes, size));
    return message;
}

static uint64_t ask(sd_bus *bus, enum peer_kind kind, uint32_t a, const void *bytes, size_t size)
{
    sd_bus_message *message = new_call(bus, kind, a, bytes, size);
    sd_bus_message *reply = NULL;
    uint64_t value = 0;
    check("sd_bus_call", sd_bus_call(bus, message, 0, NULL, &reply));
    check("sd_bus_message_read", sd_bus_message_read(reply, "t", &value));
    sd_bus_message_unref(message);
    sd_bus_message_unref(reply);
    return value;
}

static bool call(void *context, uint32_t i)
{
    return peer_is_right(ask(context, PEER_CALL, i, "", 0), (uint64_t)i + 7);
}

static bool notify(void *context, uint32_t i)
{
    sd_bus_message *message = new_call(context, PEER_NOTIFY, i, "", 0);
    check("sd_bus_message_set_expect_reply", sd_bus_message_set_expect_reply(message, 0));
    check("sd_bus_send", sd_bus_send(context, message, NULL));
    sd_bus_message_unref(message);
    return true;
}

static bool settle(void *context, uint32_t n)
{
    return peer_is_right(ask(context, PEER_SETTLE, 0, "", 0), n);
}

static bool sink(void *context, const void *data, size_t size, uint32_t sum)
{
    return peer_is_right(ask(context, PEER_SINK, 0, data, size), sum);
}

static bool server_cpu(void *context, uint64_t *ns)
{
    *ns = ask(context, PEER_CPU, 0, "", 0);
    return true;
}

int main(int argc, char **argv)
{
    static const struct peer peer = {
        "sdbus", serve, connect_to, {call, notify, settle, sink, NULL, server_cpu, NULL}};
    uses_daemon = strstr(argv[0], "dbus-daemon") != NULL;
    return peer_main(&peer, argc, argv);
}
