/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/repo/verify.c and stats.c: every flipped, missing or cut object is named. */
#include "config.h"

#include "repo-common.h"

#include "repo/marks.h"
#include "repo/sequence.h"
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
    const char *ids[] = { id, NULL };
    bool ok =
        fsn_repo_verify(f->repo, id ? ids : NULL, read_data, NULL, NULL, &report, &error);

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

/* Which snapshots are sound after byte @at of @key was flipped: "A", "B", "AB" or "". The
 * object is named among the problems. */
static char *
sound_after_flip(Fixture *f, const char *key, size_t at)
{
    FsnBlobStore *store = fsn_repo_store(f->repo);
    g_auto(FsnVerifyReport) report = { 0 };
    g_autoptr(GBytes) good = NULL;
    g_autofree uint8_t *bad = NULL;
    GString *sound = g_string_new(NULL);
    bool named = false;
    size_t len;

    g_assert_true(fsn_blob_get(store, key, 1 << 30, &good, NULL));
    len = g_bytes_get_size(good);
    bad = g_memdup2(g_bytes_get_data(good, NULL), len);
    bad[MIN(at, len - 1)] ^= 0x10;
    g_assert_true(fsn_blob_put(store, key, bad, len, 0, NULL));
    g_assert_true(fsn_repo_verify(f->repo, NULL, true, NULL, NULL, &report, NULL));
    for (guint i = 0; i < report.problems->len; i++) {
        named = named || strstr(report.problems->pdata[i], key);
    }
    if (!named) {
        g_error("nothing names %s", key);
    }
    for (guint i = 0; i < report.results->len; i++) {
        const FsnVerifyResult *result = report.results->pdata[i];

        if (result->problems->len == 0) {
            g_string_append_c(sound, g_ascii_toupper(result->id[0]));
        }
    }
    g_assert_true(fsn_blob_put(store, key, g_bytes_get_data(good, NULL), len, 0, NULL));
    return g_string_free(sound, FALSE);
}

static char *
nth_key(Fixture *f, const char *folder, guint number)
{
    g_autoptr(GPtrArray) keys = NULL;

    g_assert_true(fsn_blob_list(fsn_repo_store(f->repo), folder, &keys, NULL));
    g_assert_cmpuint(keys->len, >, number);
    return g_strdup(keys->pdata[number]);
}

/* One byte of each kind of object: it is named, and the other snapshot is as good as before. */
static void
test_each_kind(Fixture *f, gconstpointer unused)
{
    const struct {
        const char *folder;
        size_t at;
    } parts[] = {
        { "packs", 10 },       { "packs", 64 + 30 }, { "packs", 20000 },
        { "packs", SIZE_MAX }, { "indexes", 200 },   { "roots", 100 },
        { "manifests", 150 },
    };

    g_autofree char *object = g_strdup_printf("objects/%.2s/%s", f->sha, f->sha);
    g_autofree char *without_object = sound_after_flip(f, object, 30);

    g_assert_cmpstr(without_object, ==, "B");
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        for (guint number = 0; number < 2; number++) {
            g_autofree char *key = nth_key(f, parts[i].folder, number);
            g_autofree char *sound = sound_after_flip(f, key, parts[i].at);

            g_assert_cmpuint(strlen(sound), ==, 1);
        }
    }
}

static FsnImage *
image_of(Fixture *f, const char *id)
{
    g_autoptr(JsonObject) manifest = NULL;

    g_assert_true(fsn_repo_load_manifest(f->repo, id, &manifest, NULL));
    return open_image(f->repo,
                      json_object_get_string_member(
                          json_object_get_object_member(manifest, "memory"), "image"));
}

/* What is part of no snapshot: named too, and both are sound. */
static void
test_beside(Fixture *f, gconstpointer unused)
{
    const char *keys[] = { "marks/" ID_A ".ran", "sequences/" ID_A, "refs/workingset/x",
                           "superblock" };
    const size_t at[] = { 70, 100, 500 };
    const uint64_t granules[] = { 5, 3, 250 };
    g_autoptr(JsonObject) body = json_object_new();
    g_autoptr(FsnImage) image = image_of(f, ID_A);

    g_assert_true(fsn_repo_mark_create(f->repo, ID_A, "ran", body, NULL));
    g_assert_true(fsn_repo_put_ref(f->repo, "workingset/x", "value", 5, NULL));
    g_assert_true(
        fsn_sequence_write(f->repo, ID_A, image, granules, 3, FSN_CODEC_LZ4, NULL));
    g_assert_cmpint(problems(f, NULL, true, NULL), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(at); k++) {
            g_autofree char *sound = sound_after_flip(f, keys[i], at[k]);

            g_assert_cmpstr(sound, ==, "AB");
        }
    }
}

/* A third snapshot with the memory of A but for one granule: the pack of A is read once for
 * both, and damage in it hurts both. */
static void
test_shared(Fixture *f, gconstpointer unused)
{
    g_auto(FsnVerifyReport) before = { 0 };
    g_auto(FsnVerifyReport) after = { 0 };
    g_autoptr(FsnImage) parent = image_of(f, ID_A);
    g_autoptr(FsnImageWriter) writer = new_writer(f->repo, 300, parent);
    g_autoptr(JsonObject) c = NULL;
    g_autoptr(GPtrArray) keys = NULL;
    guint hurts_two = 0;

    g_assert_true(fsn_repo_verify(f->repo, NULL, true, NULL, NULL, &before, NULL));
    for (uint64_t i = 0; i < 300; i++) {
        put_seed(writer, i, i == 7 ? 4711 : i < 200 ? 1000 + i : 0);
    }
    c = new_manifest("cccc0000000000000000000000000003", "2026-01-03T00:00:00Z",
                     commit_writer(writer).root);
    g_assert_true(fsn_repo_commit_manifest(f->repo, c, NULL));
    g_assert_true(fsn_repo_verify(f->repo, NULL, true, NULL, NULL, &after, NULL));
    g_assert_cmpuint(after.problems->len, ==, 0);
    g_assert_cmpuint(after.results->len, ==, 3);
    g_assert_cmpuint(after.granules, ==, before.granules + 200);
    g_assert_cmpuint(after.bytes, >, before.bytes);
    g_assert_cmpuint(after.bytes, <, before.bytes + 2 * FSN_GRANULE_SIZE);
    g_assert_true(fsn_blob_list(fsn_repo_store(f->repo), "packs", &keys, NULL));
    g_assert_cmpuint(keys->len, ==, 3);
    for (guint i = 0; i < keys->len; i++) {
        g_autofree char *sound = sound_after_flip(f, keys->pdata[i], 64 + 100);

        hurts_two += g_str_equal(sound, "B");
    }
    g_assert_cmpuint(hurts_two, ==, 1);
}

/* Named ones, twice or by their beginnings, and one that is not there. */
static void
test_named(Fixture *f, gconstpointer unused)
{
    const char *both[] = { ID_B, "bbbb", "aaaa", NULL };
    const char *none[] = { ID_B, "ffff", NULL };
    g_auto(FsnVerifyReport) report = { 0 };
    g_auto(FsnVerifyReport) no_report = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_repo_verify(f->repo, both, false, NULL, NULL, &report, NULL));
    g_assert_cmpuint(report.results->len, ==, 2);
    g_assert_cmpstr(((FsnVerifyResult *)report.results->pdata[0])->id, ==, ID_B);
    g_assert_false(fsn_repo_verify(f->repo, none, false, NULL, NULL, &no_report, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
}

static void
test_stats(Fixture *f, gconstpointer unused)
{
    g_auto(FsnRepoStats) stats = { 0 };
    FsnSnapshotStats *s;
    FsnDomainStats *d;

    g_assert_true(fsn_repo_stats(f->repo, &stats, NULL));
    g_assert_cmpint(stats.snapshots->len, ==, 2);
    g_assert_cmpint(stats.logical, ==, 2 * 300 * 4096);
    g_assert_cmpint(stats.needed, ==, stats.stored);
    s = g_ptr_array_index(stats.snapshots, 0);
    g_assert_cmpint(s->own, ==, s->needed);
    g_assert_cmpint(s->own, >, 200 * 4096);
    g_assert_cmpstr(s->domain, ==, "guest");
    d = g_ptr_array_index(stats.domains, 0);
    g_assert_cmpuint(stats.domains->len, ==, 1);
    g_assert_cmpuint(d->snapshots, ==, 2);
    g_assert_cmpuint(d->logical, ==, stats.logical);
    g_assert_cmpuint(d->needed, ==, stats.needed);
    g_assert_cmpuint(d->exclusive, ==, stats.needed);
}

#define ADD(name, func) g_test_add(name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/verify/whole", test_whole);
    ADD("/verify/damage", test_damage);
    ADD("/verify/other-snapshot", test_other_snapshot);
    ADD("/verify/each-kind", test_each_kind);
    ADD("/verify/beside", test_beside);
    ADD("/verify/shared", test_shared);
    ADD("/verify/named", test_named);
    ADD("/verify/stats", test_stats);
    return g_test_run();
}
