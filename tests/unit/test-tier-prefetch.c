/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prefetching: what it copies is what the resume needs, whole, in order and at the rate that
 * was asked for, and an end at any moment leaves only whole copies.
 */
#include "config.h"

#include "tier/prefetch.h"

#include "tier-common.h"
#include "tier/store.h"

#include "base/clock.h"
#include "repo/sequence.h"

#include <signal.h>
#include <sys/wait.h>

static FsnTier *
add_tier(TierFixture *f, uint64_t max_bytes)
{
    g_autoptr(GError) error = NULL;
    FsnTier *tier = NULL;
    bool ok =
        fsn_tiers_add(f->repo, "fast", f->tier_path, max_bytes, false, &tier, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    return tier;
}

static JsonObject *
load_manifest(TierFixture *f)
{
    g_autoptr(GError) error = NULL;
    JsonObject *manifest = NULL;
    bool ok = fsn_repo_load_manifest(f->repo, TIER_ID, &manifest, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    return manifest;
}

/* Weighs granules 0 … 9 only. */
static FsnPrefetch *
new_prefetch(TierFixture *f, JsonObject *manifest, const FsnTier *tier, bool all)
{
    g_autoptr(GError) error = NULL;
    FsnTierWeight weights[10];
    FsnPrefetch *prefetch;

    for (uint64_t i = 0; i < G_N_ELEMENTS(weights); i++) {
        weights[i] = (FsnTierWeight){ .granule = i, .weight = 1 };
    }
    prefetch = fsn_prefetch_new(f->repo, manifest, tier, weights, G_N_ELEMENTS(weights),
                                all, &error);
    g_assert_no_error(error);
    return prefetch;
}

static void
run_prefetch(FsnPrefetch *prefetch, uint64_t max_rate, FsnPrefetchResult *out_result)
{
    FsnPrefetchOptions options = { .max_bytes_per_s = max_rate };
    g_autoptr(GError) error = NULL;
    bool ok = fsn_prefetch_run(prefetch, &options, out_result, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_cmpuint(out_result->problems->len, ==, 0);
}

static void
write_sequence(TierFixture *f)
{
    g_autoptr(FsnImage) image = open_image(f->repo, f->root);
    g_autoptr(GError) error = NULL;
    const uint64_t granules[] = { 5, 3, 9 };

    g_assert_true(
        fsn_sequence_write(f->repo, TIER_ID, image, granules, 3, FSN_CODEC_LZ4, &error));
}

static FsnRepo *
open_tiered(TierFixture *f)
{
    g_autoptr(GError) error = NULL;
    const char *folders[] = { f->tier_path, NULL };
    FsnRepo *repo = fsn_tier_open_repo(f->repo_path, folders, 0, &error);

    g_assert_no_error(error);
    return repo;
}

static void
test_all(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTier) tier = add_tier(f, 0);
    g_autoptr(JsonObject) manifest = load_manifest(f);
    g_autoptr(FsnPrefetch) prefetch = NULL;
    g_autoptr(FsnPrefetch) again = NULL;
    g_autoptr(FsnRepo) tiered = NULL;
    g_autoptr(FsnImage) image = NULL;
    g_autoptr(FsnImageReader) reader = NULL;
    g_auto(FsnPrefetchResult) result = { 0 };
    const FsnTierPlan *plan;

    write_sequence(f);
    prefetch = new_prefetch(f, manifest, tier, true);
    plan = fsn_prefetch_plan(prefetch);
    run_prefetch(prefetch, 0, &result);
    g_assert_cmpuint(result.bytes_copied, ==, plan->bytes_total);
    g_assert_cmpuint(result.bytes_copied, >, TIER_GRANULES * FSN_GRANULE_SIZE);
    g_assert_cmpuint(result.bytes_per_s, >, 0);
    g_test_message("%.0f MB/s", (double)result.bytes_per_s / 1e6);
    /* The second time there is nothing to do. */
    again = new_prefetch(f, manifest, tier, true);
    plan = fsn_prefetch_plan(again);
    g_assert_cmpuint(plan->copy->len, ==, 0);
    g_assert_cmpuint(plan->bytes_present, ==, plan->bytes_total);
    /* The tier alone now serves the resume. */
    lose_objects(f, FSN_DIR_PACKS);
    lose_objects(f, FSN_DIR_BUNDLES);
    lose_objects(f, FSN_DIR_ROOTS);
    lose_objects(f, FSN_DIR_OBJECTS);
    tiered = open_tiered(f);
    image = open_image(tiered, f->root);
    reader = fsn_image_reader_new(image);
    for (uint64_t g = 0; g < TIER_GRANULES; g += 3) {
        assert_seed(reader, g, g + 1);
    }
}

/* Without --all: index, state, sequence and the packs of the weighed granules. */
static void
test_likely_only(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTier) tier = add_tier(f, 0);
    g_autoptr(JsonObject) manifest = load_manifest(f);
    g_autoptr(FsnPrefetch) prefetch = NULL;
    const FsnTierPlan *plan;
    guint count[FSN_TIER_REST + 1] = { 0 };

    write_sequence(f);
    prefetch = new_prefetch(f, manifest, tier, false);
    plan = fsn_prefetch_plan(prefetch);
    for (guint i = 0; i < plan->copy->len; i++) {
        const FsnTierPart *part = g_ptr_array_index(plan->copy, i);

        count[part->reason]++;
        g_assert_cmpfloat(part->weight, ==, part->reason == FSN_TIER_LIKELY ? 10 : 0);
    }
    g_assert_cmpuint(count[FSN_TIER_INDEX], >=, 2);
    g_assert_cmpuint(count[FSN_TIER_STATE], ==, 1);
    g_assert_cmpuint(count[FSN_TIER_SEQUENCE], ==, 1);
    g_assert_cmpuint(count[FSN_TIER_LIKELY], ==, 1);
    g_assert_cmpuint(count[FSN_TIER_REST], ==, 0);
}

static void
test_limit_and_eviction(TierFixture *f, gconstpointer data)
{
    const uint64_t limit = (uint64_t)18 << 20;
    g_autoptr(FsnTier) tier = add_tier(f, limit);
    g_autoptr(JsonObject) manifest = load_manifest(f);
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnTierCopyWriter) writer = NULL;
    g_autoptr(FsnPrefetch) prefetch = NULL;
    g_autoptr(GPtrArray) entries = NULL;
    g_auto(FsnPrefetchResult) result = { 0 };
    g_autofree uint8_t *old = g_malloc0(8 << 20);
    uint64_t bytes;

    /* A copy of something else in the repository that is not wanted now. */
    g_assert_true(fsn_blob_put(fsn_repo_store(f->repo), "packs/ab/abcd", old, 8 << 20,
                               FSN_BLOB_VOLATILE, NULL));
    writer = fsn_tier_copy_create(folder, "packs/ab/abcd", NULL);
    g_assert_true(fsn_tier_copy_append(writer, old, 8 << 20, NULL));
    g_assert_true(fsn_tier_copy_commit(writer, NULL));
    prefetch = new_prefetch(f, manifest, tier, true);
    g_assert_cmpuint(fsn_prefetch_plan(prefetch)->evict->len, ==, 1);
    g_assert_cmpuint(fsn_prefetch_plan(prefetch)->bytes_skipped, >, 0);
    run_prefetch(prefetch, 0, &result);
    g_assert_true(fsn_tier_folder_list(folder, &entries, &bytes, NULL));
    g_assert_cmpuint(bytes, <=, limit);
    g_assert_cmpuint(bytes, >=, (uint64_t)10 << 20);
}

/* Copies of what the repository has no more go, though there is room for them. Planning
 * alone changes nothing. */
static void
test_waste(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTier) tier = add_tier(f, 0);
    g_autoptr(JsonObject) manifest = load_manifest(f);
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnTierCopyWriter) writer =
        fsn_tier_copy_create(folder, "packs/ab/abcd", NULL);
    g_autoptr(FsnPrefetch) prefetch = NULL;
    g_auto(FsnPrefetchResult) result = { 0 };
    g_autofree char *path =
        g_build_filename(fsn_tier_folder_path(folder), "packs/ab/abcd", NULL);

    g_assert_true(fsn_tier_copy_append(writer, "old", 3, NULL));
    g_assert_true(fsn_tier_copy_commit(writer, NULL));
    prefetch = new_prefetch(f, manifest, tier, false);
    g_assert_cmpuint(fsn_prefetch_plan(prefetch)->evict->len, ==, 0);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    run_prefetch(prefetch, 0, &result);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
test_bandwidth(TierFixture *f, gconstpointer data)
{
    const uint64_t rate = (uint64_t)20 << 20;
    g_autoptr(FsnTier) tier = add_tier(f, 0);
    g_autoptr(JsonObject) manifest = load_manifest(f);
    g_autoptr(FsnPrefetch) prefetch = new_prefetch(f, manifest, tier, true);
    g_auto(FsnPrefetchResult) result = { 0 };
    double seen;

    run_prefetch(prefetch, rate, &result);
    seen = (double)result.bytes_copied / ((double)result.duration_us / G_USEC_PER_SEC);
    g_test_message("%.1f of %.1f MiB/s", seen / (1 << 20), (double)rate / (1 << 20));
    g_assert_cmpfloat(seen, <=, 1.2 * (double)rate);
    /* Far above what a limit that is counted twice would give, and far below what a busy
     * machine or an instrumented program may need. */
    g_assert_cmpfloat(seen, >=, (g_getenv("FSN_VALGRIND") ? 0.05 : 0.3) * (double)rate);
}

/* An object that is damaged in the repository is named and not spread. */
static void
test_damaged_source(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTier) tier = add_tier(f, 0);
    g_autoptr(JsonObject) manifest = load_manifest(f);
    g_autoptr(FsnPrefetch) prefetch = NULL;
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(FsnPrefetchResult) result = { 0 };
    FsnPrefetchOptions options = { 0 };
    g_autofree char *path = NULL;
    FILE *file;

    g_assert_true(fsn_blob_list(fsn_repo_store(f->repo), FSN_DIR_PACKS, &keys, &error));
    path = g_build_filename(f->repo_path, g_ptr_array_index(keys, 0), NULL);
    file = fopen(path, "r+");
    g_assert_cmpint(fseek(file, 100000, SEEK_SET), ==, 0);
    fputs("damage", file);
    g_assert_cmpint(fclose(file), ==, 0);
    prefetch = new_prefetch(f, manifest, tier, true);
    g_assert_true(fsn_prefetch_run(prefetch, &options, &result, &error));
    g_assert_cmpuint(result.problems->len, ==, 1);
    g_assert_nonnull(
        strstr(g_ptr_array_index(result.problems, 0), g_ptr_array_index(keys, 0)));
    g_assert_cmpuint(result.objects_copied + 1, ==,
                     fsn_prefetch_plan(prefetch)->copy->len);
    {
        g_autoptr(FsnTierFolder) folder = open_tier_folder(f);

        g_assert_null(fsn_tier_copy_open(folder, g_ptr_array_index(keys, 0), NULL));
    }
}

/* A copy that a power cut has emptied is made again. */
static void
test_damaged_copy_is_made_again(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTier) tier = add_tier(f, 0);
    g_autoptr(JsonObject) manifest = load_manifest(f);
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnPrefetch) prefetch = new_prefetch(f, manifest, tier, true);
    g_autoptr(FsnPrefetch) again = NULL;
    g_auto(FsnPrefetchResult) result = { 0 };
    g_autoptr(GPtrArray) keys = NULL;
    g_autofree char *path = NULL;
    struct stat st;

    run_prefetch(prefetch, 0, &result);
    g_assert_true(fsn_blob_list(fsn_repo_store(f->repo), FSN_DIR_PACKS, &keys, NULL));
    path =
        g_build_filename(fsn_tier_folder_path(folder), g_ptr_array_index(keys, 0), NULL);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(truncate(path, 0), ==, 0);
    g_assert_cmpint(truncate(path, st.st_size), ==, 0);
    again = new_prefetch(f, manifest, tier, true);
    g_assert_cmpuint(fsn_prefetch_plan(again)->copy->len, ==, 1);
}

static void
cancel_late(gpointer user, uint64_t done, uint64_t total, int64_t left_us)
{
    g_assert_cmpuint(done, <=, total);
    if (done > total / 2) {
        g_cancellable_cancel(user);
    }
}

/* Every copy in the tier is what the repository has. */
static guint
assert_copies_whole(TierFixture *f)
{
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(GPtrArray) entries = NULL;
    uint64_t bytes;

    g_assert_true(fsn_tier_folder_list(folder, &entries, &bytes, NULL));
    for (guint i = 0; i < entries->len; i++) {
        const FsnTierEntry *entry = g_ptr_array_index(entries, i);
        g_autoptr(FsnTierCopy) copy = fsn_tier_copy_open(folder, entry->key, NULL);
        g_autoptr(GBytes) wanted = NULL;
        g_autofree uint8_t *found = NULL;

        g_assert_nonnull(copy);
        g_assert_true(
            fsn_blob_get(fsn_repo_store(f->repo), entry->key, SIZE_MAX, &wanted, NULL));
        found = g_malloc(fsn_tier_copy_length(copy) + 1);
        g_assert_true(
            fsn_tier_copy_pread(copy, found, fsn_tier_copy_length(copy), 0, NULL));
        g_assert_cmpmem(found, fsn_tier_copy_length(copy), g_bytes_get_data(wanted, NULL),
                        g_bytes_get_size(wanted));
    }
    return entries->len;
}

static void
test_cancel(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTier) tier = add_tier(f, 0);
    g_autoptr(JsonObject) manifest = load_manifest(f);
    g_autoptr(FsnPrefetch) prefetch = new_prefetch(f, manifest, tier, true);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_auto(FsnPrefetchResult) result = { 0 };
    FsnPrefetchOptions options = { .progress = cancel_late,
                                   .user = cancellable,
                                   .cancellable = cancellable };
    g_autoptr(GError) error = NULL;

    g_assert_false(fsn_prefetch_run(prefetch, &options, &result, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_CANCELLED);
    g_assert_cmpuint(assert_copies_whole(f), ==, result.objects_copied);
    g_assert_cmpuint(result.objects_copied, >=, 2);
}

/* Killed again and again at random moments, it gets done all the same, and at no moment is
 * there a copy that is not whole. */
static void
test_killed(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTier) tier = add_tier(f, 0);
    g_autoptr(JsonObject) manifest = load_manifest(f);
    guint killed = 0;

    for (guint i = 0; i < 40; i++) {
        pid_t pid = fork();
        int status;

        g_assert_cmpint(pid, >=, 0);
        if (pid == 0) {
            g_autoptr(FsnPrefetch) prefetch = new_prefetch(f, manifest, tier, true);
            g_auto(FsnPrefetchResult) result = { 0 };

            run_prefetch(prefetch, (uint64_t)100 << 20, &result);
            _exit(0);
        }
        g_usleep((gulong)g_random_int_range(1000, 60000));
        g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        killed += WIFSIGNALED(status) != 0;
        (void)assert_copies_whole(f);
    }
    g_assert_cmpuint(killed, >=, 5);
    {
        g_autoptr(FsnPrefetch) prefetch = new_prefetch(f, manifest, tier, true);
        g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
        g_autofree char *tmp =
            g_build_filename(fsn_tier_folder_path(folder), "tmp", NULL);
        g_autoptr(GDir) dir = NULL;
        g_auto(FsnPrefetchResult) result = { 0 };

        run_prefetch(prefetch, 0, &result);
        /* Nothing is left of those that died. */
        dir = g_dir_open(tmp, 0, NULL);
        g_assert_nonnull(dir);
        g_assert_null(g_dir_read_name(dir));
    }
    g_assert_cmpuint(assert_copies_whole(f), >=, 5);
}

static void
test_tier_not_there(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTier) tier = add_tier(f, 0);
    g_autoptr(JsonObject) manifest = load_manifest(f);
    g_autoptr(GError) error = NULL;

    nftw(f->tier_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    /* The disk is not mounted: its mount point is there and empty. */
    g_assert_cmpint(mkdir(f->tier_path, 0700), ==, 0);
    g_assert_null(fsn_prefetch_new(f->repo, manifest, tier, NULL, 0, true, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_assert_cmpint(rmdir(f->tier_path), ==, 0);
}

#define ADD(path, function)                                                             \
    g_test_add("/tier/prefetch/" path, TierFixture, NULL, tier_fixture_setup, function, \
               tier_fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("all", test_all);
    ADD("likely", test_likely_only);
    ADD("limit", test_limit_and_eviction);
    ADD("waste", test_waste);
    ADD("bandwidth", test_bandwidth);
    ADD("damaged-source", test_damaged_source);
    ADD("damaged-copy", test_damaged_copy_is_made_again);
    ADD("cancel", test_cancel);
    ADD("killed", test_killed);
    ADD("not-there", test_tier_not_there);
    return g_test_run();
}
