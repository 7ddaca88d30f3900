/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-nbd as the reader of a disk that is off: it knows qcow2, bitmaps, and by the locks
 * whether somebody else has the disk. The listening socket is made here and handed down as
 * systemd does it, so there is nothing to poll for; its name is removed at once and the path
 * goes through /proc, so nothing is left even by SIGKILL. A thread starts the server and
 * waits for its end, because the kernel ends a child with the thread that started it.
 */
#include "config.h"

#include "disk/offline.h"

#include "base/error.h"
#include "disk/chain.h"
#include "disk/nameless-socket.h"
#include "disk/nbd.h"
#include "disk/priority.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM    "qemu-nbd"
#define LISTEN_FD  3
#define BACKLOG    16
#define CLIENTS    "16"
#define ERRORS_MAX 2000
/* To open the disk: storage may be slow. */
#define START_US   (60 * (int64_t)G_USEC_PER_SEC)
/* For a killed server to be gone; one whose storage hangs is left to its thread. */
#define END_US     (5 * (int64_t)G_USEC_PER_SEC)

/* What the thread and the object share. */
typedef struct {
    GMutex lock;
    GCond changed;
    char **argv;
    int listener; /* for the thread; -1 once it is passed on */
    bool started; /* or failed to */
    bool ended;   /* not to be killed any more */
    GPid pid;
    GError *error;
    GString *errors; /* what it wrote to stderr; complete once ended */
} Server;

struct FsnDiskOffline {
    Server *server;
    int socket_fd;
    char *socket;
};

static void
server_clear(gpointer data)
{
    Server *s = data;

    if (s->listener >= 0) {
        close(s->listener);
    }
    g_strfreev(s->argv);
    g_clear_error(&s->error);
    g_string_free(s->errors, TRUE);
    g_cond_clear(&s->changed);
    g_mutex_clear(&s->lock);
}

static void
die_with_parent(gpointer data)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != GPOINTER_TO_INT(data)) {
        _exit(EXIT_FAILURE); /* it died before that */
    }
}

static bool
spawn(Server *s, int *out_stderr, GError **error)
{
    int target = LISTEN_FD;

    return g_spawn_async_with_pipes_and_fds(
        "/", (const char *const *)s->argv, NULL,
        G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, die_with_parent,
        GINT_TO_POINTER(getpid()), -1, -1, -1, &s->listener, &target, 1, &s->pid, NULL,
        NULL, out_stderr, error);
}

/* Reads until the server closes it, that is, ends. */
static void
read_errors(Server *s, int fd)
{
    char buffer[512];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
        g_string_append_len(s->errors, buffer,
                            CLAMP(n, 0, ERRORS_MAX - (gssize)s->errors->len));
    }
}

static gpointer
server_thread(gpointer data)
{
    Server *s = data;
    siginfo_t info;
    int fd = -1;
    bool ok;

    fsn_lower_priority(); /* which the server inherits */
    ok = spawn(s, &fd, &s->error);
    /* From now on a connection fails when the server is gone. */
    close(s->listener);
    s->listener = -1;
    g_mutex_lock(&s->lock);
    s->started = true;
    g_cond_broadcast(&s->changed);
    g_mutex_unlock(&s->lock);
    if (ok) {
        read_errors(s, fd);
        close(fd);
        while (waitid(P_PID, (id_t)s->pid, &info, WEXITED | WNOWAIT) < 0 &&
               errno == EINTR) {
        }
    }
    g_mutex_lock(&s->lock);
    s->ended = true;
    g_cond_broadcast(&s->changed);
    g_mutex_unlock(&s->lock);
    if (ok) {
        (void)waitpid(s->pid, NULL, 0); /* it has ended */
    }
    g_atomic_rc_box_release_full(s, server_clear);
    return NULL;
}

/* Waits for @flag; false if that takes longer than @limit_us. */
static bool
wait_for(Server *s, const bool *flag, int64_t limit_us)
{
    int64_t end_us = g_get_monotonic_time() + limit_us;
    bool in_time = true;

    g_mutex_lock(&s->lock);
    while (!*flag && in_time) {
        in_time = g_cond_wait_until(&s->changed, &s->lock, end_us);
    }
    in_time = *flag;
    g_mutex_unlock(&s->lock);
    return in_time;
}

static void
kill_server(Server *s)
{
    g_mutex_lock(&s->lock);
    if (!s->ended) {
        kill(s->pid, SIGKILL); /* it has written nothing */
    }
    g_mutex_unlock(&s->lock);
}

static bool
start(FsnDiskOffline *o, GPtrArray *layers, const char *bitmap, GError **error)
{
    g_autofree char *program = g_find_program_in_path(PROGRAM);
    g_autofree char *name = fsn_disk_chain_to_qemu(layers);
    g_autoptr(GStrvBuilder) argv = g_strv_builder_new();
    Server *s = o->server;
    GThread *thread;

    if (!program) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    PROGRAM " is not installed (package qemu-utils)");
        return false;
    }
    /* The shell because only the child knows its pid. */
    g_strv_builder_add_many(
        argv, "/bin/sh", "-c", "LC_ALL=C LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", "sh",
        program, "--read-only", "--persistent", "--shared=" CLIENTS, NULL);
    if (bitmap) {
        g_strv_builder_add_many(argv, "--bitmap", bitmap, NULL);
    }
    g_strv_builder_add_many(argv, "--", name, NULL);
    s->argv = g_strv_builder_end(argv);
    if (!fsn_nameless_socket(BACKLOG, &s->listener, &o->socket_fd, &o->socket, error)) {
        return false;
    }
    thread =
        g_thread_try_new("qemu-nbd", server_thread, g_atomic_rc_box_acquire(s), error);
    if (!thread) {
        g_atomic_rc_box_release_full(s, server_clear);
        return false;
    }
    g_thread_unref(thread);
    (void)wait_for(s, &s->started, G_MAXINT64 / 2); /* always comes */
    if (s->error) {
        g_propagate_error(error, g_steal_pointer(&s->error));
        return false;
    }
    return true;
}

/* The error of a server that has ended, from what it wrote. */
static void
set_server_error(Server *s, const char *path, GError **error)
{
    const char *reason = strstr(s->errors->str, "}': ");
    FsnError code = FSN_ERROR_FAILED;
    g_autofree char *text = NULL;

    reason = reason ? reason + strlen("}': ") : s->errors->str;
    if (g_str_has_prefix(reason, PROGRAM ": ")) {
        reason += strlen(PROGRAM ": ");
    }
    if (strstr(reason, "lock\n")) {
        code = FSN_ERROR_BUSY;
    } else if (g_str_has_prefix(reason, "Bitmap '")) {
        code = FSN_ERROR_NOT_FOUND;
    }
    text = g_strdelimit(g_strstrip(g_strdup(reason)), "\n", ' ');
    g_set_error(error, FSN_ERROR, (int)code, "cannot open disk '%s': %s", path, text);
}

/* The server answers, or says why not. */
static bool
await_answer(FsnDiskOffline *o, const char *path, const char *bitmap, GError **error)
{
    g_autofree char *context =
        bitmap ? g_strconcat("qemu:dirty-bitmap:", bitmap, NULL) : NULL;
    FsnNbdOptions options = { .socket = o->socket,
                              .export_name = "",
                              .bitmap = context,
                              .connections = 1,
                              .stall_us = START_US };
    g_autoptr(GError) own = NULL;
    g_autoptr(FsnNbd) nbd = fsn_nbd_open(&options, &own);

    if (nbd) {
        return true;
    }
    /* It is about to end, unless it hangs. */
    if (!g_error_matches(own, FSN_ERROR, FSN_ERROR_TIMEOUT)) {
        (void)wait_for(o->server, &o->server->ended, END_US);
    }
    kill_server(o->server);
    if (wait_for(o->server, &o->server->ended, END_US) && o->server->errors->len > 0) {
        set_server_error(o->server, path, error);
        return false;
    }
    g_propagate_prefixed_error(error, g_steal_pointer(&own),
                               "cannot open disk '%s': ", path);
    return false;
}

FsnDiskOffline *
fsn_disk_offline_new_chain(GPtrArray *layers, const char *bitmap, GError **error)
{
    g_autoptr(FsnDiskOffline) o = g_new0(FsnDiskOffline, 1);
    const FsnDiskLayer *top = g_ptr_array_index(layers, 0);
    Server *s = g_atomic_rc_box_new0(Server);

    o->server = s;
    o->socket_fd = -1;
    g_mutex_init(&s->lock);
    g_cond_init(&s->changed);
    s->listener = -1;
    s->errors = g_string_new(NULL);
    if (!start(o, layers, bitmap, error) || !await_answer(o, top->path, bitmap, error)) {
        return NULL;
    }
    return g_steal_pointer(&o);
}

FsnDiskOffline *
fsn_disk_offline_new(const char *path,
                     const char *format,
                     const char *bitmap,
                     GError **error)
{
    g_autoptr(GPtrArray) layers = NULL;

    if (!fsn_disk_chain_read(path, format, &layers, error)) {
        return NULL;
    }
    return fsn_disk_offline_new_chain(layers, bitmap, error);
}

void
fsn_disk_offline_free(FsnDiskOffline *o)
{
    if (!o) {
        return;
    }
    if (o->server->pid) {
        kill_server(o->server);
        (void)wait_for(o->server, &o->server->ended, END_US);
    }
    g_atomic_rc_box_release_full(o->server, server_clear);
    if (o->socket_fd >= 0) {
        close(o->socket_fd);
    }
    g_free(o->socket);
    g_free(o);
}

const char *
fsn_disk_offline_socket(const FsnDiskOffline *o)
{
    return o->socket;
}
