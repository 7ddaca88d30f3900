/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp/socket-transport.c: against a real QEMU, including one that is stopped and one that is
 * killed; and against a script of lines for a peer that misbehaves.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "qemu-process.h"
#include "qmp/session.h"
#include "qmp/socket-transport.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define READY    "{\"return\": {}, \"id\": 1}\r\n"
#define SECOND   (1 * G_USEC_PER_SEC)

/* Sends the first line, then another for each command; then closes. */
typedef struct {
    int fd;
    const char *const *lines;
} Peer;

static gpointer
peer_main(gpointer data)
{
    Peer *peer = data;

    for (size_t i = 0; peer->lines[i]; i++) {
        char c = 0;

        /* The client may be gone already: that is for the test to see. */
        (void)!send(peer->fd, peer->lines[i], strlen(peer->lines[i]), MSG_NOSIGNAL);
        while (peer->lines[i + 1] && c != '\n' && recv(peer->fd, &c, 1, 0) == 1) {
        }
    }
    close(peer->fd);
    return NULL;
}

/* Connects to a peer with these lines and runs one command if that worked. */
static bool
talk(const char *const *lines, char **out_reply, GError **error)
{
    g_autoptr(FsnQmpTransport) transport = NULL;
    int pair[2];
    Peer peer = { .lines = lines };
    GThread *thread;
    bool ok;

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    peer.fd = pair[1];
    thread = g_thread_new("peer", peer_main, &peer);
    ok = fsn_qmp_socket_new(pair[0], 5 * SECOND, &transport, error) &&
         transport->ops->execute(transport, "{\"execute\":\"foo\"}", NULL, 0, 5 * SECOND,
                                 out_reply, error);
    g_clear_pointer(&transport, fsn_qmp_transport_free);
    g_thread_join(thread);
    return ok;
}

static void
test_peer_good(void)
{
    const char *const plain[] = { GREETING, READY, "{\"return\": 5, \"id\": 2}\r\n",
                                  NULL };
    const char *const event_first[] = { GREETING, READY,
                                        "{\"event\":\"STOP\"}{\"id\":2,\"return\":5}",
                                        NULL };
    const char *const no_id[] = { GREETING, READY, "{\"error\": {\"desc\": \"x\"}}\n",
                                  NULL };
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    g_autofree char *third = NULL;

    g_assert_true(talk(plain, &first, NULL));
    g_assert_cmpstr(first, ==, "{\"return\": 5, \"id\": 2}");
    g_assert_true(talk(event_first, &second, NULL));
    g_assert_cmpstr(second, ==, "{\"id\":2,\"return\":5}");
    g_assert_true(talk(no_id, &third, NULL));
    g_assert_cmpstr(third, ==, "{\"error\": {\"desc\": \"x\"}}");
}

static void
test_peer_bad(void)
{
    static const struct {
        const char *lines[4];
        FsnError code;
    } bad[] = {
        { { NULL }, FSN_ERROR_STATE },
        { { "SSH-2.0-OpenSSH\r\n" }, FSN_ERROR_FORMAT },
        { { "{\"return\": {}}\r\n" }, FSN_ERROR_FORMAT },
        { { GREETING }, FSN_ERROR_STATE },
        { { GREETING READY }, FSN_ERROR_FORMAT },
        { { GREETING, "{\"id\":1,\"error\":{\"desc\":\"no\"}}" }, FSN_ERROR_FORMAT },
        { { GREETING, READY }, FSN_ERROR_STATE },
        { { GREETING, READY, "{\"return\": {}, \"id\"" }, FSN_ERROR_STATE },
        { { GREETING, READY, "{\"return\": {}, \"id\": 3}" }, FSN_ERROR_FORMAT },
        { { GREETING, READY, "{\"return\": {}}" }, FSN_ERROR_FORMAT },
        { { GREETING, READY, "{\"event\": 1}" }, FSN_ERROR_FORMAT },
        { { GREETING, READY, "{\"return\": }" }, FSN_ERROR_FORMAT },
        { { GREETING, READY, GREETING }, FSN_ERROR_FORMAT },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        char *reply = NULL;

        g_test_message("script %zu", i);
        g_assert_false(talk(bad[i].lines, &reply, &error));
        g_assert_error(error, FSN_ERROR, (int)bad[i].code);
        g_assert_null(reply);
    }
}

/* Silence is a time-out, and so is a peer that talks without end but never answers. */
static gpointer
chatter_main(gpointer data)
{
    int fd = GPOINTER_TO_INT(data);
    static const char event[] = "{\"event\": \"NOISE\"}\r\n";

    if (send(fd, GREETING, strlen(GREETING), MSG_NOSIGNAL) > 0) {
        while (send(fd, event, strlen(event), MSG_NOSIGNAL) > 0) {
        }
    }
    close(fd);
    return NULL;
}

static void
test_peer_chatter(void)
{
    g_autoptr(GError) error = NULL;
    FsnQmpTransport *transport = NULL;
    int64_t start_us = fsn_monotonic_us();
    int pair[2];
    GThread *thread;

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    thread = g_thread_new("chatter", chatter_main, GINT_TO_POINTER(pair[1]));
    g_assert_false(fsn_qmp_socket_new(pair[0], SECOND / 5, &transport, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT);
    g_assert_cmpint(fsn_monotonic_us() - start_us, <, 3 * SECOND);
    g_thread_join(thread);
}

static void
test_connect_errors(void)
{
    g_autofree char *dir = g_dir_make_tmp("foresnap-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "stale.sock", NULL);
    g_autofree char *none = g_build_filename(dir, "none.sock", NULL);
    g_autofree char *endless = g_strnfill(200, 'x');
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *const paths[] = { none, path, endless };
    const FsnError codes[] = { FSN_ERROR_NOT_FOUND, FSN_ERROR_STATE, FSN_ERROR_USAGE };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path));
    g_assert_no_errno(bind(fd, (struct sockaddr *)&address, sizeof address));
    close(fd);
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;
        FsnQmpTransport *transport = NULL;

        g_assert_false(fsn_qmp_socket_connect(paths[i], SECOND, &transport, &error));
        g_assert_error(error, FSN_ERROR, (int)codes[i]);
    }
    unlink(path);
    rmdir(dir);
}

/* With its backlog full of clients that are never served, a connection times out. */
static void
test_connect_backlog(void)
{
    g_autofree char *dir = g_dir_make_tmp("foresnap-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "full.sock", NULL);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int64_t start_us = fsn_monotonic_us();
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_autoptr(GError) error = NULL;
    FsnQmpTransport *transport = NULL;

    memcpy(address.sun_path, path, strlen(path));
    g_assert_no_errno(bind(listener, (struct sockaddr *)&address, sizeof address));
    g_assert_no_errno(listen(listener, 0));
    g_assert_no_errno(connect(client, (struct sockaddr *)&address, sizeof address));
    g_assert_false(fsn_qmp_socket_connect(path, SECOND / 5, &transport, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT);
    g_assert_cmpint(fsn_monotonic_us() - start_us, >=, SECOND / 5);
    g_assert_cmpint(fsn_monotonic_us() - start_us, <, 3 * SECOND);
    close(client);
    close(listener);
    unlink(path);
    rmdir(dir);
}

static void
test_real_events(void)
{
    g_autoptr(TestQemu) qemu =
        test_qemu_new((const char *[]){ "-machine", "none", NULL });
    g_autoptr(FsnQmpTransport) transport = NULL;
    g_autofree char *reply = NULL;
    g_autofree char *again = NULL;
    g_autoptr(JsonObject) stop = NULL;
    g_autoptr(JsonObject) resume = NULL;
    g_autoptr(GError) error = NULL;
    JsonObject *none = NULL;

    if (!qemu) {
        return;
    }
    transport = test_qemu_connect(qemu);
    g_assert_true(transport->ops->execute(transport, "{\"execute\":\"cont\"}", NULL, 0,
                                          10 * SECOND, &reply, NULL));
    g_assert_true(transport->ops->execute(transport, "{\"execute\":\"stop\"}", NULL, 0,
                                          10 * SECOND, &again, NULL));
    /* Found by name, in whatever order they came. */
    g_assert_true(
        fsn_qmp_socket_wait_event(transport, "STOP", 10 * SECOND, &stop, &error));
    g_assert_true(
        fsn_qmp_socket_wait_event(transport, NULL, 10 * SECOND, &resume, &error));
    g_assert_cmpstr(json_object_get_string_member(resume, "event"), ==, "RESUME");
    g_assert_true(json_object_has_member(stop, "timestamp"));
    g_assert_false(fsn_qmp_socket_wait_event(transport, "STOP", 0, &none, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT);
}

/* A QEMU that does not run answers nothing: the command fails in time, and its late answer is
 * not taken for that of the next one. */
static void
test_real_timeout(void)
{
    g_autoptr(TestQemu) qemu =
        test_qemu_new((const char *[]){ "-machine", "none", NULL });
    g_autoptr(FsnQmp) qmp = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) status = NULL;
    int64_t start_us;

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    fsn_qmp_set_timeout(qmp, SECOND / 5);
    g_assert_no_errno(kill(qemu->pid, SIGSTOP));
    start_us = fsn_monotonic_us();
    g_assert_false(fsn_qmp_execute(qmp, "query-version", NULL, NULL, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT);
    g_assert_cmpint(fsn_monotonic_us() - start_us, >=, SECOND / 5);
    g_assert_cmpint(fsn_monotonic_us() - start_us, <, 2 * SECOND);
    g_assert_no_errno(kill(qemu->pid, SIGCONT));
    fsn_qmp_set_timeout(qmp, 20 * SECOND);
    g_assert_true(fsn_qmp_execute_object(qmp, "query-status", NULL, &status, NULL));
    g_assert_cmpstr(json_object_get_string_member(status, "status"), ==, "prelaunch");
}

static gpointer
kill_soon(gpointer data)
{
    g_usleep(SECOND / 10);
    kill(GPOINTER_TO_INT(data), SIGKILL);
    return NULL;
}

static void
test_real_killed(void)
{
    g_autoptr(TestQemu) qemu =
        test_qemu_new((const char *[]){ "-machine", "none", NULL });
    g_autoptr(FsnQmp) qmp = NULL;
    int64_t start_us;
    GThread *thread;

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    g_assert_no_errno(kill(qemu->pid, SIGSTOP));
    thread = g_thread_new("kill", kill_soon, GINT_TO_POINTER(qemu->pid));
    start_us = fsn_monotonic_us();
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_qmp_execute(qmp, "query-version", NULL, NULL, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
        g_assert_nonnull(strstr(error->message, "QEMU closed the QMP connection"));
    }
    g_assert_cmpint(fsn_monotonic_us() - start_us, <, 5 * SECOND);
    g_thread_join(thread);
}

static void
test_real_stopped_greeting(void)
{
    g_autoptr(TestQemu) qemu =
        test_qemu_new((const char *[]){ "-machine", "none", NULL });
    FsnQmpTransport *transport = NULL;
    g_autoptr(GError) error = NULL;

    if (!qemu) {
        return;
    }
    g_assert_no_errno(kill(qemu->pid, SIGSTOP));
    g_assert_false(fsn_qmp_socket_connect(qemu->path, SECOND / 5, &transport, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/socket/peer-good", test_peer_good);
    g_test_add_func("/qmp/socket/peer-bad", test_peer_bad);
    g_test_add_func("/qmp/socket/peer-chatter", test_peer_chatter);
    g_test_add_func("/qmp/socket/connect-errors", test_connect_errors);
    g_test_add_func("/qmp/socket/connect-backlog", test_connect_backlog);
    g_test_add_func("/qmp/socket/real-events", test_real_events);
    g_test_add_func("/qmp/socket/real-timeout", test_real_timeout);
    g_test_add_func("/qmp/socket/real-killed", test_real_killed);
    g_test_add_func("/qmp/socket/real-stopped-greeting", test_real_stopped_greeting);
    return g_test_run();
}
