/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fork, a session of its own, and a pipe that says when. */
#include "config.h"

#include "daemon/background.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready_fd = -1;

/* What the child's end says: a byte, or its exit status. */
static void G_GNUC_NORETURN
wait_for(pid_t pid, int fd)
{
    char byte;
    int status = 0;

    if (TEMP_FAILURE_RETRY(read(fd, &byte, 1)) == 1) {
        _exit(0);
    }
    if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0 || !WIFEXITED(status)) {
        _exit(1);
    }
    _exit(WEXITSTATUS(status));
}

bool
fsn_background_enter(void)
{
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0) {
        return false;
    }
    pid = fork();
    if (pid < 0) {
        return false;
    }
    if (pid > 0) {
        close(fds[1]);
        wait_for(pid, fds[0]);
    }
    close(fds[0]);
    ready_fd = fds[1];
    (void)setsid(); /* a child that was just forked leads no group */
    return true;
}

void
fsn_background_ready(void)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; null_fd >= 0 && fd <= 2; fd++) {
        (void)!dup2(null_fd, fd);
    }
    if (null_fd > 2) {
        close(null_fd);
    }
    if (ready_fd >= 0) {
        (void)!write(ready_fd, "", 1);
        close(ready_fd);
        ready_fd = -1;
    }
}
