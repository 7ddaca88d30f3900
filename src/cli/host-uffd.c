/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * userfaultfd lets QEMU run a guest whose RAM is still on its way, and the kernel's default
 * denies it to ordinary users. Whether QEMU may use it depends on the kernel, a sysctl and a
 * device node, so it is tried out as QEMU's user rather than derived; and it is permitted here
 * when the user asks for that. QEMU's seccomp filter and AppArmor are not looked at.
 */
#include "config.h"

#include "cli/host-uffd.h"

#include "base/error.h"
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define UFFD_DEVICE "/dev/userfaultfd"

/* What the child says: errno of the system call, and whether the device could be opened. */
typedef struct {
    int error;
    int device_open;
} Answer;

/* The user as whom distributions run QEMU for the system's libvirt; NULL if none is there. */
static const struct passwd *
find_qemu_user(void)
{
    static const char *const names[] = { "libvirt-qemu", "qemu", "nobody" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const struct passwd *user = getpwnam(names[i]);

        if (user) {
            return user;
        }
    }
    return NULL;
}

/* Child: becomes the user (if any), tries both ways and answers. Only system calls. */
static void
try_as_user(const struct passwd *user, int answer_fd)
{
    Answer answer = { .error = EACCES };
    bool is_user = !user || (setgroups(0, NULL) == 0 &&
                             setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
                             setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0);
    ssize_t n;

    if (is_user) {
        answer.error = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK) < 0 ? errno : 0;
        answer.device_open = open(UFFD_DEVICE, O_RDWR | O_CLOEXEC) >= 0;
    }
    n = write(answer_fd, &answer, sizeof(answer));
    _exit(n == sizeof(answer) ? 0 : 1);
}

static bool
ask_child(const struct passwd *user, Answer *out_answer)
{
    int fds[2];
    ssize_t n;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0) {
        return false;
    }
    pid = fork();
    if (pid == 0) {
        try_as_user(user, fds[1]);
    }
    close(fds[1]);
    n = pid > 0 ? read(fds[0], out_answer, sizeof(*out_answer)) : -1;
    close(fds[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        continue;
    }
    return n == sizeof(*out_answer);
}

static int
read_sysctl(void)
{
    g_autofree char *text = NULL;

    return g_file_get_contents(FSN_HOST_UFFD_SYSCTL, &text, NULL, NULL) ? atoi(text) : -1;
}

void
fsn_host_uffd_probe(const char *uri, FsnHostUffd *out_uffd)
{
    bool session = uri && strstr(uri, "/session");
    const struct passwd *user = geteuid() == 0 && !session ? find_qemu_user() : NULL;
    Answer answer = { .error = EAGAIN };

    out_uffd->user = g_strdup(user ? user->pw_name : g_get_user_name());
    if (!ask_child(user, &answer)) {
        answer = (Answer){ .error = EAGAIN };
    }
    out_uffd->error = answer.error;
    out_uffd->device_open = answer.device_open != 0;
    out_uffd->device = access(UFFD_DEVICE, F_OK) == 0;
    out_uffd->sysctl = read_sysctl();
}

static bool
write_sysctl(const char *path, GError **error)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open '%s'%s", path,
                             errno == EACCES ? " (only root may)" : "");
    }
    written = fsn_write_all(fd, "1\n", 2, path, error);
    close(fd);
    return written;
}

bool
fsn_host_uffd_permit(const char *sysctl_path, const char *persist_path, GError **error)
{
    static const char lines[] =
        "# Written by 'foresnap check-host --fix --persist': QEMU needs userfaultfd to run\n"
        "# a guest before all of its RAM is loaded. Delete this file to undo it.\n"
        "vm.unprivileged_userfaultfd = 1\n";

    return write_sysctl(sysctl_path, error) &&
           (!persist_path ||
            fsn_file_replace(persist_path, lines, strlen(lines), 0644, error));
}
