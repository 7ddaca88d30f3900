/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-history FOLDER [VMS [DAYS]]: what a history costs. Fields as libvirt's bulk statistics
 * have them are generated for VMS machines (1000) of 24 metrics every ten seconds, for two hours
 * and some minutes so that everything that comes with time is in it, and go the way of the
 * sampler: readings, rates, SQLite, roll-ups. Then DAYS (30) of windows are put below one of
 * them and 50 others, and series are read. Prints processor time of this process, and sizes.
 */
#include "config.h"

#include "history/sampler.h"

#include "machine.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define TICKS (2 * 360 + 40)

static double
cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
must(bool ok, const GError *error)
{
    if (!ok) {
        fprintf(stderr, "bench-history: %s\n", error ? error->message : "failed");
        exit(1);
    }
}

static double
file_bytes(const char *path)
{
    GStatBuf st;

    return g_stat(path, &st) == 0 ? (double)st.st_size : 0;
}

static void
bench_sampling(
    FsnSampler *sampler, Machine *machines, guint n, GRand *rand, const char *path)
{
    g_autoptr(GError) error = NULL;
    double most = 0;
    double sum = 0;
    double fed = 0;
    size_t values = 0;

    for (int64_t tick = 0; tick < TICKS; tick++) {
        int64_t time_us = START_US + tick * TICK_S * SEC;
        g_autoptr(GPtrArray) readings =
            g_ptr_array_new_with_free_func((GDestroyNotify)fsn_reading_free);
        double before;
        double took;

        for (guint i = 0; i < n; i++) {
            advance(&machines[i], rand, time_us);
        }
        before = cpu_seconds();
        for (guint i = 0; i < n; i++) {
            g_ptr_array_add(readings, read_machine(&machines[i], rand, time_us));
        }
        must(fsn_sampler_feed(sampler, readings, &values, &error), error);
        took = cpu_seconds() - before;
        fed += (double)values;
        sum += took;
        most = MAX(most, took);
    }
    printf(
        "%u VMs, %.1f metrics each, every %d s: %.2f %% of a core, the longest tick %.0f ms\n",
        n, fed / TICKS / n, TICK_S, sum / (TICKS * TICK_S) * 100, most * 1e3);
    printf("file after %.1f h: %.1f MB\n", TICKS * TICK_S / 3600.0,
           file_bytes(path) / 1e6);
}

/* Windows of days, as sampling would have left them. */
static void
add_days(FsnHistory *h, const Machine *m, GRand *rand, int64_t days)
{
    static const char *const noisy[] = { "cpu",
                                         "memory.used",
                                         "memory.rss",
                                         "disk.read.bytes",
                                         "disk.read.requests",
                                         "disk.write.bytes",
                                         "disk.write.requests",
                                         "net.rx.bytes",
                                         "net.tx.bytes",
                                         "vcpu.0.time",
                                         "vcpu.1.time",
                                         "disk.vda.read.bytes",
                                         "disk.vda.read.requests",
                                         "disk.vda.write.bytes",
                                         "disk.vda.write.requests",
                                         "net.vnet0.rx.bytes",
                                         "net.vnet0.tx.bytes" };
    static const char *const constant[] = { "running",           "vcpus",
                                            "memory.balloon",    "memory.max",
                                            "disk.physical",     "disk.capacity",
                                            "disk.vda.physical", "disk.vda.capacity" };
    g_autofree FsnWindow *windows = g_new0(FsnWindow, days * 288);
    g_autoptr(GError) error = NULL;

    must(fsn_history_begin(h, &error), error);
    for (size_t k = 0; k < G_N_ELEMENTS(noisy) + G_N_ELEMENTS(constant); k++) {
        bool is_noisy = k < G_N_ELEMENTS(noisy);

        for (int64_t i = 0; i < days * 288; i++) {
            double level = sin((double)i / 288 * 2 * G_PI) + 1.2;
            double mean = is_noisy ? level * g_rand_double_range(rand, .8, 1.2) * 1e6 : 4;
            double spread = is_noisy ? mean * g_rand_double(rand) : 0;

            windows[i] = (FsnWindow){ mean - spread, mean, mean + 3 * spread,
                                      mean + 2 * spread, 255 };
        }
        must(fsn_history_merge(h, m->uuid, m->name,
                               is_noisy ? noisy[k] : constant[k - G_N_ELEMENTS(noisy)],
                               START_US - days * DAY_US, windows, (size_t)days * 288,
                               START_US, &error),
             error);
    }
    must(fsn_history_commit(h, &error), error);
}

static void
bench_series(FsnHistory *h, const Machine *machines, guint n, int64_t days)
{
    static const char *const metrics[] = { "cpu", "memory.used", "disk.write.bytes",
                                           "net.rx.bytes" };
    g_autoptr(GError) error = NULL;
    double before = cpu_seconds();

    for (guint i = 0; i < n; i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(metrics); k++) {
            g_autoptr(FsnSeries) series = fsn_history_series(
                h, machines[i].uuid, metrics[k], START_US - days * DAY_US, START_US,
                FSN_HISTORY_FINE_US, FSN_HISTORY_P95, &error);

            must(series && !isnan(series->values[series->n - 1]), error);
        }
    }
    printf("a series of %" G_GINT64_FORMAT " days of 5 minutes: %.2f ms\n", days,
           (cpu_seconds() - before) / n / G_N_ELEMENTS(metrics) * 1e3);
}

int
main(int argc, char **argv)
{
    guint n = argc > 2 ? (guint)atoi(argv[2]) : 1000;
    int64_t days = argc > 3 ? atoi(argv[3]) : 30;
    g_autofree char *path =
        g_build_filename(argc > 1 ? argv[1] : "/tmp", "history.db", NULL);
    g_autofree char *days_path =
        g_build_filename(argc > 1 ? argv[1] : "/tmp", "history-days.db", NULL);
    g_autofree Machine *machines = g_new0(Machine, n);
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnHistory) h = NULL;
    g_autoptr(FsnHistory) old = NULL;
    g_autoptr(FsnSampler) sampler = NULL;
    guint filled = MIN(n, 50);
    double before;

    if (argc < 2) {
        fprintf(stderr, "usage: bench-history FOLDER [VMS [DAYS]]\n");
        return 2;
    }
    for (guint i = 0; i < n; i++) {
        name_machine(&machines[i], i);
    }
    old = fsn_history_open(days_path, FSN_HISTORY_CREATE, &error);
    must(old != NULL, error);
    before = cpu_seconds();
    for (guint i = 0; i < filled; i++) {
        add_days(old, &machines[i], rand, days);
    }
    printf("merge of %" G_GINT64_FORMAT " days of 25 metrics: %.0f ms a VM\n", days,
           (cpu_seconds() - before) / filled * 1e3);
    bench_series(old, machines, filled, days);
    fsn_history_free(g_steal_pointer(&old));
    printf("bytes per VM and day, with hours: %.0f\n",
           file_bytes(days_path) / filled / (double)days);
    h = fsn_history_open(path, FSN_HISTORY_CREATE, &error);
    must(h != NULL, error);
    sampler = fsn_sampler_new(h, path, &error);
    must(sampler != NULL, error);
    bench_sampling(sampler, machines, n, rand, path);
    return 0;
}
