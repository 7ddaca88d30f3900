/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How times are read, and how a history is shown: text, CSV, terminal and pictures. */
#include "base/error.h"
#include "cli/history-view.h"
#include "cli/time-text.h"
#include "plot/plot.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define SEC ((int64_t)G_USEC_PER_SEC)
#define NOW ((int64_t)1795856400 * SEC) /* 2026-11-28T09:00:00Z */

static void
test_durations(void)
{
    static const struct {
        const char *text;
        int64_t s;
    } good[] = { { "90", 90 },     { "1s", 1 },         { "5m", 300 },
                 { "12h", 43200 }, { "7d", 7 * 86400 }, { "4w", 28 * 86400 } };

    static const char *const bad[] = {
        "",    "0",    "-5", "5x",           "m",
        "5mm", "1.5h", " 5", "99999999999w", "99999999999999999999"
    };
    int64_t us;

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(fsn_cli_parse_duration(good[i].text, &us, NULL));
        g_assert_cmpint(us, ==, good[i].s * SEC);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_cli_parse_duration(bad[i], &us, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
    }
}

/* In a zone with daylight saving: the same clock time is another instant in summer. */
static void
test_times(void)
{
    static const struct {
        const char *text;
        int64_t s;
    } good[] = { { "now", NOW / SEC },
                 { "1h", NOW / SEC - 3600 },
                 { "@1700000000", 1700000000 },
                 { "2026-11-28T09:00:00Z", NOW / SEC },
                 { "2026-11-28T10:00:00+01:00", NOW / SEC },
                 { "2026-11-28 10:00", NOW / SEC },
                 { "2026-11-28T10:00", NOW / SEC },
                 { "2026-11-28", NOW / SEC - 10 * 3600 },
                 { "2026-07-01 12:00", 1782900000 } };

    static const char *const bad[] = { "",   "yesterday",  "2026-13-01",      "@-5",
                                       "@x", "28.11.2026", "2026-11-28 25:00" };
    int64_t us;

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        bool ok = fsn_cli_parse_time(good[i].text, NOW, &us, &error);

        g_assert_no_error(error);
        g_assert_true(ok);
        g_assert_cmpint(us, ==, good[i].s * SEC);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_cli_parse_time(bad[i], NOW, &us, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
    }
}

static void
test_texts(void)
{
    static const struct {
        FsnMetricUnit unit;
        double value;
        const char *text;
    } cases[] = { { FSN_UNIT_BYTES, 536870912, "512 MiB" },
                  { FSN_UNIT_BYTES_PER_S, 1024, "1.0 KiB/s" },
                  { FSN_UNIT_CORES, 1.234, "1.23" },
                  { FSN_UNIT_PLAIN, 4, "4" },
                  { FSN_UNIT_PLAIN, -12.34, "-12.3" },
                  { FSN_UNIT_PER_S, 1234567.8, "1234568" } };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = fsn_cli_metric_text(cases[i].unit, cases[i].value);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
    g_assert_cmpint(fsn_cli_choose_step(86400 * SEC, 300), ==, 300 * SEC);
    g_assert_cmpint(fsn_cli_choose_step(28 * 86400 * SEC, 10000), ==, 300 * SEC);
    g_assert_cmpint(fsn_cli_choose_step((int64_t)9999 * 86400 * SEC, 300), ==,
                    86400 * SEC);
}

static FsnMetricView *
view(void)
{
    FsnMetricView *v = g_new0(FsnMetricView, 1);

    v->metric = g_strdup("cpu");
    v->start_us = NOW;
    v->step_us = 300 * SEC;
    v->n = 4;
    v->windows = g_new0(FsnWindow, 4);
    v->windows[0] = (FsnWindow){ 0, 1, 4, 2, 255 };
    v->windows[2] = (FsnWindow){ NAN, 3, NAN, 5, 255 };
    return v;
}

static void
test_view(void)
{
    g_autoptr(FsnMetricView) v = view();
    g_autoptr(GString) csv = g_string_new(NULL);
    g_autoptr(JsonObject) json = fsn_metric_view_json(v);
    g_autoptr(JsonObject) summary = fsn_metric_view_summary_json(v);
    JsonArray *max = json_object_get_array_member(json, "max");
    FsnWindow sum;
    double last;
    int64_t last_us;

    fsn_metric_view_csv(v, csv);
    g_assert_cmpstr(csv->str, ==,
                    "2026-11-28T09:00:00Z,cpu,0,1,4,2\n2026-11-28T09:10:00Z,cpu,,3,,5\n");
    g_assert_cmpuint(json_array_get_length(max), ==, 4);
    g_assert_true(json_array_get_null_element(max, 1));
    g_assert_true(json_array_get_null_element(max, 2));
    g_assert_cmpfloat(json_array_get_double_element(max, 0), ==, 4);
    g_assert_true(fsn_metric_view_sum(v, &sum, &last, &last_us));
    g_assert_cmpfloat(sum.mean, ==, 2);
    g_assert_cmpfloat(last, ==, 3);
    g_assert_cmpint(last_us, ==, NOW + 900 * SEC);
    g_assert_cmpstr(json_object_get_string_member(summary, "last_seen"), ==,
                    "2026-11-28T09:15:00Z");
    v->windows[0].cover = v->windows[2].cover = 0;
    g_assert_false(fsn_metric_view_sum(v, &sum, &last, &last_us));
}

static char *
number(double value)
{
    return g_strdup_printf("%g", value);
}

static FsnPlot *
plot(size_t n)
{
    FsnSeries *line = fsn_series_new(NOW, 300 * SEC, n);
    FsnSeries *upper = fsn_series_new(NOW, 300 * SEC, n);

    for (size_t i = 0; i < n; i++) {
        line->values[i] = i % 5 == 3 ? NAN : (double)(i % 5);
        upper->values[i] = (double)(i % 5) + .9;
    }
    return fsn_plot_new("vm: cpu & <more>", line, upper, NULL, number);
}

static void
test_terminal(void)
{
    g_autoptr(FsnPlot) five = plot(5);
    g_autoptr(FsnPlot) none = plot(0);
    g_autofree char *text = fsn_plot_terminal(five, 11 + 8 + 2, 5, true);
    g_autofree char *utf8 = fsn_plot_terminal(five, 80, 5, false);
    g_autofree char *empty = fsn_plot_terminal(none, 5, 1, true);

    g_assert_cmpstr(text, ==,
                    "vm: cpu & <more> (mean; - p95)\n"
                    "        5 |        --\n"
                    "          |      --##\n"
                    "        2 |    --  ##\n"
                    "          |  --##  ##\n"
                    "        0 |--####  ##\n"
                    "           10:00 10:25\n");
    g_assert_true(g_utf8_validate(utf8, -1, NULL));
    g_assert_nonnull(strstr(utf8, "\xe2\x96\x88"));
    g_assert_nonnull(empty);
}

static void
test_pictures(void)
{
    g_autofree char *folder = g_dir_make_tmp("plot-XXXXXX", NULL);
    g_autofree char *svg = g_build_filename(folder, "a.svg", NULL);
    g_autofree char *png = g_build_filename(folder, "a.png", NULL);
    g_autofree char *none = g_build_filename(folder, "none", "a.png", NULL);
    g_autoptr(GPtrArray) plots =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_plot_free);
    g_autofree char *text = NULL;
    g_autofree char *image = NULL;
    g_autoptr(GError) error = NULL;
    gsize len;

    g_ptr_array_add(plots, plot(500));
    g_ptr_array_add(plots, plot(0));
    g_assert_true(fsn_plot_write(plots, svg, NULL));
    g_assert_true(g_file_get_contents(svg, &text, &len, NULL));
    g_assert_nonnull(strstr(text, "<svg"));
    g_assert_nonnull(strstr(text, "</svg>"));
    g_assert_true(fsn_plot_write(plots, png, NULL));
    g_assert_true(g_file_get_contents(png, &image, &len, NULL));
    g_assert_cmpuint(len, >, 1000);
    g_assert_cmpmem(image, 8, "\x89PNG\r\n\x1a\n", 8);
    g_assert_false(fsn_plot_write(plots, folder, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
    g_assert_false(fsn_plot_write(plots, none, NULL));
    g_unlink(svg);
    g_unlink(png);
    g_rmdir(folder);
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "Europe/Berlin", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-history/durations", test_durations);
    g_test_add_func("/cli-history/times", test_times);
    g_test_add_func("/cli-history/texts", test_texts);
    g_test_add_func("/cli-history/view", test_view);
    g_test_add_func("/cli-history/terminal", test_terminal);
    g_test_add_func("/cli-history/pictures", test_pictures);
    return g_test_run();
}
