/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schedule/busy.c: a domain that works from eight to six is expected to wake at eight. */
#include "config.h"

#include "schedule/busy.h"

#include <glib/gstdio.h>
#include <stdlib.h>

#define UUID    "5f1d6f3e-0000-4000-8000-000000000001"
#define STEP_US FSN_HISTORY_FINE_US
#define DAY     288
#define HOUR_US ((int64_t)3600 * G_USEC_PER_SEC)
/* A Thursday, 22:00 UTC. */
#define NOW_US  (G_GINT64_CONSTANT(1795730400) * G_USEC_PER_SEC)

/* @days days up to @end_us. */
static FsnHistory *
new_history(const char *path, int days, int64_t end_us)
{
    FsnHistory *history = fsn_history_open(path, FSN_HISTORY_CREATE, NULL);
    size_t n = (size_t)days * DAY;
    g_autofree FsnWindow *windows = g_new0(FsnWindow, n);
    int64_t start_us = end_us / STEP_US * STEP_US - (int64_t)n * STEP_US;
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(history);
    for (size_t i = 0; i < n; i++) {
        int64_t minute = (start_us + (int64_t)i * STEP_US) / G_USEC_PER_SEC % 86400 / 60;
        double cpu = minute >= 8 * 60 && minute < 18 * 60 ? .7 : .003;

        windows[i] =
            (FsnWindow){ .min = cpu, .mean = cpu, .max = cpu, .p95 = cpu, .cover = 255 };
    }
    g_assert_true(fsn_history_merge(history, UUID, "web", "cpu", start_us, windows, n,
                                    NOW_US, &error));
    return history;
}

typedef struct {
    char *folder;
    char *path;
} Fixture;

static void
set_up(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    f->folder = g_dir_make_tmp("fsn-busy-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "history.db", NULL);
    g_setenv("FORESNAP_EVENTS", f->folder, TRUE);
}

static void
tear_down(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    static const char *const endings[] = { "", "-wal", "-shm", "-journal" };

    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *path = g_strconcat(f->path, endings[i], NULL);

        (void)g_remove(path); /* most are not there */
    }
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->folder);
    g_free(f->path);
}

static int64_t
next_wake(FsnHistory *history, int64_t until_us, char **out_reason)
{
    int64_t start_us = -1;

    g_assert_true(fsn_schedule_next_wake(history, UUID, "web", NOW_US, until_us,
                                         &start_us, out_reason, NULL));
    return start_us;
}

static void
test_office(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_autoptr(FsnHistory) history = new_history(f->path, 21, NOW_US);
    g_autofree char *reason = NULL;
    g_autofree char *none = NULL;
    int64_t start_us = next_wake(history, NOW_US + 24 * HOUR_US, &reason);

    g_test_message("%s", reason);
    g_assert_nonnull(reason);
    g_assert_cmpint(ABS(start_us - (NOW_US + 10 * HOUR_US)), <, HOUR_US);
    g_assert_cmpint(next_wake(history, NOW_US + 5 * HOUR_US, &none), ==, 0);
    g_assert_null(none);
}

static void
test_unknown(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_autoptr(FsnHistory) history = new_history(f->path, 1, NOW_US);
    g_autofree char *reason = NULL;
    int64_t start_us = -1;

    /* A day is too little; and of another domain nothing is known at all. */
    g_assert_cmpint(next_wake(history, NOW_US + 24 * HOUR_US, &reason), ==, 0);
    g_assert_null(reason);
    g_assert_true(fsn_schedule_next_wake(history, "6" UUID, "db", NOW_US,
                                         NOW_US + 24 * HOUR_US, &start_us, &reason,
                                         NULL));
    g_assert_cmpint(start_us, ==, 0);
}

/* What was known until yesterday says nothing of tomorrow. */
static void
test_old(Fixture *f, gconstpointer unused G_GNUC_UNUSED)
{
    g_autoptr(FsnHistory) history = new_history(f->path, 21, NOW_US - 24 * HOUR_US);
    g_autofree char *reason = NULL;

    g_assert_cmpint(next_wake(history, NOW_US + 24 * HOUR_US, &reason), ==, 0);
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add("/schedule/busy/office", Fixture, NULL, set_up, test_office, tear_down);
    g_test_add("/schedule/busy/unknown", Fixture, NULL, set_up, test_unknown, tear_down);
    g_test_add("/schedule/busy/old", Fixture, NULL, set_up, test_old, tear_down);
    return g_test_run();
}
