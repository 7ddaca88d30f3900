/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A repository with many snapshots: make-catalogue FOLDER [SNAPSHOTS [DOMAINS]]. One small
 * image, and manifests as those of real suspends and snapshots, written through the library,
 * an hour apart per domain. Every second suspend has been used.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/parallel.h"
#include "repo/image-writer.h"
#include "repo/manifests.h"
#include "repo/marks.h"

#include <stdlib.h>
#include <string.h>

#define GRANULES  64
/* The newest one: 2026-01-01. */
#define NEWEST_US ((int64_t)1767225600 * G_USEC_PER_SEC)

typedef struct {
    FsnRepo *repo;
    char *root;
    char *object;
    size_t domains;
} Bench;

static void
fail_on(bool ok, GError *error)
{
    if (!ok) {
        g_printerr("make-catalogue: %s\n", error->message);
        exit(1);
    }
}

static char *
make_image(FsnRepo *repo)
{
    const FsnImageWriterOptions options = { .n_granules = GRANULES,
                                            .codec = FSN_CODEC_LZ4,
                                            .threads = 1 };
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnImageWriter) writer = fsn_image_writer_new(repo, &options, &error);
    FsnImageStats stats;
    uint8_t page[4096];

    fail_on(writer, error);
    for (uint64_t i = 0; i < GRANULES; i++) {
        memset(page, (int)i, sizeof page);
        fail_on(fsn_image_writer_put(writer, i, page, &error), error);
    }
    fail_on(fsn_image_writer_commit(writer, &stats, &error), error);
    return g_strdup(stats.root);
}

/* The RAM of a guest with 2 GiB: the blocks that QEMU names. */
static char *
memory_text(const Bench *bench)
{
    const char *rest[] = { "0000:00:01.0/vga.vram",
                           "/rom@etc/acpi/tables",
                           "pc.bios",
                           "0000:01:00.0/virtio-net-pci.rom",
                           "pc.rom",
                           "/rom@etc/table-loader",
                           "/rom@etc/acpi/rsdp" };
    GString *text = g_string_new(NULL);

    g_string_append_printf(text,
                           "{\"image\":\"%s\",\"page_size\":4096,\"section\":{\"id\":2,"
                           "\"instance\":0,\"version\":4},\"head\":{\"object\":\"%s\"},"
                           "\"device_state\":{\"object\":\"%s\"},\"blocks\":["
                           "{\"name\":\"pc.ram\",\"length\":2147483648}",
                           bench->root, bench->object, bench->object);
    for (size_t i = 0; i < G_N_ELEMENTS(rest); i++) {
        g_string_append_printf(text, ",{\"name\":\"%s\",\"length\":%d}", rest[i], 262144);
    }
    g_string_append(text, "]}");
    return g_string_free(text, FALSE);
}

static char *
disk_text(const Bench *bench, const char *target)
{
    return g_strdup_printf(
        "{\"target\":\"%s\",\"source\":\"/var/lib/libvirt/images/guest-%s.qcow2\","
        "\"format\":\"qcow2\",\"size\":10737418240,\"mode\":\"incremental\","
        "\"reason\":\"the bitmap of checkpoint foresnap-1 is whole\",\"image\":\"%s\","
        "\"bytes\":{\"read\":67108864,\"changed\":20971520,\"stored\":8388608},"
        "\"consistency\":\"filesystem\",\"partitions\":["
        "{\"number\":1,\"offset\":1048576,\"size\":536870912,\"type\":\"EFI System\"},"
        "{\"number\":2,\"offset\":537919488,\"size\":10199498752,"
        "\"type\":\"Linux filesystem\"}]}",
        target, target, bench->root);
}

static JsonObject *
make_manifest(const Bench *bench, size_t i, const char *id)
{
    size_t domain = i % bench->domains;
    int64_t created = NEWEST_US - (int64_t)(i / bench->domains) * 3600 * G_USEC_PER_SEC;
    g_autofree char *when = fsn_rfc3339(created);
    g_autofree char *memory = memory_text(bench);
    g_autofree char *vda = disk_text(bench, "vda");
    g_autofree char *vdb = disk_text(bench, "vdb");
    g_autofree char *text = g_strdup_printf(
        "{\"version\":1,\"id\":\"%s\",\"kind\":\"%s\",\"created\":\"%s\","
        "\"created_us\":%" G_GINT64_FORMAT ",\"parent\":null,\"domain\":"
        "{\"name\":\"guest-%zu\",\"uuid\":\"00000000-0000-4000-8000-%012zu\"},"
        "\"host\":\"host-1.example\",\"machine\":\"pc-q35-7.2\","
        "\"versions\":\"libvirt 9.0.0, QEMU 7.2.22\",\"xml_live\":{\"object\":\"%s\"},"
        "\"xml_inactive\":{\"object\":\"%s\"},\"cpu\":{\"object\":\"%s\"},"
        "\"resources\":[{\"kind\":\"memory\",\"reason\":\"a suspend always takes the "
        "memory\"}],\"memory\":%s,\"disks\":[%s,%s],\"bytes\":{\"logical\":2149318656,"
        "\"read\":134217728,\"changed\":41943040,\"stored\":%zu}}",
        id, i / bench->domains % 4 == 3 ? "suspend" : "snapshot", when, created, domain,
        domain, bench->object, bench->object, bench->object, memory, vda, vdb,
        1000000 + i);
    g_autoptr(GError) error = NULL;
    JsonObject *manifest;

    fail_on(
        fsn_json_parse_object(text, strlen(text), 1 << 20, "manifest", &manifest, &error),
        error);
    return manifest;
}

static void
add_snapshot(gpointer user, size_t i)
{
    const Bench *bench = user;
    FsnId random = fsn_id_new();
    g_autofree char *id = fsn_id_to_string(&random);
    g_autoptr(JsonObject) manifest = make_manifest(bench, i, id);
    g_autoptr(JsonObject) body = json_object_new();
    g_autoptr(GError) error = NULL;

    fail_on(fsn_repo_commit_manifest(bench->repo, manifest, &error), error);
    if (i / bench->domains % 8 == 7) {
        fail_on(fsn_repo_mark_create(bench->repo, id, "consumed", body, &error), error);
    }
}

int
main(int argc, char **argv)
{
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;
    Bench bench = { .domains = argc > 3 ? strtoul(argv[3], NULL, 10) : 20 };
    g_autoptr(GError) error = NULL;

    if (argc < 2 || bench.domains == 0) {
        g_printerr("usage: make-catalogue FOLDER [SNAPSHOTS [DOMAINS]]\n");
        return 2;
    }
    bench.repo = fsn_repo_open(argv[1], FSN_REPO_CREATE, &error);
    fail_on(bench.repo, error);
    bench.root = make_image(bench.repo);
    fail_on(fsn_repo_put_object(bench.repo, "xml", 3, &bench.object, &error), error);
    fsn_parallel_for(n, 2, add_snapshot, &bench);
    fsn_repo_free(bench.repo);
    g_free(bench.root);
    g_free(bench.object);
    return 0;
}
