/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting the pager's processes and handing descriptors on. The same program plays every
 * part, so that no other file has to be found, whatever is installed meanwhile.
 */
#include "config.h"

#include "memory/pager-session.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_FDS     (FSN_ARENA_MAX_FDS + 2 + FSN_SESSION_MAX_KEEP)
#define OOM_PROTECT "-900"
#define OOM_NORMAL  "0"

bool
fsn_pager_spawn(const char *const *args,
                const int *fds,
                unsigned n_fds,
                pid_t *out_pid,
                GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    int targets[MAX_FDS];
    GPid pid;

    g_assert(n_fds <= MAX_FDS);
    /* resolved in the child, which is still this program then, even if its file is gone */
    g_ptr_array_add(argv, (gpointer) "/proc/self/exe");
    g_ptr_array_add(argv, (gpointer) "foresnap-pager");
    for (int i = 0; args[i]; i++) {
        g_ptr_array_add(argv, (gpointer)args[i]);
    }
    g_ptr_array_add(argv, NULL);
    for (unsigned i = 0; i < n_fds; i++) {
        targets[i] = FSN_SESSION_FIRST_FD + (int)i;
    }
    if (!g_spawn_async_with_pipes_and_fds(
            NULL, (const char *const *)argv->pdata, NULL,
            G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_FILE_AND_ARGV_ZERO, NULL, NULL, -1, -1,
            -1, fds, targets, n_fds, &pid, NULL, NULL, NULL, error)) {
        return false;
    }
    *out_pid = pid;
    return true;
}

static bool
spawn_with_arena(FsnArena *arena,
                 const char *const *args,
                 int first,
                 const int *more,
                 unsigned n_more,
                 pid_t *out_pid,
                 GError **error)
{
    int fds[MAX_FDS];
    unsigned n = 0;

    fds[n++] = first;
    for (unsigned i = 0; i < arena->n_fds; i++) {
        fds[n++] = arena->fds[i];
    }
    for (unsigned i = 0; i < n_more; i++) {
        fds[n++] = more[i];
    }
    return fsn_pager_spawn(args, fds, n, out_pid, error);
}

bool
fsn_pager_spawn_worker(FsnArena *arena, pid_t *out_pid, int *out_lifeline, GError **error)
{
    g_autofree char *n = g_strdup_printf("%u", arena->n_fds);
    g_autofree char *parent = g_strdup_printf("%d", (int)getpid());
    const char *args[] = { "--worker", "--fds", n, "--parent", parent, NULL };
    int lifeline[2];
    bool ok;

    if (!g_unix_open_pipe(lifeline, FD_CLOEXEC, error)) {
        return false;
    }
    ok = spawn_with_arena(arena, args, lifeline[1], NULL, 0, out_pid, error);
    close(lifeline[1]); /* the child's copy is the only one: its end is our news */
    if (!ok) {
        close(lifeline[0]);
        return false;
    }
    *out_lifeline = lifeline[0];
    return true;
}

static const char *
opening_option(FsnPagerOpening opening)
{
    switch (opening) {
    case FSN_OPEN_FRESH:
        return NULL;
    case FSN_OPEN_RECOVER:
        return "--recover";
    case FSN_OPEN_TAKE_OVER:
        return "--take-over";
    }
    g_assert_not_reached();
}

static bool
start_supervisor(FsnPagerSession *session,
                 FsnPagerOpening opening,
                 int status_fd,
                 const int *keep_fds,
                 unsigned n_keep_fds,
                 GError **error)
{
    FsnArena *arena = session->arena;
    g_autofree char *n = g_strdup_printf("%u", arena->n_fds);
    const char *args[] = {
        "--supervisor",          "--fds", n, status_fd >= 0 ? "--report" : "--no-report",
        opening_option(opening), NULL
    };
    int more[1 + FSN_SESSION_MAX_KEEP];
    unsigned n_more = 0;
    int pair[2];
    bool ok;

    g_assert(n_keep_fds <= FSN_SESSION_MAX_KEEP);
    if (status_fd >= 0) {
        more[n_more++] = status_fd;
    }
    for (unsigned i = 0; i < n_keep_fds; i++) {
        more[n_more++] = keep_fds[i];
    }
    if (!fsn_control_pair(pair, error)) {
        return false;
    }
    session->control = pair[0];
    ok =
        spawn_with_arena(arena, args, pair[1], more, n_more, &session->supervisor, error);
    close(pair[1]);
    if (!ok) {
        session->supervisor = 0;
    }
    return ok;
}

FsnPagerSession *
fsn_pager_session_new(FsnArena *arena,
                      FsnPagerOpening opening,
                      int status_fd,
                      const int *keep_fds,
                      unsigned n_keep_fds,
                      GError **error)
{
    g_autoptr(FsnPagerSession) session = g_new0(FsnPagerSession, 1);

    session->arena = arena;
    session->control = -1;
    session->socket = -1;
    if (!start_supervisor(session, opening, status_fd, keep_fds, n_keep_fds, error)) {
        return NULL;
    }
    return g_steal_pointer(&session);
}

void
fsn_pager_session_free(FsnPagerSession *session)
{
    if (!session) {
        return;
    }
    if (session->control >= 0) {
        close(session->control);
    }
    fsn_pager_session_disconnect(session);
    if (session->supervisor > 0) {
        (void)waitpid(session->supervisor, NULL, WNOHANG); /* it may live on */
    }
    fsn_arena_free(session->arena);
    g_free(session);
}

void
fsn_pager_session_connect(FsnPagerSession *session, int fd)
{
    fsn_pager_session_disconnect(session);
    session->socket = fd;
    fsn_control_send(session->control, FSN_CONTROL_CONNECTED, NULL, fd);
}

void
fsn_pager_session_disconnect(FsnPagerSession *session)
{
    if (session->socket >= 0) {
        close(session->socket);
        session->socket = -1;
    }
}

bool
fsn_pager_session_may_replace(FsnPagerSession *session)
{
    return session->socket >= 0 && fsn_arena_get(session->arena, opened) != 0;
}

/* The supervisor, and the worker that was orphaned and killed with it: two workers at once
 * would spoil the rings. */
static void
wait_for_children(void)
{
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
    }
}

bool
fsn_pager_session_replace(FsnPagerSession *session,
                          int status_fd,
                          const int *keep_fds,
                          unsigned n_keep_fds,
                          GError **error)
{
    g_assert(fsn_pager_session_may_replace(session));
    wait_for_children();
    close(session->control);
    session->control = -1;
    session->supervisor = 0;
    if (!start_supervisor(session, FSN_OPEN_TAKE_OVER, status_fd, keep_fds, n_keep_fds,
                          error)) {
        return false;
    }
    fsn_control_send(session->control, FSN_CONTROL_CONNECTED, NULL, session->socket);
    return true;
}

bool
fsn_pager_connect(const char *path, int64_t timeout_us, int *out_fd, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int64_t deadline = fsn_monotonic_us() + timeout_us;
    int saved;

    if (strlen(path) >= sizeof(address.sun_path)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "socket path '%s' is too long",
                    path);
        return false;
    }
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    do {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0) {
            return fsn_set_errno(error, errno, "cannot make a socket");
        }
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
            *out_fd = fd;
            return true;
        }
        saved = errno;
        close(fd);
        g_usleep(2000); /* nothing tells when another process begins to listen */
    } while ((saved == ENOENT || saved == ECONNREFUSED) && fsn_monotonic_us() < deadline);
    return fsn_set_errno(error, saved, "cannot connect to QEMU at '%s'", path);
}

static void
set_oom_score(const char *score)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    ssize_t n;

    if (fd >= 0) {
        n = write(fd, score, strlen(score));
        (void)n; /* where it is permitted */
        close(fd);
    }
}

void
fsn_pager_protect_supervisor(void)
{
    set_oom_score(OOM_PROTECT);
    (void)prctl(PR_SET_NAME, "foresnap-superv"); /* at most 15 bytes */
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
}

void
fsn_pager_adopt(void)
{
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* fails on kernels before 3.4 only */
}

bool
fsn_pager_bind_worker(pid_t parent)
{
    set_oom_score(OOM_NORMAL);
    (void)prctl(PR_SET_NAME, "foresnap-worker");
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    return getppid() == parent; /* else it died before we could ask */
}
