/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks a QEMU of its own, which has no machine and lives for a moment, what it can do. That
 * is the QEMU found in PATH; a domain may name another one.
 */
#include "config.h"

#include "cli/host-qemu.h"

#include "base/error.h"
#include "qmp/commands-status.h"
#include "qmp/schema.h"
#include "qmp/socket-transport.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PROBE_TIMEOUT_US (10 * G_USEC_PER_SEC)
/* The number of QEMU's end of the socket in its process. */
#define CHILD_FD         3

void
fsn_host_qemu_clear(FsnHostQemu *qemu)
{
    g_free(qemu->binary);
    g_free(qemu->version);
    g_free(qemu->error);
}

/* Debian's name, then the one that Fedora and its kin hide; the caller frees. */
static char *
find_binary(void)
{
    struct utsname name;
    g_autofree char *program = NULL;
    char *found;

    if (uname(&name) != 0) {
        return NULL;
    }
    program = g_strdup_printf("qemu-system-%s", name.machine);
    found = g_find_program_in_path(program);
    if (!found) {
        found = g_find_program_in_path("qemu-kvm");
    }
    if (!found && access("/usr/libexec/qemu-kvm", X_OK) == 0) {
        found = g_strdup("/usr/libexec/qemu-kvm");
    }
    return found;
}

/* Starts @binary; *@out_fd speaks QMP with it and is the caller's. */
static GSubprocess *
start(const char *binary, int *out_fd, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    GSubprocess *process;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
        fsn_set_errno(error, errno, "cannot make a pair of sockets");
        return NULL;
    }
    g_subprocess_launcher_take_fd(launcher, fds[1], CHILD_FD);
    process = g_subprocess_launcher_spawn(
        launcher, error, binary, "-machine", "none", "-nodefaults", "-no-user-config",
        "-display", "none", "-S", "-chardev",
        "socket,id=qmp,fd=" G_STRINGIFY(CHILD_FD), "-mon", "chardev=qmp,mode=control",
                                        NULL);
    /* Closes QEMU's end here, so that its death is an end of file. */
    g_subprocess_launcher_close(launcher);
    if (!process) {
        close(fds[0]);
        return NULL;
    }
    *out_fd = fds[0];
    return process;
}

static bool
ask(int fd, FsnHostQemu *qemu, GError **error)
{
    FsnQmpTransport *transport;
    g_autoptr(FsnQmp) qmp = NULL;
    g_autoptr(FsnQmpSchema) schema = NULL;
    g_auto(FsnQmpVersion) version = { 0 };

    if (!fsn_qmp_socket_new(fd, PROBE_TIMEOUT_US, &transport, error)) {
        return false;
    }
    qmp = fsn_qmp_new(transport);
    fsn_qmp_set_timeout(qmp, PROBE_TIMEOUT_US);
    if (!fsn_qmp_query_version(qmp, &version, error) ||
        !fsn_qmp_schema_query(qmp, &schema, error)) {
        return false;
    }
    qemu->major = version.major;
    qemu->version =
        g_strdup_printf("%d.%d.%d", version.major, version.minor, version.micro);
    qemu->migrates_to_fd = fsn_qmp_schema_has_command(schema, "getfd") &&
                           fsn_qmp_schema_has_command(schema, "migrate");
    qemu->postcopy = fsn_qmp_schema_has_capability(schema, "postcopy-ram");
    qemu->background_snapshot =
        fsn_qmp_schema_has_capability(schema, "background-snapshot");
    return true;
}

void
fsn_host_qemu_probe(FsnHostQemu *out_qemu)
{
    g_autoptr(GSubprocess) process = NULL;
    g_autoptr(GError) error = NULL;
    int fd;

    *out_qemu = (FsnHostQemu){ .binary = find_binary() };
    if (!out_qemu->binary) {
        out_qemu->error = g_strdup("it is not in PATH");
        return;
    }
    process = start(out_qemu->binary, &fd, &error);
    if (!process || !ask(fd, out_qemu, &error)) {
        out_qemu->error = g_strdup(error->message);
    }
    if (process) {
        g_subprocess_force_exit(process);
        (void)g_subprocess_wait(process, NULL, NULL); /* it has been killed */
    }
}
