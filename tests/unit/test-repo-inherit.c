/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/repo/image-writer.c and image-classify.c where an image inherits from its parent or has
 * empty ranges: by hand, and at random against a model.
 */
#include "config.h"

#include "repo-common.h"

#include "base/clock.h"
#include "repo/image-private.h"
#include "repo/image-runs.h"

#define SEGMENT 16384

/* Seeds that stand for no data. */
#define ZERO 0
#define HOLE G_MAXUINT64

static FsnImageWriter *
new_heir(FsnRepo *repo, uint64_t n, FsnImage *parent, bool inherit)
{
    g_autoptr(GError) error = NULL;
    FsnImageWriterOptions options = { .n_granules = n,
                                      .parent = parent,
                                      .inherit = inherit,
                                      .codec = FSN_CODEC_LZ4,
                                      .threads = 1 };
    FsnImageWriter *writer = fsn_image_writer_new(repo, &options, &error);

    g_assert_no_error(error);
    return writer;
}

static void
put_range(FsnImageWriter *writer, uint64_t first, uint64_t count, FsnGranuleKind kind)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_image_writer_put_range(writer, first, count, kind, &error));
    g_assert_no_error(error);
}

static FsnGranuleKind
kind_of(uint64_t seed)
{
    return seed == ZERO   ? FSN_GRANULE_ZERO
           : seed == HOLE ? FSN_GRANULE_HOLE
                          : FSN_GRANULE_DATA;
}

/* Image @root has the kinds and the data of @seeds. */
static void
assert_model(FsnRepo *repo, const char *root, const uint64_t *seeds, uint64_t n)
{
    g_autoptr(FsnImage) image = open_image(repo, root);
    g_autoptr(FsnImageReader) reader = fsn_image_reader_new(image);
    FsnGranuleKind kind;
    uint64_t count;

    g_assert_cmpint(fsn_image_n_granules(image), ==, n);
    for (uint64_t g = 0; g < n; g += count) {
        g_assert_true(fsn_image_next_run(image, g, n, &kind, &count, NULL));
        for (uint64_t i = g; i < g + count; i++) {
            g_assert_cmpint(kind, ==, kind_of(seeds[i]));
            if (kind == FSN_GRANULE_DATA) {
                assert_seed(reader, i, seeds[i]);
            }
        }
        if (g + count < n) {
            g_assert_cmpint(kind, !=, kind_of(seeds[g + count]));
        }
    }
}

/* What is never put is the parent's; what is put counts. */
static void
test_inherit(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autoptr(FsnImageWriter) writer = new_heir(repo, 6, NULL, false);
    g_autoptr(FsnImage) parent = NULL;
    FsnImageStats stats;
    uint64_t first[] = { 1, ZERO, HOLE, 4, 5, 6 };
    uint64_t second[] = { 1, ZERO, HOLE, HOLE, 50, ZERO };

    for (int i = 0; i < 6; i++) {
        if (first[i] == HOLE) {
            put_range(writer, i, 1, FSN_GRANULE_HOLE);
        } else {
            put_seed(writer, i, first[i]);
        }
    }
    stats = commit_writer(writer);
    g_assert_cmpint(stats.granules_put, ==, 6);
    g_assert_cmpint(stats.zero, ==, 2);
    assert_model(repo, stats.root, first, 6);
    parent = open_image(repo, stats.root);
    fsn_image_writer_free(writer);

    writer = new_heir(repo, 6, parent, true);
    put_seed(writer, 0, 1);
    put_seed(writer, 4, 50);
    put_seed(writer, 5, ZERO);
    put_range(writer, 3, 1, FSN_GRANULE_HOLE);
    stats = commit_writer(writer);
    g_assert_cmpint(stats.granules_put, ==, 4);
    g_assert_cmpint(stats.same, ==, 1);
    g_assert_cmpint(stats.stored, ==, 1);
    g_assert_cmpint(stats.zero, ==, 2);
    assert_model(repo, stats.root, second, 6);
}

/* Putting what the parent has adds nothing to the overlay. */
static void
test_same_adds_nothing(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autoptr(FsnImageWriter) writer = new_heir(repo, 2 * SEGMENT, NULL, false);
    g_autoptr(FsnImage) parent = NULL;
    g_autoptr(FsnImage) image = NULL;
    FsnImageStats stats;

    for (uint64_t i = 0; i < 2000; i++) {
        put_seed(writer, i, 1 + i);
    }
    put_range(writer, 2000, 3000, FSN_GRANULE_HOLE);
    put_range(writer, SEGMENT, SEGMENT, FSN_GRANULE_HOLE);
    stats = commit_writer(writer);
    parent = open_image(repo, stats.root);
    g_assert_cmpint(
        g_array_index(fsn_image_root(parent)->segments, FsnSegmentRef, 1).bundle, ==,
        FSN_ROOT_HOLE_SEGMENT);
    fsn_image_writer_free(writer);

    for (int inherit = 0; inherit < 2; inherit++) {
        writer = new_heir(repo, 2 * SEGMENT, parent, inherit);
        for (uint64_t i = 0; i < 2000; i++) {
            put_seed(writer, i, 1 + i);
        }
        put_range(writer, 2000, 3000, FSN_GRANULE_HOLE);
        put_range(writer, 5000, SEGMENT - 5000, FSN_GRANULE_ZERO);
        put_range(writer, SEGMENT, 1000, FSN_GRANULE_HOLE);
        put_range(writer, SEGMENT + 1000, SEGMENT - 1000, FSN_GRANULE_HOLE);
        stats = commit_writer(writer);
        g_clear_pointer(&image, fsn_image_free);
        image = open_image(repo, stats.root);
        g_assert_cmpint(fsn_image_root(image)->overlay->len, ==, 0);
        g_assert_cmpint(stats.stored, ==, 0);
        g_assert_cmpint(stats.bytes_stored, <, 1024);
        g_clear_pointer(&writer, fsn_image_writer_free);
    }
}

static void
test_bad_range(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autoptr(FsnImageWriter) writer = new_heir(repo, 100, NULL, false);
    g_autoptr(GError) error = NULL;

    g_assert_false(fsn_image_writer_put_range(writer, 50, 51, FSN_GRANULE_HOLE, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_assert_false(fsn_image_writer_put_range(writer, 101, 0, FSN_GRANULE_HOLE, NULL));
    g_assert_false(
        fsn_image_writer_put_range(writer, 1, G_MAXUINT64, FSN_GRANULE_ZERO, NULL));
    put_range(writer, 100, 0, FSN_GRANULE_HOLE);
    put_range(writer, 0, 100, FSN_GRANULE_HOLE);
}

/* A settled parent has more in its overlay than a commit usually leaves there: that alone
 * makes no heir write segments. */
static void
test_unchanged_after_settle(void)
{
    uint64_t n = 30 * SEGMENT;
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autoptr(FsnImageWriter) writer = new_heir(repo, n, NULL, false);
    g_autoptr(FsnImage) parent = NULL;
    FsnImageStats stats;

    g_assert_true(fsn_image_writer_settle(writer, NULL));
    for (uint64_t i = 0; i < 25000; i++) {
        put_seed(writer, i * n / 25000, 1 + i % 7);
    }
    stats = commit_writer(writer);
    parent = open_image(repo, stats.root);
    g_assert_cmpint(fsn_image_root(parent)->overlay->len, >, 20000);
    fsn_image_writer_free(writer);
    writer = new_heir(repo, n, parent, true);
    stats = commit_writer(writer);
    g_assert_cmpint(stats.bytes_stored, <, 25000 * 32 + 30 * 48 + 4096);
    g_assert_cmpint(stats.stored, ==, 0);
}

/* A whole-image hole of 1 TiB, and an heir of it: at once, and in some kilobytes. */
static void
test_huge_hole(void)
{
    uint64_t n = (uint64_t)1 << 28;
    g_autofree char *dir = g_dir_make_tmp("fsn-hole-XXXXXX", NULL);
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
    g_autoptr(FsnRepo) repo = fsn_repo_open(dir, FSN_REPO_CREATE, NULL);
    g_autoptr(FsnImageWriter) writer = new_heir(repo, n, NULL, false);
    g_autoptr(FsnImage) parent = NULL;
    int64_t start = fsn_monotonic_us();
    FsnGranuleKind kind;
    FsnImageStats stats;
    uint64_t count;

    put_seed(writer, n / 2 + 5, 7);
    put_range(writer, 0, n, FSN_GRANULE_HOLE);
    put_seed(writer, n / 2 + 6, 8);
    stats = commit_writer(writer);
    g_assert_cmpint(stats.bytes_index, <, 1 << 20);
    parent = open_image(repo, stats.root);
    g_assert_true(fsn_image_next_run(parent, 0, G_MAXUINT64, &kind, &count, NULL));
    g_assert_cmpint(kind, ==, FSN_GRANULE_HOLE);
    g_assert_cmpint(count, ==, n / 2 + 6);
    fsn_image_writer_free(writer);
    writer = new_heir(repo, n, parent, true);
    put_range(writer, n / 2, n / 2, FSN_GRANULE_HOLE);
    stats = commit_writer(writer);
    g_assert_cmpint(stats.bytes_index, <, 1 << 20);
    g_clear_pointer(&parent, fsn_image_free);
    parent = open_image(repo, stats.root);
    g_assert_true(fsn_image_next_run(parent, 0, G_MAXUINT64, &kind, &count, NULL));
    g_assert_cmpint(count, ==, n);
    /* One map entry per granule would take longer than this to write alone. */
    g_assert_cmpint(fsn_monotonic_us() - start, <, 5 * G_USEC_PER_SEC);
    g_assert_cmpint(system(command), ==, 0);
}

/* Draws a range within @n granules; often of whole segments. */
static void
draw_range(GRand *rand, uint64_t n, uint64_t *out_first, uint64_t *out_count)
{
    uint64_t first = (uint64_t)g_rand_int(rand) % n;
    uint64_t end = first + 1 + (uint64_t)g_rand_int(rand) % (2 * SEGMENT);

    if (g_rand_boolean(rand)) {
        first -= first % SEGMENT;
    }
    if (g_rand_boolean(rand)) {
        end += SEGMENT - end % SEGMENT;
    }
    *out_first = first;
    *out_count = MIN(end, n) - first;
}

/* One random act on @writer and @seeds alike. */
static void
act(GRand *rand, FsnImageWriter *writer, uint64_t *seeds, uint64_t n)
{
    uint64_t first, count, seed;
    bool hole = g_rand_boolean(rand);

    switch (g_rand_int_range(rand, 0, 12)) {
    case 0:
        g_assert_true(fsn_image_writer_settle(writer, NULL));
        break;
    case 1:
    case 2:
        draw_range(rand, n, &first, &count);
        put_range(writer, first, count, hole ? FSN_GRANULE_HOLE : FSN_GRANULE_ZERO);
        for (uint64_t i = first; i < first + count; i++) {
            seeds[i] = hole ? HOLE : ZERO;
        }
        break;
    case 3: /* dense: worth a segment */
        first = (uint64_t)g_rand_int(rand) % n;
        for (uint64_t i = first; i < MIN(first + 3000, n); i++) {
            seeds[i] = 1 + i % 5;
            put_seed(writer, i, seeds[i]);
        }
        break;
    default:
        for (int i = 0; i < 40; i++) {
            first = (uint64_t)g_rand_int(rand) % n;
            seed = (uint64_t)g_rand_int_range(rand, 0, 10);
            seeds[first] = seed;
            put_seed(writer, first, seed);
        }
    }
}

/* Runs of differing contents as the model has them, compared with fsn_image_diff(). */
typedef struct {
    const uint64_t *a, *b;
    uint64_t n_a, n_b;
    uint64_t at; /* all before is compared */
} Expected;

static bool
model_differs(const Expected *e, uint64_t i)
{
    uint64_t x = i < e->n_a && e->a[i] != HOLE ? e->a[i] : ZERO;
    uint64_t y = i < e->n_b && e->b[i] != HOLE ? e->b[i] : ZERO;

    return x != y;
}

static bool
check_run(gpointer user, uint64_t first, uint64_t count, GError **error)
{
    Expected *e = user;

    g_assert_cmpint(count, >, 0);
    for (; e->at < first; e->at++) {
        g_assert_false(model_differs(e, e->at));
    }
    for (; e->at < first + count; e->at++) {
        g_assert_true(model_differs(e, e->at));
    }
    g_assert_false(model_differs(e, e->at)); /* the run is whole */
    return true;
}

static void
assert_diff(FsnRepo *repo, const char *a, const char *b, Expected e)
{
    g_autoptr(FsnImage) x = open_image(repo, a);
    g_autoptr(FsnImage) y = open_image(repo, b);
    uint64_t changed = 0, expected = 0;

    g_assert_true(fsn_image_diff(x, y, check_run, &e, NULL));
    for (; e.at < MAX(e.n_a, e.n_b); e.at++) {
        g_assert_false(model_differs(&e, e.at));
    }
    for (uint64_t i = 0; i < e.at; i++) {
        expected += model_differs(&e, i);
    }
    g_assert_true(fsn_image_changed(x, y, &changed, NULL));
    g_assert_cmpint(changed, ==, expected);
}

/* Generations of images of changing size, put at random, against arrays of seeds. */
static void
test_random(void)
{
    uint64_t max = 5 * SEGMENT;
    g_autoptr(GRand) rand = g_rand_new_with_seed(20260101);
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autofree uint64_t *seeds = g_new0(uint64_t, max);
    g_autofree uint64_t *old = g_new0(uint64_t, max);
    g_autofree char *old_root = NULL;
    uint64_t old_n = 0;

    for (int generation = 0; generation < 40; generation++) {
        uint64_t n = 1 + (uint64_t)g_rand_int(rand) % max;
        g_autoptr(FsnImage) parent = old_root ? open_image(repo, old_root) : NULL;
        bool inherit = parent && g_rand_int_range(rand, 0, 4) > 0;
        g_autoptr(FsnImageWriter) writer = NULL;
        FsnImageStats stats;

        if (generation % 3) {
            n = old_n;
        }
        writer = new_heir(repo, n, parent, inherit);
        for (uint64_t i = 0; i < n; i++) {
            seeds[i] = inherit && i < old_n ? old[i] : ZERO;
        }
        for (int i = g_rand_int_range(rand, 0, 20); i > 0; i--) {
            act(rand, writer, seeds, n);
        }
        stats = commit_writer(writer);
        assert_model(repo, stats.root, seeds, n);
        if (old_root) {
            assert_diff(repo, old_root, stats.root,
                        (Expected){ .a = old, .b = seeds, .n_a = old_n, .n_b = n });
        }
        memcpy(old, seeds, n * sizeof *seeds);
        old_n = n;
        g_free(old_root);
        old_root = g_strdup(stats.root);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inherit/inherit", test_inherit);
    g_test_add_func("/inherit/same-adds-nothing", test_same_adds_nothing);
    g_test_add_func("/inherit/bad-range", test_bad_range);
    g_test_add_func("/inherit/unchanged-after-settle", test_unchanged_after_settle);
    g_test_add_func("/inherit/huge-hole", test_huge_hole);
    g_test_add_func("/inherit/random", test_random);
    return g_test_run();
}
