/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands on snapshots, run as a user runs them: the program itself, on a repository that
 * this test makes with the library. Documents are compared with foresnap-json(5). */
#include "config.h"

#include "cli-program.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/snapshot-view.h"
#include "memory/workingset.h"
#include "repo/image-writer.h"
#include "repo/manifests.h"
#include "repo/marks.h"
#include "repo/repo.h"

#include <glib/gstdio.h>
#include <string.h>

#define ID_A     "aaaa0000000000000000000000000001"
#define ID_B     "bbbb0000000000000000000000000002"
#define UUID     "11111111-2222-3333-4444-555555555555"
#define GRANULES 64

typedef struct {
    char *dir;
    char *location;
} Fixture;

static JsonObject *
make_manifest(const char *id, const char *domain, const char *created, const char *root)
{
    g_autofree char *text = g_strdup_printf(
        "{\"version\":1,\"id\":\"%s\",\"kind\":\"suspend\",\"created\":\"%s\","
        "\"parent\":null,\"domain\":{\"name\":\"%s\","
        "\"uuid\":\"" UUID "\"},\"host\":\"h\","
        "\"machine\":\"pc-q35-7.2\",\"memory\":{\"image\":\"%s\",\"page_size\":4096,"
        "\"blocks\":[{\"name\":\"pc.ram\",\"length\":%d}]},"
        "\"disks\":[{\"target\":\"vda\",\"path\":\"/a.qcow2\"}],"
        "\"bytes\":{\"logical\":%d,\"read\":9000,\"changed\":8192,\"stored\":5000}}",
        id, created, domain, root, GRANULES * 4096, GRANULES * 4096);
    JsonObject *manifest;
    g_autoptr(GError) error = NULL;

    g_assert_true(
        fsn_json_parse_object(text, strlen(text), 65536, "test", &manifest, &error));
    return manifest;
}

/* A snapshot of GRANULES pages, every second one zero. */
static void
add_snapshot(FsnRepo *repo, const char *id, const char *domain, const char *created)
{
    const FsnImageWriterOptions options = { .n_granules = GRANULES,
                                            .codec = FSN_CODEC_LZ4,
                                            .threads = 1 };
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnImageWriter) writer = fsn_image_writer_new(repo, &options, &error);
    g_autoptr(JsonObject) manifest = NULL;
    FsnImageStats stats;
    uint8_t page[4096];

    g_assert_no_error(error);
    for (uint64_t i = 0; i < GRANULES; i++) {
        memset(page, (int)(i % 2 ? i : 0), sizeof(page));
        page[0] = i % 2 ? (uint8_t)id[0] : 0;
        g_assert_true(fsn_image_writer_put(writer, i, page, &error));
    }
    g_assert_true(fsn_image_writer_commit(writer, &stats, &error));
    manifest = make_manifest(id, domain, created, stats.root);
    g_assert_true(fsn_repo_commit_manifest(repo, manifest, &error));
}

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnRepo) repo = NULL;

    f->dir = g_dir_make_tmp("fsn-cli-XXXXXX", NULL);
    f->location = g_build_filename(f->dir, "repo", NULL);
    repo = fsn_repo_open(f->location, FSN_REPO_CREATE, &error);
    g_assert_no_error(error);
    add_snapshot(repo, ID_A, "web", "2026-01-01T00:00:00Z");
    add_snapshot(repo, ID_B, "db", "2026-01-02T00:00:00Z");
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", f->dir);

    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_free(f->location);
    g_free(f->dir);
}

static const char *
error_code(JsonObject *document)
{
    return json_object_get_string_member(json_object_get_object_member(document, "error"),
                                         "code");
}

static void
test_list(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) all = run_json(f->location, "list", 0);
    g_autoptr(JsonObject) web = run_json(f->location, "list web", 0);
    g_autoptr(JsonObject) uuid = run_json(f->location, "list " UUID, 0);
    JsonArray *array = json_object_get_array_member(all, "snapshots");
    JsonObject *first = json_array_get_object_element(array, 0);
    g_autofree char *text = NULL;
    g_autofree char *ids = NULL;

    g_assert_cmpint(json_array_get_length(array), ==, 2);
    g_assert_cmpstr(json_object_get_string_member(first, "snapshot"), ==, ID_B);
    g_assert_cmpstr(json_object_get_string_member(first, "domain"), ==, "db");
    g_assert_cmpstr(json_object_get_string_member(first, "kind"), ==, "suspend");
    g_assert_cmpstr(json_object_get_string_member(first, "created"), ==,
                    "2026-01-02T00:00:00Z");
    g_assert_cmpstr(json_object_get_string_member(first, "state"), ==, "ready");
    g_assert_true(json_object_get_null_member(first, "parent"));
    g_assert_true(json_object_get_null_member(first, "profile"));
    g_assert_cmpint(json_object_get_int_member(first, "memory_bytes"), ==,
                    GRANULES * 4096);
    g_assert_cmpint(json_object_get_int_member(first, "bytes_logical"), ==,
                    GRANULES * 4096);
    g_assert_cmpint(json_object_get_int_member(first, "bytes_changed"), ==, 8192);
    g_assert_cmpint(json_object_get_int_member(first, "bytes_stored"), ==, 5000);
    array = json_object_get_array_member(web, "snapshots");
    g_assert_cmpint(json_array_get_length(array), ==, 1);
    array = json_object_get_array_member(uuid, "snapshots");
    g_assert_cmpint(json_array_get_length(array), ==, 2);
    g_assert_cmpint(run(f->location, "list", &text), ==, 0);
    g_assert_nonnull(strstr(text, "bbbb0000  db      suspend  ready"));
    g_assert_cmpint(run(f->location, "list -q", &ids), ==, 0);
    g_assert_cmpstr(ids, ==, ID_B "\n" ID_A "\n");
}

static void
test_states(Fixture *f, gconstpointer data)
{
    g_autoptr(FsnRepo) repo = fsn_repo_open(f->location, 0, NULL);
    g_autoptr(JsonObject) body = json_object_new();
    const char *marks[] = { "claim", "ran", "consumed" };
    const char *words[] = { "resuming", "used", "used" };

    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
        g_autoptr(JsonObject) document = NULL;

        g_assert_true(fsn_repo_mark_create(repo, ID_A, marks[i], body, NULL));
        document = run_json(f->location, "show aaaa", 0);
        g_assert_cmpstr(json_object_get_string_member(document, "state"), ==, words[i]);
    }
}

static void
test_show(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) document = run_json(f->location, "show aaaa0", 0);
    g_autoptr(JsonObject) unknown = run_json(f->location, "show ffffffff", 1);
    JsonObject *manifest = json_object_get_object_member(document, "manifest");
    g_autofree char *text = NULL;

    g_assert_cmpstr(json_object_get_string_member(document, "snapshot"), ==, ID_A);
    g_assert_cmpstr(json_object_get_string_member(manifest, "machine"), ==, "pc-q35-7.2");
    g_assert_cmpstr(error_code(unknown), ==, "not-found");
    g_assert_cmpint(run(f->location, "show " ID_A, &text), ==, 0);
    g_assert_nonnull(strstr(text, "\ndomain:    web\n"));
    g_assert_nonnull(strstr(text, "\nmemory:    256 KiB\n"));
    g_assert_nonnull(strstr(text, "\ndisk:      vda /a.qcow2\n"));
}

static void
test_delete(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) refused = run_json(f->location, "delete aaaa", 1);
    g_autoptr(JsonObject) partly = run_json(f->location, "delete --force aaaa ffff", 3);
    g_autoptr(JsonObject) rest = run_json(f->location, "list", 0);
    g_autoptr(FsnRepo) repo = fsn_repo_open(f->location, 0, NULL);
    g_autoptr(JsonObject) body = json_object_new();
    JsonArray *deleted = json_object_get_array_member(partly, "deleted");
    g_autofree char *text = NULL;

    g_assert_cmpstr(error_code(refused), ==, "state");
    g_assert_cmpint(json_array_get_length(deleted), ==, 1);
    g_assert_cmpstr(json_array_get_string_element(deleted, 0), ==, ID_A);
    g_assert_cmpstr(error_code(partly), ==, "partial");
    g_assert_cmpint(
        json_array_get_length(json_object_get_array_member(rest, "snapshots")), ==, 1);
    /* One whose guest has run since goes without force. */
    g_assert_true(fsn_repo_mark_create(repo, ID_B, "consumed", body, NULL));
    g_assert_cmpint(run(f->location, "delete bbbb", &text), ==, 0);
    g_assert_cmpstr(text, ==, "deleted bbbb0000 of 'db'\n");
}

static void
test_workingset(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) nothing = run_json(f->location, "workingset web", 1);
    g_autoptr(JsonObject) unknown = run_json(f->location, "workingset nobody", 1);
    g_autoptr(FsnRepo) repo = fsn_repo_open(f->location, 0, NULL);
    g_autoptr(FsnWorkingSet) set = fsn_working_set_new();
    g_autoptr(GBytes) bytes = fsn_working_set_write(set);
    g_autoptr(JsonObject) document = NULL;
    g_autoptr(JsonObject) by_uuid = NULL;

    g_assert_cmpstr(error_code(nothing), ==, "not-found");
    g_assert_cmpstr(error_code(unknown), ==, "not-found");
    g_assert_true(fsn_repo_put_ref(repo, "workingset/" UUID,
                                   g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                                   NULL));
    document = run_json(f->location, "workingset web", 0);
    g_assert_cmpstr(json_object_get_string_member(document, "uuid"), ==, UUID);
    g_assert_cmpint(json_object_get_int_member(document, "pages"), ==, 0);
    by_uuid = run_json(f->location, "workingset " UUID, 0);
}

static void
test_stats(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) document = run_json(f->location, "stats", 0);
    JsonArray *domains = json_object_get_array_member(document, "domains");
    JsonArray *snapshots = json_object_get_array_member(document, "snapshots");
    JsonObject *first = json_array_get_object_element(snapshots, 0);
    g_autoptr(JsonObject) one = NULL;
    g_autoptr(JsonObject) unknown = NULL;
    g_autofree char *text = NULL;
    g_autofree char *lines = NULL;

    g_assert_cmpstr(json_object_get_string_member(document, "repository"), ==,
                    f->location);
    g_assert_cmpint(json_object_get_int_member(document, "bytes_logical"), ==,
                    2 * GRANULES * 4096);
    g_assert_cmpint(json_object_get_int_member(document, "bytes_needed"), >, 0);
    g_assert_cmpint(json_object_get_int_member(document, "bytes_needed"), <=,
                    json_object_get_int_member(document, "bytes_stored"));
    g_assert_cmpint(json_object_get_int_member(document, "bytes_packs"), >, 0);
    g_assert_cmpint(json_object_get_int_member(document, "bytes_index"), >, 0);
    g_assert_cmpint(json_object_get_int_member(document, "bytes_free"), >, 0);
    g_assert_cmpfloat(json_object_get_double_member(document, "ratio"), >, 0);
    g_assert_cmpint(json_object_get_int_member(document, "damaged"), ==, 0);
    /* Both have the same UUID, so they are one domain, called as its newest snapshot. */
    g_assert_cmpint(json_array_get_length(domains), ==, 1);
    g_assert_cmpint(json_array_get_length(snapshots), ==, 2);
    g_assert_cmpstr(json_object_get_string_member(first, "snapshot"), ==, ID_B);
    g_assert_cmpint(json_object_get_int_member(first, "bytes_own"), >, 0);
    g_assert_cmpint(json_object_get_int_member(first, "bytes_needed"), >=,
                    json_object_get_int_member(first, "bytes_own"));
    g_assert_cmpint(run(f->location, "stats", &text), ==, 0);
    g_assert_nonnull(strstr(text, "snapshots:  2 of 1 domains\n"));
    g_assert_nonnull(strstr(text, "\ndb              2  512 KiB"));
    first = json_array_get_object_element(domains, 0);
    g_assert_cmpint(json_object_get_int_member(first, "bytes_needed"), ==,
                    json_object_get_int_member(document, "bytes_needed"));
    g_assert_cmpint(json_object_get_int_member(first, "bytes_exclusive"), ==,
                    json_object_get_int_member(first, "bytes_needed"));
    g_assert_cmpfloat(json_object_get_double_member(first, "ratio"), >, 0);
    g_assert_cmpint(run(f->location, "stats --by-snapshot", &lines), ==, 0);
    g_assert_nonnull(strstr(lines, "\nbbbb0000  db      "));
    g_assert_nonnull(strstr(lines, "\naaaa0000  web     "));
    one = run_json(f->location, "stats aaaa", 0);
    snapshots = json_object_get_array_member(one, "snapshots");
    g_assert_cmpint(json_array_get_length(snapshots), ==, 1);
    unknown = run_json(f->location, "stats ffff", 1);
}

/* Empties the first file below the repository's folder @folder. */
static void
truncate_one(Fixture *f, const char *folder)
{
    g_autofree char *script = g_strdup_printf(
        "f=$(find '%s/%s' -type f | sort | head -n 1) && : >\"$f\"", f->location, folder);
    const char *argv[] = { "/bin/sh", "-c", script, NULL };
    int status;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, NULL, NULL,
                               &status, NULL));
    g_assert_cmpint(status, ==, 0);
}

static void
test_verify(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) sound = run_json(f->location, "verify --read-data", 0);
    g_autoptr(JsonObject) one = run_json(f->location, "verify aaaa", 0);
    g_autoptr(JsonObject) usage = run_json(f->location, "verify --all aaaa", 2);
    g_autoptr(JsonObject) damaged = NULL;
    JsonArray *results = json_object_get_array_member(sound, "results");
    JsonObject *result = json_array_get_object_element(results, 0);
    guint n_sound = 0;

    g_assert_cmpuint(json_array_get_length(results), ==, 2);
    g_assert_cmpstr(json_object_get_string_member(result, "snapshot"), ==, ID_A);
    g_assert_true(json_object_get_boolean_member(result, "sound"));
    g_assert_cmpint(json_object_get_int_member(sound, "snapshots"), ==, 2);
    g_assert_cmpint(json_object_get_int_member(one, "snapshots"), ==, 1);
    g_assert_cmpint(json_object_get_int_member(sound, "granules"), >, 0);
    g_assert_cmpint(json_object_get_int_member(sound, "bytes_read"), >, 0);
    g_assert_true(json_object_get_boolean_member(sound, "read_data"));
    g_assert_cmpint(
        json_array_get_length(json_object_get_array_member(sound, "problems")), ==, 0);
    truncate_one(f, "packs");
    damaged = run_json(f->location, "verify --all", 1);
    g_assert_cmpint(
        json_array_get_length(json_object_get_array_member(damaged, "problems")), >, 0);
    g_assert_cmpstr(error_code(damaged), ==, "corrupt");
    /* The other snapshot is as good as before. */
    results = json_object_get_array_member(damaged, "results");
    for (guint i = 0; i < json_array_get_length(results); i++) {
        n_sound += json_object_get_boolean_member(
            json_array_get_object_element(results, i), "sound");
    }
    g_assert_cmpuint(n_sound, ==, 1);
}

static void
test_gc(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) deleted = run_json(f->location, "delete --force aaaa", 0);
    g_autoptr(JsonObject) dry = run_json(f->location, "gc --dry-run", 0);
    g_autoptr(JsonObject) wet = run_json(f->location, "gc --grace 0", 0);
    g_autoptr(JsonObject) again = run_json(f->location, "gc --grace=0", 0);
    g_autoptr(JsonObject) usage = run_json(f->location, "gc --grace=-1", 2);
    g_autoptr(JsonObject) sound = run_json(f->location, "verify --read-data", 0);

    g_assert_true(json_object_get_boolean_member(dry, "dry_run"));
    g_assert_false(json_object_get_boolean_member(wet, "dry_run"));
    g_assert_cmpint(json_object_get_int_member(dry, "objects_removed"), >, 0);
    g_assert_cmpint(json_object_get_int_member(dry, "objects_removed"), ==,
                    json_object_get_int_member(wet, "objects_removed"));
    g_assert_cmpint(json_object_get_int_member(wet, "bytes_removed"), >, 0);
    g_assert_cmpint(json_object_get_int_member(wet, "objects_kept"), >, 0);
    g_assert_true(json_object_has_member(wet, "bytes_kept"));
    g_assert_true(json_object_has_member(wet, "objects_put_back"));
    g_assert_true(json_object_has_member(wet, "writers"));
    g_assert_cmpint(json_object_get_int_member(again, "objects_removed"), ==, 0);
}

/* A damaged manifest is named, and hides no other. */
static void
test_damaged(Fixture *f, gconstpointer data)
{
    g_autoptr(JsonObject) document = NULL;
    g_autoptr(JsonObject) refused = NULL;
    g_autoptr(JsonObject) deleted = NULL;
    g_autoptr(JsonObject) show = NULL;

    truncate_one(f, "manifests");
    document = run_json(f->location, "list", 3);
    g_assert_cmpint(
        json_array_get_length(json_object_get_array_member(document, "snapshots")), ==,
        1);
    g_assert_cmpint(
        json_array_get_length(json_object_get_array_member(document, "warnings")), ==, 1);
    show = run_json(f->location, "show bbbb", 0);
    refused = run_json(f->location, "delete " ID_A, 1);
    deleted = run_json(f->location, "delete --force " ID_A, 0);
}

static void
test_no_repository(Fixture *f, gconstpointer data)
{
    g_autofree char *real = f->location;
    g_autoptr(JsonObject) document = NULL;

    f->location = g_build_filename(f->dir, "nothing", NULL);
    document = run_json(f->location, "list", 1);
    g_assert_cmpstr(error_code(document), ==, "not-found");
    g_assert_false(g_file_test(f->location, G_FILE_TEST_EXISTS));
    g_free(f->location);
    f->location = g_steal_pointer(&real);
}

/* Whatever a manifest holds, showing it ends well. */
static void
test_view_of_little(void)
{
    const char *texts[] = { "{}",
                            "{\"domain\":1,\"memory\":[],\"disks\":[1],\"bytes\":\"x\"}",
                            "{\"memory\":{\"blocks\":[{\"length\":-1},{},7]},\"id\":7}" };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(JsonObject) manifest = NULL;
        g_autoptr(FsnCatalogueEntry) entry = NULL;
        g_autoptr(JsonObject) summary = NULL;
        g_autofree char *text = NULL;

        g_assert_true(fsn_json_parse_object(texts[i], strlen(texts[i]), 4096, "test",
                                            &manifest, NULL));
        entry = fsn_catalogue_entry_new(manifest);
        summary = fsn_snapshot_summary(entry, FSN_SNAPSHOT_USED);
        text = fsn_snapshot_text(manifest, FSN_SNAPSHOT_USED);
        g_assert_cmpint(json_object_get_int_member(summary, "memory_bytes"), ==, 0);
        g_assert_true(json_object_get_null_member(summary, "snapshot"));
        g_assert_nonnull(strstr(text, "state:     used\n"));
        g_assert_false(fsn_snapshot_is_of(entry, "web"));
    }
}

/* What is around the domain, its logs, and what was left out. */
static void
test_view_of_parts(void)
{
    const char text[] =
        "{\"config\":{\"networks\":[\"a\",\"b\",7],\"pools\":[],\"missing\":[\"pool 'p'\"]},"
        "\"logs\":[{\"name\":\"qemu\",\"source\":\"/q\",\"offset\":9,\"size\":1024},"
        "{\"name\":\"serial0\",\"source\":\"/s\",\"missing\":\"gone\"},7],"
        "\"disks\":[{\"target\":\"vda\",\"mode\":\"full\",\"left_out\":["
        "{\"offset\":1048576,\"length\":16777216,\"reason\":\"only parts\"},7]}]}";
    const char *wanted[] = {
        "networks:  a, b\n",
        "missing:   pool 'p'\n",
        "log:       qemu, the last 1.0 KiB of /q\n",
        "log:       serial0, missing: gone of /s\n",
        "             left out 16.0 MiB at 1.0 MiB: only parts\n",
    };
    g_autoptr(JsonObject) manifest = NULL;
    g_autofree char *shown = NULL;

    g_assert_true(
        fsn_json_parse_object(text, strlen(text), 4096, "test", &manifest, NULL));
    shown = fsn_snapshot_text(manifest, FSN_SNAPSHOT_READY);
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if (!strstr(shown, wanted[i])) {
            g_error("'%s' does not say '%s'", shown, wanted[i]);
        }
    }
    g_assert_null(strstr(shown, "pools:"));
}

/* What a snapshot of disks says of each. */
static void
test_view_of_disks(void)
{
    const char text[] =
        "{\"id\":\"" ID_A "\",\"kind\":\"snapshot\",\"name\":\"nightly\",\"disks\":["
        "{\"target\":\"vda\",\"source\":\"/a.qcow2\",\"format\":\"qcow2\","
        "\"size\":1073741824,\"mode\":\"incremental\",\"reason\":\"the bitmap is whole\","
        "\"image\":\"00\",\"consistency\":\"filesystem\","
        "\"bytes\":{\"read\":1048576,\"changed\":8192,\"stored\":4096},"
        "\"partitions\":[{\"number\":1,\"offset\":1048576,\"size\":536870912,"
        "\"type\":\"EFI System\"},{\"number\":2,\"name\":\"root\"},5]},"
        "{\"target\":\"vdb\",\"source\":\"/b\",\"mode\":\"full\"}]}";
    const char *wanted[] = {
        "name:      nightly\n",
        "disk:      vda /a.qcow2\n",
        "             size 1.0 GiB\n",
        "             format qcow2\n",
        "             mode incremental: the bitmap is whole\n",
        "             read 1.0 MiB, changed 8.0 KiB, stored 4.0 KiB\n",
        "             consistency filesystem\n",
        "             partition 1: 512 MiB at 1.0 MiB, EFI System\n",
        "             partition 2: 0 B at 0 B, unknown type, root\n",
        "disk:      vdb /b\n",
        "             mode full\n",
    };
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(FsnCatalogueEntry) entry = NULL;
    g_autoptr(JsonObject) summary = NULL;
    g_autofree char *shown = NULL;
    JsonArray *disks;

    g_assert_true(
        fsn_json_parse_object(text, strlen(text), 4096, "test", &manifest, NULL));
    shown = fsn_snapshot_text(manifest, FSN_SNAPSHOT_READY);
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if (!strstr(shown, wanted[i])) {
            g_error("'%s' does not say '%s'", shown, wanted[i]);
        }
    }
    entry = fsn_catalogue_entry_new(manifest);
    summary = fsn_snapshot_summary(entry, FSN_SNAPSHOT_READY);
    disks = json_object_get_array_member(summary, "disks");
    g_assert_cmpuint(json_array_get_length(disks), ==, 1);
    g_assert_cmpstr(json_array_get_string_element(disks, 0), ==, "vda");
    g_assert_cmpstr(json_object_get_string_member(summary, "name"), ==, "nightly");
}

static void
add(const char *path, void (*test)(Fixture *, gconstpointer))
{
    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/cli/snapshots/list", test_list);
    add("/cli/snapshots/states", test_states);
    add("/cli/snapshots/show", test_show);
    add("/cli/snapshots/delete", test_delete);
    add("/cli/snapshots/stats", test_stats);
    add("/cli/snapshots/verify", test_verify);
    add("/cli/snapshots/gc", test_gc);
    add("/cli/snapshots/workingset", test_workingset);
    add("/cli/snapshots/damaged", test_damaged);
    add("/cli/snapshots/no-repository", test_no_repository);
    g_test_add_func("/cli/snapshots/view-of-little", test_view_of_little);
    g_test_add_func("/cli/snapshots/view-of-disks", test_view_of_disks);
    g_test_add_func("/cli/snapshots/view-of-parts", test_view_of_parts);
    return g_test_run();
}
