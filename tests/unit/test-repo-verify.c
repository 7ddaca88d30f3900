/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/repo/verify.c and stats.c: every flipped, missing or cut object is named. */
#include "config.h"

#include "repo-common.h"

#include "repo/stats.h"
#include "repo/verify.h"

#define ID_A "aaaa0000000000000000000000000001"
#define ID_B "bbbb0000000000000000000000000002"

typedef struct {
    FsnRepo *repo;
    char *sha;
} Fixture;

/* Two snapshots of 200 granules with nothing in common, the first with an object. */
static void
set_up(Fixture *f, gconstpointer unused)
{
    const char *ids[] = { ID_A, ID_B };

    f->repo = memory_repo();
    g_assert_true(fsn_repo_put_object(f->repo, "device state", 12, &f->sha, NULL));
    for (uint64_t s = 0; s < 2; s++) {
        g_autoptr(FsnImageWriter) writer = new_writer(f->repo, 300, NULL);
        g_autoptr(JsonObject) manifest = NULL;

        for (uint64_t i = 0; i < 200; i++) {
            put_seed(writer, i, 1000 * (s + 1) + i);
        }
        manifest =
            new_manifest(ids[s], "2026-01-01T00:00:00Z", commit_writer(writer).root);
        if (s == 0) {
            json_object_set_string_member(manifest, "object", f->sha);
        }
        g_assert_true(fsn_repo_commit_manifest(f->repo, manifest, NULL));
    }
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    fsn_repo_free(f->repo);
    g_free(f->sha);
}

static guint
problems(Fixture *f, const char *id, bool read_data, const char *needle)
{
    g_auto(FsnVerifyReport) report = { 0 };
    g_autoptr(GError) error = NULL;
    bool ok = fsn_repo_verify(f->repo, id, read_data, NULL, NULL, &report, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    for (guint i = 0; needle && i < report.problems->len; i++) {
        if (!strstr(g_ptr_array_index(report.problems, i), needle)) {
            g_error("'%s' does not name %s",
                    (char *)g_ptr_array_index(report.problems, i), needle);
        }
    }
    return report.problems->len;
}

static void
test_whole(Fixture *f, gconstpointer unused)
{
    g_auto(FsnVerifyReport) report = { 0 };

    g_assert_true(fsn_repo_verify(f->repo, NULL, true, NULL, NULL, &report, NULL));
    g_assert_cmpint(report.problems->len, ==, 0);
    g_assert_cmpint(report.snapshots, ==, 2);
    g_assert_cmpint(report.granules, ==, 400);
    g_assert_cmpint(report.objects, ==, 7);
    g_assert_cmpint(problems(f, "aaaa", false, NULL), ==, 0);
}

/* Every object in turn: a flipped byte here and there, cut short, gone. */
static void
test_damage(Fixture *f, gconstpointer unused)
{
    const char *folders[] = { "packs", "indexes", "roots", "objects", "manifests" };
    FsnBlobStore *store = fsn_repo_store(f->repo);

    for (size_t d = 0; d < G_N_ELEMENTS(folders); d++) {
        g_autoptr(GPtrArray) keys = NULL;

        g_assert_true(fsn_blob_list(store, folders[d], &keys, NULL));
        for (guint i = 0; i < keys->len; i++) {
            const char *key = g_ptr_array_index(keys, i);
            g_autoptr(GBytes) good = NULL;
            const uint8_t *data;
            size_t len;

            g_assert_true(fsn_blob_get(store, key, 1 << 30, &good, NULL));
            data = g_bytes_get_data(good, &len);
            for (size_t at = 0; at < len; at += 1 + len / 37) {
                g_autofree uint8_t *bad = g_memdup2(data, len);

                bad[at] ^= 0x40;
                g_assert_true(fsn_blob_put(store, key, bad, len, 0, NULL));
                /* 8 + 8 + … bytes of a header are reserved or informative, but all of
                 * them are under a digest, except those of a bundle's own header. */
                if (d != 1 || at >= 64) {
                    g_assert_cmpint(problems(f, NULL, true, strrchr(key, '/') + 1), >, 0);
                }
            }
            g_assert_true(fsn_blob_put(store, key, data, len - 1, 0, NULL));
            g_assert_cmpint(problems(f, NULL, false, strrchr(key, '/') + 1), >, 0);
            g_assert_true(fsn_blob_remove(store, key, false, NULL));
            g_assert_cmpint(problems(f, NULL, false, strrchr(key, '/') + 1), >=, d < 4);
            g_assert_true(fsn_blob_put(store, key, data, len, 0, NULL));
        }
    }
    g_assert_cmpint(problems(f, NULL, true, NULL), ==, 0);
}

/* One damaged pack: only its granules cannot be read, and never are wrong ones. */
static void
test_other_snapshot(Fixture *f, gconstpointer unused)
{
    FsnBlobStore *store = fsn_repo_store(f->repo);
    g_autoptr(GPtrArray) keys = NULL;
    guint bad_a, bad_b;

    g_assert_true(fsn_blob_list(store, "packs", &keys, NULL));
    g_assert_cmpint(keys->len, ==, 2);
    g_assert_true(fsn_blob_remove(store, g_ptr_array_index(keys, 0), false, NULL));
    bad_a = problems(f, ID_A, true, NULL);
    bad_b = problems(f, ID_B, true, NULL);
    g_assert_true((bad_a == 0) != (bad_b == 0));
}

static void
test_stats(Fixture *f, gconstpointer unused)
{
    g_auto(FsnRepoStats) stats = { 0 };
    FsnSnapshotStats *s;

    g_assert_true(fsn_repo_stats(f->repo, &stats, NULL));
    g_assert_cmpint(stats.snapshots->len, ==, 2);
    g_assert_cmpint(stats.logical, ==, 2 * 300 * 4096);
    g_assert_cmpint(stats.needed, ==, stats.stored);
    s = g_ptr_array_index(stats.snapshots, 0);
    g_assert_cmpint(s->own, ==, s->needed);
    g_assert_cmpint(s->own, >, 200 * 4096);
    g_assert_cmpstr(s->domain, ==, "guest");
}

#define ADD(name, func) g_test_add(name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/verify/whole", test_whole);
    ADD("/verify/damage", test_damage);
    ADD("/verify/other-snapshot", test_other_snapshot);
    ADD("/verify/stats", test_stats);
    return g_test_run();
}
