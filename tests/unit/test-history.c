/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history: what is put in comes out, rolled up, whatever the order, the clock and the
 * gaps; and bytes of rows that nobody wrote are refused. */
#include "base/error.h"
#include "history/store-private.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define UUID_A "6a1f27a2-7d6a-4a0c-93a5-4d5ea9b7a001"
#define UUID_B "6a1f27a2-7d6a-4a0c-93a5-4d5ea9b7a002"
#define SEC    ((int64_t)G_USEC_PER_SEC)
#define MIN_US (60 * SEC)
#define HOUR   (60 * MIN_US)
#define DAY    (24 * HOUR)
/* Midnight, 2023-11-15 UTC. */
#define START  ((int64_t)1700006400 * SEC)

typedef struct {
    char *folder;
    char *path;
    FsnHistory *h;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->folder = g_dir_make_tmp("history-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "sub", "history.db", NULL);
    f->h = fsn_history_open(f->path, FSN_HISTORY_CREATE, NULL);
    g_assert_nonnull(f->h);
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
            g_unlink(path);
        }
    }
    g_rmdir(folder);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    fsn_history_free(f->h);
    remove_folder(f->folder);
    g_free(f->folder);
    g_free(f->path);
}

static void
add(Fixture *f,
    const char *uuid,
    const char *name,
    int64_t time_us,
    int64_t span_us,
    double cpu)
{
    FsnMetricValue values[] = { { .name = "cpu", .value = cpu },
                                { .name = "vcpus", .value = 4 } };
    FsnHistorySample s = { uuid, name, time_us, span_us, values, 2 };
    g_autoptr(GError) error = NULL;
    bool ok = fsn_history_insert(f->h, &s, 1, time_us, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
}

static FsnSeries *
get(Fixture *f,
    const char *uuid,
    int64_t from,
    int64_t to,
    int64_t step,
    FsnHistoryStat stat)
{
    g_autoptr(GError) error = NULL;
    FsnSeries *series =
        fsn_history_series(f->h, uuid, "cpu", from, to, step, stat, &error);

    g_assert_no_error(error);
    return series;
}

static double
at(Fixture *f, const char *uuid, int64_t time, int64_t step, FsnHistoryStat stat)
{
    g_autoptr(FsnSeries) series = get(f, uuid, time, time + step, step, stat);

    return series->values[0];
}

/* A sample every 10 s for @seconds: the value is the minute of the hour. */
static void
sample_minutes(Fixture *f, int64_t from, int64_t seconds)
{
    for (int64_t t = 10; t <= seconds; t += 10) {
        int64_t time = from + t * SEC;

        add(f, UUID_A, "vm", time, 10 * SEC, (double)((time - 1) / MIN_US % 60));
    }
}

static void
test_roll_up(Fixture *f, gconstpointer data)
{
    g_autoptr(FsnSeries) mean = NULL;
    g_autoptr(FsnSeries) p95 = NULL;

    sample_minutes(f, START, 2 * 3600 + 300);
    mean = get(f, UUID_A, START, START + 2 * HOUR, 5 * MIN_US, FSN_HISTORY_MEAN);
    p95 = get(f, UUID_A, START, START + 2 * HOUR, 5 * MIN_US, FSN_HISTORY_P95);
    g_assert_cmpuint(mean->n, ==, 24);
    for (size_t i = 0; i < 24; i++) {
        double first = (double)(i % 12 * 5);

        g_assert_cmpfloat(mean->values[i], ==, first + 2);
        g_assert_cmpfloat(p95->values[i], ==, first + 4);
    }
    g_assert_cmpfloat(at(f, UUID_A, START, 5 * MIN_US, FSN_HISTORY_MIN), ==, 0);
    g_assert_cmpfloat(at(f, UUID_A, START, 5 * MIN_US, FSN_HISTORY_MAX), ==, 4);
    /* Hours: exact but for the p95. */
    g_assert_cmpfloat_with_epsilon(at(f, UUID_A, START + HOUR, HOUR, FSN_HISTORY_MEAN),
                                   29.5, .01);
    g_assert_cmpfloat(at(f, UUID_A, START + HOUR, HOUR, FSN_HISTORY_MAX), ==, 59);
    g_assert_cmpfloat_with_epsilon(at(f, UUID_A, START + HOUR, HOUR, FSN_HISTORY_P95), 56,
                                   1);
    /* Finer than windows: the samples themselves. */
    g_assert_cmpfloat(
        at(f, UUID_A, START + HOUR + 7 * MIN_US, 10 * SEC, FSN_HISTORY_MEAN), ==, 7);
    /* Nothing before, nothing after. */
    g_assert_true(isnan(at(f, UUID_A, START - HOUR, HOUR, FSN_HISTORY_MEAN)));
    g_assert_true(isnan(at(f, UUID_A, START + 3 * HOUR, HOUR, FSN_HISTORY_MEAN)));
    g_assert_true(isnan(at(f, UUID_B, START, HOUR, FSN_HISTORY_MEAN)));
}

/* Samples of another process, and the window that is not over yet. */
static void
test_reopen(Fixture *f, gconstpointer data)
{
    sample_minutes(f, START, 100);
    fsn_history_free(f->h);
    f->h = fsn_history_open(f->path, FSN_HISTORY_CREATE, NULL);
    sample_minutes(f, START + 100 * SEC, 260);
    g_assert_cmpfloat_with_epsilon(at(f, UUID_A, START, 5 * MIN_US, FSN_HISTORY_MEAN), 2,
                                   .001);
    g_assert_cmpfloat(at(f, UUID_A, START + 5 * MIN_US, 5 * MIN_US, FSN_HISTORY_MEAN), ==,
                      5);
    g_assert_cmpint(f->h->rolled_us, ==, START + 5 * MIN_US);
}

/* A sample of a quarter of an hour fills three windows; a late one changes its own. */
static void
test_long_and_late(Fixture *f, gconstpointer data)
{
    add(f, UUID_B, "other", START + 16 * MIN_US, 0, 1);
    add(f, UUID_A, "vm", START + 17 * MIN_US, 15 * MIN_US, 6);
    g_assert_cmpfloat(at(f, UUID_A, START + 5 * MIN_US, 5 * MIN_US, FSN_HISTORY_MEAN), ==,
                      6);
    g_assert_cmpfloat(at(f, UUID_A, START + 15 * MIN_US, 5 * MIN_US, FSN_HISTORY_MEAN),
                      ==, 6);
    add(f, UUID_B, "other", START + 100 * MIN_US, 0, 1);
    g_assert_cmpfloat(at(f, UUID_A, START, HOUR, FSN_HISTORY_MEAN), ==, 6);
    {
        FsnMetricValue value = { .name = "cpu", .value = 2 };
        FsnHistorySample late = { UUID_A,      "vm",   START + 15 * MIN_US,
                                  10 * MIN_US, &value, 1 };

        g_assert_true(fsn_history_insert(f->h, &late, 1, START + 100 * MIN_US, NULL));
    }
    /* Both hold in the window: the same weight each. The hour follows. */
    g_assert_cmpfloat(at(f, UUID_A, START + 5 * MIN_US, 5 * MIN_US, FSN_HISTORY_MEAN), ==,
                      4);
    g_assert_cmpfloat(at(f, UUID_A, START, HOUR, FSN_HISTORY_MIN), ==, 2);
}

/* Days without samples, then more: what is unknown stays so, and nothing takes long. */
static void
test_gap(Fixture *f, gconstpointer data)
{
    g_autoptr(FsnSeries) series = NULL;
    size_t known = 0;

    sample_minutes(f, START + 50 * MIN_US, 300);
    sample_minutes(f, START + 9 * DAY + 7 * MIN_US, 600);
    series = get(f, UUID_A, START, START + 10 * DAY, 5 * MIN_US, FSN_HISTORY_MEAN);
    for (size_t i = 0; i < series->n; i++) {
        known += !isnan(series->values[i]);
    }
    g_assert_cmpuint(known, ==, 4);
    g_assert_cmpfloat(series->values[10], ==, 52);
    /* The hour before the gap was made although no sample came at its end. */
    g_assert_cmpfloat(at(f, UUID_A, START, HOUR, FSN_HISTORY_MEAN), ==, 52);
}

/* The clock is years ahead for a while: nothing old is lost, and it goes on as before. */
static void
test_clock(Fixture *f, gconstpointer data)
{
    int64_t wrong = START + 3000 * DAY;

    sample_minutes(f, START, 3600 + 300);
    sample_minutes(f, wrong, 1200);
    sample_minutes(f, START + 2 * HOUR, 3600 + 300);
    g_assert_cmpfloat(at(f, UUID_A, START, 5 * MIN_US, FSN_HISTORY_MEAN), ==, 2);
    g_assert_cmpfloat(
        at(f, UUID_A, START + 2 * HOUR + 55 * MIN_US, 5 * MIN_US, FSN_HISTORY_MEAN), ==,
        57);
    g_assert_cmpfloat_with_epsilon(
        at(f, UUID_A, START + 2 * HOUR, HOUR, FSN_HISTORY_MEAN), 29.5, .01);
    /* A small step back: the same time twice. */
    sample_minutes(f, START + 3 * HOUR, 290);
    g_assert_cmpfloat_with_epsilon(
        at(f, UUID_A, START + 3 * HOUR, 5 * MIN_US, FSN_HISTORY_MEAN), 2, .1);
}

/* A domain is its UUID. */
static void
test_identity(Fixture *f, gconstpointer data)
{
    g_autofree char *found = NULL;
    g_autofree char *again = NULL;
    g_autofree char *none = NULL;
    g_autoptr(GPtrArray) domains = NULL;
    g_autoptr(GError) error = NULL;

    add(f, UUID_A, "old", START, 0, 1);
    add(f, UUID_A, "new", START + MIN_US, 0, 3);
    g_assert_true(fsn_history_find(f->h, "new", &found, NULL));
    g_assert_cmpstr(found, ==, UUID_A);
    g_assert_false(fsn_history_find(f->h, "old", &none, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_assert_cmpfloat(at(f, UUID_A, START, 5 * MIN_US, FSN_HISTORY_MEAN), ==, 2);
    /* Deleted and made again under the same name: another machine, which is the one meant. */
    add(f, UUID_B, "new", START + 2 * HOUR, 0, 9);
    g_assert_true(fsn_history_find(f->h, "new", &again, NULL));
    g_assert_cmpstr(again, ==, UUID_B);
    g_assert_cmpfloat(at(f, UUID_A, START, 5 * MIN_US, FSN_HISTORY_MEAN), ==, 2);
    g_assert_cmpfloat(at(f, UUID_B, START + 2 * HOUR, HOUR, FSN_HISTORY_MEAN), ==, 9);
    g_assert_true(fsn_history_domains(f->h, &domains, NULL));
    g_assert_cmpuint(domains->len, ==, 2);
}

/* Values of the same instant add to each other; metrics of a domain are its own. */
static void
test_own_metrics(Fixture *f, gconstpointer data)
{
    FsnMetricValue orders = { .name = "orders", .value = 123456789 };
    FsnHistorySample s = { UUID_A, "vm", START + MIN_US, 0, &orders, 1 };
    g_autoptr(GPtrArray) names = NULL;
    g_autoptr(GPtrArray) others = NULL;
    g_autoptr(FsnSeries) series = NULL;

    add(f, UUID_A, "vm", START + MIN_US, 0, 1);
    add(f, UUID_B, "other", START + MIN_US, 0, 1);
    g_assert_true(fsn_history_insert(f->h, &s, 1, START + MIN_US, NULL));
    g_assert_true(fsn_history_metrics(f->h, UUID_A, &names, NULL));
    g_assert_cmpuint(names->len, ==, 3);
    g_assert_cmpstr(names->pdata[1], ==, "orders");
    g_assert_true(fsn_history_metrics(f->h, UUID_B, &others, NULL));
    g_assert_cmpuint(others->len, ==, 2);
    series = fsn_history_series(f->h, UUID_A, "orders", START, START + 2 * MIN_US, MIN_US,
                                FSN_HISTORY_MEAN, NULL);
    g_assert_cmpfloat(series->values[1], ==, 123456789);
    g_assert_cmpfloat(at(f, UUID_A, START + MIN_US, MIN_US, FSN_HISTORY_MEAN), ==, 1);
}

static void
test_refused(Fixture *f, gconstpointer data)
{
    FsnMetricValue values[] = { { .name = "cpu", .value = 1 } };
    FsnHistorySample s = { UUID_A, "vm", START, 0, values, 1 };

    for (int i = 0; i < 5; i++) {
        g_autoptr(GError) error = NULL;

        s.time_us = i == 0 ? START + HOUR : i == 1 ? -5 : START;
        values[0].value = i == 2 ? NAN : i == 3 ? INFINITY : 1;
        s.uuid = i == 4 ? "no-uuid" : UUID_A;
        g_assert_false(fsn_history_insert(f->h, &s, 1, START, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
    }
    g_assert_null(fsn_history_series(f->h, UUID_A, "cpu", 0, START, SEC, FSN_HISTORY_MEAN,
                                     NULL)); /* too many points */
}

/* Weeks go by, an hour in the middle of each day is sampled: rows become packs, samples and
 * fine windows go, hours stay; and both kinds of reading agree all the time. */
static void
test_retention(Fixture *f, gconstpointer data)
{
    const FsnHistoryKeep keep = { .raw_us = HOUR,
                                  .fine_us = 5 * DAY,
                                  .coarse_us = 30 * DAY };
    int64_t n;

    fsn_history_set_keep(f->h, &keep);
    for (int64_t day = 0; day < 40; day++) {
        for (int64_t t = 1; t <= 24 * 12; t++) {
            add(f, UUID_A, "vm", START + day * DAY + t * 5 * MIN_US, 5 * MIN_US,
                (double)day);
        }
        g_assert_cmpfloat(at(f, UUID_A, START + day * DAY, 5 * MIN_US, FSN_HISTORY_MEAN),
                          ==, (double)day);
    }
    g_assert_cmpfloat(at(f, UUID_A, START + 37 * DAY, 5 * MIN_US, FSN_HISTORY_MEAN), ==,
                      37);
    /* Steps of 5 minutes where only hours are left. */
    g_assert_cmpfloat(at(f, UUID_A, START + 20 * DAY, 5 * MIN_US, FSN_HISTORY_MAX), ==,
                      20);
    g_assert_cmpfloat(at(f, UUID_A, START + 20 * DAY, DAY, FSN_HISTORY_P95), ==, 20);
    g_assert_true(f->h->kept_us[0] >= START + 34 * DAY);
    g_assert_true(f->h->kept_us[1] >= START + 9 * DAY);
    g_assert_true(f->h->raw_us >= START + 40 * DAY - HOUR - 5 * MIN_US);
    {
        g_autoptr(GArray) rows = NULL;

        g_assert_true(fsn_windows_rows(f->h, 0, 1, 0, INT32_MAX, &rows, NULL));
        g_assert_cmpuint(rows->len, <=, 2 * 288);
    }
    g_assert_true(f->h->tables->ops->number_get(f->h->tables, "packed.1", 0, &n, NULL));
    g_assert_cmpint(n, ==, (START + 40 * DAY - HOUR) / (12 * DAY));
}

/* Windows from elsewhere: twice is once, and what is better known stays. */
static void
test_merge(Fixture *f, gconstpointer data)
{
    g_autofree FsnWindow *windows = g_new0(FsnWindow, 28 * 288);
    g_autoptr(FsnSeries) once = NULL;
    g_autoptr(FsnSeries) twice = NULL;
    int64_t now = START + 28 * DAY + 7 * MIN_US;

    for (size_t i = 0; i < 28 * 288; i++) {
        windows[i] = (FsnWindow){ NAN, (double)(i % 288), NAN, (double)(i % 288 + 10),
                                  i % 7 == 0 ? 0 : 100 };
    }
    sample_minutes(f, START + 28 * DAY - 30 * MIN_US, 1800);
    for (int i = 0; i < 2; i++) {
        g_assert_true(fsn_history_merge(f->h, UUID_A, "vm", "cpu", START, windows,
                                        28 * 288, now, NULL));
    }
    once = get(f, UUID_A, START, START + 28 * DAY, 5 * MIN_US, FSN_HISTORY_MEAN);
    for (size_t i = 0; i < 28 * 288 - 6; i++) {
        if (i % 7 == 0) {
            g_assert_true(isnan(once->values[i]));
        } else {
            g_assert_cmpfloat(once->values[i], ==, (double)(i % 288));
        }
    }
    /* The last half hour was seen here. */
    g_assert_cmpfloat(once->values[28 * 288 - 1], ==, 57);
    g_assert_cmpfloat_with_epsilon(at(f, UUID_A, START + 3 * DAY, DAY, FSN_HISTORY_MEAN),
                                   143.5, 1);
    g_assert_cmpfloat(
        at(f, UUID_A, START + 288 * 5 * MIN_US, 5 * MIN_US, FSN_HISTORY_MAX), ==, 10);
    twice = get(f, UUID_A, START, START + 28 * DAY, HOUR, FSN_HISTORY_P95);
    g_assert_cmpfloat_with_epsilon(twice->values[1], 30, 3); /* the parts' are 22 … 33 */
}

/* Values of long ago by hand: windows at once. */
static void
test_old_values(Fixture *f, gconstpointer data)
{
    FsnMetricValue value = { .name = "cpu", .value = 5 };
    g_autoptr(GArray) samples = g_array_new(FALSE, FALSE, sizeof(FsnHistorySample));
    int64_t now = START + 100 * DAY;

    for (int64_t i = 0; i < 100 * 288; i++) {
        FsnHistorySample s = { UUID_A, "vm", START + i * 5 * MIN_US, 0, &value, 1 };

        g_array_append_val(samples, s);
    }
    g_assert_true(
        fsn_history_insert(f->h, (void *)samples->data, samples->len, now, NULL));
    g_assert_cmpfloat(at(f, UUID_A, START + 5 * DAY, HOUR, FSN_HISTORY_MEAN), ==, 5);
    g_assert_cmpfloat(at(f, UUID_A, START + 95 * DAY, 5 * MIN_US, FSN_HISTORY_MEAN), ==,
                      5);
    g_assert_cmpfloat(at(f, UUID_A, now - 10 * MIN_US, 5 * MIN_US, FSN_HISTORY_MEAN), ==,
                      5);
}

/* The hour that a clock shows twice in autumn, and the one that it skips in spring, are
 * hours like others. */
static void
test_daylight_saving(Fixture *f, gconstpointer data)
{
    static const int64_t changes[] = { 1698541200,
                                       1711846800 }; /* Europe, 2023 and 2024 */

    g_setenv("TZ", "Europe/Berlin", TRUE);
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        int64_t from = (changes[i] - 3600) * SEC;
        g_autoptr(FsnSeries) series = NULL;

        sample_minutes(f, from, 3 * 3600 + 300);
        series = get(f, UUID_A, from, from + 3 * HOUR, HOUR, FSN_HISTORY_MEAN);
        g_assert_cmpuint(series->n, ==, 3);
        for (size_t k = 0; k < 3; k++) {
            g_assert_cmpfloat_with_epsilon(series->values[k], 29.5, .01);
        }
    }
    g_unsetenv("TZ");
}

static void
test_row_bytes(void)
{
    const FsnSampleValue values[] = { { 1, .5 }, { 7, 1e300 }, { 900, 16777217 } };
    const FsnRowWindow windows[] = { { 3, { 1, 2, 4, 3, 200 } },
                                     { 4, { 5, 5, 5, 5, 1 } },
                                     { 1000, { NAN, 1e9, NAN, 2e9, 255 } } };
    static const uint8_t sample_golden[] = {
        0x90, 0x4e,                                              /* 10000 ms */
        0x02, 0,    0,    0, 0x3f,                               /* metric 1, float .5 */
        0x0d, 0x9c, 0x75, 0, 0x88, 0x3c, 0xe4, 0x37, 0x7e,       /* 7, double 1e300 */
        0xfb, 0x0d, 0,    0, 0,    0x10, 0,    0,    0x70, 0x41, /* 900, double 2^24+1 */
    };
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GByteArray) row = g_byte_array_new();
    g_autoptr(GArray) back = g_array_new(FALSE, FALSE, sizeof(FsnSampleValue));
    g_autoptr(GArray) back_row = g_array_new(FALSE, FALSE, sizeof(FsnRowWindow));
    int64_t span;

    fsn_sample_append(bytes, 10 * SEC, values, 3);
    g_assert_cmpmem(bytes->data, bytes->len, sample_golden, sizeof sample_golden);
    g_assert_true(fsn_sample_parse(bytes->data, bytes->len, &span, back));
    g_assert_cmpint(span, ==, 10 * SEC);
    g_assert_cmpmem(back->data, back->len * sizeof(FsnSampleValue), values,
                    sizeof values);
    fsn_row_append(row, windows, 3);
    g_assert_cmpuint(row->len, ==, 18 + 6 + 19);
    g_assert_true(fsn_row_parse(row->data, row->len, back_row));
    g_assert_cmpfloat(g_array_index(back_row, FsnRowWindow, 0).window.p95, ==, 3);
    g_assert_true(isnan(g_array_index(back_row, FsnRowWindow, 2).window.max));
    g_assert_cmpfloat_with_epsilon(g_array_index(back_row, FsnRowWindow, 2).window.p95,
                                   2e9, 2e9 * 7e-5);
    /* Every truncation ends at a boundary or is refused; no byte does harm. */
    for (guint len = 0; len < row->len; len++) {
        g_array_set_size(back_row, 0);
        if (fsn_row_parse(row->data, len, back_row)) {
            g_assert_true(len == 0 || len == 18 || len == 24);
        }
    }
    for (guint i = 0; i < row->len; i++) {
        row->data[i] ^= 0xff;
        g_array_set_size(back_row, 0);
        (void)!fsn_row_parse(row->data, row->len, back_row);
        row->data[i] ^= 0xff;
    }
}

static void
test_packed_bytes(void)
{
    g_autoptr(FsnCodecContext) codec = fsn_codec_context_new();
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    FsnWindow windows[FSN_PACKED_SLOTS] = { 0 };
    FsnWindow back[FSN_PACKED_SLOTS];

    for (int i = 0; i < FSN_PACKED_SLOTS; i += 3) {
        double v = sin(i) * 100;

        windows[i] = (FsnWindow){ v - 1, v, v + 2, v + 1, (uint8_t)(i % 255 + 1) };
    }
    fsn_packed_append(bytes, codec, windows);
    g_assert_true(fsn_packed_parse(bytes->data, bytes->len, codec, back));
    for (int i = 0; i < FSN_PACKED_SLOTS; i++) {
        g_assert_cmpuint(back[i].cover, ==, windows[i].cover);
        g_assert_cmpfloat(back[i].mean, ==, fsn_window_round(windows[i].mean));
        g_assert_cmpfloat(back[i].p95, ==, fsn_window_round(windows[i].p95));
    }
    for (guint len = 0; len < bytes->len; len++) {
        g_assert_false(fsn_packed_parse(bytes->data, len, codec, back));
    }
    bytes->data[0] = 2;
    g_assert_false(fsn_packed_parse(bytes->data, bytes->len, codec, back));
}

static void
test_rounding(void)
{
    g_assert_cmpfloat(fsn_window_round(16384), ==, 16384);
    g_assert_cmpfloat(fsn_window_round(-3), ==, -3);
    g_assert_cmpfloat(fsn_window_round(0), ==, 0);
    g_assert_true(isnan(fsn_window_round(NAN)));
    g_assert_true(isfinite(fsn_window_round(1e308)));
    for (double v = 1e-30; v < 1e30; v *= 1.37) {
        g_assert_cmpfloat_with_epsilon(fsn_window_round(v), v, v * 6.2e-5);
    }
}

#define ADD(name, test) \
    g_test_add("/history/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("roll-up", test_roll_up);
    ADD("reopen", test_reopen);
    ADD("long-and-late", test_long_and_late);
    ADD("gap", test_gap);
    ADD("clock", test_clock);
    ADD("identity", test_identity);
    ADD("own-metrics", test_own_metrics);
    ADD("refused", test_refused);
    ADD("retention", test_retention);
    ADD("merge", test_merge);
    ADD("old-values", test_old_values);
    ADD("daylight-saving", test_daylight_saving);
    g_test_add_func("/history/row-bytes", test_row_bytes);
    g_test_add_func("/history/packed-bytes", test_packed_bytes);
    g_test_add_func("/history/rounding", test_rounding);
    return g_test_run();
}
