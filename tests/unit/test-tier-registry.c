/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adding, listing and removing tiers, and which folders are refused.
 */
#include "config.h"

#include "tier/registry.h"

#include "tier-common.h"

static void
add_tier(TierFixture *f, const char *name, const char *folder, uint64_t max_bytes)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnTier) tier = NULL;
    bool ok = fsn_tiers_add(f->repo, name, folder, max_bytes, false, &tier, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_cmpuint(tier->speed.write_bytes_per_s, >, 0);
    g_assert_cmpuint(tier->speed.read_bytes_per_s, >, 0);
    g_assert_cmpint(tier->speed.write_latency_us, >=, 0);
}

static void
assert_refused(TierFixture *f, const char *name, const char *folder, FsnError code)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnTier) tier = NULL;
    g_autoptr(GPtrArray) tiers = NULL;

    g_assert_false(fsn_tiers_add(f->repo, name, folder, 0, false, &tier, &error));
    g_assert_error(error, FSN_ERROR, (int)code);
    g_clear_error(&error);
    g_assert_true(fsn_tiers_load(f->repo, &tiers, &error));
    for (guint i = 0; i < tiers->len; i++) {
        g_assert_cmpstr(((FsnTier *)g_ptr_array_index(tiers, i))->name, ==, "fast");
    }
}

static void
test_none(TierFixture *f, gconstpointer data)
{
    g_autoptr(GPtrArray) tiers = NULL;
    g_auto(GStrv) folders = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_tiers_load(f->repo, &tiers, &error));
    g_assert_cmpuint(tiers->len, ==, 0);
    folders = fsn_tiers_folders(tiers);
    g_assert_null(folders[0]);
    g_assert_null(fsn_tiers_find(tiers, "fast", &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
}

static void
test_add_and_load(TierFixture *f, gconstpointer data)
{
    g_autoptr(GPtrArray) tiers = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) folders = NULL;
    FsnTier *tier;

    add_tier(f, "fast", f->tier_path, 123456789);
    g_assert_true(fsn_tiers_set_throughput(f->repo, "fast", 4242, &error));
    g_assert_true(fsn_tiers_load(f->repo, &tiers, &error));
    g_assert_cmpuint(tiers->len, ==, 1);
    tier = fsn_tiers_find(tiers, "fast", &error);
    g_assert_nonnull(tier);
    g_assert_cmpuint(tier->max_bytes, ==, 123456789);
    g_assert_false(tier->write_through);
    g_assert_cmpuint(tier->speed.write_bytes_per_s, ==, 4242);
    g_assert_null(fsn_tiers_write_through(tiers));
    folders = fsn_tiers_folders(tiers);
    g_assert_cmpstr(folders[0], ==, tier->folder);
    g_assert_null(folders[1]);
}

static void
test_refused(TierFixture *f, gconstpointer data)
{
    g_autofree char *inside = g_build_filename(f->repo_path, "packs", NULL);
    g_autofree char *other = g_build_filename(f->dir, "other", NULL);
    g_autofree char *second = g_build_filename(f->dir, "second", NULL);
    g_autofree char *link = g_build_filename(f->dir, "link", NULL);
    g_autoptr(FsnRepo) repo = NULL;

    assert_refused(f, "fast", "/nonexistent/folder", FSN_ERROR_NOT_FOUND);
    assert_refused(f, "fast", f->repo_path, FSN_ERROR_USAGE);
    assert_refused(f, "fast", inside, FSN_ERROR_USAGE);
    g_assert_cmpint(symlink(inside, link), ==, 0);
    assert_refused(f, "fast", link, FSN_ERROR_USAGE);
    repo = fsn_repo_open(other, FSN_REPO_CREATE, NULL);
    assert_refused(f, "fast", other, FSN_ERROR_USAGE);
    assert_refused(f, "", f->tier_path, FSN_ERROR_USAGE);
    assert_refused(f, "../x", f->tier_path, FSN_ERROR_USAGE);
    assert_refused(f, "a-name-that-is-longer-than-it-may-be", f->tier_path,
                   FSN_ERROR_USAGE);
    add_tier(f, "fast", f->tier_path, 0);
    g_assert_cmpint(mkdir(second, 0700), ==, 0);
    assert_refused(f, "fast", second, FSN_ERROR_EXISTS);
    assert_refused(f, "again", f->tier_path, FSN_ERROR_EXISTS);
}

static void
test_not_writable(TierFixture *f, gconstpointer data)
{
    if (geteuid() == 0) {
        /* Root may write everywhere but where nobody can. */
        assert_refused(f, "fast", "/proc/self", FSN_ERROR_NOT_FOUND);
        return;
    }
    g_assert_cmpint(chmod(f->tier_path, 0500), ==, 0);
    assert_refused(f, "fast", f->tier_path, FSN_ERROR_FAILED);
}

static void
test_damaged_list(TierFixture *f, gconstpointer data)
{
    static const char *const bad[] = {
        "x",
        "{}",
        "{\"version\": 2, \"tiers\": []}",
        "{\"version\": 1, \"tiers\": [{\"name\": \"a\"}]}",
        "{\"version\": 1, \"tiers\": [{\"name\": \"a\", \"folder\": \"relative\", "
        "\"max_bytes\": 0}]}",
        "{\"version\": 1, \"tiers\": [{\"name\": \"a\", \"folder\": \"/a\", "
        "\"max_bytes\": -1}]}"
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GPtrArray) tiers = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_true(fsn_repo_put_ref(f->repo, "tiers", bad[i], strlen(bad[i]), &error));
        g_assert_false(fsn_tiers_load(f->repo, &tiers, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

static void
test_remove(TierFixture *f, gconstpointer data)
{
    g_autofree char *mine = g_build_filename(f->tier_path, "mine", NULL);
    g_autofree char *sub = g_build_filename(f->tier_path, FSN_TIER_SUBDIR, NULL);
    g_autoptr(FsnTierFolder) folder = NULL;
    g_autoptr(GPtrArray) tiers = NULL;
    g_autoptr(GError) error = NULL;
    uint64_t freed = 0;

    g_assert_true(g_file_set_contents(mine, "x", 1, &error));
    add_tier(f, "fast", f->tier_path, 0);
    folder = open_tier_folder(f);
    copy_objects(f, folder, FSN_DIR_PACKS);
    g_assert_false(fsn_tiers_remove(f->repo, "slow", true, &freed, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_true(fsn_tiers_remove(f->repo, "fast", true, &freed, &error));
    g_assert_cmpuint(freed, >, TIER_GRANULES * FSN_GRANULE_SIZE);
    g_assert_true(fsn_tiers_load(f->repo, &tiers, &error));
    g_assert_cmpuint(tiers->len, ==, 0);
    /* Ours is gone, and nothing else. */
    g_assert_false(g_file_test(sub, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(mine, G_FILE_TEST_EXISTS));
}

/* A tier whose disk is gone for good can be forgotten. */
static void
test_remove_lost(TierFixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    uint64_t freed = 1;

    add_tier(f, "fast", f->tier_path, 0);
    nftw(f->tier_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    g_assert_true(fsn_tiers_remove(f->repo, "fast", true, &freed, &error));
    g_assert_cmpuint(freed, ==, 0);
}

/* Opened for storing, the tier that is written through gets its copies. */
static void
test_storing(TierFixture *f, gconstpointer data)
{
    g_autoptr(FsnTier) tier = NULL;
    g_autoptr(FsnRepo) plain = NULL;
    g_autoptr(FsnRepo) through = NULL;
    g_autoptr(FsnTierFolder) folder = NULL;
    g_autoptr(GPtrArray) entries = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    g_autofree char *key = NULL;
    uint64_t bytes;

    plain = fsn_tiers_open_storing(f->repo_path, 0, &error);
    g_assert_no_error(error);
    g_assert_true(fsn_repo_put_object(plain, "first", 5, &first, &error));
    g_assert_true(fsn_tiers_add(f->repo, "fast", f->tier_path, 0, true, &tier, &error));
    through = fsn_tiers_open_storing(f->repo_path, 0, &error);
    g_assert_no_error(error);
    g_assert_true(fsn_repo_put_object(through, "second", 6, &second, &error));
    folder = open_tier_folder(f);
    g_assert_true(fsn_tier_folder_list(folder, &entries, &bytes, &error));
    g_assert_cmpuint(entries->len, ==, 1);
    key = fsn_repo_key(FSN_DIR_OBJECTS, second);
    g_assert_cmpstr(((FsnTierEntry *)g_ptr_array_index(entries, 0))->key, ==, key);
    /* A list of tiers that cannot be read, or a tier that is gone, stops no suspend. */
    nftw(f->tier_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    g_clear_pointer(&through, fsn_repo_free);
    through = fsn_tiers_open_storing(f->repo_path, 0, &error);
    g_assert_no_error(error);
    g_assert_true(fsn_repo_put_ref(f->repo, "tiers", "x", 1, &error));
    g_clear_pointer(&through, fsn_repo_free);
    through = fsn_tiers_open_storing(f->repo_path, 0, &error);
    g_assert_no_error(error);
}

#define ADD(path, function)                                                             \
    g_test_add("/tier/registry/" path, TierFixture, NULL, tier_fixture_setup, function, \
               tier_fixture_teardown)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("none", test_none);
    ADD("add", test_add_and_load);
    ADD("refused", test_refused);
    ADD("not-writable", test_not_writable);
    ADD("damaged", test_damaged_list);
    ADD("remove", test_remove);
    ADD("storing", test_storing);
    ADD("remove-lost", test_remove_lost);
    return g_test_run();
}
