/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/memory/workingset*.c: it learns, improves and ages; hostile bytes are refused. */
#include "config.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "memory/workingset.h"

#define N 1000u

/* The guest touches granules first, first + step… in order, 10 µs apart. */
static void
resume(FsnWorkingSet *set,
       uint32_t first,
       uint32_t n,
       uint32_t step,
       bool predicted,
       const uint32_t *probes,
       uint32_t n_probes)
{
    g_autofree uint32_t *granules = g_new(uint32_t, n);
    g_autofree uint32_t *at_us = g_new(uint32_t, n);
    FsnResumeObservation seen = { granules, at_us,     n,       probes,
                                  n_probes, predicted, 1000000, 1700000000000000 };

    for (uint32_t i = 0; i < n; i++) {
        granules[i] = first + i * step;
        at_us[i] = i * 10;
    }
    fsn_working_set_merge(set, &seen);
}

static void
test_learns_in_order(void)
{
    g_autoptr(FsnWorkingSet) set = fsn_working_set_new();
    const FsnWorkingEntry *e;
    uint32_t n;

    resume(set, 5000, N, 3, false, NULL, 0);
    g_assert_cmpuint(fsn_working_set_length(set), ==, N);
    e = fsn_working_set_entries(set);
    for (uint32_t i = 0; i < N; i++) {
        g_assert_cmpuint(e[i].granule, ==, 5000 + 3 * i);
    }
    g_assert_cmpuint(fsn_working_set_history(set, &n)[0].faults, ==, N);
    g_assert_cmpuint(n, ==, 1);
    g_assert_true(fsn_working_set_hit_rate(set) < 0);
}

static void
test_improves_and_forgets(void)
{
    g_autoptr(FsnWorkingSet) set = fsn_working_set_new();
    uint16_t score;

    resume(set, 0, N, 1, false, NULL, 0);
    score = fsn_working_set_entries(set)[0].score;
    resume(set, 0, N / 2, 1, false, NULL, 0); /* the second half is not touched again */
    g_assert_cmpuint(fsn_working_set_entries(set)[0].score, >, score);
    g_assert_cmpuint(fsn_working_set_entries(set)[N - 1].score, <, score);
    for (int i = 0; i < 4; i++) {
        resume(set, 0, N / 2, 1, false, NULL, 0);
    }
    g_assert_cmpuint(fsn_working_set_length(set), ==, N / 2);
}

static void
test_probes_age_the_rest(void)
{
    g_autoptr(FsnWorkingSet) good = fsn_working_set_new();
    g_autoptr(FsnWorkingSet) bad = fsn_working_set_new();
    uint32_t probes[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };

    resume(good, 0, N, 1, false, NULL, 0);
    resume(bad, 0, N, 1, false, NULL, 0);
    for (int i = 0; i < 12; i++) {
        resume(good, 0, 10, 1, true, probes, 10);   /* every probe is touched */
        resume(bad, 9000, 10, 1, true, probes, 10); /* none is */
    }
    g_assert_cmpuint(fsn_working_set_length(good), ==, N);
    g_assert_cmpuint(fsn_working_set_length(bad), ==, 10);
    g_assert_cmpuint(fsn_working_set_entries(bad)[0].granule, ==, 9000);
    g_assert_cmpfloat(fsn_working_set_hit_rate(good), ==, 1.0);
    g_assert_cmpfloat(fsn_working_set_hit_rate(bad), ==, 0.0);
}

static void
test_new_faults_take_their_place(void)
{
    g_autoptr(FsnWorkingSet) set = fsn_working_set_new();
    uint32_t granule = 77777;
    uint32_t at = 505;
    FsnResumeObservation seen = { &granule, &at, 1, NULL, 0, true, 0, 0 };

    resume(set, 0, 100, 1, false, NULL, 0);
    fsn_working_set_merge(set, &seen);
    g_assert_cmpuint(fsn_working_set_entries(set)[51].granule, ==, 77777);
    g_assert_cmpuint(fsn_working_set_length(set), ==, 101);
}

static void
test_probes_are_two_percent(void)
{
    uint32_t n = 0;

    for (uint64_t g = 0; g < 100000; g++) {
        n += fsn_working_set_is_probe(42, g);
    }
    g_assert_cmpuint(n, >, 1700);
    g_assert_cmpuint(n, <, 2300);
}

static GBytes *
sample(void)
{
    g_autoptr(FsnWorkingSet) set = fsn_working_set_new();
    uint32_t probes[] = { 1, 2 };

    resume(set, 0, 6, 7, false, NULL, 0);
    resume(set, 0, 3, 7, true, probes, 2);
    return fsn_working_set_write(set);
}

static void
test_round_trip(void)
{
    g_autoptr(GBytes) bytes = sample();
    g_autoptr(GBytes) again = NULL;
    g_autoptr(FsnWorkingSet) set = NULL;

    g_assert_true(fsn_working_set_parse(bytes, &set, NULL));
    again = fsn_working_set_write(set);
    g_assert_true(g_bytes_equal(bytes, again));
    g_assert_cmpuint(fsn_working_set_resumes(set), ==, 2);
}

static void
test_damage_is_refused(void)
{
    g_autoptr(GBytes) bytes = sample();
    size_t len;
    const uint8_t *data = g_bytes_get_data(bytes, &len);

    for (size_t i = 0; i < len; i++) {
        g_autofree uint8_t *copy = g_memdup2(data, len);
        g_autoptr(GBytes) cut = g_bytes_new(data, i);
        g_autoptr(GBytes) flipped = NULL;
        FsnWorkingSet *set = NULL;

        copy[i] ^= 0x10;
        flipped = g_bytes_new(copy, len);
        g_assert_false(fsn_working_set_parse(cut, &set, NULL));
        g_assert_false(fsn_working_set_parse(flipped, &set, NULL));
        g_assert_null(set);
    }
}

/* Bytes whose checksum is right but whose entries are not. */
static void
test_hostile_entries(void)
{
    g_autoptr(GBytes) bytes = sample();
    size_t len;
    const uint8_t *data = g_bytes_get_data(bytes, &len);
    size_t entries = 24 + 2 * 32;
    const size_t offsets[] = { entries + 16, entries + 8, entries + 4 };
    const uint32_t values[] = { fsn_get_le32(data + entries), 1001, UINT32_MAX };

    for (size_t i = 0; i < G_N_ELEMENTS(offsets); i++) {
        g_autofree uint8_t *copy = g_memdup2(data, len);
        g_autoptr(GBytes) hostile = NULL;
        g_autoptr(GError) error = NULL;
        FsnWorkingSet *set = NULL;

        fsn_put_le32(copy + offsets[i], values[i]);
        fsn_put_le64(copy + len - 8, fsn_hash64(copy, len - 8));
        hostile = g_bytes_new(copy, len);
        g_assert_false(fsn_working_set_parse(hostile, &set, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/workingset/learns-in-order", test_learns_in_order);
    g_test_add_func("/workingset/improves-and-forgets", test_improves_and_forgets);
    g_test_add_func("/workingset/probes-age-the-rest", test_probes_age_the_rest);
    g_test_add_func("/workingset/new-faults", test_new_faults_take_their_place);
    g_test_add_func("/workingset/two-percent", test_probes_are_two_percent);
    g_test_add_func("/workingset/round-trip", test_round_trip);
    g_test_add_func("/workingset/damage", test_damage_is_refused);
    g_test_add_func("/workingset/hostile", test_hostile_entries);
    return g_test_run();
}
