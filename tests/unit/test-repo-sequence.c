/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/repo/sequence.c: what is read is as in the image, in order, or not handed on. */
#include "config.h"

#include "repo-common.h"

#include "repo/sequence.h"

typedef struct {
    const uint64_t *order;
    const uint64_t *seeds;
    size_t n;
    size_t next;
} Expect;

static bool
expect_granule(gpointer user, uint64_t granule, const uint8_t *data, GError **error)
{
    Expect *e = user;
    uint8_t wanted[FSN_GRANULE_SIZE];

    /* Skipped ones have seed 0 in the order. */
    g_assert_cmpint(e->next, <, e->n);
    g_assert_cmpint(granule, ==, e->order[e->next]);
    if (e->seeds[granule] == 0) {
        g_assert_null(data);
    } else {
        fill_granule(wanted, e->seeds[granule]);
        g_assert_cmpmem(data, FSN_GRANULE_SIZE, wanted, sizeof wanted);
    }
    e->next++;
    return true;
}

static FsnImage *
write_image(FsnRepo *repo, const uint64_t *seeds, size_t n)
{
    g_autoptr(FsnImageWriter) writer = new_writer(repo, n, NULL);

    for (size_t i = 0; i < n; i++) {
        put_seed(writer, i, seeds[i]);
    }
    return open_image(repo, commit_writer(writer).root);
}

static void
test_sequence(gconstpointer codec)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    uint64_t seeds[200], order[150], kept[150];
    g_autoptr(FsnImage) image = NULL;
    g_autoptr(FsnImage) later = NULL;
    g_autoptr(GError) error = NULL;
    Expect e = { .order = order, .seeds = seeds, .n = 150 };
    Expect second = { .order = kept, .seeds = seeds };

    for (size_t i = 0; i < 200; i++) {
        seeds[i] = i % 9 ? i : 0;
    }
    for (size_t i = 0; i < 150; i++) {
        order[i] = (i * 77) % 200;
    }
    image = write_image(repo, seeds, 200);
    g_assert_true(fsn_sequence_write(repo, "ws", image, order, 150,
                                     GPOINTER_TO_INT(codec), &error));
    g_assert_no_error(error);
    g_assert_true(fsn_sequence_read(repo, "ws", image, expect_granule, &e, &error));
    g_assert_cmpint(e.next, ==, 150);

    /* A later image: what changed there is skipped. */
    seeds[order[3]] = 5000;
    seeds[order[4]] = seeds[order[4]] ? 0 : 6000;
    for (size_t i = 0; i < 150; i++) {
        if (order[i] != order[3] && order[i] != order[4]) {
            kept[second.n++] = order[i];
        }
    }
    later = write_image(repo, seeds, 200);
    g_assert_true(fsn_sequence_read(repo, "ws", later, expect_granule, &second, NULL));
    g_assert_cmpint(second.next, ==, second.n);
    g_assert_cmpint(second.n, <, 150);
}

static bool
accept_any(gpointer user, uint64_t granule, const uint8_t *data, GError **error)
{
    return true;
}

static void
test_damage(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    uint64_t seeds[] = { 1, 2, 0, 4 }, order[] = { 3, 2, 1 };
    g_autoptr(FsnImage) image = write_image(repo, seeds, 4);
    FsnBlobStore *store = fsn_repo_store(repo);
    g_autoptr(GBytes) good = NULL;
    g_autoptr(GError) error = NULL;
    const uint8_t *data;
    size_t len;

    g_assert_false(fsn_sequence_read(repo, "ws", image, accept_any, NULL, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_false(
        fsn_sequence_write(repo, "../x", image, order, 3, FSN_CODEC_NONE, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
    g_clear_error(&error);
    g_assert_true(fsn_sequence_write(repo, "ws", image, order, 3, FSN_CODEC_NONE, NULL));
    g_assert_true(fsn_blob_get(store, "sequences/ws", 1 << 20, &good, NULL));
    data = g_bytes_get_data(good, &len);
    for (size_t at = 0; at < len; at += at < 200 ? 1 : 61) {
        g_autofree uint8_t *bad = g_memdup2(data, len);
        bool ok;

        bad[at] ^= 1;
        g_assert_true(fsn_blob_put(store, "sequences/ws", bad, len, 0, NULL));
        ok = fsn_sequence_read(repo, "ws", image, accept_any, NULL, &error);
        g_assert_false(ok);
        g_assert_true(g_error_matches(error, FSN_ERROR, FSN_ERROR_CORRUPT) ||
                      g_error_matches(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED));
        g_clear_error(&error);
        g_assert_true(fsn_blob_put(store, "sequences/ws", data, at, 0, NULL));
        g_assert_false(fsn_sequence_read(repo, "ws", image, accept_any, NULL, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_CORRUPT);
        g_clear_error(&error);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/sequence/none", GINT_TO_POINTER(FSN_CODEC_NONE),
                         test_sequence);
    g_test_add_data_func("/sequence/lz4", GINT_TO_POINTER(FSN_CODEC_LZ4), test_sequence);
    g_test_add_func("/sequence/damage", test_damage);
    return g_test_run();
}
