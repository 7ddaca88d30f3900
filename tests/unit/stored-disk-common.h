/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo-common.h"

/* What the tests of stored disks share: a disk with data in places, zeros, holes of every
 * size, and an end within a granule. */

/* Three segments of the index and a part of a fourth. */
#define DISK_GRANULES ((uint64_t)(3 * 4096 + 1000))
#define DISK_SIZE     (DISK_GRANULES * FSN_GRANULE_SIZE - 1536)

/* The seed of granule @g; 0: zero. */
static inline uint64_t
disk_seed(uint64_t g)
{
    if (g < 300 || g == DISK_GRANULES - 1) {
        return g + 1;
    }
    if (g < 4096) {
        return g % 7 == 0 ? g : 0; /* scattered */
    }
    if (g < 9000) {
        return 0; /* a hole of more than a segment */
    }
    return g < 9700 ? g : 0;
}

/* The disk as bytes; the caller frees. */
static inline uint8_t *
disk_bytes(void)
{
    uint8_t *bytes = g_malloc0(DISK_GRANULES * FSN_GRANULE_SIZE);

    for (uint64_t g = 0; g < DISK_GRANULES; g++) {
        if (disk_seed(g)) {
            fill_granule(bytes + g * FSN_GRANULE_SIZE, disk_seed(g));
        }
    }
    memset(bytes + DISK_SIZE, 0, DISK_GRANULES * FSN_GRANULE_SIZE - DISK_SIZE);
    return bytes;
}

/* Stores it; the caller frees the root. */
static inline char *
store_disk(FsnRepo *repo)
{
    g_autoptr(FsnImageWriter) writer = new_writer(repo, DISK_GRANULES, NULL);
    g_autofree uint8_t *bytes = disk_bytes();
    g_autoptr(GError) error = NULL;

    for (uint64_t g = 0; g < DISK_GRANULES; g++) {
        if (disk_seed(g)) {
            g_assert_true(
                fsn_image_writer_put(writer, g, bytes + g * FSN_GRANULE_SIZE, &error));
            g_assert_no_error(error);
        }
    }
    return g_strdup(commit_writer(writer).root);
}

/* A manifest of snapshot @id with one disk vda, whose image is @root. */
static inline JsonObject *
disk_manifest(const char *id, const char *root)
{
    JsonObject *manifest = json_object_new();
    JsonObject *domain = json_object_new();
    JsonObject *disk = json_object_new();
    JsonArray *disks = json_array_new();

    json_object_set_string_member(domain, "name", "guest");
    json_object_set_string_member(domain, "uuid", "0f0e0d0c-0b0a-0908-0706-050403020100");
    json_object_set_int_member(manifest, "version", 1);
    json_object_set_string_member(manifest, "id", id);
    json_object_set_string_member(manifest, "created", "2026-01-01T00:00:00Z");
    json_object_set_int_member(manifest, "created_us", 1767225600000000);
    json_object_set_string_member(manifest, "kind", "snapshot");
    json_object_set_object_member(manifest, "domain", domain);
    json_object_set_string_member(disk, "target", "vda");
    json_object_set_string_member(disk, "source", "/images/guest.raw");
    json_object_set_string_member(disk, "source_kind", "file");
    json_object_set_string_member(disk, "format", "raw");
    json_object_set_int_member(disk, "size", (int64_t)DISK_SIZE);
    json_object_set_string_member(disk, "image", root);
    json_array_add_object_element(disks, disk);
    json_object_set_array_member(manifest, "disks", disks);
    return manifest;
}
