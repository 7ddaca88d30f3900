/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batch/record.c: what is noted is found again; one batch of a set at a time. */
#include "config.h"

#include "base/error.h"
#include "batch/record.h"

#include <glib/gstdio.h>

static void
remove_all(const char *dir, const char *set)
{
    g_autofree char *folder = g_build_filename(dir, "batch", NULL);
    g_autofree char *path = g_build_filename(folder, set, NULL);
    g_autofree char *lock = g_strconcat(path, ".lock", NULL);

    (void)g_unlink(path);
    (void)g_unlink(lock);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void
test_round_trip(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-batch-XXXXXX", NULL);
    g_autoptr(FsnBatchRecord) record = fsn_batch_record_open(dir, "nightly", NULL);

    g_assert_null(fsn_batch_record_get(record, "u1"));
    g_assert_true(fsn_batch_record_set(record, "u1", "s1", NULL));
    g_assert_true(fsn_batch_record_set(record, "u2", "s2", NULL));
    g_assert_true(fsn_batch_record_set(record, "u1", "s3", NULL));
    g_assert_true(fsn_batch_record_forget(record, "u2", NULL));
    g_assert_true(fsn_batch_record_forget(record, "u2", NULL));
    fsn_batch_record_free(g_steal_pointer(&record));
    record = fsn_batch_record_open(dir, "nightly", NULL);
    g_assert_cmpstr(fsn_batch_record_get(record, "u1"), ==, "s3");
    g_assert_null(fsn_batch_record_get(record, "u2"));
    fsn_batch_record_free(g_steal_pointer(&record));
    remove_all(dir, "nightly");
}

static void
test_one_at_a_time(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-batch-XXXXXX", NULL);
    g_autoptr(FsnBatchRecord) record = fsn_batch_record_open(dir, "a", NULL);
    g_autoptr(FsnBatchRecord) other = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(record);
    g_assert_null(fsn_batch_record_open(dir, "a", &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_BUSY);
    fsn_batch_record_free(g_steal_pointer(&record));
    other = fsn_batch_record_open(dir, "a", NULL);
    g_assert_nonnull(other);
    fsn_batch_record_free(g_steal_pointer(&other));
    remove_all(dir, "a");
}

static void
test_bad(void)
{
    static const char *const names[] = { "", ".", "..", "a/b", "../x", "a b" };
    static const char *const damage[] = { "", "{", "[]",
                                          "{\"version\": 2, \"domains\": {}}",
                                          "{\"version\": 1, \"domains\": []}" };
    g_autofree char *dir = g_dir_make_tmp("fsn-batch-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "batch", "a", NULL);
    g_autofree char *folder = g_path_get_dirname(path);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(fsn_batch_record_open(dir, names[i], &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
    }
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(damage); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_true(g_file_set_contents(path, damage[i], -1, NULL));
        g_assert_null(fsn_batch_record_open(dir, "a", &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
    remove_all(dir, "a");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/batch-record/round-trip", test_round_trip);
    g_test_add_func("/batch-record/one-at-a-time", test_one_at_a_time);
    g_test_add_func("/batch-record/bad", test_bad);
    return g_test_run();
}
