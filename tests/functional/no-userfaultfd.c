/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs an emulator that may not use userfaultfd, as on a host that does not permit it, but
 * for this one process only: the host's setting is shared by all tests that run meanwhile.
 * The emulator is what the link of this program's own name and ".real" points to.
 */
#include "config.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
forbid(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_userfaultfd, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 0, 3),
        /* newer QEMU asks /dev/userfaultfd first */
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, USERFAULTFD_IOC_NEW, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
               ? -1
               : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int
main(int argc, char **argv)
{
    char real[4096];
    ssize_t len = readlink("/proc/self/exe", real, sizeof(real) - sizeof(".real"));

    (void)argc;
    if (len < 0 || forbid() < 0) {
        perror("no-userfaultfd");
        return 126;
    }
    (void)snprintf(real + len, sizeof(real) - (size_t)len, ".real");
    (void)execv(real, argv);
    perror(real);
    return 127;
}
