/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/repo/catalogue.c: both ways from a manifest to its entry agree; and the lists of marks
 * and the deletion of many. */
#include "config.h"

#include "repo-common.h"

#include "base/json.h"
#include "repo/catalogue.h"
#include "repo/marks.h"

static void
assert_equal(const FsnCatalogueEntry *a, const FsnCatalogueEntry *b)
{
    g_assert_cmpstr(a->id, ==, b->id);
    g_assert_cmpstr(a->kind, ==, b->kind);
    g_assert_cmpstr(a->created, ==, b->created);
    g_assert_cmpstr(a->domain, ==, b->domain);
    g_assert_cmpstr(a->uuid, ==, b->uuid);
    g_assert_cmpstr(a->parent, ==, b->parent);
    g_assert_cmpstr(a->profile, ==, b->profile);
    g_assert_cmpstr(a->name, ==, b->name);
    g_assert_cmpint(a->created_us, ==, b->created_us);
    g_assert_cmpuint(a->memory_bytes, ==, b->memory_bytes);
    g_assert_cmpint(a->has_memory, ==, b->has_memory);
    g_assert_cmpuint(a->disks->len, ==, b->disks->len);
    for (guint i = 0; i < a->disks->len; i++) {
        g_assert_cmpstr(a->disks->pdata[i], ==, b->disks->pdata[i]);
    }
    g_assert_cmpint(a->bytes_logical, ==, b->bytes_logical);
    g_assert_cmpint(a->bytes_read, ==, b->bytes_read);
    g_assert_cmpint(a->bytes_changed, ==, b->bytes_changed);
    g_assert_cmpint(a->bytes_stored, ==, b->bytes_stored);
}

static const char whole[] =
    "{\"id\":\"aaaa0000000000000000000000000001\",\"kind\":\"snapshot\","
    "\"created\":\"2026-03-01T12:30:15Z\",\"created_us\":1772368215250000,"
    "\"parent\":\"bbbb0000000000000000000000000002\",\"profile\":null,"
    "\"name\":\"before the update\","
    "\"domain\":{\"name\":\"web\",\"uuid\":\"0f0e0d0c-0b0a-0908-0706-050403020100\"},"
    "\"memory\":{\"image\":\"00\",\"blocks\":[{\"name\":\"pc.ram\",\"length\":1048576},"
    "{\"length\":4096},{\"length\":-5},7]},"
    "\"disks\":[{\"target\":\"vda\",\"image\":\"11\",\"reason\":\"a \\\"b\\\"\","
    "\"bytes\":{\"read\":5}},{\"target\":\"vdb\",\"path\":\"/b\"},{\"image\":\"2\"},[],"
    "{\"image\":\"33\",\"target\":\"vdc\"}],"
    "\"bytes\":{\"logical\":4,\"read\":3,\"changed\":2,\"stored\":1,\"x\":[]}}";

static void
test_whole(void)
{
    g_autoptr(FsnCatalogueEntry) e = fsn_catalogue_entry_scan(whole, strlen(whole));

    g_assert_nonnull(e);
    g_assert_cmpstr(e->domain, ==, "web");
    g_assert_cmpstr(e->name, ==, "before the update");
    g_assert_cmpstr(e->parent, ==, "bbbb0000000000000000000000000002");
    g_assert_null(e->profile);
    g_assert_cmpint(e->created_us, ==, 1772368215250000);
    g_assert_cmpuint(e->memory_bytes, ==, 1048576 + 4096);
    g_assert_true(e->has_memory);
    g_assert_cmpuint(e->disks->len, ==, 2);
    g_assert_cmpstr(e->disks->pdata[0], ==, "vda");
    g_assert_cmpstr(e->disks->pdata[1], ==, "vdc");
    g_assert_cmpint(e->bytes_logical, ==, 4);
    g_assert_cmpint(e->bytes_stored, ==, 1);
}

/* Whatever both parsers take, they take for the same. */
static void
test_agreement(void)
{
    const char *texts[] = {
        whole,
        "{}",
        "{\"memory\":{\"image\":1,\"blocks\":{}},\"disks\":{},\"bytes\":[],\"domain\":7}",
        "{\"memory\":[],\"created\":\"2026-13-01T00:00:00Z\",\"created_us\":5}",
        "{\"created\":\"1969-12-31T23:59:59Z\",\"created_us\":\"x\"}",
        "{\"created\":\"2024-02-29T23:59:59Z\",\"created_us\":1}",
        "{\"id\":\"a\",\"id\":\"b\",\"domain\":{\"name\":\"x\",\"uuid\":\"y\"},"
        "\"domain\":{\"name\":\"z\"},\"bytes\":{\"read\":1},\"bytes\":{\"stored\":2.5}}",
        "{\"name\":\"with \\\"quotes\\\"\"}",
        "{\"bytes\":{\"read\":12345678901234567890}}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        size_t len = strlen(texts[i]);
        g_autoptr(FsnCatalogueEntry) fast = fsn_catalogue_entry_scan(texts[i], len);
        g_autoptr(FsnCatalogueEntry) slow = NULL;
        g_autoptr(JsonObject) manifest = NULL;

        if (fsn_json_parse_object(texts[i], len, 65536, "test", &manifest, NULL)) {
            slow = fsn_catalogue_entry_new(manifest);
        }
        /* The last two are what the scanner leaves to the other. */
        g_assert_true(!fast == (i >= 7));
        if (fast) {
            g_assert_nonnull(slow);
            assert_equal(fast, slow);
        }
    }
}

/* Seconds against GLib's calendar, over leap years and centuries. */
static void
test_times(void)
{
    for (int64_t day = -25000; day < 120000; day += 17) {
        int64_t seconds = day * 86400 + 3661;
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
        g_autofree char *text =
            g_date_time_format(time, "{\"created\":\"%Y-%m-%dT%TZ\"}");
        g_autoptr(FsnCatalogueEntry) e = fsn_catalogue_entry_scan(text, strlen(text));

        g_assert_cmpint(e->created_us, ==, seconds * G_USEC_PER_SEC);
    }
}

typedef struct {
    FsnRepo *repo;
    char *root;
} Fixture;

#define N 100

/* N snapshots, a minute apart; the number of each is in its id. */
static void
set_up(Fixture *f, gconstpointer unused)
{
    g_autoptr(FsnImageWriter) writer = NULL;

    f->repo = memory_repo();
    writer = new_writer(f->repo, 4, NULL);
    put_seed(writer, 1, 77);
    f->root = g_strdup(commit_writer(writer).root);
    for (int i = 0; i < N; i++) {
        g_autofree char *id = g_strdup_printf("%032x", i + 1);
        g_autofree char *created =
            g_strdup_printf("2026-01-01T%02d:%02d:00Z", i / 60, i % 60);
        g_autoptr(JsonObject) manifest = new_manifest(id, created, f->root);

        g_assert_true(fsn_repo_commit_manifest(f->repo, manifest, NULL));
    }
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    fsn_repo_free(f->repo);
    g_free(f->root);
}

static void
load(Fixture *f, GPtrArray **out_entries, guint damaged)
{
    g_autoptr(GPtrArray) messages = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_repo_catalogue(f->repo, out_entries, &messages, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(messages->len, ==, damaged);
}

static void
test_repository(Fixture *f, gconstpointer unused)
{
    g_autoptr(GPtrArray) entries = NULL;
    g_autoptr(GPtrArray) manifests = NULL;
    g_autoptr(GPtrArray) damaged = NULL;

    load(f, &entries, 0);
    g_assert_true(fsn_repo_list_manifests(f->repo, &manifests, &damaged, NULL));
    g_assert_cmpuint(entries->len, ==, N);
    g_assert_cmpuint(manifests->len, ==, N);
    for (guint i = 0; i < N; i++) {
        g_autoptr(FsnCatalogueEntry) e = fsn_catalogue_entry_new(manifests->pdata[i]);
        g_autofree char *id = g_strdup_printf("%032x", N - i);

        assert_equal(entries->pdata[i], e);
        g_assert_cmpstr(e->id, ==, id);
        g_assert_true(e->has_memory);
    }
}

/* One that is damaged, and one that stands under another's name, hide no other. */
static void
test_damaged(Fixture *f, gconstpointer unused)
{
    FsnBlobStore *store = fsn_repo_store(f->repo);
    g_autoptr(GPtrArray) entries = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autofree char *first = g_strdup_printf("manifests/%032x", 1);
    g_autofree char *second = g_strdup_printf("manifests/%032x", 2);
    g_autofree char *other = g_strdup_printf("manifests/%032x", N + 1);
    const void *data;
    size_t len;

    g_assert_true(fsn_blob_get(store, first, 1 << 20, &bytes, NULL));
    data = g_bytes_get_data(bytes, &len);
    g_assert_true(fsn_blob_put(store, second, data, len - 1, 0, NULL));
    g_assert_true(fsn_blob_put(store, other, data, len, 0, NULL));
    load(f, &entries, 2);
    g_assert_cmpuint(entries->len, ==, N - 1);
}

static void
test_marks(Fixture *f, gconstpointer unused)
{
    g_autofree char *id = g_strdup_printf("%032x", 5);
    g_autofree char *name = g_strconcat(id, ".consumed", NULL);
    g_autoptr(GHashTable) none = NULL;
    g_autoptr(GHashTable) one = NULL;
    g_autoptr(JsonObject) body = json_object_new();

    g_assert_true(fsn_repo_mark_list(f->repo, &none, NULL));
    g_assert_cmpuint(g_hash_table_size(none), ==, 0);
    g_assert_true(fsn_repo_mark_create(f->repo, id, "consumed", body, NULL));
    g_assert_true(fsn_repo_mark_list(f->repo, &one, NULL));
    g_assert_cmpuint(g_hash_table_size(one), ==, 1);
    g_assert_true(g_hash_table_contains(one, name));
}

/* The marks of those deleted go, those of others stay. */
static void
test_delete_many(Fixture *f, gconstpointer unused)
{
    g_autoptr(GPtrArray) entries = NULL;
    g_autoptr(GHashTable) marks = NULL;
    g_autoptr(JsonObject) body = json_object_new();
    char ids[3][33];
    const char *list[] = { ids[0], ids[1] };

    for (int i = 0; i < 3; i++) {
        g_snprintf(ids[i], sizeof ids[i], "%032x", 10 * (i + 1));
        g_assert_true(fsn_repo_mark_create(f->repo, ids[i], "ran", body, NULL));
    }
    g_assert_true(fsn_repo_delete_manifests(f->repo, list, 2, NULL));
    load(f, &entries, 0);
    g_assert_cmpuint(entries->len, ==, N - 2);
    g_assert_true(fsn_repo_mark_list(f->repo, &marks, NULL));
    g_assert_cmpuint(g_hash_table_size(marks), ==, 1);
    g_assert_true(fsn_repo_delete_manifests(f->repo, NULL, 0, NULL));
}

#define ADD(name, func) g_test_add(name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/catalogue/whole", test_whole);
    g_test_add_func("/catalogue/agreement", test_agreement);
    g_test_add_func("/catalogue/times", test_times);
    ADD("/catalogue/repository", test_repository);
    ADD("/catalogue/damaged", test_damaged);
    ADD("/catalogue/marks", test_marks);
    ADD("/catalogue/delete-many", test_delete_many);
    return g_test_run();
}
