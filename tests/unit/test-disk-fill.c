/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/disk/fill.c: an overlay is filled from below in whatever order, what is in it already
 * stays, and that all is there is only said where QEMU says it.
 */
#include "config.h"

#include "disk/fill.h"
#include "disk/write-image.h"
#include "nbd-server.h"
#include "stored-disk-common.h"

#include <glib/gstdio.h>

typedef struct {
    char *dir;
    FsnRepo *repo;
    FsnImage *image;
    uint64_t asked; /* bytes */
    uint64_t first; /* offset of the first request */
    uint64_t bandwidth;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *root = NULL;
    g_autofree char *base = NULL;
    g_autofree uint8_t *bytes = disk_bytes();

    f->dir = g_dir_make_tmp("foresnap-fill-XXXXXX", &error);
    g_assert_no_error(error);
    f->repo = memory_repo();
    root = store_disk(f->repo);
    f->image = open_image(f->repo, root);
    f->first = UINT64_MAX;
    base = g_build_filename(f->dir, "base", NULL);
    g_assert_true(
        g_file_set_contents(base, (const char *)bytes, (gssize)DISK_SIZE, &error));
    if (test_have("qemu-nbd", "qemu-img", "qemu-io", NULL)) {
        test_run("qemu-img create -q -f qcow2 -F raw -b %s/base %s/top", f->dir, f->dir);
        /* what the guest wrote, over data and over a hole */
        test_run("qemu-io -f qcow2 -c 'write -q -P 9 8k 4k' -c 'write -q -P 7 24M 64k' "
                 "%s/top",
                 f->dir);
        test_run("cp %s/base %s/wanted", f->dir, f->dir);
        test_run("qemu-io -f raw -c 'write -q -P 9 8k 4k' -c 'write -q -P 7 24M 64k' "
                 "%s/wanted",
                 f->dir);
    }
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    test_run("rm -r %s", f->dir);
    g_free(f->dir);
    fsn_image_free(f->image);
    fsn_repo_free(f->repo);
}

static void
on_asked(uint64_t offset, uint64_t len, gpointer user)
{
    Fixture *f = user;

    f->first = f->first == UINT64_MAX ? offset : f->first;
    f->asked += len;
}

static TestNbd *
serve(Fixture *f, const char *mode)
{
    g_autofree char *top = g_build_filename(f->dir, "top", NULL);

    return test_nbd_new("qemu-nbd", "-A", "-t", "-f", "qcow2", mode, top, NULL);
}

static bool
fill(Fixture *f, TestNbd *server, const uint32_t *first, size_t n, GError **error)
{
    const FsnFillOptions options = { .socket = server->path,
                                     .export_name = "",
                                     .image = f->image,
                                     .size = DISK_SIZE,
                                     .first = first,
                                     .n_first = n,
                                     .bandwidth = f->bandwidth,
                                     .asked = on_asked,
                                     .user = f };

    return fsn_fill(&options, error);
}

static void
test_filled(Fixture *f, gconstpointer data)
{
    static const uint32_t first[] = { 9000, 9001, 20, UINT32_MAX, 9600 };
    g_autoptr(GError) error = NULL;

    if (!test_have("qemu-nbd", "qemu-img", "qemu-io", NULL)) {
        return;
    }
    for (int i = 0; i < 2; i++) { /* again, with nothing left to do */
        g_autoptr(TestNbd) server = serve(f, "--cache=writeback");

        g_assert_true(fill(f, server, first, G_N_ELEMENTS(first), &error));
        g_assert_no_error(error);
        g_assert_cmpuint(f->first, ==, 9000 * 4096 / 65536 * 65536);
        g_assert_cmpuint(f->asked, >, 0);
    }
    /* alone, it has all */
    test_run("qemu-img rebase -u -f qcow2 -b '' %s/top", f->dir);
    test_run("qemu-img compare -q -f qcow2 -F raw %s/top %s/wanted", f->dir, f->dir);
}

/* A second's worth of it takes no less. */
static void
test_bandwidth(Fixture *f, gconstpointer data)
{
    g_autoptr(TestNbd) server = NULL;
    g_autoptr(GError) error = NULL;
    int64_t begun_us;

    if (!test_have("qemu-nbd", "qemu-img", "qemu-io", NULL)) {
        return;
    }
    g_assert_true(fsn_image_data_bytes(f->image, &f->bandwidth, &error));
    server = serve(f, "--cache=writeback");
    begun_us = g_get_monotonic_time();
    g_assert_true(fill(f, server, NULL, 0, &error));
    g_assert_no_error(error);
    g_assert_cmpint(g_get_monotonic_time() - begun_us, >, 900000);
}

/* An image that is not written is not filled, whatever is answered. */
static void
test_read_only(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TestNbd) server = NULL;

    if (!test_have("qemu-nbd", "qemu-img", "qemu-io", NULL)) {
        return;
    }
    server = serve(f, "--read-only");
    g_assert_false(fill(f, server, NULL, 0, &error));
    g_assert_nonnull(error);
    g_test_message("%s", error->message);
}

static void
test_no_server(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    TestNbd none = { .path = f->dir };

    g_assert_false(fill(f, &none, NULL, 0, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/fill/filled", Fixture, NULL, set_up, test_filled, tear_down);
    g_test_add("/fill/bandwidth", Fixture, NULL, set_up, test_bandwidth, tear_down);
    g_test_add("/fill/read-only", Fixture, NULL, set_up, test_read_only, tear_down);
    g_test_add("/fill/no-server", Fixture, NULL, set_up, test_no_server, tear_down);
    return g_test_run();
}
