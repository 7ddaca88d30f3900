/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foresnap diff, run as a user runs it, on snapshots with disks and memory. */
#include "config.h"

#include "cli-program.h"
#include "repo-common.h"

#include <stdlib.h>

#define ID_A "aaaa0000000000000000000000000001"
#define ID_B "bbbb0000000000000000000000000002"

/* Granules of the disk; its last one is half used. */
#define N         40
#define DISK_SIZE (N * 4096 - 2048)

static char *
write_image(FsnRepo *repo, FsnImage *parent, const uint64_t *changed, size_t n_changed)
{
    FsnImageWriterOptions options = {
        .n_granules = N, .parent = parent, .inherit = parent != NULL, .threads = 1
    };
    g_autoptr(FsnImageWriter) writer = fsn_image_writer_new(repo, &options, NULL);

    for (uint64_t i = 0; !parent && i < N; i++) {
        put_seed(writer, i, 1 + i);
    }
    for (size_t i = 0; i < n_changed; i++) {
        put_seed(writer, changed[i], 1000 + changed[i]);
    }
    return g_strdup(commit_writer(writer).root);
}

static void
commit_snapshot(FsnRepo *repo, const char *id, const char *disk, const char *memory)
{
    g_autofree char *text = g_strdup_printf(
        "{\"version\":1,\"id\":\"%s\",\"kind\":\"snapshot\","
        "\"created\":\"2026-01-01T00:00:00Z\",\"parent\":null,"
        "\"domain\":{\"name\":\"web\",\"uuid\":\"11111111-2222-3333-4444-555555555555\"},"
        "\"memory\":{\"image\":\"%s\",\"page_size\":4096,"
        "\"blocks\":[{\"name\":\"pc.ram\",\"length\":%d}]},"
        "\"disks\":[{\"target\":\"vda\",\"image\":\"%s\",\"size\":%d,"
        "\"partitions\":[{\"number\":1,\"offset\":4096,\"size\":40960,"
        "\"type\":\"linux\",\"name\":\"root\"}]}%s]}",
        id, memory, N * 4096, disk, DISK_SIZE,
        strcmp(id, ID_B) == 0 ? ",{\"target\":\"vdb\"}" : "");
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(
        fsn_json_parse_object(text, strlen(text), 65536, "test", &manifest, &error));
    g_assert_true(fsn_repo_commit_manifest(repo, manifest, &error));
    g_assert_no_error(error);
}

/* A repository with two snapshots; the caller removes the folder. */
static char *
make_repo(void)
{
    char *dir = g_dir_make_tmp("fsn-diff-XXXXXX", NULL);
    g_autoptr(FsnRepo) repo = fsn_repo_open(dir, FSN_REPO_CREATE, NULL);
    g_autofree char *disk_a = write_image(repo, NULL, NULL, 0);
    g_autoptr(FsnImage) parent = open_image(repo, disk_a);
    const uint64_t changed[] = { 0, 5, 6, 7, N - 1 };
    const uint64_t touched[] = { 3, 9 };
    g_autofree char *disk_b = write_image(repo, parent, changed, G_N_ELEMENTS(changed));
    g_autofree char *memory_b = write_image(repo, parent, touched, G_N_ELEMENTS(touched));

    commit_snapshot(repo, ID_A, disk_a, disk_a);
    commit_snapshot(repo, ID_B, disk_b, memory_b);
    return dir;
}

static int64_t
int_of(JsonObject *object, const char *name)
{
    return json_object_get_int_member(object, name);
}

static void
test_diff(void)
{
    g_autofree char *dir = make_repo();
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
    g_autoptr(JsonObject) plain = run_json(dir, "diff aaaa bbbb", 0);
    g_autoptr(JsonObject) with = run_json(dir, "diff --ranges aaaa bbbb", 0);
    g_autoptr(JsonObject) self = run_json(dir, "diff aaaa " ID_A, 0);
    JsonArray *disks = json_object_get_array_member(with, "disks");
    JsonObject *vda = json_array_get_object_element(disks, 0);
    JsonObject *vdb = json_array_get_object_element(disks, 1);
    JsonObject *memory = json_object_get_object_member(with, "memory");
    JsonArray *ranges = json_object_get_array_member(vda, "ranges");
    JsonObject *partition =
        json_array_get_object_element(json_object_get_array_member(vda, "partitions"), 0);
    JsonObject *last = json_array_get_object_element(ranges, 2);

    g_assert_cmpstr(json_object_get_string_member(with, "from"), ==, ID_A);
    g_assert_cmpstr(json_object_get_string_member(with, "to"), ==, ID_B);
    g_assert_true(json_object_get_boolean_member(vda, "compared"));
    g_assert_cmpint(int_of(vda, "bytes_changed"), ==, 4 * 4096 + 2048);
    g_assert_cmpint(int_of(vda, "ranges_changed"), ==, 3);
    g_assert_cmpint(int_of(vda, "size_to"), ==, DISK_SIZE);
    g_assert_cmpint(json_array_get_length(ranges), ==, 3);
    g_assert_cmpint(int_of(last, "offset"), ==, (N - 1) * 4096);
    g_assert_cmpint(int_of(last, "length"), ==, 2048);
    g_assert_cmpint(int_of(partition, "number"), ==, 1);
    g_assert_cmpstr(json_object_get_string_member(partition, "name"), ==, "root");
    g_assert_cmpint(int_of(partition, "bytes_changed"), ==, 3 * 4096);
    g_assert_false(json_object_get_boolean_member(vdb, "compared"));
    g_assert_cmpstr(json_object_get_string_member(vdb, "reason"), ==,
                    "only in the second snapshot");
    g_assert_cmpint(int_of(memory, "pages"), ==, N);
    g_assert_cmpint(int_of(memory, "pages_changed"), ==, 2);
    g_assert_cmpint(int_of(memory, "bytes_changed"), ==, 8192);

    vda = json_array_get_object_element(json_object_get_array_member(plain, "disks"), 0);
    g_assert_false(json_object_has_member(vda, "ranges"));
    vda = json_array_get_object_element(json_object_get_array_member(self, "disks"), 0);
    g_assert_cmpint(int_of(vda, "bytes_changed"), ==, 0);
    g_assert_cmpint(system(command), ==, 0);
}

static void
test_text_and_errors(void)
{
    g_autofree char *dir = make_repo();
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);
    g_autoptr(JsonObject) missing = run_json(dir, "diff aaaa dddd", 1);
    g_autoptr(JsonObject) usage = run_json(dir, "diff aaaa", 2);
    g_autofree char *text = NULL;

    g_assert_cmpint(run(dir, "diff --ranges bbbb aaaa", &text), ==, 0);
    g_assert_nonnull(strstr(text, "vda: 18.0 KiB of 158 KiB in 3 ranges\n"));
    g_assert_nonnull(strstr(text, "  partition 1 (root): 12.0 KiB of 40.0 KiB\n"));
    g_assert_nonnull(strstr(text, "  20480+12288\n"));
    g_assert_nonnull(strstr(text, "vdb: only in the first snapshot\n"));
    g_assert_nonnull(strstr(text, "memory: 8.0 KiB in 2 of 40 pages\n"));
    g_assert_cmpstr(json_object_get_string_member(
                        json_object_get_object_member(missing, "error"), "code"),
                    ==, "not-found");
    g_assert_cmpint(system(command), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-diff/diff", test_diff);
    g_test_add_func("/cli-diff/text-and-errors", test_text_and_errors);
    return g_test_run();
}
