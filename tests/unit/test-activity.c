/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cycle/activity.c: what a history says that a domain does lately. */
#include "config.h"

#include "base/files.h"
#include "cycle/activity.h"
#include "history/store.h"

#include <glib/gstdio.h>
#include <math.h>

#define UUID "c7a5fdb2-cdaf-9455-926a-d65c16db1809"
#define NOW  (INT64_C(1700000000) * G_USEC_PER_SEC)
#define S    ((int64_t)G_USEC_PER_SEC)

typedef struct {
    char *folder;
    char *path;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->folder = g_dir_make_tmp("fsn-activity-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "history.db", NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    static const char *const names[] = { "history.db", "history.db-wal",
                                         "history.db-shm" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f->folder, names[i], NULL);

        (void)g_unlink(path); /* it need not be there */
    }
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->path);
    g_free(f->folder);
}

static void
insert(Fixture *f, int64_t time_us, const FsnMetricValue *values, size_t n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnHistory) history = fsn_history_open(f->path, FSN_HISTORY_CREATE, &error);
    const FsnHistorySample sample = { .uuid = UUID,
                                      .name = "one",
                                      .time_us = time_us,
                                      .span_us = 300 * S,
                                      .values = values,
                                      .n = n };

    g_assert_no_error(error);
    g_assert_true(fsn_history_insert(history, &sample, 1, NOW, &error));
    g_assert_no_error(error);
}

static FsnActivity
look(Fixture *f, const char *target)
{
    g_autoptr(FsnActivitySource) source = fsn_activity_source_new(f->path, UUID, NOW);

    return fsn_activity_of(source, target, 1);
}

static void
test_unknown(Fixture *f, gconstpointer data)
{
    const FsnMetricValue old[] = { { "disk.write.bytes", 5 },
                                   { "cpu", 1 },
                                   { "vcpus", 1 } };
    FsnActivity a = look(f, NULL);

    g_assert_cmpfloat(a.io_rate, <, 0);
    g_assert_cmpfloat(a.cpu, <, 0);
    g_assert_cmpint(a.previous, ==, 1);
    g_assert_cmpstr(a.missing, ==, "there is no history");
    g_assert_true(g_file_test(f->folder, G_FILE_TEST_IS_DIR));
    g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS)); /* looking makes none */
    insert(f, NOW - 1200 * S, old, G_N_ELEMENTS(old));
    a = look(f, NULL);
    g_assert_cmpfloat(a.io_rate, <, 0);
    g_assert_cmpfloat(a.cpu, <, 0);
    g_assert_cmpstr(a.missing, ==, "nothing was sampled in the 10 minutes before");
}

static void
test_mean(Fixture *f, gconstpointer data)
{
    const FsnMetricValue first[] = { { "disk.write.bytes", 1000 },
                                     { "disk.read.bytes", 500.5 },
                                     { "disk.vda.write.bytes", 1000 },
                                     { "cpu", 1 },
                                     { "vcpus", 2 } };
    const FsnMetricValue second[] = { { "disk.write.bytes", 3000 },
                                      { "disk.read.bytes", 500.5 },
                                      { "disk.vda.write.bytes", 3000 },
                                      { "cpu", 2 },
                                      { "vcpus", 2 } };
    FsnActivity a;

    insert(f, NOW - 300 * S, first, G_N_ELEMENTS(first));
    insert(f, NOW, second, G_N_ELEMENTS(second));
    a = look(f, NULL);
    g_assert_cmpfloat_with_epsilon(a.io_rate, 2500, 60); /* windows have whole minutes */
    g_assert_cmpfloat(a.io_rate, ==, floor(a.io_rate));
    g_assert_cmpfloat_with_epsilon(a.cpu, 75, 3);
    a = look(f, "vda");
    g_assert_cmpfloat_with_epsilon(a.io_rate, 2000, 60);
    g_assert_cmpfloat_with_epsilon(a.cpu, 75, 3);
    a = look(f, "vdb");
    g_assert_cmpfloat(a.io_rate, <, 0);
    g_assert_cmpfloat_with_epsilon(a.cpu, 75, 3);
}

static void
test_damaged(Fixture *f, gconstpointer data)
{
    g_assert_true(g_file_set_contents(f->path, "no history at all", -1, NULL));
    g_assert_cmpstr(look(f, NULL).missing, ==, "the history cannot be read");
    g_assert_cmpfloat(look(f, "vda").io_rate, <, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/activity/unknown", Fixture, NULL, set_up, test_unknown, tear_down);
    g_test_add("/activity/mean", Fixture, NULL, set_up, test_mean, tear_down);
    g_test_add("/activity/damaged", Fixture, NULL, set_up, test_damaged, tear_down);
    return g_test_run();
}
