/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts and ends real NBD servers for unit tests. The listening socket is made here and
 * handed down as systemd does it, so that there is nothing to wait for.
 */
#include "config.h"

#include "nbd-server.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTEN_FD 3

static int
listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(strlen(path), <, sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    g_assert_no_errno(bind(fd, (struct sockaddr *)&address, sizeof address));
    g_assert_no_errno(listen(fd, 16));
    return fd;
}

static void
die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

TestNbd *
test_nbd_new(const char *program, ...)
{
    TestNbd *server = g_new0(TestNbd, 1);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) argv = NULL;
    int target_fd = LISTEN_FD, fd;
    const char *argument;
    va_list ap;
    GPid pid;

    /* The pid of the server is known only in the child. */
    g_strv_builder_add_many(builder, "/bin/sh", "-c",
                            "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", "sh", program,
                            NULL);
    va_start(ap, program);
    while ((argument = va_arg(ap, const char *))) {
        g_strv_builder_add(builder, argument);
    }
    va_end(ap);
    argv = g_strv_builder_end(builder);
    server->dir = g_dir_make_tmp("foresnap-test-XXXXXX", &error);
    g_assert_no_error(error);
    server->path = g_build_filename(server->dir, "nbd.sock", NULL);
    fd = listen_at(server->path);
    g_spawn_async_with_pipes_and_fds(
        NULL, (const char *const *)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent,
        NULL, -1, -1, -1, &fd, &target_fd, 1, &pid, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    close(fd);
    server->pid = pid;
    return server;
}

void
test_nbd_kill(TestNbd *server)
{
    if (server->pid != 0) {
        kill(server->pid, SIGKILL);
        g_assert_cmpint(waitpid(server->pid, NULL, 0), ==, server->pid);
        server->pid = 0;
    }
}

void
test_nbd_free(TestNbd *server)
{
    if (server) {
        test_nbd_kill(server);
        (void)g_unlink(server->path);
        g_assert_no_errno(g_rmdir(server->dir));
        g_free(server->path);
        g_free(server->dir);
        g_free(server);
    }
}

bool
test_have(const char *program, ...)
{
    const char *missing = NULL;
    va_list ap;

    va_start(ap, program);
    while (program && !missing) {
        g_autofree char *path = g_find_program_in_path(program);

        missing = path ? NULL : program;
        program = va_arg(ap, const char *);
    }
    va_end(ap);
    if (missing) {
        g_autofree char *reason = g_strdup_printf("%s is not installed", missing);

        g_test_skip(reason);
    }
    return !missing;
}

void
test_run(const char *format, ...)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *command = NULL;
    g_autofree char *output = NULL;
    g_autofree char *errors = NULL;
    int status;
    va_list ap;

    va_start(ap, format);
    command = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_spawn_command_line_sync(command, &output, &errors, &status, &error);
    g_assert_no_error(error);
    if (!g_spawn_check_wait_status(status, &error)) {
        g_error("%s: %s: %s", command, error->message, errors);
    }
}
