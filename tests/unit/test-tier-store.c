/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store with tiers: what is read from a copy and what is not, and that nothing that can
 * happen to a tier is seen by who reads a sound repository.
 */
#include "config.h"

#include "tier/store.h"

#include "tier-common.h"
#include "tier/copy.h"

#include <unistd.h>

static FsnRepo *
open_tiered(TierFixture *f)
{
    g_autoptr(GError) error = NULL;
    const char *folders[] = { "/nonexistent/tier", f->tier_path, NULL };
    FsnRepo *repo = fsn_tier_open_repo(f->repo_path, folders, 0, &error);

    g_assert_no_error(error);
    return repo;
}

/* Reads and checks granules @first, @first + @step, … of the image. */
static void
read_image(TierFixture *f, FsnRepo *repo, uint64_t first, uint64_t step)
{
    g_autoptr(FsnImage) image = open_image(repo, f->root);
    g_autoptr(FsnImageReader) reader = fsn_image_reader_new(image);

    for (uint64_t g = first; g < TIER_GRANULES; g += step) {
        assert_seed(reader, g, g + 1);
    }
}

static void
read_state(TierFixture *f, FsnRepo *repo)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = NULL;
    bool ok = fsn_repo_get_object(repo, f->state, 100, &bytes, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "state", 5);
}

static void
copy_all(TierFixture *f, FsnTierFolder *folder)
{
    g_assert_cmpuint(copy_objects(f, folder, FSN_DIR_PACKS), >=, 2);
    g_assert_cmpuint(copy_objects(f, folder, FSN_DIR_BUNDLES), >=, 1);
    g_assert_cmpuint(copy_objects(f, folder, FSN_DIR_ROOTS), ==, 1);
    g_assert_cmpuint(copy_objects(f, folder, FSN_DIR_OBJECTS), ==, 1);
}

static void
test_tier_alone_is_enough(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnRepo) repo = open_tiered(f);

    copy_all(f, folder);
    lose_objects(f, FSN_DIR_PACKS);
    lose_objects(f, FSN_DIR_BUNDLES);
    lose_objects(f, FSN_DIR_ROOTS);
    lose_objects(f, FSN_DIR_OBJECTS);
    read_image(f, repo, 0, 7);
    read_state(f, repo);
    g_assert_cmpuint(fsn_tier_store_dropped(fsn_repo_store(repo)), ==, 0);
}

/* Nothing in a tier counts as stored. */
static void
test_copies_are_not_stored(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnRepo) repo = open_tiered(f);
    g_autofree char *key = fsn_repo_key(FSN_DIR_OBJECTS, f->state);
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(GError) error = NULL;
    uint64_t size;

    copy_all(f, folder);
    lose_objects(f, FSN_DIR_OBJECTS);
    g_assert_false(fsn_blob_size(fsn_repo_store(repo), key, &size, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(fsn_blob_list(fsn_repo_store(repo), FSN_DIR_OBJECTS, &keys, &error));
    g_assert_cmpuint(keys->len, ==, 0);
    g_assert_false(fsn_repo_ensure(repo, key, UINT64_MAX, NULL));
}

static void
test_missing_copies(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnRepo) repo = NULL;

    copy_objects(f, folder, FSN_DIR_ROOTS);
    repo = open_tiered(f);
    read_image(f, repo, 3, 11);
    read_state(f, repo);
}

static void
test_missing_tier(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnRepo) repo = open_tiered(f);
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnTierFolder) folder =
        fsn_tier_folder_open(f->tier_path, fsn_repo_superblock(f->repo), false, &error);

    read_image(f, repo, 0, 13);
    g_assert_null(folder);
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    /* Reading has not made a tier of the folder. */
    g_assert_cmpint(rmdir(f->tier_path), ==, 0);
}

/* A bit at @offset, or an end at @keep, in each copy of each kind. */
static void
assert_damage_falls_back(TierFixture *f, uint64_t offset, uint64_t keep)
{
    static const char *const prefixes[] = { FSN_DIR_PACKS, FSN_DIR_BUNDLES, FSN_DIR_ROOTS,
                                            FSN_DIR_OBJECTS };

    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
        g_autoptr(FsnRepo) repo = NULL;
        guint n;

        copy_all(f, folder);
        n = damage_copies(folder, prefixes[i], offset, keep);
        repo = open_tiered(f);
        read_image(f, repo, 0, 1);
        read_state(f, repo);
        g_assert_cmpuint(fsn_tier_store_dropped(fsn_repo_store(repo)), ==, n);
        g_assert_true(fsn_tier_folder_purge(folder, NULL));
    }
}

static void
test_damaged_copies(TierFixture *f, gconstpointer data)
{
    assert_damage_falls_back(f, 0, 0);
    assert_damage_falls_back(f, 24, 0);
    assert_damage_falls_back(f, 24, 90);
    assert_damage_falls_back(f, 0, 20);
}

/* Damage deep in a pack that is open already, with parts of it read. */
static void
test_damage_while_reading(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnRepo) repo = open_tiered(f);
    g_autoptr(FsnImage) image = NULL;
    g_autoptr(FsnImageReader) reader = NULL;

    copy_all(f, folder);
    image = open_image(repo, f->root);
    reader = fsn_image_reader_new(image);
    for (uint64_t g = 0; g < TIER_GRANULES; g += 64) {
        assert_seed(reader, g, g + 1);
        if (g == 640) {
            damage_copies(folder, FSN_DIR_PACKS, 5000000, 0);
        }
    }
    g_assert_cmpuint(fsn_tier_store_dropped(fsn_repo_store(repo)), >=, 1);
}

static void
test_cut_and_gone_while_reading(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnRepo) repo = open_tiered(f);
    g_autoptr(FsnImage) image = NULL;
    g_autoptr(FsnImageReader) reader = NULL;

    copy_all(f, folder);
    image = open_image(repo, f->root);
    reader = fsn_image_reader_new(image);
    for (uint64_t g = 0; g < TIER_GRANULES; g += 64) {
        assert_seed(reader, g, g + 1);
        if (g == 640) {
            damage_copies(folder, FSN_DIR_PACKS, 0, 4000000);
        } else if (g == 3200) {
            nftw(f->tier_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        }
    }
    read_image(f, repo, 1, 64);
}

/* A copy that was made for another key, or by another repository. */
static void
test_foreign_copies(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autofree char *key = fsn_repo_key(FSN_DIR_OBJECTS, f->state);
    g_autofree char *path = g_build_filename(fsn_tier_folder_path(folder), key, NULL);
    g_autofree char *moved = g_strconcat(path, "0", NULL);
    g_autofree char *moved_key = g_strconcat(key, "0", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnTierCopy) copy = NULL;
    g_autoptr(FsnTierFolder) other = NULL;
    FsnSuperblock superblock = *fsn_repo_superblock(f->repo);

    copy_object(f, folder, key);
    superblock.secret[0] ^= 1;
    other = fsn_tier_folder_open(f->tier_path, &superblock, false, &error);
    g_assert_no_error(error);
    copy = fsn_tier_copy_open(other, key, &error);
    g_assert_null(copy);
    g_assert_error(error, FSN_ERROR, FSN_ERROR_CORRUPT);
    g_clear_error(&error);
    g_assert_cmpint(rename(path, moved), ==, 0);
    copy = fsn_tier_copy_open(folder, moved_key, &error);
    g_assert_null(copy);
    g_assert_error(error, FSN_ERROR, FSN_ERROR_CORRUPT);
}

/* A sequence may be written anew; an old copy is not used then. */
static void
test_sequence_written_anew(TierFixture *f, gconstpointer data)
{
    const char *key = FSN_DIR_SEQUENCES "/" TIER_ID;
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnRepo) repo = open_tiered(f);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(
        fsn_blob_put(fsn_repo_store(f->repo), key, "old", 3, FSN_BLOB_REPLACE, &error));
    copy_object(f, folder, key);
    g_assert_true(
        fsn_blob_put(fsn_repo_store(f->repo), key, "newer", 5, FSN_BLOB_REPLACE, &error));
    g_assert_true(fsn_blob_get(fsn_repo_store(repo), key, 10, &bytes, &error));
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), "newer", 5);
}

static void
test_remove_takes_the_copy(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnRepo) repo = open_tiered(f);
    g_autofree char *key = fsn_repo_key(FSN_DIR_OBJECTS, f->state);
    g_autofree char *path = g_build_filename(fsn_tier_folder_path(folder), key, NULL);

    copy_object(f, folder, key);
    g_assert_cmpint(access(path, F_OK), ==, 0);
    g_assert_true(fsn_blob_remove(fsn_repo_store(repo), key, false, NULL));
    g_assert_cmpint(access(path, F_OK), <, 0);
}

static FsnRepo *
open_through(TierFixture *f, uint64_t max_bytes)
{
    g_autoptr(GError) error = NULL;
    FsnRepo *repo =
        fsn_tier_open_repo_write_through(f->repo_path, f->tier_path, max_bytes, &error);

    g_assert_no_error(error);
    return repo;
}

/* Writes another image, of @n granules that no other has. */
static void
write_image(FsnRepo *repo, uint64_t n, uint64_t seed, char *out_root)
{
    g_autoptr(FsnImageWriter) writer = new_writer(repo, n, NULL);
    FsnImageStats stats;

    for (uint64_t g = 0; g < n; g++) {
        put_seed(writer, g, seed + g);
    }
    stats = commit_writer(writer);
    g_strlcpy(out_root, stats.root, FSN_ID_HEX + 1);
}

static void
test_write_through(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnRepo) through = open_through(f, 0);
    g_autoptr(FsnRepo) tiered = NULL;
    g_autoptr(FsnImage) image = NULL;
    g_autoptr(FsnImageReader) reader = NULL;
    char root[FSN_ID_HEX + 1];

    write_image(through, 1000, 500000, root);
    g_assert_cmpuint(fsn_tier_store_dropped(fsn_repo_store(through)), ==, 0);
    tiered = open_tiered(f);
    lose_objects(f, FSN_DIR_PACKS);
    lose_objects(f, FSN_DIR_BUNDLES);
    lose_objects(f, FSN_DIR_ROOTS);
    image = open_image(tiered, root);
    reader = fsn_image_reader_new(image);
    for (uint64_t g = 0; g < 1000; g++) {
        assert_seed(reader, g, 500000 + g);
    }
}

static void
test_write_through_limit(TierFixture *f, gconstpointer data)
{
    const uint64_t limit = (uint64_t)12 << 20;
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnRepo) through = NULL;
    g_autoptr(GPtrArray) entries = NULL;
    char root[FSN_ID_HEX + 1];
    uint64_t bytes;

    /* Old copies make room for what is written now, and no more than that. */
    g_assert_true(fsn_tier_folder_list(folder, &entries, &bytes, NULL));
    copy_objects(f, folder, FSN_DIR_PACKS);
    through = open_through(f, limit);
    write_image(through, 1000, 700000, root);
    g_clear_pointer(&entries, g_ptr_array_unref);
    g_assert_true(fsn_tier_folder_list(folder, &entries, &bytes, NULL));
    g_assert_cmpuint(bytes, <=, limit);
    g_assert_cmpuint(bytes, >=, 1000 * FSN_GRANULE_SIZE);
    g_assert_cmpuint(fsn_tier_store_dropped(fsn_repo_store(through)), ==, 0);
    /* What is larger than the tier is stored all the same. */
    write_image(through, 5000, 800000, root);
    g_assert_cmpuint(fsn_tier_store_dropped(fsn_repo_store(through)), >=, 1);
    g_clear_pointer(&entries, g_ptr_array_unref);
    g_assert_true(fsn_tier_folder_list(folder, &entries, &bytes, NULL));
    g_assert_cmpuint(bytes, <=, limit);
    g_clear_pointer(&through, fsn_repo_free);
    through = open_through(f, 0);
    {
        g_autoptr(FsnImage) image = open_image(through, root);
        g_autoptr(FsnImageReader) reader = fsn_image_reader_new(image);

        assert_seed(reader, 4999, 804999);
    }
}

/* The tier goes away in the middle of a suspend. */
static void
test_write_through_lost_tier(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTierFolder) folder = open_tier_folder(f);
    g_autoptr(FsnRepo) through = open_through(f, 0);
    char root[FSN_ID_HEX + 1];

    nftw(f->tier_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    write_image(through, 100, 900000, root);
    g_assert_cmpuint(fsn_tier_store_dropped(fsn_repo_store(through)), >=, 3);
    g_assert_false(g_file_test(f->tier_path, G_FILE_TEST_EXISTS));
    {
        g_autoptr(FsnImage) image = open_image(f->repo, root);
        g_autoptr(FsnImageReader) reader = fsn_image_reader_new(image);

        assert_seed(reader, 99, 900099);
    }
}

#define ADD(path, function)                                                          \
    g_test_add("/tier/store/" path, TierFixture, NULL, tier_fixture_setup, function, \
               tier_fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("tier-alone", test_tier_alone_is_enough);
    ADD("not-stored", test_copies_are_not_stored);
    ADD("missing-copies", test_missing_copies);
    ADD("missing-tier", test_missing_tier);
    ADD("damaged", test_damaged_copies);
    ADD("damage-while-reading", test_damage_while_reading);
    ADD("gone-while-reading", test_cut_and_gone_while_reading);
    ADD("foreign", test_foreign_copies);
    ADD("sequence", test_sequence_written_anew);
    ADD("remove", test_remove_takes_the_copy);
    ADD("write-through", test_write_through);
    ADD("write-through-limit", test_write_through_limit);
    ADD("write-through-lost", test_write_through_lost_tier);
    return g_test_run();
}
