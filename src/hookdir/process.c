/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program of somebody else's, with limits: of time, of output, and of what it inherits. Its
 * input is a file without a name, so that one that does not read it disturbs nobody.
 */
#include "config.h"

#include "hookdir/process.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_US ((int64_t)2 * G_USEC_PER_SEC)

typedef struct {
    GPid pid;
    int pidfd;
    int output; /* the reading end */
    GString *text;
    int64_t deadline_us;
    int signals; /* sent: 1 = SIGTERM, 2 = SIGKILL too */
} Child;

void
fsn_hook_process_clear(FsnHookProcess *process)
{
    g_clear_pointer(&process->output, g_free);
}

/* Between fork and exec. */
static void
child_setup(gpointer user G_GNUC_UNUSED)
{
    (void)setpgid(0, 0);                    /* cannot fail for oneself */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* nor this */
    (void)dup2(STDOUT_FILENO, STDERR_FILENO);
}

static int
input_file(const char *input, GError **error)
{
    int fd = memfd_create("foresnap-hook-input", MFD_CLOEXEC);

    if (fd < 0) {
        fsn_set_errno(error, errno, "cannot make its input");
        return -1;
    }
    if (!fsn_write_all(fd, input, strlen(input), "its input", error) ||
        lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool
start(Child *child,
      const char *path,
      char *const *environment,
      const char *input,
      GError **error)
{
    char *argv[] = { (char *)path, NULL };
    int in = input_file(input, error);
    int ends[2] = { -1, -1 };
    bool done;

    if (in < 0) {
        return false;
    }
    if (pipe2(ends, O_CLOEXEC) != 0) {
        fsn_set_errno(error, errno, "cannot make a pipe");
        close(in);
        return false;
    }
    done =
        g_spawn_async_with_fds("/", argv, (char **)environment, G_SPAWN_DO_NOT_REAP_CHILD,
                               child_setup, NULL, &child->pid, in, ends[1], -1, error);
    close(in);
    close(ends[1]);
    if (!done) {
        close(ends[0]);
        return false;
    }
    child->output = ends[0];
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    return true;
}

/* Takes what is there; false at the end of it. */
static bool
take_output(Child *child)
{
    char buffer[4096];
    ssize_t n = read(child->output, buffer, sizeof buffer);

    if (n > 0) {
        size_t room = FSN_HOOK_OUTPUT_MAX - child->text->len;

        g_string_append_len(child->text, buffer, (gssize)MIN((size_t)n, room));
        return true;
    }
    return n < 0 && (errno == EINTR || errno == EAGAIN);
}

static void
end_group(Child *child)
{
    (void)kill(-child->pid, child->signals == 0 ? SIGTERM : SIGKILL);
    child->signals++;
    child->deadline_us = fsn_monotonic_us() + GRACE_US;
}

/* Until it has ended. */
static int
wait_for(Child *child)
{
    struct pollfd fds[2] = { { .fd = child->pidfd, .events = POLLIN },
                             { .fd = child->output, .events = POLLIN } };
    int status = 0;

    for (;;) {
        int64_t left_us = child->deadline_us - fsn_monotonic_us();
        /* Without a pidfd, on old kernels, it has to be looked at. */
        int64_t longest_ms = child->pidfd < 0 ? 50 : 60000;
        int left_ms = (int)CLAMP(left_us / 1000 + 1, 0, longest_ms);

        if (left_us <= 0 && child->signals < 2) {
            end_group(child);
            continue;
        }
        if (poll(fds, 2, child->signals < 2 ? left_ms : (int)longest_ms) < 0 &&
            errno != EINTR) {
            end_group(child);
        }
        if (fds[1].revents && !take_output(child)) {
            fds[1].fd = -1; /* its end: poll passes over it */
        }
        fds[1].revents = 0;
        if (waitpid(child->pid, &status, WNOHANG) == child->pid) {
            return status;
        }
    }
}

bool
fsn_hook_process_run(const char *path,
                     char *const *environment,
                     const char *input,
                     int64_t limit_us,
                     FsnHookProcess *out_process,
                     GError **error)
{
    Child child = { .pidfd = -1, .deadline_us = fsn_monotonic_us() + limit_us };
    struct pollfd more;
    int status;

    if (!start(&child, path, environment, input, error)) {
        return false;
    }
    child.text = g_string_new(NULL);
    status = wait_for(&child);
    if (child.signals > 0) {
        (void)kill(-child.pid, SIGKILL); /* its children that did not listen */
    }
    /* What it printed last; somebody in the background may hold the other end for ever. */
    more = (struct pollfd){ .fd = child.output, .events = POLLIN };
    while (child.text->len < FSN_HOOK_OUTPUT_MAX && poll(&more, 1, 0) > 0 &&
           take_output(&child)) {
    }
    close(child.output);
    if (child.pidfd >= 0) {
        close(child.pidfd);
    }
    g_spawn_close_pid(child.pid);
    out_process->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    out_process->timed_out = child.signals > 0;
    out_process->output = g_utf8_make_valid(child.text->str, (gssize)child.text->len);
    g_strchomp(out_process->output);
    g_string_free(child.text, TRUE);
    return true;
}
