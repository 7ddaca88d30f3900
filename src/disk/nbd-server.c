/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that serves a disk. The socket is made here, so that nobody else can ever
 * connect to it, and handed over as systemd hands over sockets. nbdkit waits for its clients
 * when it is asked to end; it is given a few seconds, not as long as they like.
 */
#include "config.h"

#include "disk/nbd-server.h"

#include "base/error.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS     30000
#define STOP_MS      3000
#define BACKLOG      64
/* Descriptors in the child: the first is where systemd's protocol has it. */
#define CHILD_SOCKET 3
#define CHILD_READY  4
#define CHILD_RECORD 5

struct FsnNbdServer {
    GPid pid; /* 0: it has been waited for */
    int pidfd;
    char *socket;
};

char *
fsn_nbd_uri(const char *socket)
{
    g_autofree char *escaped = g_uri_escape_string(socket, "/", FALSE);

    return g_strconcat("nbd+unix:///?socket=", escaped, NULL);
}

static bool
make_address(const char *path, struct sockaddr_un *out_address, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >=
        sizeof address.sun_path) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' is too long for a socket: at most %zu bytes", path,
                    sizeof address.sun_path - 1);
        return false;
    }
    *out_address = address;
    return true;
}

/* Removes what a server that was killed left behind, and nothing else. */
static bool
clear_place(const struct sockaddr_un *address, GError **error)
{
    const char *path = address->sun_path;
    struct stat st;
    bool used;
    int fd;

    if (lstat(path, &st) != 0) {
        return errno == ENOENT ||
               fsn_set_errno(error, errno, "cannot look at '%s'", path);
    }
    if (!S_ISSOCK(st.st_mode)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS, "'%s' is there, and is no socket",
                    path);
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot make a socket");
    }
    used = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
           errno != ECONNREFUSED;
    close(fd);
    if (used) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY, "socket '%s' is in use", path);
        return false;
    }
    return unlink(path) == 0 || fsn_set_errno(error, errno, "cannot remove '%s'", path);
}

/* A listening socket; nobody can connect before its mode is set, for it listens after. */
static int
listen_at(const char *path, GError **error)
{
    struct sockaddr_un address;
    int fd;

    if (!make_address(path, &address, error) || !clear_place(&address, error)) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        fsn_set_errno(error, errno, "cannot make a socket");
        return -1;
    }
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fsn_set_errno(error, errno, "cannot make socket '%s'", path);
        close(fd);
        return -1;
    }
    if (chmod(path, 0600) != 0 || listen(fd, BACKLOG) != 0) {
        fsn_set_errno(error, errno, "cannot listen on '%s'", path);
        (void)unlink(path); /* the error is told already */
        close(fd);
        return -1;
    }
    return fd;
}

static void
end_with_parent(gpointer data)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* fails for numbers that are no signal */
    /* A Ctrl-C is for the parent to act upon. */
    (void)setpgid(0, 0);
}

static bool
spawn(const FsnNbdServerOptions *o, const int fds[3], GPid *out_pid, GError **error)
{
    static const int targets[] = { CHILD_SOCKET, CHILD_READY, CHILD_RECORD };
    g_autofree char *repo = g_strconcat("repo=", o->repo, NULL);
    g_autofree char *snapshot = g_strconcat("snapshot=", o->snapshot, NULL);
    g_autofree char *disk = g_strconcat("disk=", o->target, NULL);
    g_autofree char *ready = g_strdup_printf("ready-fd=%d", CHILD_READY);
    g_autofree char *record =
        o->record > 0 ? g_strdup_printf("record-fd=%d", CHILD_RECORD) : NULL;
    g_auto(GStrv) environment =
        g_environ_setenv(g_get_environ(), "LISTEN_FDS", "1", TRUE);
    /* LISTEN_PID is the pid of nbdkit, which only the child knows. */
    const char *argv[] = { "/bin/sh",    "-c",      "export LISTEN_PID=$$; exec \"$@\"",
                           "sh",         "nbdkit",  "--foreground",
                           "--readonly", o->plugin, repo,
                           snapshot,     disk,      ready,
                           record,       NULL };

    return g_spawn_async_with_pipes_and_fds(
        NULL, argv, (const char *const *)environment,
        G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, end_with_parent, NULL, -1,
        -1, -1, fds, targets, record ? 3 : 2, out_pid, NULL, NULL, NULL, error);
}

static bool
wait_ready(int fd, GError **error)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char byte;
    int n;

    do {
        n = poll(&p, 1, START_MS);
    } while (n < 0 && errno == EINTR);
    if (n > 0 && read(fd, &byte, 1) == 1) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                n > 0 ? "nbdkit did not start; it must be installed, and says why it ends"
                      : "nbdkit does not answer");
    return false;
}

bool
fsn_nbd_listen(const char *path, int *out_listener, GError **error)
{
    int fd = listen_at(path, error);

    if (fd >= 0) {
        *out_listener = fd;
    }
    return fd >= 0;
}

FsnNbdServer *
fsn_nbd_server_start(const FsnNbdServerOptions *options, GError **error)
{
    g_autoptr(FsnNbdServer) server = g_new0(FsnNbdServer, 1);
    int ready[2];
    int fds[3] = { -1, -1, options->record };
    bool ok;

    server->pidfd = -1;
    if (!g_unix_open_pipe(ready, FD_CLOEXEC, error)) {
        return NULL;
    }
    fds[0] =
        options->listener > 0 ? options->listener : listen_at(options->socket, error);
    fds[1] = ready[1];
    ok = fds[0] >= 0;
    if (ok && options->listener <= 0) {
        server->socket = g_strdup(options->socket);
    }
    ok = ok && spawn(options, fds, &server->pid, error);
    if (fds[0] >= 0 && options->listener <= 0) {
        close(fds[0]);
    }
    close(ready[1]);
    if (ok) {
        server->pidfd = pidfd_open(server->pid, 0);
        ok = server->pidfd >= 0
                 ? wait_ready(ready[0], error)
                 : fsn_set_errno(error, errno, "cannot watch the process of nbdkit");
    }
    close(ready[0]);
    return ok ? g_steal_pointer(&server) : NULL;
}

/* True if it has ended within @timeout_ms; -1: for ever, or until cancelled. */
static bool
wait_end(FsnNbdServer *server, int timeout_ms, GCancellable *cancellable)
{
    struct pollfd p[2] = { { .fd = server->pidfd, .events = POLLIN }, { .fd = -1 } };
    int n;

    if (cancellable) {
        p[1] =
            (struct pollfd){ .fd = g_cancellable_get_fd(cancellable), .events = POLLIN };
    }
    do {
        n = poll(p, 2, timeout_ms);
    } while (n < 0 && errno == EINTR);
    if (cancellable) {
        g_cancellable_release_fd(cancellable);
    }
    return p[0].revents != 0;
}

static void
reap(FsnNbdServer *server)
{
    pid_t got;

    do {
        got = waitpid(server->pid, NULL, 0);
    } while (got < 0 && errno == EINTR);
    g_spawn_close_pid(server->pid);
    server->pid = 0;
}

bool
fsn_nbd_server_wait(FsnNbdServer *server, GCancellable *cancellable, GError **error)
{
    if (!wait_end(server, -1, cancellable)) {
        return true;
    }
    reap(server);
    g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "nbdkit has ended by itself");
    return false;
}

void
fsn_nbd_server_free(FsnNbdServer *server)
{
    if (!server) {
        return;
    }
    if (server->pid > 0) {
        if (server->pidfd < 0 || kill(server->pid, SIGTERM) != 0 ||
            !wait_end(server, STOP_MS, NULL)) {
            (void)kill(server->pid, SIGKILL); /* it is our child, ended or not */
        }
        reap(server);
    }
    if (server->socket) {
        (void)unlink(server->socket); /* a stale one is replaced by the next server */
    }
    if (server->pidfd >= 0) {
        close(server->pidfd);
    }
    g_free(server->socket);
    g_free(server);
}
