/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view/usage: what was to be expected at a time in the past knows nothing of what came after. */
#include "config.h"

#include "base/error.h"
#include "history/kept.h"
#include "history/models-store.h"
#include "history/store.h"
#include "view/view.h"

#include <glib/gstdio.h>
#include <math.h>

#define UUID  "5f1d6f3e-0000-4000-8000-000000000001"
#define SEC   ((int64_t)G_USEC_PER_SEC)
#define STEP  FSN_HISTORY_FINE_US
#define DAY   (86400 * SEC)
#define START (INT64_C(20600) * DAY)
#define DAYS  8
#define AT    (START + 6 * DAY)

static char *
new_folder(void)
{
    char *folder = g_dir_make_tmp("test-view-forecast-XXXXXX", NULL);

    g_assert_nonnull(folder);
    return folder;
}

static void
remove_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            remove_folder(path);
        } else {
            g_assert_cmpint(g_unlink(path), ==, 0);
        }
    }
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

/* Days of which the nights are calm; from AT on everything is @after. */
static double
value_at(size_t i, double after)
{
    int64_t time_us = START + (int64_t)i * STEP;
    size_t hour = i % 288 / 12;

    return after >= 0 && time_us >= AT ? after
           : hour > 7 && hour < 19     ? 1 + .1 * (double)(i * 7 % 10)
                                       : .1;
}

/* The path of a new history; the caller frees. */
static char *
make_history(const char *folder, const char *name, double after)
{
    char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnHistory) history = fsn_history_open(path, FSN_HISTORY_CREATE, &error);
    size_t n = DAYS * 288;
    g_autofree FsnWindow *windows = g_new0(FsnWindow, n);

    g_assert_no_error(error);
    for (size_t i = 0; i < n; i++) {
        double v = value_at(i, after);

        windows[i] = (FsnWindow){ v, v, v, v, 255 };
    }
    g_assert_true(fsn_history_merge(history, UUID, "vm", "cpu", START, windows, n,
                                    START + DAYS * DAY, &error));
    g_assert_no_error(error);
    return path;
}

static FsnForecast *
then(const char *path, bool *out_p95)
{
    g_autoptr(GError) error = NULL;
    FsnForecast *forecast =
        fsn_view_forecast_then(path, UUID, "cpu", DAY, AT, out_p95, &error);

    g_assert_no_error(error);
    g_assert_cmpint(forecast->start_us, ==, AT);
    g_assert_cmpuint(forecast->n, >=, 288);
    return forecast;
}

static void
assert_same(const FsnForecast *a, const FsnForecast *b)
{
    g_assert_cmpuint(a->n, ==, b->n);
    for (size_t i = 0; i < a->n; i++) {
        g_assert_cmpfloat(a->mean[i], ==, b->mean[i]);
        g_assert_cmpfloat(a->q[FSN_Q95][i], ==, b->q[FSN_Q95][i]);
    }
}

/* Fitted to all that came up to @now_us, and kept under @name. */
static void
keep(const char *path, const char *name, int64_t now_us)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnHistory) history = fsn_history_open(path, FSN_HISTORY_READ_ONLY, &error);
    g_autoptr(FsnSeries) series = fsn_history_series(history, UUID, "cpu", START, now_us,
                                                     STEP, FSN_HISTORY_MEAN, &error);
    FsnKeptRequest request = { .history_path = path,
                               .uuid = UUID,
                               .name = name,
                               .now_us = now_us,
                               .low = 0,
                               .high = INFINITY };
    g_autoptr(FsnForecaster) kept = fsn_kept_forecaster(&request, series, NULL, &error);

    g_assert_no_error(error);
    g_assert_nonnull(kept);
}

static void
test_honest(void)
{
    g_autofree char *folder = new_folder();
    g_autofree char *calm = make_history(folder, "calm.db", 0);
    g_autofree char *wild = make_history(folder, "wild.db", 50);
    bool p95 = true;
    g_autoptr(FsnForecast) first = then(calm, &p95);
    g_autoptr(FsnForecast) second = then(wild, &p95);
    g_autoptr(FsnForecast) third = NULL;

    g_assert_false(p95);
    assert_same(first, second);
    /* At noon it is busy, at night it is not. */
    g_assert_cmpfloat(first->mean[12 * 12], >, .6);
    g_assert_cmpfloat(first->mean[12 * 3], <, .6);
    /* Models that were fitted later know what came: they are not used. */
    keep(wild, "cpu.mean", START + DAYS * DAY);
    third = then(wild, &p95);
    assert_same(first, third);
    remove_folder(folder);
}

/* Those that were fitted before are, brought up to date until then and no further. */
static void
test_kept(void)
{
    g_autofree char *folder = new_folder();
    g_autofree char *calm = make_history(folder, "calm.db", 0);
    g_autofree char *wild = make_history(folder, "wild.db", 50);
    g_autoptr(FsnForecast) first = NULL;
    g_autoptr(FsnForecast) second = NULL;
    bool p95 = false;

    keep(calm, "cpu.p95", AT - DAY);
    keep(wild, "cpu.p95", AT - DAY);
    first = then(calm, &p95);
    g_assert_true(p95);
    second = then(wild, &p95);
    assert_same(first, second);
    remove_folder(folder);
}

static void
test_too_little(void)
{
    g_autofree char *folder = new_folder();
    g_autofree char *path = make_history(folder, "calm.db", 0);
    g_autoptr(GError) error = NULL;
    bool p95;

    g_assert_null(
        fsn_view_forecast_then(path, UUID, "cpu", DAY, START + DAY / 2, &p95, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(
        fsn_view_forecast_then(path, UUID, "memory.used", DAY, AT, &p95, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    remove_folder(folder);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/view/forecast/honest", test_honest);
    g_test_add_func("/view/forecast/kept", test_kept);
    g_test_add_func("/view/forecast/too-little", test_too_little);
    return g_test_run();
}
