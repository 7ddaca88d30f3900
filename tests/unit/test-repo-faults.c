/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An error or the death of the machine at every operation of a commit: older snapshots stay
 * whole, the new one is whole or not there. Also several writers at once.
 */
#include "config.h"

#include "repo-common.h"

#include "blob/fault-blob.h"
#include "repo/gc.h"
#include "repo/verify.h"

#define ID_A "aaaa0000000000000000000000000001"
#define ID_B "bbbb0000000000000000000000000002"

/* Writes snapshot @id of 70 granules, the first 40 as in @parent_root. */
static bool
write_snapshot(FsnRepo *repo,
               const char *id,
               const char *parent_root,
               uint64_t seed,
               char **out_root,
               GError **error)
{
    FsnImageWriterOptions options = { .n_granules = 70,
                                      .codec = FSN_CODEC_ZSTD,
                                      .threads = 1 };
    g_autoptr(FsnImage) parent = NULL;
    g_autoptr(FsnImageWriter) writer = NULL;
    g_autoptr(JsonObject) manifest = NULL;
    g_autofree char *sha = NULL;
    FsnImageStats stats;
    uint8_t data[FSN_GRANULE_SIZE];

    if (parent_root && !(parent = fsn_image_open(repo, parent_root, error))) {
        return false;
    }
    options.parent = parent;
    writer = fsn_image_writer_new(repo, &options, error);
    if (!writer) {
        return false;
    }
    for (uint64_t i = 0; i < 70; i++) {
        fill_granule(data, i < 40 ? 1 + i : seed + i);
        if (!fsn_image_writer_put(writer, i, data, error)) {
            return false;
        }
        if (i == 60 && !fsn_image_writer_settle(writer, error)) {
            return false;
        }
    }
    if (!fsn_repo_put_object(repo, &seed, sizeof seed, &sha, error) ||
        !fsn_image_writer_commit(writer, &stats, error)) {
        return false;
    }
    manifest = new_manifest(id, "2026-01-01T00:00:00Z", stats.root);
    json_object_set_string_member(manifest, "object", sha);
    if (!fsn_repo_commit_manifest(repo, manifest, error)) {
        return false;
    }
    if (out_root) {
        *out_root = g_strdup(stats.root);
    }
    return true;
}

static FsnRepo *
view(FsnBlobStore *inner, const FsnBlobFaults *faults, GError **error)
{
    return fsn_repo_new(fsn_blob_store_new_fault(inner, faults), FSN_REPO_CREATE, error);
}

/* Everything listed is whole, A among it; returns how many are listed. */
static guint
assert_whole(FsnBlobStore *inner)
{
    static const FsnBlobFaults none;
    g_autoptr(FsnRepo) repo = view(inner, &none, NULL);
    g_auto(FsnVerifyReport) report = { 0 };
    g_autoptr(JsonObject) a = NULL;

    g_assert_true(fsn_repo_load_manifest(repo, ID_A, &a, NULL));
    g_assert_true(fsn_repo_verify(repo, NULL, true, NULL, NULL, &report, NULL));
    if (report.problems->len > 0) {
        g_error("%s", (char *)g_ptr_array_index(report.problems, 0));
    }
    return (guint)report.snapshots;
}

static FsnBlobStore *
store_with_a(char **out_root)
{
    static const FsnBlobFaults none;
    FsnBlobStore *store = fsn_blob_store_new_memory();
    g_autoptr(FsnRepo) repo = view(store, &none, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(write_snapshot(repo, ID_A, NULL, 1000, out_root, &error));
    g_assert_no_error(error);
    return store;
}

/* One try with @faults; returns whether it was reported to succeed. */
static bool
try_with(const FsnBlobFaults *faults)
{
    g_autofree char *root = NULL;
    g_autoptr(FsnBlobStore) store = store_with_a(&root);
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnRepo) repo = view(store, faults, &error);
    bool ok = repo && write_snapshot(repo, ID_B, root, 2000, NULL, &error);
    FsnGcReport report;
    guint listed;

    g_assert_cmpint(ok, ==, error == NULL);
    if (faults->space && error) {
        g_assert_error(error, FSN_ERROR, FSN_ERROR_NO_SPACE);
    }
    g_clear_pointer(&repo, fsn_repo_free);
    listed = assert_whole(store);
    if (ok) {
        g_assert_cmpint(listed, ==, 2);
    }
    {
        static const FsnBlobFaults none;
        g_autoptr(FsnRepo) later = view(store, &none, NULL);

        g_assert_true(fsn_repo_gc(later, false, 0, &report, NULL));
    }
    g_assert_cmpint(assert_whole(store), ==, listed);
    return ok;
}

static void
test_dies(void)
{
    FsnBlobFaults faults = { .fail_at = 1, .fail_after = true };

    while (!try_with(&faults)) {
        faults.fail_at++;
    }
    g_assert_cmpint(faults.fail_at, >, 30);
}

static void
test_one_error(void)
{
    FsnBlobFaults faults = { 0 };
    unsigned failed = 0;

    for (faults.fail_at = 1; faults.fail_at < 60; faults.fail_at++) {
        failed += !try_with(&faults);
    }
    g_assert_cmpint(failed, >, 20);
}

static void
test_no_space(void)
{
    FsnBlobFaults faults = { .space = 100 };

    while (!try_with(&faults)) {
        faults.space += 3001;
    }
    g_assert_cmpint(faults.space, >, 30 * 4096);
}

/* A read that comes back wrong is an error, never wrong data. */
static void
test_garbled_read(void)
{
    for (uint64_t at = 1; at < 40; at++) {
        FsnBlobFaults faults = { .garble_at = at };
        g_autofree char *root = NULL;
        g_autoptr(FsnBlobStore) store = store_with_a(&root);
        g_autoptr(GError) error = NULL;
        g_autoptr(FsnRepo) repo = view(store, &faults, &error);
        g_autoptr(FsnImage) image = repo ? fsn_image_open(repo, root, &error) : NULL;
        g_autoptr(FsnImageReader) reader = image ? fsn_image_reader_new(image) : NULL;
        uint8_t data[FSN_GRANULE_SIZE], wanted[FSN_GRANULE_SIZE];
        bool zero;

        for (uint64_t i = 0; reader && i < 70; i++) {
            if (!fsn_image_reader_read(reader, i, data, &zero, &error)) {
                break;
            }
            fill_granule(wanted, i < 40 ? 1 + i : 1000 + i);
            g_assert_cmpmem(data, sizeof data, wanted, sizeof wanted);
        }
        if (at < 5) {
            g_assert_nonnull(error);
        }
    }
}

typedef struct {
    const char *path;
    const char *id;
    uint64_t seed;
} Job;

static gpointer
write_job(gpointer data)
{
    const Job *job = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnRepo) repo = fsn_repo_open(job->path, FSN_REPO_CREATE, &error);

    g_assert_no_error(error);
    (void)!write_snapshot(repo, job->id, NULL, job->seed, NULL, &error);
    g_assert_no_error(error);
    return NULL;
}

static gpointer
collect_job(gpointer data)
{
    const Job *job = data;

    for (int i = 0; i < 20; i++) {
        g_autoptr(FsnRepo) repo = fsn_repo_open(job->path, FSN_REPO_CREATE, NULL);
        g_autoptr(GError) error = NULL;
        FsnGcReport report;

        g_assert_nonnull(repo);
        (void)!fsn_repo_gc(repo, false, 1000, &report, &error);
        g_assert_no_error(error);
    }
    return NULL;
}

/* Several handles create and write one repository at once, beside collectors. */
static void
test_together(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-faults-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "repo", NULL);
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
    GThread *threads[10];
    Job jobs[10];
    char ids[10][33];

    for (unsigned i = 0; i < 10; i++) {
        g_snprintf(ids[i], sizeof ids[i], "%032x", i + 1);
        jobs[i] = (Job){ .path = path, .id = ids[i], .seed = 1000 * (i + 1) };
        threads[i] = g_thread_new("job", i % 5 == 4 ? collect_job : write_job, &jobs[i]);
    }
    for (unsigned i = 0; i < 10; i++) {
        g_thread_join(threads[i]);
    }
    {
        g_autoptr(FsnRepo) repo = fsn_repo_open(path, 0, NULL);
        g_auto(FsnVerifyReport) report = { 0 };

        g_assert_true(fsn_repo_verify(repo, NULL, true, NULL, NULL, &report, NULL));
        g_assert_cmpint(report.snapshots, ==, 8);
        g_assert_cmpint(report.problems->len, ==, 0);
    }
    g_assert_cmpint(system(command), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/faults/dies", test_dies);
    g_test_add_func("/faults/one-error", test_one_error);
    g_test_add_func("/faults/no-space", test_no_space);
    g_test_add_func("/faults/garbled-read", test_garbled_read);
    g_test_add_func("/faults/together", test_together);
    return g_test_run();
}
