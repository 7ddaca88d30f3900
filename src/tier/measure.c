/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures a folder: short, so that adding a tier takes no time to speak of, and therefore
 * rough; each prefetch corrects the throughput by what it saw.
 */
#include "config.h"

#include "tier/measure.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK    ((size_t)1 << 20)
#define CHUNKS   8
#define SMALL    4096
#define REPEATED 9

typedef struct {
    int fd;
    const char *folder;
    uint8_t *buffer; /* CHUNK bytes that do not compress */
} Probe;

static uint64_t
rate(uint64_t bytes, int64_t us)
{
    return bytes * G_USEC_PER_SEC / (uint64_t)MAX(us, 1);
}

static int
compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t
median(int64_t times[REPEATED])
{
    qsort(times, REPEATED, sizeof *times, compare_times);
    return times[REPEATED / 2];
}

static bool
sync_data(Probe *probe, GError **error)
{
    return fdatasync(probe->fd) == 0 ||
           fsn_set_errno(error, errno, "cannot sync a file in '%s'", probe->folder);
}

static bool
measure_writing(Probe *probe, FsnTierSpeed *speed, GError **error)
{
    int64_t times[REPEATED];
    int64_t start = fsn_monotonic_us();

    for (unsigned i = 0; i < CHUNKS; i++) {
        if (!fsn_pwrite_all(probe->fd, probe->buffer, CHUNK, i * CHUNK, probe->folder,
                            error)) {
            return false;
        }
    }
    if (!sync_data(probe, error)) {
        return false;
    }
    speed->write_bytes_per_s = rate(CHUNKS * CHUNK, fsn_monotonic_us() - start);
    for (unsigned i = 0; i < REPEATED; i++) {
        start = fsn_monotonic_us();
        if (!fsn_pwrite_all(probe->fd, probe->buffer, SMALL, i * CHUNK / 2, probe->folder,
                            error) ||
            !sync_data(probe, error)) {
            return false;
        }
        times[i] = fsn_monotonic_us() - start;
    }
    speed->write_latency_us = median(times);
    return true;
}

static bool
measure_reading(Probe *probe, FsnTierSpeed *speed, GError **error)
{
    int64_t times[REPEATED];
    int64_t start;

    /* A hint; where it does nothing memory is measured, which is what will be read then. */
    (void)posix_fadvise(probe->fd, 0, 0, POSIX_FADV_DONTNEED);
    for (unsigned i = 0; i < REPEATED; i++) {
        start = fsn_monotonic_us();
        if (!fsn_pread_all(probe->fd, probe->buffer, SMALL,
                           (REPEATED - 1 - i) * (CHUNKS - 1) / REPEATED * CHUNK,
                           probe->folder, error)) {
            return false;
        }
        times[i] = fsn_monotonic_us() - start;
    }
    speed->read_latency_us = median(times);
    (void)posix_fadvise(probe->fd, 0, 0, POSIX_FADV_DONTNEED); /* as above */
    start = fsn_monotonic_us();
    for (unsigned i = 0; i < CHUNKS; i++) {
        if (!fsn_pread_all(probe->fd, probe->buffer, CHUNK, i * CHUNK, probe->folder,
                           error)) {
            return false;
        }
    }
    speed->read_bytes_per_s = rate(CHUNKS * CHUNK, fsn_monotonic_us() - start);
    return true;
}

bool
fsn_tier_measure(const char *folder, FsnTierSpeed *out_speed, GError **error)
{
    g_autofree char *path = g_build_filename(folder, ".foresnap-XXXXXX", NULL);
    g_autofree uint8_t *buffer = g_malloc(CHUNK);
    Probe probe = { .folder = folder, .buffer = buffer };
    FsnTierSpeed speed = { 0 };
    bool ok;

    fsn_random_bytes(buffer, CHUNK);
    probe.fd = g_mkstemp_full(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (probe.fd < 0) {
        return fsn_set_errno(error, errno, "cannot write in '%s'", folder);
    }
    (void)unlink(path); /* the file lives on until it is closed */
    ok = measure_writing(&probe, &speed, error) && measure_reading(&probe, &speed, error);
    close(probe.fd);
    if (ok) {
        *out_speed = speed;
    }
    return ok;
}
