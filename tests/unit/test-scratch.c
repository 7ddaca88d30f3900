/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/scratch.c: reserved space without a name, and its refusal. */
#include "config.h"

#include "base/error.h"
#include "cycle/scratch.h"
#include "disk/qemu-img.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

static void
test_open(void)
{
    g_autofree char *dir = g_dir_make_tmp("foresnap-test-XXXXXX", NULL);
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) list = NULL;
    uint64_t size;
    struct stat st;
    int fd = fsn_scratch_open(dir, 3 * MIB, 16 * MIB, &error);

    g_assert_no_error(error);
    g_assert_cmpint(fstat(fd, &st), ==, 0);
    g_assert_cmpuint((uint64_t)st.st_blocks * 512, >=, 16 * MIB);
    path = g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), fd);
    g_assert_true(fsn_qemu_img_virtual_size(path, "qcow2", &size, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(size, ==, 3 * MIB);
    list = g_dir_open(dir, 0, NULL);
    g_assert_null(g_dir_read_name(list));
    close(fd);
    g_assert_cmpint(rmdir(dir), ==, 0);
}

static void
test_refused(void)
{
    g_autofree char *dir = g_dir_make_tmp("foresnap-test-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) absent = NULL;

    /* No file system here has that much. */
    g_assert_cmpint(fsn_scratch_open(dir, MIB, UINT64_C(1) << 55, &error), ==, -1);
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NO_SPACE);
    g_assert_nonnull(strstr(error->message, "--scratch"));
    g_assert_cmpint(rmdir(dir), ==, 0); /* nothing is in it */
    g_assert_cmpint(fsn_scratch_open(dir, MIB, MIB, &absent), ==, -1);
    g_assert_nonnull(strstr(absent->message, dir));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scratch/open", test_open);
    g_test_add_func("/scratch/refused", test_refused);
    return g_test_run();
}
