/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/repo/repack.c, live-frames.c and thinned.c: packs lose what nobody needs, and never what
 * somebody needs, whenever the machine dies and whoever else is at work. */
#include "config.h"

#include "repo-common.h"

#include "blob/fault-blob.h"
#include "repo/gc.h"
#include "repo/image-private.h"
#include "repo/repack.h"
#include "repo/repo-private.h"
#include "repo/thinned.h"
#include "repo/verify.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define ID_A "aaaa0000000000000000000000000001"
#define ID_B "bbbb0000000000000000000000000002"
#define ID_C "cccc0000000000000000000000000003"

/* Granules of an image: 20 frames in one pack. */
#define N 640

static FsnRepo *
view(FsnBlobStore *inner)
{
    static const FsnBlobFaults none;
    g_autoptr(GError) error = NULL;
    FsnRepo *repo =
        fsn_repo_new(fsn_blob_store_new_fault(inner, &none), FSN_REPO_CREATE, &error);

    g_assert_no_error(error);
    return repo;
}

static void
commit_manifest(FsnRepo *repo, const char *id, const char *root)
{
    g_autoptr(JsonObject) manifest = new_manifest(id, "2026-01-01T00:00:00Z", root);
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_repo_commit_manifest(repo, manifest, &error));
    g_assert_no_error(error);
}

/* The seed of granule @i: in the first image all are its own; in the second all but the first
 * 96 (three frames) have changed. */
static uint64_t
seed_of(uint64_t i, int generation)
{
    return generation == 0 || i < 96 ? 1000 + i : 50000 + i;
}

/* Writes generation @generation on @parent, and its manifest if @id. */
static char *
write_generation(FsnRepo *repo, const char *id, int generation, FsnImage *parent)
{
    g_autoptr(FsnImageWriter) writer = new_writer(repo, N, parent);
    FsnImageStats stats;

    for (uint64_t i = 0; i < N; i++) {
        put_seed(writer, i, seed_of(i, generation));
    }
    stats = commit_writer(writer);
    if (id) {
        commit_manifest(repo, id, stats.root);
    }
    return g_strdup(stats.root);
}

/* Snapshots A and, on it, B; A is deleted again, so that 3 of 20 frames of its pack live. */
static void
write_both(FsnRepo *repo, char **out_a, char **out_b)
{
    g_autoptr(FsnImage) parent = NULL;

    *out_a = write_generation(repo, ID_A, 0, NULL);
    parent = open_image(repo, *out_a);
    *out_b = write_generation(repo, ID_B, 1, parent);
    g_assert_true(fsn_repo_delete_manifest(repo, ID_A, NULL));
}

static void
assert_generation(FsnRepo *repo, const char *root, int generation)
{
    g_autoptr(FsnImage) image = open_image(repo, root);
    g_autoptr(FsnImageReader) reader = fsn_image_reader_new(image);

    for (uint64_t i = 0; i < N; i++) {
        assert_seed(reader, i, seed_of(i, generation));
    }
}

static void
assert_verifies(FsnBlobStore *store)
{
    g_autoptr(FsnRepo) repo = view(store);
    g_auto(FsnVerifyReport) report = { 0 };

    g_assert_true(fsn_repo_verify(repo, NULL, true, NULL, NULL, &report, NULL));
    if (report.problems->len > 0) {
        g_error("%s", (char *)g_ptr_array_index(report.problems, 0));
    }
}

static FsnGcReport
collect(FsnBlobStore *store, FsnGcFlags flags)
{
    g_autoptr(FsnRepo) repo = view(store);
    g_autoptr(GError) error = NULL;
    FsnGcReport report;
    bool ok = fsn_repo_gc(repo, flags, 0, &report, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    return report;
}

static guint
count_keys(FsnBlobStore *store, const char *folder)
{
    g_autoptr(GPtrArray) keys = NULL;

    g_assert_true(fsn_blob_list(store, folder, &keys, NULL));
    return keys->len;
}

static void
test_is_worth(void)
{
    g_assert_true(fsn_repack_is_worth(1000000, 399999));
    g_assert_false(fsn_repack_is_worth(1000000, 400000));
    g_assert_false(fsn_repack_is_worth(1000000, 1000000));
    g_assert_true(fsn_repack_is_worth(100000, 0));
    g_assert_false(fsn_repack_is_worth(60000, 0)); /* too little to gain */
    g_assert_false(fsn_repack_is_worth(0, 0));
}

static void
test_repack(void)
{
    g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
    g_autoptr(FsnRepo) repo = view(store);
    g_autoptr(GHashTable) thinned = NULL;
    g_autofree char *a = NULL;
    g_autofree char *b = NULL;
    FsnGcReport report;
    GHashTableIter iter;
    gpointer removed;

    write_both(repo, &a, &b);
    g_clear_pointer(&repo, fsn_repo_free);

    report = collect(store, FSN_GC_DRY_RUN);
    g_assert_cmpint(report.packs_repacked, ==, 1);
    g_assert_cmpint(report.bytes_repacked, >, 16 * 32 * 4096);
    g_assert_cmpint(report.bytes_repacked, <, 17 * 33 * 4096);
    report = collect(store, FSN_GC_NO_REPACK);
    g_assert_cmpint(report.packs_repacked, ==, 0);
    g_assert_cmpint(count_keys(store, "thinned"), ==, 0);

    report = collect(store, 0);
    g_assert_cmpint(report.packs_repacked, ==, 1);
    g_assert_cmpint(report.bytes_repacked, >, 16 * 32 * 4096);
    g_assert_cmpint(count_keys(store, "aside"), ==, 0);
    g_assert_cmpint(count_keys(store, "packs"), ==, 2);
    repo = view(store);
    assert_generation(repo, b, 1);
    assert_verifies(store);
    g_assert_true(fsn_repo_list_thinned(repo, &thinned, NULL));
    g_hash_table_iter_init(&iter, thinned);
    g_assert_true(g_hash_table_iter_next(&iter, NULL, &removed));
    g_assert_cmpint(*(uint64_t *)removed, ==, report.bytes_repacked);
    g_clear_pointer(&repo, fsn_repo_free);

    /* Once is enough; and the note goes with the pack. */
    g_assert_cmpint(collect(store, 0).packs_repacked, ==, 0);
    repo = view(store);
    g_assert_true(fsn_repo_delete_manifest(repo, ID_B, NULL));
    g_clear_pointer(&repo, fsn_repo_free);
    (void)collect(store, 0);
    g_assert_cmpint(count_keys(store, "packs"), ==, 0);
    g_assert_cmpint(count_keys(store, "thinned"), ==, 0);
}

/* In a folder the space is really given back. */
static void
test_space(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-repack-XXXXXX", NULL);
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
    g_autoptr(FsnRepo) repo = fsn_repo_open(dir, FSN_REPO_CREATE, NULL);
    g_autoptr(GPtrArray) packs = NULL;
    g_autofree char *a = NULL;
    g_autofree char *b = NULL;
    FsnGcReport report;
    uint64_t blocks = 0;

    write_both(repo, &a, &b);
    g_clear_pointer(&repo, fsn_repo_free);
    repo = fsn_repo_open(dir, 0, NULL);
    g_assert_true(fsn_repo_gc(repo, 0, 0, &report, NULL));
    g_assert_cmpint(report.packs_repacked, ==, 1);
    assert_generation(repo, b, 1);
    g_assert_true(fsn_blob_list(fsn_repo_store(repo), "packs", &packs, NULL));
    for (guint i = 0; i < packs->len; i++) {
        g_autofree char *path = g_build_filename(dir, g_ptr_array_index(packs, i), NULL);
        struct stat st;

        g_assert_cmpint(stat(path, &st), ==, 0);
        blocks += (uint64_t)st.st_blocks * 512;
    }
    /* 20 frames in all: 17 of the second image and 3 that it shares with the first. */
    g_assert_cmpint(blocks, <, 22 * 33 * 4096);
    g_assert_cmpint(system(command), ==, 0);
}

/* What a living writer's parent has stays whole, though its manifest is gone. */
static void
test_writer_beside(void)
{
    g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
    g_autoptr(FsnRepo) repo = view(store);
    g_autoptr(FsnRepo) other = view(store);
    g_autoptr(FsnImage) parent = NULL;
    g_autoptr(FsnImageWriter) writer = NULL;
    g_autofree char *a = NULL;
    g_autofree char *b = NULL;
    FsnImageStats stats;

    write_both(repo, &a, &b);
    parent = open_image(other, a);
    writer = new_writer(other, N, parent);
    for (uint64_t i = 0; i < N; i++) {
        put_seed(writer, i, seed_of(i, 0));
    }
    g_clear_pointer(&repo, fsn_repo_free);
    g_assert_cmpint(collect(store, 0).packs_repacked, ==, 0);
    stats = commit_writer(writer);
    g_assert_cmpint(stats.stored, ==, 0);
    g_assert_cmpint(collect(store, 0).packs_repacked, ==, 0);
    commit_manifest(other, ID_C, stats.root);
    g_assert_cmpint(collect(store, 0).packs_repacked, ==, 0);
    assert_generation(other, stats.root, 0);
    assert_verifies(store);
}

/* A reader goes on with what it has open and finds what it opens later. */
static void
test_reader_beside(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-repack-XXXXXX", NULL);
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
    g_autoptr(FsnRepo) repo = fsn_repo_open(dir, FSN_REPO_CREATE, NULL);
    g_autoptr(FsnRepo) collector = NULL;
    g_autoptr(FsnImage) image = NULL;
    g_autoptr(FsnImageReader) early = NULL;
    g_autoptr(FsnImageReader) late = NULL;
    g_autofree char *a = NULL;
    g_autofree char *b = NULL;
    FsnGcReport report;

    write_both(repo, &a, &b);
    image = open_image(repo, b);
    early = fsn_image_reader_new(image);
    late = fsn_image_reader_new(image);
    assert_seed(early, 0, seed_of(0, 1));
    collector = fsn_repo_open(dir, 0, NULL);
    g_clear_pointer(&image, fsn_image_free);
    g_clear_pointer(&early, fsn_image_reader_free);
    g_clear_pointer(&late, fsn_image_reader_free);
    g_clear_pointer(&repo, fsn_repo_free); /* the writer has gone */
    repo = fsn_repo_open(dir, FSN_REPO_READ_ONLY, NULL);
    image = open_image(repo, b);
    early = fsn_image_reader_new(image);
    late = fsn_image_reader_new(image);
    assert_seed(early, 0, seed_of(0, 1));
    g_assert_true(fsn_repo_gc(collector, 0, 0, &report, NULL));
    g_assert_cmpint(report.packs_repacked, ==, 1);
    for (uint64_t i = 0; i < N; i++) {
        assert_seed(early, i, seed_of(i, 1));
        assert_seed(late, i, seed_of(i, 1));
    }
    g_assert_cmpint(system(command), ==, 0);
}

/* Collects keys as the collector marks them: all roots and packs that @root needs. */
static GHashTable *
keys_of(FsnRepo *repo, const char *root)
{
    GHashTable *keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(FsnImage) image = open_image(repo, root);
    GArray *packs = fsn_image_root(image)->packs;

    g_hash_table_add(keys, fsn_repo_key(FSN_DIR_ROOTS, root));
    for (guint i = 0; i < packs->len; i++) {
        g_hash_table_add(
            keys,
            fsn_repo_id_key(FSN_DIR_PACKS, &g_array_index(packs, FsnObjectRef, i).id));
    }
    return keys;
}

/* A writer whose lease was not honoured commits just then: either it is told, or the whole
 * pack comes back; in no order is there a snapshot without its data. */
static void
test_late_commit(void)
{
    for (int when = 0; when < 3; when++) {
        g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
        g_autoptr(FsnRepo) repo = view(store);
        g_autofree char *a = NULL;
        g_autofree char *b = NULL;
        g_autoptr(GHashTable) keys = NULL;
        g_autoptr(GHashTable) both = NULL;
        g_autoptr(GHashTable) none = g_hash_table_new(g_str_hash, g_str_equal);
        g_autoptr(FsnRepack) repack = NULL;
        g_autoptr(JsonObject) late = NULL;
        g_autoptr(GError) error = NULL;

        write_both(repo, &a, &b);
        keys = keys_of(repo, b);
        both = keys_of(repo, b);
        g_hash_table_add(both, fsn_repo_key(FSN_DIR_ROOTS, a));
        repack = fsn_repack_plan(repo, keys, none, NULL);
        g_assert_cmpint(fsn_repack_packs(repack), ==, 1);
        g_assert_true(fsn_repack_announce(repack, NULL));
        late = new_manifest(ID_C, "2026-01-01T00:00:00Z", a);
        if (when == 0) { /* before the second look */
            g_assert_true(fsn_repo_commit_manifest(repo, late, NULL));
            g_assert_true(fsn_repack_run(repack, both, NULL));
            g_assert_true(fsn_repack_settle(repack, both, NULL));
        } else if (when == 1) { /* after it, but before anything was removed */
            g_assert_true(fsn_repo_commit_manifest(repo, late, NULL));
            g_assert_true(fsn_repack_run(repack, keys, NULL));
            g_assert_true(fsn_repack_settle(repack, both, NULL));
            g_assert_cmpint(fsn_repack_packs(repack), ==, 0);
        } else { /* after that */
            g_assert_true(fsn_repack_run(repack, keys, NULL));
            g_assert_false(fsn_repo_commit_manifest(repo, late, &error));
            g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
            g_assert_true(fsn_repack_settle(repack, keys, NULL));
            g_assert_cmpint(fsn_repack_packs(repack), ==, 1);
        }
        g_assert_cmpint(count_keys(store, "aside"), ==, 0);
        g_assert_cmpint(count_keys(store, "manifests"), ==, when == 2 ? 1 : 2);
        if (when < 2) {
            assert_generation(repo, a, 0);
        }
        assert_generation(repo, b, 1);
        assert_verifies(store);
    }
}

/* The machine dies at each operation; snapshots are whole, and the next run finishes. */
static void
test_dies_anywhere(void)
{
    for (uint64_t at = 1;; at++) {
        g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
        g_autoptr(FsnRepo) repo = view(store);
        FsnBlobFaults faults = { .fail_at = at, .fail_after = true };
        g_autofree char *a = NULL;
        g_autofree char *b = NULL;
        FsnGcReport report;
        bool ok;

        write_both(repo, &a, &b);
        g_clear_pointer(&repo, fsn_repo_free);
        repo = fsn_repo_new(fsn_blob_store_new_fault(store, &faults), 0, NULL);
        ok = repo && fsn_repo_gc(repo, 0, 0, &report, NULL);
        g_clear_pointer(&repo, fsn_repo_free);
        repo = view(store);
        assert_generation(repo, b, 1);
        g_clear_pointer(&repo, fsn_repo_free);
        assert_verifies(store);
        (void)collect(store, 0);
        assert_verifies(store);
        g_assert_cmpint(count_keys(store, "aside"), ==, 0);
        g_assert_cmpint(count_keys(store, "packs"), ==, 2);
        g_assert_cmpint(collect(store, FSN_GC_DRY_RUN).packs_repacked, ==, 0);
        if (ok) {
            g_assert_cmpint(at, >, 60);
            break;
        }
    }
}

/* A single failing operation is no worse, and is reported unless it does not matter. */
static void
test_one_error(void)
{
    unsigned failed = 0;

    for (uint64_t at = 1; at < 150; at++) {
        g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
        g_autoptr(FsnRepo) repo = view(store);
        FsnBlobFaults faults = { .fail_at = at };
        g_autofree char *a = NULL;
        g_autofree char *b = NULL;
        g_autoptr(GError) error = NULL;
        FsnGcReport report;
        bool ok;

        write_both(repo, &a, &b);
        g_clear_pointer(&repo, fsn_repo_free);
        repo = fsn_repo_new(fsn_blob_store_new_fault(store, &faults), 0, &error);
        ok = repo && fsn_repo_gc(repo, 0, 0, &report, &error);
        g_assert_cmpint(ok, ==, error == NULL);
        failed += !ok;
        assert_verifies(store);
        (void)collect(store, 0);
        assert_verifies(store);
    }
    g_assert_cmpint(failed, >, 40);
}

/* A pack with a flipped bit is left alone. */
static void
test_damaged_pack(void)
{
    for (uint64_t at = 0; at < 60; at += 3) {
        g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
        g_autoptr(FsnRepo) repo = view(store);
        FsnBlobFaults faults = { .garble_at = 20 + at };
        g_autofree char *a = NULL;
        g_autofree char *b = NULL;
        FsnGcReport report;

        write_both(repo, &a, &b);
        g_clear_pointer(&repo, fsn_repo_free);
        repo = fsn_repo_new(fsn_blob_store_new_fault(store, &faults), 0, NULL);
        (void)!fsn_repo_gc(repo, 0, 0, &report, NULL);
        g_clear_pointer(&repo, fsn_repo_free);
        assert_verifies(store);
    }
}

/* On a parent that is still named a commit does not look into the thinned packs; on one that
 * is not, it does. */
static void
test_commit_cost(void)
{
    static const FsnBlobFaults none;
    uint64_t operations[2];

    for (int named = 0; named < 2; named++) {
        g_autoptr(FsnBlobStore) store = fsn_blob_store_new_memory();
        g_autoptr(FsnRepo) repo = view(store);
        FsnBlobStore *counting = fsn_blob_store_new_fault(store, &none);
        g_autoptr(FsnRepo) other = NULL;
        g_autoptr(FsnImage) parent = NULL;
        g_autoptr(JsonObject) manifest = NULL;
        g_autofree char *a = NULL;
        g_autofree char *b = NULL;
        g_autofree char *c = NULL;
        uint64_t before;

        write_both(repo, &a, &b);
        g_clear_pointer(&repo, fsn_repo_free);
        g_assert_cmpint(collect(store, 0).packs_repacked, ==, 1);
        other = fsn_repo_new(counting, 0, NULL);
        parent = open_image(other, b);
        c = write_generation(other, NULL, 1, parent);
        manifest = new_manifest(ID_C, "2026-01-01T00:00:00Z", c);
        json_object_set_string_member(manifest, "parent", named ? ID_B : ID_A);
        before = fsn_blob_store_fault_count(counting);
        g_assert_true(fsn_repo_commit_manifest(other, manifest, NULL));
        before = fsn_blob_store_fault_count(counting) - before;
        operations[named] = before;
        assert_generation(other, c, 1);
    }
    /* To look means to open a bundle and two packs at least. */
    g_assert_cmpint(operations[1] + 6, <=, operations[0]);
}

/* Collects in the folder @dir until it is done or killed. */
static int
collect_folder(const char *dir)
{
    g_autoptr(FsnRepo) repo = fsn_repo_open(dir, 0, NULL);
    FsnGcReport report;

    return repo && fsn_repo_gc(repo, 0, 0, &report, NULL) ? 0 : 1;
}

/* A process that collects is killed at whatever it is doing. */
static void
test_killed(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    unsigned killed = 0;

    for (int i = 0; i < 16; i++) {
        g_autofree char *dir = g_dir_make_tmp("fsn-repack-XXXXXX", NULL);
        g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
        char *argv[] = { self, (char *)"--collect", dir, NULL };
        g_autoptr(FsnRepo) repo = fsn_repo_open(dir, FSN_REPO_CREATE, NULL);
        g_autofree char *a = NULL;
        g_autofree char *b = NULL;
        FsnGcReport report;
        GPid pid;
        int status;

        write_both(repo, &a, &b);
        g_clear_pointer(&repo, fsn_repo_free);
        g_assert_true(g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                    NULL, &pid, NULL));
        g_usleep((gulong)(i * 3000)); /* any moment will do */
        g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
        g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
        killed += WIFSIGNALED(status);
        for (int run = 0; run < 2; run++) {
            g_auto(FsnVerifyReport) verified = { 0 };

            repo = fsn_repo_open(dir, 0, NULL);
            assert_generation(repo, b, 1);
            g_assert_true(fsn_repo_verify(repo, NULL, true, NULL, NULL, &verified, NULL));
            g_assert_cmpint(verified.problems->len, ==, 0);
            g_assert_true(fsn_repo_gc(repo, 0, 0, &report, NULL));
            g_clear_pointer(&repo, fsn_repo_free);
        }
        g_assert_cmpint(report.packs_repacked, ==, 0);
        g_assert_cmpint(system(command), ==, 0);
    }
    g_test_message("%u of 16 were killed at work", killed);
    g_assert_cmpint(killed, >, 0);
}

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--collect") == 0) {
        return collect_folder(argv[2]);
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repack/is-worth", test_is_worth);
    g_test_add_func("/repack/repack", test_repack);
    g_test_add_func("/repack/space", test_space);
    g_test_add_func("/repack/writer-beside", test_writer_beside);
    g_test_add_func("/repack/reader-beside", test_reader_beside);
    g_test_add_func("/repack/late-commit", test_late_commit);
    g_test_add_func("/repack/dies-anywhere", test_dies_anywhere);
    g_test_add_func("/repack/one-error", test_one_error);
    g_test_add_func("/repack/damaged-pack", test_damaged_pack);
    g_test_add_func("/repack/commit-cost", test_commit_cost);
    g_test_add_func("/repack/killed", test_killed);
    return g_test_run();
}
