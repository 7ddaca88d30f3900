/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Idle and active times: the rule, the threshold, periods, and that nothing looks ahead. */
#include "models/idle.h"

#include "base/error.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* '#' loud, '.' quiet, '?' missing. */
static FsnIdleTrack *
track_of(const char *samples)
{
    FsnIdleTrack *track = fsn_idle_track_new(0, 2, NULL);

    for (const char *p = samples; *p; p++) {
        g_assert_true(fsn_idle_track_push(track, *p == '#' ? 50 : *p == '.' ? .3 : NAN));
    }
    return track;
}

static void
test_rule(void)
{
    static const struct {
        const char *samples, *states;
    } rows[] = {
        { "....", "iiii" },
        { "#...#", "aaaia" },
        { "#..#....", "aaaaaaii" },
        { ".#.#...", "iaaaaai" },
        { "#??..#", "aaaiia" },
        { "??#", "iia" },
        { "#######...", "aaaaaaaaai" },
    };

    for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
        g_autoptr(FsnIdleTrack) track = track_of(rows[r].samples);

        for (size_t i = 0; i < strlen(rows[r].states); i++) {
            g_assert_cmpint(fsn_idle_track_is_active(track, i), ==,
                            rows[r].states[i] == 'a');
            g_assert_cmpint(fsn_idle_track_is_known(track, i), ==,
                            rows[r].samples[i] != '?');
        }
    }
}

static void
test_periods(void)
{
    /*                                   0         1         2 */
    /*                                   012345678901234567890123 */
    g_autoptr(FsnIdleTrack) track = track_of("..##......#...?....#....");
    size_t n;
    const FsnIdleCycle *cycles = fsn_idle_track_cycles(track, 23, &n);

    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpuint(cycles[0].active_from, ==, 2);
    g_assert_cmpuint(cycles[0].idle_from, ==, 6);
    g_assert_cmpuint(cycles[0].wake, ==, 10);
    g_assert_cmpuint(cycles[1].active_from, ==, 10);
    g_assert_cmpuint(cycles[1].idle_from, ==, 13);
    g_assert_cmpuint(cycles[1].wake, ==, 19);
    (void)fsn_idle_track_cycles(track, 18, &n);
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpuint(fsn_idle_track_elapsed(track, 9), ==, 4);
    g_assert_cmpuint(fsn_idle_track_elapsed(track, 10), ==, 1);
    g_assert_cmpuint(fsn_idle_track_quiet(track, 9), ==, 6);
    g_assert_cmpint(fsn_idle_track_label(track, 7, 3), ==, 1);
    g_assert_cmpint(fsn_idle_track_label(track, 6, 3), ==, 0);
    g_assert_cmpint(fsn_idle_track_label(track, 13, 3), ==, -1); /* one is missing */
    g_assert_cmpint(fsn_idle_track_label(track, 20, 3), ==, 1);
    g_assert_cmpint(fsn_idle_track_label(track, 21, 3), ==, -1); /* to come */
}

static void
test_threshold(void)
{
    static const double low[] = { .1, .2, .2, .3, 90, 95 };
    static const double restless[] = { 5, 5.2, NAN, 5.1, 9, 60, 5.3 };
    static const double busy[] = { 95, 96, 97 };
    static const double nothing[] = { NAN, NAN };

    g_assert_cmpfloat(fsn_idle_threshold(low, 6, 2), ==, 2);
    g_assert_cmpfloat_with_epsilon(fsn_idle_threshold(restless, 7, 2), 10.2, 1e-9);
    g_assert_cmpfloat(fsn_idle_threshold(busy, 3, 2), ==, 20);
    g_assert_cmpfloat(fsn_idle_threshold(nothing, 2, 2), ==, 2);
    g_assert_cmpfloat(fsn_idle_threshold(NULL, 0, .02), ==, .02);
}

/* Finer series are averaged, what does not fit is refused. */
static void
test_series(void)
{
    static const struct {
        int64_t step_s;
        bool fits;
    } rows[] = {
        { 300, true },   { 10, true }, { 60, true },
        { 3600, false }, { 7, false }, { 299, false },
    };

    g_autoptr(FsnSeries) minutes =
        fsn_series_new(0, G_GINT64_CONSTANT(60) * G_USEC_PER_SEC, 12);
    g_autoptr(FsnIdleTrack) track = NULL;

    for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FsnSeries) series =
            fsn_series_new(0, rows[r].step_s * G_USEC_PER_SEC, 100);
        g_autoptr(FsnIdleTrack) made =
            fsn_idle_track_of_series(series, NAN, 2, NULL, &error);

        g_assert_cmpint(made != NULL, ==, rows[r].fits);
        if (!rows[r].fits) {
            g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
        }
    }
    for (size_t i = 0; i < 5; i++) {
        minutes->values[i] = i == 2 ? NAN : 3;
    }
    track = fsn_idle_track_of_series(minutes, 2, 2, NULL, NULL);
    g_assert_cmpuint(fsn_idle_track_count(track), ==, 2); /* the third is not whole */
    g_assert_true(fsn_idle_track_is_active(track, 0));
    g_assert_false(fsn_idle_track_is_known(track, 1));
}

static double
sample_of(uint32_t *state, size_t i)
{
    *state = *state * 1664525 + 1013904223;
    if (i % 97 == 0) {
        return NAN;
    }
    return (*state >> 24) < ((i / 12) % 24 > 8 ? 90U : 3U)
               ? 40
               : .2 + (double)(*state >> 28) / 50;
}

/* Features of a sample are the same to the byte whatever comes after it, and finite. */
static void
test_no_future(void)
{
    size_t n = 15 * FSN_IDLE_DAY, count = fsn_idle_feature_count();
    g_autoptr(FsnIdleTrack) real = fsn_idle_track_new(0, 2, NULL);
    g_autoptr(FsnIdleTrack) other = fsn_idle_track_new(0, 2, NULL);
    g_autofree float *a = g_new(float, count);
    g_autofree float *b = g_new(float, count);
    uint32_t state = 1, garbage = 2;

    for (size_t i = 0; i < n; i++) {
        double value = sample_of(&state, i);

        g_assert_true(fsn_idle_track_push(real, value));
        g_assert_true(fsn_idle_track_push(
            other, i < n / 2 ? value : (double)(garbage = garbage * 69069 + 1)));
    }
    for (size_t i = 0; i < n / 2; i++) {
        fsn_idle_track_features(real, i, a);
        fsn_idle_track_features(other, i, b);
        g_assert_cmpmem(a, count * sizeof *a, b, count * sizeof *b);
        for (size_t j = 0; j < count; j++) {
            g_assert_true(isfinite(a[j]));
        }
    }
}

static void
test_values(void)
{
    static const double values[] = { 0, -5, 1e300, -1e300, 1e-300, NAN, 2, DBL_MAX };
    size_t count = fsn_idle_feature_count();
    g_autofree float *features = g_new(float, count);
    g_autoptr(FsnIdleTrack) track = fsn_idle_track_new(-1, 2, NULL);

    for (size_t i = 0; i < 5000; i++) {
        g_assert_true(fsn_idle_track_push(track, values[i % G_N_ELEMENTS(values)]));
        fsn_idle_track_features(track, i, features);
        for (size_t j = 0; j < count; j++) {
            g_assert_true(isfinite(features[j]));
        }
    }
}

static void
test_full(void)
{
    g_autoptr(FsnIdleTrack) track = fsn_idle_track_new(0, 2, NULL);

    for (size_t i = 0; i < FSN_IDLE_SAMPLES_MAX; i++) {
        g_assert_true(fsn_idle_track_push(track, 0));
    }
    g_assert_false(fsn_idle_track_push(track, 0));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/idle-track/rule", test_rule);
    g_test_add_func("/idle-track/periods", test_periods);
    g_test_add_func("/idle-track/threshold", test_threshold);
    g_test_add_func("/idle-track/series", test_series);
    g_test_add_func("/idle-track/no-future", test_no_future);
    g_test_add_func("/idle-track/values", test_values);
    g_test_add_func("/idle-track/full", test_full);
    return g_test_run();
}
