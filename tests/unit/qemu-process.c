/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts and ends a real QEMU for unit tests. The listening socket is made here and handed
 * down, as libvirt does it, so that there is nothing to wait for.
 */
#include "config.h"

#include "qemu-process.h"

#include "qmp/socket-transport.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM   "qemu-system-x86_64"
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
    g_assert_no_errno(listen(fd, 1));
    return fd;
}

static void
die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static pid_t
spawn(const char *const *arguments, int listen_fd)
{
    static const char *const fixed[] = {
        PROGRAM,       "-S",
        "-nodefaults", "-no-user-config",
        "-display",    "none",
        "-accel",      "tcg",
        "-chardev",    "socket,id=qmp,fd=3,server=on,wait=off",
        "-mon",        "chardev=qmp,mode=control",
    };
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) argv = NULL;
    int target_fd = LISTEN_FD;
    GPid pid;

    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++) {
        g_strv_builder_add(builder, fixed[i]);
    }
    if (arguments) {
        g_strv_builder_addv(builder, (const char **)arguments);
    }
    argv = g_strv_builder_end(builder);
    g_spawn_async_with_pipes_and_fds(NULL, (const char *const *)argv, NULL,
                                     G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                                     die_with_parent, NULL, -1, -1, -1, &listen_fd,
                                     &target_fd, 1, &pid, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    return pid;
}

TestQemu *
test_qemu_new(const char *const *arguments)
{
    g_autofree char *program = g_find_program_in_path(PROGRAM);
    g_autoptr(GError) error = NULL;
    TestQemu *qemu;
    int fd;

    if (!program) {
        g_test_skip(PROGRAM " is not installed");
        return NULL;
    }
    qemu = g_new0(TestQemu, 1);
    qemu->dir = g_dir_make_tmp("foresnap-test-XXXXXX", &error);
    g_assert_no_error(error);
    qemu->path = g_build_filename(qemu->dir, "qmp.sock", NULL);
    fd = listen_at(qemu->path);
    qemu->pid = spawn(arguments, fd);
    close(fd);
    return qemu;
}

void
test_qemu_kill(TestQemu *qemu)
{
    if (qemu->pid == 0) {
        return;
    }
    kill(qemu->pid, SIGKILL);
    g_assert_cmpint(waitpid(qemu->pid, NULL, 0), ==, qemu->pid);
    qemu->pid = 0;
}

void
test_qemu_free(TestQemu *qemu)
{
    if (!qemu) {
        return;
    }
    test_qemu_kill(qemu);
    (void)g_unlink(qemu->path); /* QEMU removes it when it ends by itself */
    g_assert_no_errno(g_rmdir(qemu->dir));
    g_free(qemu->path);
    g_free(qemu->dir);
    g_free(qemu);
}

FsnQmpTransport *
test_qemu_connect(TestQemu *qemu)
{
    g_autoptr(GError) error = NULL;
    FsnQmpTransport *transport = NULL;

    if (!fsn_qmp_socket_connect(qemu->path, 30 * G_USEC_PER_SEC, &transport, &error)) {
        g_error("cannot reach the test's QEMU: %s", error->message);
    }
    return transport;
}

FsnQmp *
test_qemu_session(TestQemu *qemu)
{
    return fsn_qmp_new(test_qemu_connect(qemu));
}
