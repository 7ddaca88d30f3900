/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a snapshot carries of a history: its format, what fits, and that it comes back. And values
 * out of files. */
#include "base/bytes.h"
#include "base/error.h"
#include "history/carry-format.h"
#include "history/carry.h"
#include "history/csv.h"
#include "history/samples-csv.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define UUID "6a1f27a2-7d6a-4a0c-93a5-4d5ea9b7a001"
#define SEC  ((int64_t)G_USEC_PER_SEC)

static FsnCarry *
small(void)
{
    FsnCarry *carry = fsn_carry_new(FSN_HISTORY_FINE_US * 1000, 2);
    FsnCarryMetric *cpu = fsn_carry_add(carry, "cpu");

    cpu->mean[0] = 1.5;
    cpu->p95[0] = 2;
    return carry;
}

static void
test_golden(void)
{
    static const uint8_t payload[] = {
        0x00, 0xb8, 0x64, 0xd9, 0x45, 0, 0, 0, /* 300,000,000,000 us */
        2,    0,    0,    0,                   /* slots */
        1,    0,    0,    0,                   /* metrics */
        3,    'c',  'p',  'u',                 /* its name */
        0x3f, 0x7f, 0xc0, 0xc0, /* means 3fc0, 7fc0 (not known): high, low */
        0x7f, 0x00, 0xc0, 0x00, /* p95 XOR mean: 4000 ^ 3fc0, 7fc0 ^ 7fc0 */
    };
    g_autoptr(FsnCarry) carry = small();
    g_autoptr(GBytes) bytes = fsn_carry_build(carry, 9, 9);
    const uint8_t *data = g_bytes_get_data(bytes, NULL);
    g_autoptr(GByteArray) plain = g_byte_array_new();
    g_autoptr(FsnCarry) back = NULL;
    const FsnCarryMetric *cpu;

    g_assert_cmpmem(data, 8, "FSNHIST1", 8);
    g_assert_cmpuint(fsn_get_le32(data + 8), ==, 1);
    g_assert_cmpuint(fsn_get_le32(data + 16), ==, sizeof payload);
    /* The same without compression. */
    g_byte_array_append(plain, data, 24);
    fsn_put_le32(plain->data + 12, 0);
    g_byte_array_append(plain, payload, sizeof payload);
    back = fsn_carry_parse(plain->data, plain->len, NULL);
    g_assert_nonnull(back);
    g_assert_cmpint(back->start_us, ==, FSN_HISTORY_FINE_US * 1000);
    cpu = back->metrics->pdata[0];
    g_assert_cmpstr(cpu->name, ==, "cpu");
    g_assert_cmpfloat(cpu->mean[0], ==, 1.5);
    g_assert_cmpfloat(cpu->p95[0], ==, 2);
    g_assert_true(isnan(cpu->mean[1]));
    g_clear_pointer(&back, fsn_carry_free);
    back = fsn_carry_parse(data, g_bytes_get_size(bytes), NULL);
    g_assert_nonnull(back);
    g_assert_cmpfloat(((FsnCarryMetric *)back->metrics->pdata[0])->p95[0], ==, 2);
    /* Truncated anywhere, or with something behind it, it is refused. */
    for (guint len = 0; len < plain->len; len++) {
        g_assert_null(fsn_carry_parse(plain->data, len, NULL));
    }
    fsn_append_u8(plain, 0);
    g_assert_null(fsn_carry_parse(plain->data, plain->len, NULL));
    for (guint i = 0; i < plain->len; i++) {
        g_autoptr(FsnCarry) any = NULL;

        plain->data[i] ^= 0xff;
        any = fsn_carry_parse(plain->data, plain->len, NULL);
        plain->data[i] ^= 0xff;
    }
}

static void
test_newer(void)
{
    g_autoptr(FsnCarry) carry = small();
    g_autoptr(GBytes) bytes = fsn_carry_build(carry, 9, 9);
    gsize len;
    g_autofree uint8_t *data =
        g_memdup2(g_bytes_get_data(bytes, &len), g_bytes_get_size(bytes));
    g_autoptr(GError) error = NULL;

    data[8] = 3;
    g_assert_null(fsn_carry_parse(data, len, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
}

/* The usual machine fits as a whole; one with many noisy metrics loses devices, then the past. */
static void
test_fit(void)
{
    static const char *const names[] = { "cpu",
                                         "disk.read.bytes",
                                         "disk.read.requests",
                                         "disk.write.bytes",
                                         "disk.write.requests",
                                         "memory.used",
                                         "net.rx.bytes",
                                         "net.tx.bytes" };
    g_autoptr(GRand) rand = g_rand_new_with_seed(9);
    g_autoptr(FsnCarry) carry = fsn_carry_new(FSN_HISTORY_FINE_US * 6000000, 28 * 288);
    g_autoptr(GBytes) usual = NULL;
    g_autoptr(GBytes) devices = NULL;
    g_autoptr(GBytes) many = NULL;
    g_autoptr(FsnCarry) without = NULL;
    g_autoptr(FsnCarry) shorter = NULL;

    for (size_t k = 0; k < 8 + 40; k++) {
        g_autofree char *name =
            k < 8 ? g_strdup(names[k]) : g_strdup_printf("disk.vd%zu.write.bytes", k);
        FsnCarryMetric *metric = fsn_carry_add(carry, name);

        for (size_t i = 0; i < carry->n; i++) {
            metric->mean[i] =
                g_rand_double_range(rand, 1e6, 2e6) * (1 + sin((double)i / 46));
            metric->p95[i] = metric->mean[i] * g_rand_double_range(rand, 1, 3);
        }
        if (k == 7) {
            usual = fsn_carry_fit(carry, FSN_CARRY_MAX_BYTES);
            g_assert_nonnull(usual);
        }
    }
    g_test_message("8 metrics of 28 days that are all noise: %zu bytes",
                   g_bytes_get_size(usual));
    devices = fsn_carry_fit(carry, FSN_CARRY_MAX_BYTES);
    without =
        fsn_carry_parse(g_bytes_get_data(devices, NULL), g_bytes_get_size(devices), NULL);
    g_assert_cmpuint(without->metrics->len, ==, 8);
    g_assert_cmpuint(without->n, ==, 28 * 288);
    many = fsn_carry_fit(carry, 60000);
    shorter = fsn_carry_parse(g_bytes_get_data(many, NULL), g_bytes_get_size(many), NULL);
    g_assert_cmpuint(g_bytes_get_size(many), <=, 60000);
    g_assert_cmpuint(shorter->n, ==, 7 * 288);
    g_assert_cmpint(shorter->start_us, ==,
                    carry->start_us + 21 * 288 * FSN_HISTORY_FINE_US);
    g_assert_null(fsn_carry_fit(carry, 100));
}

/* Hours: a version of its own, which is read back, and whose slots have no other length. */
static void
test_hours(void)
{
    g_autoptr(FsnCarry) carry = fsn_carry_new(FSN_HISTORY_COARSE_US * 1000, 48);
    FsnCarryMetric *metric;
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(FsnCarry) back = NULL;
    g_autoptr(FsnCarry) none = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree uint8_t *copy = NULL;
    gsize len;

    carry->step_us = FSN_HISTORY_COARSE_US;
    metric = fsn_carry_add(carry, "cpu");
    for (int i = 0; i < 48; i++) {
        metric->mean[i] = metric->p95[i] = i;
    }
    bytes = fsn_carry_build(carry, 1, 48);
    back =
        fsn_carry_parse(g_bytes_get_data(bytes, &len), g_bytes_get_size(bytes), &error);
    g_assert_no_error(error);
    g_assert_cmpint(back->step_us, ==, FSN_HISTORY_COARSE_US);
    g_assert_cmpint(back->start_us, ==, carry->start_us);
    g_assert_cmpuint(back->n, ==, 48);
    copy = g_memdup2(g_bytes_get_data(bytes, NULL), len);
    g_assert_cmpuint(copy[8], ==, 2);
    copy[20] ^= 1;
    none = fsn_carry_parse(copy, len, &error);
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

static void
remove_all(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        g_unlink(path);
    }
}

/* 14 days of hours of noise fit, and come back as what is known of each hour. */
static void
test_small(void)
{
    g_autofree char *folder = g_dir_make_tmp("carry-XXXXXX", NULL);
    g_autofree char *here = g_build_filename(folder, "here.db", NULL);
    g_autofree char *there = g_build_filename(folder, "there.db", NULL);
    g_autofree FsnWindow *windows = g_new0(FsnWindow, 20 * 288);
    int64_t now = g_get_real_time();
    int64_t start = (now / FSN_HISTORY_COARSE_US - 20 * 24) * FSN_HISTORY_COARSE_US;
    g_autoptr(FsnHistory) h = fsn_history_open(here, FSN_HISTORY_CREATE, NULL);
    g_autoptr(FsnHistory) t = NULL;
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    g_autoptr(FsnSeries) mean = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;

    for (int m = 0; m < 8; m++) {
        g_autofree char *name = g_strdup_printf("noise%d", m);

        for (int i = 0; i < 20 * 288; i++) {
            double v = i / 12 + (m ? g_rand_double(rand) * 1e6 : 0);

            windows[i] = (FsnWindow){ v, v, v, v, 255 };
        }
        g_assert_true(
            fsn_history_merge(h, UUID, "vm", name, start, windows, 20 * 288, now, NULL));
    }
    bytes = fsn_history_carry_small(here, UUID, FSN_CARRY_SMALL_BYTES, &error);
    g_assert_no_error(error);
    g_assert_nonnull(bytes);
    g_test_message("14 days of hours of 8 metrics: %zu bytes", g_bytes_get_size(bytes));
    g_assert_cmpuint(g_bytes_get_size(bytes), <=, FSN_CARRY_SMALL_BYTES);
    g_assert_true(fsn_history_absorb(there, UUID, "vm", bytes, &error));
    g_assert_no_error(error);
    t = fsn_history_open(there, FSN_HISTORY_READ_ONLY, NULL);
    mean = fsn_history_series(t, UUID, "noise0", start,
                              start + 20 * 24 * FSN_HISTORY_COARSE_US,
                              FSN_HISTORY_COARSE_US, FSN_HISTORY_MEAN, NULL);
    g_assert_true(isnan(mean->values[0]));
    for (int i = 20 * 24 - 48; i < 20 * 24; i++) {
        g_assert_cmpfloat_with_epsilon(mean->values[i], i, i * .004);
    }
    g_clear_pointer(&h, fsn_history_free);
    g_clear_pointer(&t, fsn_history_free);
    remove_all(folder);
    g_rmdir(folder);
}

/* Samples since a time, as they were. */
static void
test_samples(void)
{
    g_autofree char *folder = g_dir_make_tmp("carry-XXXXXX", NULL);
    g_autofree char *here = g_build_filename(folder, "here.db", NULL);
    int64_t now = g_get_real_time() / G_USEC_PER_SEC * G_USEC_PER_SEC;
    g_autoptr(FsnHistory) h = fsn_history_open(here, FSN_HISTORY_CREATE, NULL);
    const FsnMetricValue values[] = { { .name = "cpu", .value = 12.5 },
                                      { .name = "memory", .value = 1048576 } };
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GBytes) few = NULL;
    g_autofree char *text = NULL;
    g_autofree char *want = NULL;
    g_autoptr(GError) error = NULL;

    for (int i = 4; i > 0; i--) {
        const FsnHistorySample s = {
            UUID, "vm", now - i * 10 * G_USEC_PER_SEC, 10 * G_USEC_PER_SEC, values, 2
        };

        g_assert_true(fsn_history_insert(h, &s, 1, now, &error));
        g_assert_no_error(error);
    }
    g_assert_null(fsn_samples_carry(here, "nobody", 0, &error));
    g_assert_no_error(error);
    g_assert_null(fsn_samples_carry(here, UUID, now - 10 * G_USEC_PER_SEC, &error));
    g_assert_no_error(error);
    bytes = fsn_samples_carry(here, UUID, now - 20 * G_USEC_PER_SEC, &error);
    g_assert_no_error(error);
    text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    want = g_strdup_printf("time,span,metric,value\n"
                           "%" G_GINT64_FORMAT ".000000,10.000,cpu,12.5\n"
                           "%" G_GINT64_FORMAT ".000000,10.000,memory,1048576\n",
                           now / G_USEC_PER_SEC - 10, now / G_USEC_PER_SEC - 10);
    g_assert_cmpstr(text, ==, want);
    /* What is too much is the oldest. */
    few = fsn_history_samples_csv(h, UUID, 0, strlen(want) + 5, &error);
    g_assert_true(g_bytes_equal(few, bytes));
    g_clear_pointer(&h, fsn_history_free);
    remove_all(folder);
    g_rmdir(folder);
}

/* From one host to another, and again. */
static void
test_round_trip(void)
{
    g_autofree char *folder = g_dir_make_tmp("carry-XXXXXX", NULL);
    g_autofree char *here = g_build_filename(folder, "here.db", NULL);
    g_autofree char *there = g_build_filename(folder, "there.db", NULL);
    int64_t now = g_get_real_time();
    int64_t start = (now / FSN_HISTORY_FINE_US - 288 * 3) * FSN_HISTORY_FINE_US;
    g_autofree FsnWindow *windows = g_new0(FsnWindow, 3 * 288);
    g_autoptr(FsnHistory) h = fsn_history_open(here, FSN_HISTORY_CREATE, NULL);
    g_autoptr(FsnHistory) t = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(FsnSeries) mean = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_null(fsn_history_carry(there, UUID, &error));
    g_assert_no_error(error);
    g_assert_null(fsn_history_carry(here, UUID, &error));
    g_assert_no_error(error);
    for (int i = 0; i < 3 * 288; i++) {
        windows[i] = (FsnWindow){ i, i + 1, i + 3, i + 2, i % 5 ? 255 : 0 };
    }
    g_assert_true(
        fsn_history_merge(h, UUID, "vm", "cpu", start, windows, 3 * 288, now, NULL));
    bytes = fsn_history_carry(here, UUID, NULL);
    g_assert_nonnull(bytes);
    for (int round = 0; round < 2; round++) {
        g_assert_true(fsn_history_absorb(there, UUID, "vm", bytes, NULL));
    }
    t = fsn_history_open(there, FSN_HISTORY_READ_ONLY, NULL);
    mean =
        fsn_history_series(t, UUID, "cpu", start, start + 3 * 288 * FSN_HISTORY_FINE_US,
                           FSN_HISTORY_FINE_US, FSN_HISTORY_MEAN, NULL);
    for (int i = 0; i < 3 * 288; i++) {
        if (i % 5) {
            g_assert_cmpfloat_with_epsilon(mean->values[i], i + 1, (i + 1) * .004);
        } else {
            g_assert_true(isnan(mean->values[i]));
        }
    }
    /* Where it came from, nothing becomes less precise. */
    g_assert_true(fsn_history_absorb(here, UUID, "vm", bytes, NULL));
    g_clear_pointer(&mean, fsn_series_free);
    mean =
        fsn_history_series(h, UUID, "cpu", start, start + 3 * 288 * FSN_HISTORY_FINE_US,
                           FSN_HISTORY_FINE_US, FSN_HISTORY_MEAN, NULL);
    g_assert_cmpfloat(mean->values[777], ==, 778);
    g_clear_pointer(&h, fsn_history_free);
    g_clear_pointer(&t, fsn_history_free);
    remove_all(folder);
    g_rmdir(folder);
}

static void
test_csv(void)
{
    static const char *const bad[] = {
        "",
        "cpu\n1\n",
        "time\n1\n",
        "time,metric\n1,cpu\n",
        "time,CPU\n1,2\n",
        "time,cpu\n1\n",
        "time,cpu\n1,2,3\n",
        "time,cpu\nyesterday,2\n",
        "time,cpu\n2026-11-28T10:00:00,2\n",
        "time,cpu\n-5,2\n",
        "time,cpu\n1,nan\n",
        "time,cpu\n1,1e999\n",
        "time,cpu\n1,2x\n",
        "time,metric,value\n1,Bad Name,2\n",
        "time,cpu\n1,\"2\n",
        "time,cpu\n1,\"2\"3\n",
        "time,cpu\n1,\xff\n",
    };
    static const char wide[] = "\xef\xbb\xbftime,\"cpu\",orders\r\n"
                               "2026-11-28T10:00:00+01:00,1.5,\r\n\r\n"
                               "1700000000.5,\"2\",7";
    static const char tall[] = "time,metric,min,mean,max,p95\n1700000000,cpu,1,2,3,4\n";
    g_autoptr(GArray) values = NULL;
    g_autoptr(GArray) own = NULL;
    const FsnCsvValue *v;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GArray) none = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_history_csv_parse(bad[i], strlen(bad[i]), &none, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
    g_assert_true(fsn_history_csv_parse(wide, sizeof wide - 1, &values, NULL));
    g_assert_cmpuint(values->len, ==, 3);
    v = &g_array_index(values, FsnCsvValue, 1);
    g_assert_cmpstr(v->value.name, ==, "orders");
    g_assert_cmpfloat(v->value.value, ==, 7);
    g_assert_cmpint(v->time_us, ==, 1700000000500000);
    g_assert_cmpint(g_array_index(values, FsnCsvValue, 2).time_us, ==, 1795856400000000);
    g_assert_true(fsn_history_csv_parse(tall, sizeof tall - 1, &own, NULL));
    g_assert_cmpuint(own->len, ==, 1);
    g_assert_cmpfloat(g_array_index(own, FsnCsvValue, 0).value.value, ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/history-carry/golden", test_golden);
    g_test_add_func("/history-carry/newer", test_newer);
    g_test_add_func("/history-carry/fit", test_fit);
    g_test_add_func("/history-carry/hours", test_hours);
    g_test_add_func("/history-carry/small", test_small);
    g_test_add_func("/history-carry/samples", test_samples);
    g_test_add_func("/history-carry/round-trip", test_round_trip);
    g_test_add_func("/history-carry/csv", test_csv);
    return g_test_run();
}
