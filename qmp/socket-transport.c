/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP over a unix socket. The socket never blocks: every wait is a poll() that ends at the
 * caller's deadline. Commands carry ids, so that the answer to a command that was given up
 * is recognised and dropped when it comes late. A failure that loses the place in either
 * direction of the stream (a command cut off by the deadline, bytes that are not QMP, a closed
 * connection) is remembered: later calls fail at once with the same message. It does not
 * reconnect, and does not use out-of-band commands.
 */
#include "config.h"

#include "qmp/socket-transport.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "qmp/framing.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK 65536

typedef struct {
    FsnQmpTransport parent;
    int fd;
    FsnQmpFraming *framing;
    GQueue events; /* of JsonObject, oldest first */
    uint64_t last_id;
    bool greeted;
    char *reply;    /* to command last_id, once it is there */
    GError *broken; /* why the connection is unusable */
    char chunk[CHUNK];
} Socket;

static void
socket_free(FsnQmpTransport *transport)
{
    Socket *self = (Socket *)transport;

    close(self->fd);
    fsn_qmp_framing_free(self->framing);
    g_queue_clear_full(&self->events, (GDestroyNotify)json_object_unref);
    g_free(self->reply);
    g_clear_error(&self->broken);
    g_free(self);
}

/* Remembers @reason, which it takes, and passes it on. Always false. */
static bool
break_connection(Socket *self, GError *reason, GError **error)
{
    self->broken = reason;
    g_propagate_error(error, g_error_copy(reason));
    return false;
}

/* Always false. @errnum 0: the peer closed the connection. */
static bool
break_with_errno(Socket *self, int errnum, GError **error)
{
    bool closed = errnum == 0 || errnum == EPIPE || errnum == ECONNRESET;

    return break_connection(
        self,
        g_error_new(FSN_ERROR, closed ? FSN_ERROR_STATE : FSN_ERROR_FAILED, "%s%s",
                    closed ? "QEMU closed the QMP connection: it has ended or was killed"
                           : "cannot use the QMP connection: ",
                    closed ? "" : g_strerror(errnum)),
        error);
}

static bool
check_usable(Socket *self, GError **error)
{
    if (self->broken) {
        g_propagate_error(error, g_error_copy(self->broken));
        return false;
    }
    return true;
}

/* Always false. */
static bool
set_timeout_error(GError **error)
{
    g_set_error_literal(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                        "QEMU did not answer in time");
    return false;
}

/* Waits until @events are possible on @fd; false with FSN_ERROR_TIMEOUT at @deadline_us. */
static bool
wait_until(int fd, short events, int64_t deadline_us, GError **error)
{
    struct pollfd pfd = { .fd = fd, .events = events };

    for (;;) {
        int64_t left_us = MAX(deadline_us - fsn_monotonic_us(), 0);
        struct timespec left = { .tv_sec = left_us / G_USEC_PER_SEC,
                                 .tv_nsec = left_us % G_USEC_PER_SEC * 1000 };
        int n = ppoll(&pfd, 1, &left, NULL);

        if (n > 0) {
            return true;
        }
        if (n < 0 && errno != EINTR) {
            return fsn_set_errno(error, errno, "cannot wait for QEMU");
        }
        if (n == 0) {
            return set_timeout_error(error);
        }
    }
}

static void
keep_event(Socket *self, JsonObject *event)
{
    if (g_queue_get_length(&self->events) == FSN_QMP_MAX_EVENTS) {
        json_object_unref(g_queue_pop_head(&self->events));
    }
    g_queue_push_tail(&self->events, json_object_ref(event));
}

/* Sorts one message in: greeting, event, the awaited reply (which takes *@text), or the late
 * reply to a command that was given up. */
static bool
take_message(Socket *self, char **text, GError **error)
{
    g_autoptr(JsonObject) message = NULL;
    int64_t id;

    if (!fsn_json_parse_object(*text, strlen(*text), FSN_QMP_MAX_MESSAGE,
                               "a message from QEMU", &message, error)) {
        return false;
    }
    if (json_object_has_member(message, "event")) {
        const char *name;

        if (!fsn_json_get_string(message, "event", &name, error)) {
            return false;
        }
        keep_event(self, message);
        return true;
    }
    if (!self->greeted && json_object_has_member(message, "QMP")) {
        self->greeted = true;
        return true;
    }
    id = fsn_json_peek_int(message, "id", -1);
    /* QEMU answers without an id what it could not read as a command. */
    if ((id < 0 && json_object_has_member(message, "error")) ||
        (id > 0 && (uint64_t)id == self->last_id)) {
        g_free(self->reply);
        self->reply = g_steal_pointer(text);
        return true;
    }
    if (id > 0 && (uint64_t)id < self->last_id) {
        return true;
    }
    g_set_error_literal(error, FSN_ERROR, FSN_ERROR_FORMAT,
                        "QMP: the peer answered a command that was not given");
    return false;
}

/* Reads what is there, if anything is, without waiting. */
static bool
receive(Socket *self, GError **error)
{
    ssize_t n = recv(self->fd, self->chunk, sizeof self->chunk, MSG_DONTWAIT);
    GError *problem = NULL;

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (n <= 0) {
        return break_with_errno(self, n < 0 ? errno : 0, error);
    }
    for (size_t done = 0; done < (size_t)n;) {
        g_autofree char *text = NULL;
        size_t used;

        if (!fsn_qmp_framing_push(self->framing, self->chunk + done, (size_t)n - done,
                                  &used, &text, &problem) ||
            (text && !take_message(self, &text, &problem))) {
            return break_connection(self, problem, error);
        }
        done += used;
    }
    return true;
}

/* Waits for bytes and takes them. The caller repeats it with the same *@late, false at
 * first: one look is allowed after the deadline, so that a limit of 0 takes what is there
 * and a peer that never stops sending cannot hold the caller. */
static bool
receive_until(Socket *self, int64_t deadline_us, bool *late, GError **error)
{
    if (*late) {
        return set_timeout_error(error);
    }
    *late = fsn_monotonic_us() >= deadline_us;
    return wait_until(self->fd, POLLIN, deadline_us, error) && receive(self, error);
}

static ssize_t
send_some(int fd, const char *data, size_t len, const int *fds, size_t n_fds)
{
    union {
        char space[CMSG_SPACE(sizeof(int) * FSN_QMP_MAX_FDS)];
        struct cmsghdr align;
    } control = { 0 };
    struct iovec iov = { .iov_base = (char *)data, .iov_len = len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (n_fds > 0) {
        struct cmsghdr *cmsg;

        msg.msg_control = control.space;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
    }
    return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The descriptors travel with the first bytes. */
static bool
send_command(Socket *self,
             const char *text,
             const int *fds,
             size_t n_fds,
             int64_t deadline_us,
             GError **error)
{
    size_t len = strlen(text);

    for (size_t done = 0; done < len;) {
        ssize_t n = send_some(self->fd, text + done, len - done, fds, n_fds);

        if (n >= 0) {
            done += (size_t)n;
            n_fds = 0;
        } else if (errno == EAGAIN) {
            g_autoptr(GError) late = NULL;

            if (!wait_until(self->fd, POLLOUT, deadline_us, &late)) {
                if (done == 0) {
                    g_propagate_error(error, g_steal_pointer(&late));
                    return false;
                }
                return break_connection(self, g_steal_pointer(&late), error);
            }
        } else if (errno != EINTR) {
            return break_with_errno(self, errno, error);
        }
    }
    return true;
}

static bool
socket_execute(FsnQmpTransport *transport,
               const char *command,
               const int *fds,
               size_t n_fds,
               int64_t timeout_us,
               char **out_reply,
               GError **error)
{
    Socket *self = (Socket *)transport;
    int64_t deadline_us = fsn_monotonic_us() + timeout_us;
    g_autofree char *text = NULL;
    bool late = false;

    g_return_val_if_fail(g_str_has_prefix(command, "{\""), false);
    g_return_val_if_fail(n_fds <= FSN_QMP_MAX_FDS, false);

    if (!check_usable(self, error)) {
        return false;
    }
    g_clear_pointer(&self->reply, g_free);
    text = g_strdup_printf("{\"id\":%" G_GUINT64_FORMAT ",%s\r\n", ++self->last_id,
                           command + 1);
    if (!send_command(self, text, fds, n_fds, deadline_us, error)) {
        return false;
    }
    while (!self->reply) {
        if (!receive_until(self, deadline_us, &late, error)) {
            return false;
        }
    }
    *out_reply = g_steal_pointer(&self->reply);
    return true;
}

static const FsnQmpTransportOps socket_ops = {
    .execute = socket_execute,
    .free = socket_free,
};

/* Greeting and qmp_capabilities. */
static bool
negotiate(Socket *self, int64_t deadline_us, GError **error)
{
    g_autofree char *reply = NULL;
    g_autoptr(JsonObject) object = NULL;
    bool late = false;

    while (!self->greeted) {
        if (!receive_until(self, deadline_us, &late, error)) {
            return false;
        }
    }
    if (!socket_execute(&self->parent, "{\"execute\":\"qmp_capabilities\"}", NULL, 0,
                        deadline_us - fsn_monotonic_us(), &reply, error) ||
        !fsn_json_parse_object(reply, strlen(reply), FSN_QMP_MAX_MESSAGE,
                               "the reply to 'qmp_capabilities'", &object, error)) {
        return false;
    }
    if (!json_object_has_member(object, "return")) {
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_FORMAT,
                            "QMP: the peer refused 'qmp_capabilities'");
        return false;
    }
    return true;
}

bool
fsn_qmp_socket_new(int fd,
                   int64_t timeout_us,
                   FsnQmpTransport **out_transport,
                   GError **error)
{
    int64_t deadline_us = fsn_monotonic_us() + timeout_us;
    Socket *self = g_new0(Socket, 1);
    g_autoptr(FsnQmpTransport) transport = &self->parent;

    self->parent.ops = &socket_ops;
    self->fd = fd;
    self->framing = fsn_qmp_framing_new(FSN_QMP_MAX_MESSAGE);
    g_queue_init(&self->events);
    if (!negotiate(self, deadline_us, error)) {
        g_prefix_error(error, "cannot start QMP: ");
        return false;
    }
    *out_transport = g_steal_pointer(&transport);
    return true;
}

/* A full backlog makes connect() of a non-blocking unix socket fail with EAGAIN, and poll()
 * does not tell when there is room: asking again is the only way. */
static bool
connect_until(int fd,
              const struct sockaddr_un *address,
              int64_t deadline_us,
              GError **error)
{
    while (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0) {
        int saved = errno;

        if (saved == EAGAIN && fsn_monotonic_us() < deadline_us) {
            g_usleep(2000);
        } else if (saved == EAGAIN) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                        "QEMU did not take a connection to '%s' in time",
                        address->sun_path);
            return false;
        } else if (saved == ECONNREFUSED) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                        "nobody listens on '%s': QEMU has ended", address->sun_path);
            return false;
        } else if (saved != EINTR) {
            return fsn_set_errno(error, saved, "cannot connect to '%s'",
                                 address->sun_path);
        }
    }
    return true;
}

bool
fsn_qmp_socket_connect(const char *path,
                       int64_t timeout_us,
                       FsnQmpTransport **out_transport,
                       GError **error)
{
    int64_t deadline_us = fsn_monotonic_us() + timeout_us;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof address.sun_path) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "socket path '%s' is longer than the %zu bytes a socket may have",
                    path, sizeof address.sun_path - 1);
        return false;
    }
    memcpy(address.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot make a socket");
    }
    if (!connect_until(fd, &address, deadline_us, error)) {
        close(fd);
        return false;
    }
    return fsn_qmp_socket_new(fd, deadline_us - fsn_monotonic_us(), out_transport, error);
}

static JsonObject *
find_event(Socket *self, const char *name)
{
    for (GList *l = self->events.head; l; l = l->next) {
        JsonObject *event = l->data;

        if (!name || g_str_equal(fsn_json_peek_string(event, "event", ""), name)) {
            g_queue_delete_link(&self->events, l);
            return event;
        }
    }
    return NULL;
}

bool
fsn_qmp_socket_wait_event(FsnQmpTransport *transport,
                          const char *name,
                          int64_t timeout_us,
                          JsonObject **out_event,
                          GError **error)
{
    Socket *self = (Socket *)transport;
    int64_t deadline_us = fsn_monotonic_us() + timeout_us;
    JsonObject *event;
    bool late = false;

    g_return_val_if_fail(transport->ops == &socket_ops, false);

    while (!(event = find_event(self, name))) {
        if (!check_usable(self, error) ||
            !receive_until(self, deadline_us, &late, error)) {
            return false;
        }
    }
    *out_event = event;
    return true;
}
