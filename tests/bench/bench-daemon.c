/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-daemon CONFIG VMS SECONDS: foresnapd as it is, but for the function that reads
 * libvirt's statistics, in whose place are VMS machines of 24 metrics. The connection is one to
 * libvirt's test driver. Prints processor time of this process as a share of one core, and its
 * largest resident memory, from the end of the first round on.
 */
#include "config.h"

#include "daemon/daemon.h"
#include "machine.h"
#include "virt/stats.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static Machine *machines;
static guint n_machines;
static GRand *noise;
static int64_t base_us;
static guint rounds;
static double cpu_at_first;
static int64_t first_us;

static double
cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Takes the place of the one in src/virt/stats.c, which is then not linked. */
bool
fsn_virt_read_stats(FsnVirt *virt,
                    FsnVirtDomain *const *domains,
                    GPtrArray **out_readings,
                    GError **error)
{
    int64_t now_us = g_get_real_time();
    GPtrArray *readings =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_reading_free);

    if (rounds++ == 1) {
        cpu_at_first = cpu_seconds();
        first_us = g_get_monotonic_time();
    }
    for (guint i = 0; i < n_machines; i++) {
        FsnReading *reading;

        advance(&machines[i], noise, now_us);
        reading = read_machine(&machines[i], noise, now_us);
        reading->boot_us = now_us - base_us + SEC;
        g_ptr_array_add(readings, reading);
    }
    *out_readings = readings;
    return true;
}

static gboolean
on_time(gpointer user)
{
    raise(SIGTERM);
    return G_SOURCE_REMOVE;
}

static void
on_ready(gpointer user)
{
    g_timeout_add_seconds(GPOINTER_TO_UINT(user), on_time, NULL);
}

int
main(int argc, char **argv)
{
    FsnDaemonOptions options = { .config_path = argc > 1 ? argv[1] : NULL,
                                 .connection = "test:///default" };
    guint seconds = argc > 3 ? (guint)atoi(argv[3]) : 0;
    g_autoptr(FsnDaemon) daemon = NULL;
    g_autoptr(GError) error = NULL;
    struct rusage usage;

    if (argc != 4 || seconds == 0) {
        fprintf(stderr, "usage: bench-daemon CONFIG VMS SECONDS\n");
        return 2;
    }
    n_machines = (guint)atoi(argv[2]);
    machines = g_new0(Machine, n_machines);
    noise = g_rand_new_with_seed(1);
    base_us = g_get_real_time();
    for (guint i = 0; i < n_machines; i++) {
        name_machine(&machines[i], i);
    }
    daemon = fsn_daemon_new(&options, &error);
    if (!daemon) {
        fprintf(stderr, "bench-daemon: %s\n", error->message);
        return 1;
    }
    if (!fsn_daemon_run(daemon, on_ready, GUINT_TO_POINTER(seconds)) || rounds < 3) {
        fprintf(stderr, "bench-daemon: %u rounds are too few\n", rounds);
        return 1;
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("%u domains, %u rounds: %.2f %% of a core, %.1f MiB\n", n_machines, rounds,
           (cpu_seconds() - cpu_at_first) /
               ((double)(g_get_monotonic_time() - first_us) / 1e6) * 100,
           (double)usage.ru_maxrss / 1024);
    return 0;
}
