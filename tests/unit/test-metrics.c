/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From readings to metrics, and from values to windows of time. */
#include "metrics/rates.h"
#include "metrics/window.h"

#include <math.h>
#include <string.h>

#define UUID  "6a1f27a2-7d6a-4a0c-93a5-4d5ea9b7a001"
#define START ((int64_t)1700000000 * G_USEC_PER_SEC)
#define SEC   ((int64_t)G_USEC_PER_SEC)

static void
test_names(void)
{
    static const char *const good[] = { "cpu", "disk.vda.write.bytes", "a", "x_1-2.3" };
    static const char *const bad[] = { "", "Cpu", "1a", "a b", ".a", "a/b", "\xc3\xa4" };
    char name[FSN_METRIC_NAME_MAX + 1];
    g_autofree char *longest = g_strnfill(64, 'a');
    g_autofree char *too_long = g_strnfill(65, 'a');
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(fsn_metric_name_check(good[i], NULL));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(fsn_metric_name_is_valid(bad[i]));
    }
    g_assert_true(fsn_metric_name_is_valid(longest));
    g_assert_false(fsn_metric_name_check(too_long, &error));
    g_assert_nonnull(strstr(error->message, "64 characters"));

    fsn_metric_device_name(name, "net", "Br 0/é", "rx.bytes");
    g_assert_cmpstr(name, ==, "net.br_0___.rx.bytes");
    fsn_metric_device_name(name, "disk", too_long, "write.requests");
    g_assert_cmpuint(strlen(name), ==, FSN_METRIC_NAME_MAX);
    g_assert_true(g_str_has_suffix(name, "a.write.requests"));
    g_assert_true(fsn_metric_name_is_valid(name));

    g_assert_cmpint(fsn_metric_unit("disk.vda.write.bytes"), ==, FSN_UNIT_BYTES_PER_S);
    g_assert_cmpint(fsn_metric_unit("vcpu.12.time"), ==, FSN_UNIT_CORES);
    g_assert_cmpint(fsn_metric_unit("memory.used"), ==, FSN_UNIT_BYTES);
    g_assert_cmpint(fsn_metric_unit("orders"), ==, FSN_UNIT_PLAIN);
    g_assert_cmpint(fsn_metric_kind("cpu"), ==, FSN_METRIC_OF_DOMAIN);
    g_assert_cmpint(fsn_metric_kind("disk.write.bytes"), ==, FSN_METRIC_OF_DOMAIN);
    g_assert_cmpint(fsn_metric_kind("disk.vda.write.bytes"), ==, FSN_METRIC_OF_DEVICE);
    g_assert_cmpint(fsn_metric_kind("orders"), ==, FSN_METRIC_OF_USER);
}

static void
test_counters(void)
{
    static const struct {
        uint64_t before, now;
        bool known;
        uint64_t delta;
    } cases[] = {
        { 5, 5, true, 0 },
        { 5, 12, true, 7 },
        { FSN_NOT_READ, 12, false, 0 },
        { 5, FSN_NOT_READ, false, 0 },
        { 4294967290, 4, true, 10 },          /* 32 bits were full */
        { 4294967290, 4294967280, false, 0 }, /* fell, but not round */
        { 3000000000, 2000000000, false, 0 }, /* a reset to somewhere */
        { 1000, 10, false, 0 },               /* a reset */
        { UINT64_C(1) << 40, 10, false, 0 },  /* a reset of a large one */
        { UINT64_MAX - 9, 10, true, 20 },     /* 64 bits were full */
        { UINT64_MAX - 9, UINT64_MAX - 19, false, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t delta = 0;

        g_assert_cmpint(fsn_counter_delta(cases[i].before, cases[i].now, &delta), ==,
                        cases[i].known);
        g_assert_cmpuint(delta, ==, cases[i].delta);
    }
}

/* A running domain with a disk and an interface, @s seconds after the start. */
static FsnReading *
reading_at(int64_t s, uint64_t cpu_s, uint64_t written)
{
    FsnReading *r = fsn_reading_new(UUID, "vm");

    r->boot = g_strdup("boot");
    r->real_us = START + s * SEC;
    r->boot_us = (1000 + s) * SEC;
    r->run = 7;
    r->running = true;
    fsn_reading_number(r, "cpu.time", cpu_s * 1000000000);
    fsn_reading_number(r, "vcpu.current", 2);
    fsn_reading_number(r, "vcpu.0.time", cpu_s * 500000000);
    fsn_reading_number(r, "balloon.current", 1024);
    fsn_reading_number(r, "balloon.rss", 512);
    fsn_reading_text(r, "block.0.name", "vda");
    fsn_reading_number(r, "block.0.wr.bytes", written);
    fsn_reading_number(r, "block.0.capacity", 5000);
    fsn_reading_text(r, "net.0.name", "vnet0");
    fsn_reading_number(r, "net.0.rx.bytes", written / 2);
    return r;
}

/* NAN if it is not among the values. */
static double
value_of(GArray *values, const char *name)
{
    for (guint i = 0; i < values->len; i++) {
        if (strcmp(g_array_index(values, FsnMetricValue, i).name, name) == 0) {
            return g_array_index(values, FsnMetricValue, i).value;
        }
    }
    return NAN;
}

static GArray *
compute(const FsnReading *before, const FsnReading *now, int64_t *out_span_us)
{
    GArray *values = g_array_new(FALSE, FALSE, sizeof(FsnMetricValue));

    fsn_rates_compute(before, now, values, out_span_us);
    for (guint i = 0; i < values->len; i++) {
        g_assert_true(
            fsn_metric_name_is_valid(g_array_index(values, FsnMetricValue, i).name));
        for (guint k = 0; k < i; k++) {
            g_assert_cmpstr(g_array_index(values, FsnMetricValue, i).name, !=,
                            g_array_index(values, FsnMetricValue, k).name);
        }
    }
    return values;
}

static void
test_rates(void)
{
    g_autoptr(FsnReading) a = reading_at(0, 100, 1000);
    g_autoptr(FsnReading) b = reading_at(10, 115, 6000);
    int64_t span;
    g_autoptr(GArray) first = compute(NULL, a, &span);
    g_autoptr(GArray) values = NULL;

    g_assert_cmpint(span, ==, 0);
    g_assert_cmpfloat(value_of(first, "vcpus"), ==, 2);
    g_assert_true(isnan(value_of(first, "cpu")));
    values = compute(a, b, &span);
    g_assert_cmpint(span, ==, 10 * SEC);
    g_assert_cmpfloat(value_of(values, "running"), ==, 1);
    g_assert_cmpfloat_with_epsilon(value_of(values, "cpu"), 1.5, 1e-9);
    g_assert_cmpfloat_with_epsilon(value_of(values, "vcpu.0.time"), .75, 1e-9);
    g_assert_cmpfloat(value_of(values, "disk.write.bytes"), ==, 500);
    g_assert_cmpfloat(value_of(values, "disk.vda.write.bytes"), ==, 500);
    g_assert_cmpfloat(value_of(values, "net.vnet0.rx.bytes"), ==, 250);
    g_assert_cmpfloat(value_of(values, "disk.capacity"), ==, 5000);
    g_assert_cmpfloat(value_of(values, "memory.balloon"), ==, 1 << 20);
    g_assert_true(isnan(value_of(values, "disk.read.bytes")));
}

/* What makes rates unknown, and what does not. */
static void
test_interruptions(void)
{
    static const char *const what[] = { "other run", "other boot", "cpu fell",
                                        "long gap",  "too soon",   "other domain" };

    for (size_t i = 0; i < G_N_ELEMENTS(what); i++) {
        g_autoptr(FsnReading) a = reading_at(0, 100, 1000);
        g_autoptr(FsnReading) b = reading_at(i == 3 ? 1801 : 10, i == 2 ? 90 : 115, 6000);
        g_autoptr(GArray) values = NULL;
        int64_t span;

        if (i == 0) {
            b->run = 8;
        } else if (i == 1) {
            g_free(b->boot);
            b->boot = g_strdup("another");
        } else if (i == 4) {
            b->boot_us = a->boot_us + 1000;
        } else if (i == 5) {
            b->uuid[0] = '7';
        }
        values = compute(a, b, &span);
        g_assert_cmpint(span, ==, 0);
        g_assert_true(isnan(value_of(values, "cpu")));
        g_assert_true(isnan(value_of(values, "disk.write.bytes")));
        g_assert_cmpfloat(value_of(values, "vcpus"), ==, 2);
    }
}

/* The real-time clock is set by an hour, forth and back: rates do not notice. */
static void
test_clock_step(void)
{
    for (int64_t step = -3600; step <= 3600; step += 7200) {
        g_autoptr(FsnReading) a = reading_at(0, 100, 1000);
        g_autoptr(FsnReading) b = reading_at(10, 115, 6000);
        g_autoptr(GArray) values = NULL;
        int64_t span;

        b->real_us += step * SEC;
        values = compute(a, b, &span);
        g_assert_cmpint(span, ==, 10 * SEC);
        g_assert_cmpfloat_with_epsilon(value_of(values, "cpu"), 1.5, 1e-9);
    }
}

static void
test_devices(void)
{
    g_autoptr(FsnReading) a = reading_at(0, 100, 1000);
    g_autoptr(FsnReading) b = reading_at(10, 115, 6000);
    g_autoptr(GArray) values = NULL;
    int64_t span;

    /* A disk that is plugged in has counted before: no spike. */
    fsn_reading_text(b, "block.1.name", "vdb");
    fsn_reading_number(b, "block.1.wr.bytes", UINT64_C(1) << 50);
    fsn_reading_number(b, "block.1.capacity", 700);
    /* Absurd numbers of devices are not believed. */
    fsn_reading_number(b, "block.4294967295.wr.bytes", 1);
    fsn_reading_number(b, "block.x.wr.bytes", 1);
    fsn_reading_number(b, "net.99999999999999999999.rx.bytes", 1);
    fsn_reading_number(b, "block.", 1);
    fsn_reading_text(b, "net.", "x");
    fsn_reading_text(b, "block", "x");
    values = compute(a, b, &span);
    g_assert_cmpuint(b->disks->len, ==, 2);
    g_assert_cmpfloat(value_of(values, "disk.write.bytes"), ==, 500);
    g_assert_true(isnan(value_of(values, "disk.vdb.write.bytes")));
    g_assert_cmpfloat(value_of(values, "disk.capacity"), ==, 5700);
}

static void
test_memory(void)
{
    g_autoptr(FsnReading) r = reading_at(0, 100, 1000);
    g_autoptr(GArray) quiet = NULL;
    g_autoptr(GArray) fresh = NULL;
    g_autoptr(GArray) stale = NULL;
    int64_t span;

    quiet = compute(NULL, r, &span); /* the guest reports nothing: what QEMU holds */
    g_assert_cmpfloat(value_of(quiet, "memory.used"), ==, 512 * 1024);
    fsn_reading_number(r, "balloon.available", 1000);
    fsn_reading_number(r, "balloon.unused", 100);
    fsn_reading_number(r, "balloon.usable", 400);
    fsn_reading_number(r, "balloon.last-update", (uint64_t)(r->real_us / SEC) - 20);
    fresh = compute(NULL, r, &span);
    g_assert_cmpfloat(value_of(fresh, "memory.used"), ==, 600 * 1024);
    fsn_reading_number(r, "balloon.last-update", (uint64_t)(r->real_us / SEC) - 2000);
    stale = compute(NULL, r, &span);
    g_assert_cmpfloat(value_of(stale, "memory.used"), ==, 512 * 1024);
}

static void
test_off(void)
{
    g_autoptr(FsnReading) a = fsn_reading_new(UUID, "vm");
    g_autoptr(FsnReading) b = fsn_reading_new(UUID, "vm");
    g_autoptr(GArray) values = NULL;
    int64_t span;

    a->boot = g_strdup("boot");
    b->boot = g_strdup("boot");
    a->boot_us = SEC;
    b->boot_us = 11 * SEC;
    values = compute(a, b, &span);
    g_assert_cmpint(span, ==, 10 * SEC);
    g_assert_cmpuint(values->len, ==, 2);
    g_assert_cmpfloat(value_of(values, "cpu"), ==, 0);
    g_assert_cmpfloat(value_of(values, "running"), ==, 0);
}

static void
test_reading_json(void)
{
    static const char *const bad[] = {
        "{}",
        "{\"uuid\":\"u\",\"name\":\"n\",\"real_us\":-1,\"boot_us\":1}",
        "{\"uuid\":\"u\",\"name\":\"n\",\"real_us\":1,\"boot_us\":1}",
        "{\"uuid\":\"u\",\"name\":\"n\",\"real_us\":1,\"boot_us\":1,\"disks\":[1],"
        "\"nets\":[],\"vcpus\":[]}",
    };
    g_autoptr(FsnReading) a = reading_at(0, 100, 1000);
    g_autoptr(FsnReading) b = reading_at(10, 115, 6000);
    g_autoptr(JsonObject) json = fsn_reading_to_json(a);
    g_autoptr(FsnReading) back = fsn_reading_from_json(json, NULL);
    g_autoptr(GArray) values = NULL;
    int64_t span;

    g_assert_nonnull(back);
    values = compute(back, b, &span);
    g_assert_cmpint(span, ==, 10 * SEC);
    g_assert_cmpfloat_with_epsilon(value_of(values, "cpu"), 1.5, 1e-9);
    g_assert_cmpfloat(value_of(values, "net.rx.bytes"), ==, 250);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(JsonNode) node = json_from_string(bad[i], NULL);
        g_autoptr(GError) error = NULL;

        g_assert_null(fsn_reading_from_json(json_node_get_object(node), &error));
        g_assert_nonnull(error);
    }
}

static void
test_window_values(void)
{
    FsnWeighted one[] = { { 7, 10 } };
    FsnWeighted spike[20];
    FsnWeighted uneven[] = { { 100, 3 }, { 1, 57 } };
    FsnWindow w = fsn_window_of(one, 1, 300);

    g_assert_cmpfloat(w.min, ==, 7);
    g_assert_cmpfloat(w.mean, ==, 7);
    g_assert_cmpfloat(w.p95, ==, 7);
    g_assert_cmpuint(w.cover, ==, 9); /* 10 s of 300 s in 255ths */
    for (size_t i = 0; i < 20; i++) {
        spike[i] = (FsnWeighted){ i == 3 ? 50 : 1, 15 };
    }
    w = fsn_window_of(spike, 20, 300);
    g_assert_cmpfloat(w.max, ==, 50);
    g_assert_cmpfloat(w.p95, ==, 1); /* it was above for 5 % of the time, not longer */
    g_assert_cmpfloat_with_epsilon(w.mean, 3.45, 1e-9);
    g_assert_cmpuint(w.cover, ==, 255);
    /* Weights are time: two samples, the high one for 5 % of it. */
    w = fsn_window_of(uneven, 2, 60);
    g_assert_cmpfloat(w.p95, ==, 1);
    g_assert_cmpfloat_with_epsilon(w.mean, 5.95, 1e-9);
}

static void
test_window_combine(void)
{
    FsnWindow parts[12];
    double weights[12];
    FsnWindow w;

    /* Constants: the mixture is exact. One of twelve is high for more than 5 %. */
    for (int i = 0; i < 12; i++) {
        double v = i == 5 ? 8 : 2;

        parts[i] = (FsnWindow){ v, v, v, v, 255 };
        weights[i] = 300;
    }
    w = fsn_window_combine(parts, weights, 12, 3600);
    g_assert_cmpfloat(w.min, ==, 2);
    g_assert_cmpfloat(w.max, ==, 8);
    g_assert_cmpfloat_with_epsilon(w.mean, 2.5, 1e-9);
    g_assert_cmpfloat_with_epsilon(w.p95, 8, 1e-6);
    g_assert_cmpuint(w.cover, ==, 255);
    weights[5] = 30; /* now for less */
    w = fsn_window_combine(parts, weights, 12, 3600);
    g_assert_cmpfloat_with_epsilon(w.p95, 2, 1e-6);
    /* Where only mean and p95 are known, they stand for the rest. */
    parts[0].min = parts[0].max = NAN;
    w = fsn_window_combine(parts, weights, 1, 3600);
    g_assert_true(isnan(w.min) && isnan(w.max));
    w = fsn_window_combine(parts, weights, 12, 3600);
    g_assert_cmpfloat(w.min, ==, 2);
    g_assert_cmpfloat(w.max, ==, 8);
}

/* The p95 of an hour from its windows is close to that of all its values. */
static void
test_window_mixture(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(4);
    FsnWeighted all[360];
    FsnWindow parts[12];
    double weights[12];
    double worst = 0;
    double sum = 0;

    for (int trial = 0; trial < 50; trial++) {
        FsnWindow exact;
        FsnWindow mixed;

        for (int i = 0; i < 12; i++) {
            double level = g_rand_double_range(rand, 1, 4);
            FsnWeighted part[30];

            for (int k = 0; k < 30; k++) {
                part[k] = (FsnWeighted){ level * (1 + g_rand_double(rand)), 10 };
                all[i * 30 + k] = part[k];
            }
            parts[i] = fsn_window_of(part, 30, 300);
            weights[i] = 300;
        }
        exact = fsn_window_of(all, 360, 3600);
        mixed = fsn_window_combine(parts, weights, 12, 3600);
        g_assert_cmpfloat_with_epsilon(mixed.mean, exact.mean, 1e-9);
        g_assert_cmpfloat(mixed.max, ==, exact.max);
        sum += fabs(mixed.p95 / exact.p95 - 1) / 50;
        worst = MAX(worst, fabs(mixed.p95 / exact.p95 - 1));
    }
    g_test_message("error of the p95: mean %.3f, worst %.3f", sum, worst);
    g_assert_cmpfloat(sum, <, .02);
    g_assert_cmpfloat(worst, <, .07);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metrics/names", test_names);
    g_test_add_func("/metrics/counters", test_counters);
    g_test_add_func("/metrics/rates", test_rates);
    g_test_add_func("/metrics/interruptions", test_interruptions);
    g_test_add_func("/metrics/clock-step", test_clock_step);
    g_test_add_func("/metrics/devices", test_devices);
    g_test_add_func("/metrics/memory", test_memory);
    g_test_add_func("/metrics/off", test_off);
    g_test_add_func("/metrics/reading-json", test_reading_json);
    g_test_add_func("/metrics/window/values", test_window_values);
    g_test_add_func("/metrics/window/combine", test_window_combine);
    g_test_add_func("/metrics/window/mixture", test_window_mixture);
    return g_test_run();
}
