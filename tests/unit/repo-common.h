/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/error.h"
#include "base/hash.h"
#include "repo/image-writer.h"
#include "repo/image.h"
#include "repo/manifests.h"
#include "repo/repo.h"

#include <glib.h>
#include <string.h>

/* What the tests of the repository share: predictable granules, images made from a list of
 * seeds (0: a zero granule), and manifests. */

/* Incompressible contents that depend on @seed only. */
static inline void
fill_granule(uint8_t *out, uint64_t seed)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;

    for (size_t i = 0; i < FSN_GRANULE_SIZE; i += 8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(out + i, &x, 8);
    }
}

static inline void
put_seed(FsnImageWriter *writer, uint64_t granule, uint64_t seed)
{
    g_autoptr(GError) error = NULL;
    uint8_t data[FSN_GRANULE_SIZE];

    fill_granule(data, seed);
    g_assert_true(fsn_image_writer_put(writer, granule, seed ? data : NULL, &error));
    g_assert_no_error(error);
}

static inline void
assert_seed(FsnImageReader *reader, uint64_t granule, uint64_t seed)
{
    g_autoptr(GError) error = NULL;
    uint8_t wanted[FSN_GRANULE_SIZE] = { 0 }, found[FSN_GRANULE_SIZE];
    bool zero, ok;

    ok = fsn_image_reader_read(reader, granule, found, &zero, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    if (seed) {
        fill_granule(wanted, seed);
    }
    g_assert_cmpint(zero, ==, seed == 0);
    g_assert_cmpmem(found, sizeof found, wanted, sizeof wanted);
}

static inline FsnRepo *
memory_repo(void)
{
    g_autoptr(GError) error = NULL;
    FsnRepo *repo = fsn_repo_new(fsn_blob_store_new_memory(), FSN_REPO_CREATE, &error);

    g_assert_no_error(error);
    return repo;
}

static inline FsnImageWriter *
new_writer(FsnRepo *repo, uint64_t n_granules, FsnImage *parent)
{
    g_autoptr(GError) error = NULL;
    FsnImageWriterOptions options = {
        .n_granules = n_granules, .parent = parent, .codec = FSN_CODEC_ZSTD, .threads = 2
    };
    FsnImageWriter *writer = fsn_image_writer_new(repo, &options, &error);

    g_assert_no_error(error);
    return writer;
}

static inline FsnImageStats
commit_writer(FsnImageWriter *writer)
{
    g_autoptr(GError) error = NULL;
    FsnImageStats stats;
    bool ok = fsn_image_writer_commit(writer, &stats, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    return stats;
}

static inline FsnImage *
open_image(FsnRepo *repo, const char *root)
{
    g_autoptr(GError) error = NULL;
    FsnImage *image = fsn_image_open(repo, root, &error);

    g_assert_no_error(error);
    return image;
}

/* A manifest of snapshot @id that names image @root. */
static inline JsonObject *
new_manifest(const char *id, const char *created, const char *root)
{
    JsonObject *manifest = json_object_new();
    JsonObject *domain = json_object_new();
    JsonObject *memory = json_object_new();

    json_object_set_string_member(domain, "name", "guest");
    json_object_set_string_member(domain, "uuid", "0f0e0d0c-0b0a-0908-0706-050403020100");
    json_object_set_string_member(memory, "image", root);
    json_object_set_string_member(manifest, "id", id);
    json_object_set_string_member(manifest, "created", created);
    json_object_set_string_member(manifest, "kind", "suspend");
    json_object_set_object_member(manifest, "domain", domain);
    json_object_set_object_member(manifest, "memory", memory);
    return manifest;
}
