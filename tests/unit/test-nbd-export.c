/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/nbdplugin/export.c: any part of a disk, from many threads and few readers, is what was
 * stored; extents cover what was asked for and say data where there is data.
 */
#include "config.h"

#include "nbdplugin/export.h"
#include "stored-disk-common.h"

typedef struct {
    FsnRepo *repo;
    FsnImage *image;
    FsnExport *export;
    uint8_t *bytes;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *root = NULL;

    f->repo = memory_repo();
    root = store_disk(f->repo);
    f->image = open_image(f->repo, root);
    f->export = fsn_export_new(f->image, DISK_SIZE, 2, &error);
    g_assert_no_error(error);
    f->bytes = disk_bytes();
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    fsn_export_free(f->export);
    fsn_image_free(f->image);
    fsn_repo_free(f->repo);
    g_free(f->bytes);
}

static void
check_read(Fixture *f, uint64_t offset, size_t len)
{
    g_autofree uint8_t *found = g_malloc(len + 1);
    g_autoptr(GError) error = NULL;

    found[len] = 0x5a;
    g_assert_true(fsn_export_pread(f->export, found, len, offset, &error));
    g_assert_no_error(error);
    g_assert_cmpmem(found, len, f->bytes + offset, len);
    g_assert_cmpuint(found[len], ==, 0x5a);
}

static void
test_reads(Fixture *f, gconstpointer data)
{
    static const size_t lengths[] = { 0, 1, 511, 4096, 4097, 70000, 1 << 20 };

    g_assert_cmpuint(fsn_export_size(f->export), ==, DISK_SIZE);
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        check_read(f, 0, lengths[i]);
        check_read(f, 4095, lengths[i]);
        check_read(f, 300 * FSN_GRANULE_SIZE - 1, lengths[i]);
        check_read(f, (uint64_t)8999 * FSN_GRANULE_SIZE + 100, lengths[i]);
        check_read(f, DISK_SIZE - lengths[i], lengths[i]);
    }
    check_read(f, 0, DISK_SIZE);
}

static gpointer
read_randomly(gpointer data)
{
    Fixture *f = data;
    GRand *random = g_rand_new_with_seed(GPOINTER_TO_UINT(g_thread_self()));

    for (int i = 0; i < 200; i++) {
        uint64_t offset = (uint64_t)g_rand_int_range(random, 0, DISK_SIZE - 100000);

        check_read(f, offset, (size_t)g_rand_int_range(random, 1, 100000));
    }
    g_rand_free(random);
    return NULL;
}

/* More of them than there are readers. */
static void
test_threads(Fixture *f, gconstpointer data)
{
    GThread *threads[8];

    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        threads[i] = g_thread_new("read", read_randomly, f);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_thread_join(threads[i]);
    }
}

typedef struct {
    uint64_t first; /* begins here or earlier */
    uint64_t next;  /* UINT64_MAX: none yet */
    unsigned n;
    unsigned limit;
} Seen;

static bool
see(gpointer user, uint64_t offset, uint64_t len, bool data, bool hole)
{
    Seen *seen = user;

    if (seen->next == UINT64_MAX) {
        g_assert_cmpuint(offset, <=, seen->first);
        g_assert_cmpuint(offset + len, >, seen->first);
    } else {
        g_assert_cmpuint(offset, ==, seen->next);
    }
    g_assert_false(data && hole);
    for (uint64_t at = offset; at < offset + len; at += FSN_GRANULE_SIZE) {
        g_assert_cmpint(data, ==, disk_seed(at / FSN_GRANULE_SIZE) != 0);
    }
    seen->next = offset + len;
    return ++seen->n < seen->limit;
}

static void
check_extents(Fixture *f, uint64_t offset, uint64_t len)
{
    Seen seen = { .first = offset, .next = UINT64_MAX, .limit = G_MAXUINT };
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_export_extents(f->export, offset, len, see, &seen, &error));
    g_assert_cmpuint(seen.next, >=, offset + len);
    g_assert_cmpuint(seen.next, <=, DISK_SIZE);
}

static void
test_extents(Fixture *f, gconstpointer data)
{
    Seen one = { .next = UINT64_MAX, .limit = 1 };
    g_autoptr(GError) error = NULL;

    check_extents(f, 0, DISK_SIZE);
    check_extents(f, 1, 1);
    check_extents(f, 5000, 3 << 20);
    check_extents(f, DISK_SIZE - 1, 1);
    g_assert_true(fsn_export_extents(f->export, 0, DISK_SIZE, see, &one, &error));
    g_assert_cmpuint(one.n, ==, 1);
}

static void
test_wrong_size(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(fsn_export_new(f->image, DISK_SIZE + FSN_GRANULE_SIZE, 1, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_CORRUPT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) \
    g_test_add("/nbd-export/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("reads", test_reads);
    ADD("threads", test_threads);
    ADD("extents", test_extents);
    ADD("wrong-size", test_wrong_size);
    return g_test_run();
}
