/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-uffd [MIB [ROUNDS]]
 *
 * How fast this host can put pages into fresh memory, one by one, as QEMU does it in a
 * postcopy (UFFDIO_COPY), and when they are merely touched: the ceiling of "all loaded" in
 * bench-suspend.sh. Prints GB/s, medians and ranges.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096u

static char page[PAGE] __attribute__((aligned(PAGE)));

static char *
fresh(size_t len)
{
    char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        g_error("mmap: %s", g_strerror(errno));
    }
    return p;
}

static void
copy_by_uffd(int fd, char *p, size_t len)
{
    struct uffdio_register reg = { .range = { (uintptr_t)p, len },
                                   .mode = UFFDIO_REGISTER_MODE_MISSING };

    if (ioctl(fd, UFFDIO_REGISTER, &reg) < 0) {
        g_error("UFFDIO_REGISTER: %s", g_strerror(errno));
    }
    for (size_t i = 0; i < len; i += PAGE) {
        struct uffdio_copy copy = { .dst = (uintptr_t)p + i,
                                    .src = (uintptr_t)page,
                                    .len = PAGE };

        if (ioctl(fd, UFFDIO_COPY, &copy) < 0) {
            g_error("UFFDIO_COPY: %s", g_strerror(errno));
        }
    }
}

static void
touch(int fd, char *p, size_t len)
{
    (void)fd; /* not needed */
    for (size_t i = 0; i < len; i += PAGE) {
        memcpy(p + i, page, PAGE);
    }
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
measure(
    const char *what, void (*run)(int, char *, size_t), int fd, size_t len, int rounds)
{
    g_autofree double *speed = g_new(double, rounds);

    for (int i = 0; i < rounds; i++) {
        char *p = fresh(len);
        gint64 began = g_get_monotonic_time();

        run(fd, p, len);
        speed[i] = (double)len / 1e3 / (double)(g_get_monotonic_time() - began);
        munmap(p, len);
    }
    qsort(speed, (size_t)rounds, sizeof(speed[0]), compare);
    g_print("%s: %.2f (%.2f to %.2f) GB/s, n = %d\n", what, speed[rounds / 2], speed[0],
            speed[rounds - 1], rounds);
}

int
main(int argc, char **argv)
{
    size_t len = (size_t)(argc > 1 ? atoi(argv[1]) : 2048) << 20;
    int rounds = argc > 2 ? atoi(argv[2]) : 7;
    struct uffdio_api api = { .api = UFFD_API };
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

    if (len == 0 || rounds < 1 || fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0) {
        g_printerr("usage: bench-uffd [MIB [ROUNDS]], with permission for userfaultfd\n");
        return 1;
    }
    memset(page, 1, sizeof(page));
    measure("UFFDIO_COPY", copy_by_uffd, fd, len, rounds);
    measure("first touch", touch, fd, len, rounds);
    return 0;
}
