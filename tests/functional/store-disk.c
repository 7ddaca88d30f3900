/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store-disk REPO ID NAME UUID [XML] -- TARGET FILE FORMAT [SOURCE]… : makes snapshot ID of
 * domain NAME with the raw contents of each FILE as its disk TARGET, whose image is said to
 * have been of FORMAT, and with XML (a file) as the domain's description. FILE "-" is a disk
 * that was skipped. Instead of XML "@ID" takes description and memory of suspend state ID.
 */
#include "config.h"

#include "base/clock.h"
#include "base/files.h"
#include "repo/image-writer.h"
#include "repo/manifests.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
check(bool ok, GError *error)
{
    if (!ok) {
        g_printerr("store-disk: %s\n", error->message);
        exit(1);
    }
}

static FsnImageStats
store(FsnRepo *repo, const char *path, uint64_t *out_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t data[FSN_GRANULE_SIZE];
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnImageWriter) writer = NULL;
    FsnImageWriterOptions options = { .codec = FSN_CODEC_ZSTD, .level = 1 };
    FsnImageStats stats;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        g_printerr("store-disk: cannot open %s\n", path);
        exit(1);
    }
    *out_size = (uint64_t)st.st_size;
    options.n_granules = (*out_size + FSN_GRANULE_SIZE - 1) / FSN_GRANULE_SIZE;
    writer = fsn_image_writer_new(repo, &options, &error);
    check(writer != NULL, error);
    for (uint64_t g = 0; g < options.n_granules; g++) {
        uint64_t offset = g * FSN_GRANULE_SIZE;

        memset(data, 0, sizeof data);
        check(fsn_pread_all(fd, data, MIN(sizeof data, *out_size - offset), offset, path,
                            &error),
              error);
        check(fsn_image_writer_put(writer, g, data, &error), error);
    }
    close(fd);
    check(fsn_image_writer_commit(writer, &stats, &error), error);
    return stats;
}

static JsonObject *
disk_object(FsnRepo *repo, char **args, int n)
{
    JsonObject *disk = json_object_new();
    uint64_t size;

    json_object_set_string_member(disk, "target", args[0]);
    json_object_set_string_member(disk, "format", args[2]);
    json_object_set_string_member(disk, "source_kind", "file");
    json_object_set_string_member(disk, "source", n > 3 ? args[3] : args[1]);
    if (strcmp(args[1], "-") == 0) {
        json_object_set_string_member(disk, "skipped", "the test skips it");
    } else {
        json_object_set_string_member(disk, "image", store(repo, args[1], &size).root);
        json_object_set_int_member(disk, "size", (int64_t)size);
    }
    return disk;
}

static void
add_xml(FsnRepo *repo, JsonObject *manifest, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *object = NULL;
    JsonObject *ref = json_object_new();
    gsize len;

    check(g_file_get_contents(path, &text, &len, &error) &&
              fsn_repo_put_object(repo, text, len, &object, &error),
          error);
    json_object_set_string_member(ref, "object", object);
    json_object_set_object_member(manifest, "xml_inactive", ref);
}

static void
copy_memory(FsnRepo *repo, JsonObject *manifest, const char *id)
{
    static const char *const members[] = { "memory",  "xml_live", "xml_inactive", "cpu",
                                           "machine", "host",     "versions",     NULL };
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) from = NULL;

    check(fsn_repo_load_manifest(repo, id, &from, &error), error);
    for (const char *const *m = members; *m; m++) {
        if (json_object_has_member(from, *m)) {
            json_object_set_member(manifest, *m, json_object_dup_member(from, *m));
        }
    }
    json_object_set_string_member(manifest, "run_state", "running");
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnRepo) repo = fsn_repo_open(argv[1], FSN_REPO_CREATE, &error);
    g_autoptr(JsonObject) manifest = json_object_new();
    g_autofree char *created = fsn_rfc3339(fsn_realtime_us());
    JsonObject *domain = json_object_new();
    JsonArray *disks = json_array_new();
    int i = 5;

    check(repo != NULL, error);
    json_object_set_int_member(manifest, "version", 1);
    json_object_set_string_member(manifest, "id", argv[2]);
    json_object_set_string_member(manifest, "kind", "snapshot");
    json_object_set_string_member(manifest, "created", created);
    json_object_set_int_member(manifest, "created_us", fsn_realtime_us());
    json_object_set_null_member(manifest, "parent");
    json_object_set_string_member(domain, "name", argv[3]);
    json_object_set_string_member(domain, "uuid", argv[4]);
    json_object_set_object_member(manifest, "domain", domain);
    json_object_set_string_member(manifest, "run_state", "shut off");
    if (argv[i][0] == '@') {
        copy_memory(repo, manifest, argv[i++] + 1);
    } else if (strcmp(argv[i], "--") != 0) {
        add_xml(repo, manifest, argv[i++]);
    }
    while (i < argc) {
        int n = 1;

        while (i + n < argc && strcmp(argv[i + n], "--") != 0) {
            n++;
        }
        json_array_add_object_element(disks, disk_object(repo, argv + i + 1, n - 1));
        i += n;
    }
    json_object_set_array_member(manifest, "disks", disks);
    check(fsn_repo_commit_manifest(repo, manifest, &error), error);
    return 0;
}
