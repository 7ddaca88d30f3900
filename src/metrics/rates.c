/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From two readings of a domain to its metrics. Pure: clocks are part of the readings. Sums
 * over devices are sums of their rates, not rates of a sum of counters, so that a device which
 * comes or goes makes no spike.
 */
#include "config.h"

#include "metrics/rates.h"

#include <math.h>
#include <string.h>

/* A report of the guest about its memory that is older tells nothing. */
#define BALLOON_FRESH_S 600
#define HALF_32         (UINT64_C(1) << 31)
#define HALF_64         (UINT64_C(1) << 63)

typedef struct {
    const FsnReading *before; /* NULL = no rates */
    const FsnReading *now;
    double seconds;
    GArray *values;
} Rates;

bool
fsn_counter_delta(uint64_t before, uint64_t now, uint64_t *out_delta)
{
    if (before == FSN_NOT_READ || now == FSN_NOT_READ) {
        return false;
    }
    if (now >= before) {
        *out_delta = now - before;
        return true;
    }
    /* Less than half of its range was counted: a wrap. A fall that is not so deep is a reset. */
    if (before - now > HALF_64 || (before <= UINT32_MAX && before - now > HALF_32)) {
        *out_delta =
            before <= UINT32_MAX ? now + (UINT64_C(1) << 32) - before : now - before;
        return true;
    }
    return false;
}

static void
put(Rates *r, const char *name, double value)
{
    FsnMetricValue v = { .value = value };

    if (isfinite(value)) {
        g_strlcpy(v.name, name, sizeof v.name);
        g_array_append_val(r->values, v);
    }
}

static void
put_device(
    Rates *r, const char *prefix, const char *label, const char *suffix, double value)
{
    char name[FSN_METRIC_NAME_MAX + 1];

    if (*label && isfinite(value)) {
        fsn_metric_device_name(name, prefix, label, suffix);
        put(r, name, value);
    }
}

static void
put_level(Rates *r, const char *name, uint64_t value)
{
    if (value != FSN_NOT_READ) {
        put(r, name, (double)value);
    }
}

/* Per second; NAN if it is not known. */
static double
rate(const Rates *r, uint64_t before, uint64_t now)
{
    uint64_t delta;

    return fsn_counter_delta(before, now, &delta) ? (double)delta / r->seconds : NAN;
}

/* Adds what is known to a sum that begins as NAN. */
static void
add(double *sum, double value)
{
    if (!isnan(value)) {
        *sum = isnan(*sum) ? value : *sum + value;
    }
}

static void
put_cpu(Rates *r)
{
    const FsnReading *b = r->before;

    if (r->now->run < 0) {
        put(r, "cpu", 0); /* a domain that is off uses nothing */
        return;
    }
    put_level(r, "vcpus", r->now->vcpus);
    if (!b) {
        return;
    }
    put(r, "cpu", rate(r, b->cpu_ns, r->now->cpu_ns) / 1e9);
    for (guint i = 0; i < MIN(b->vcpu_ns->len, r->now->vcpu_ns->len); i++) {
        char label[16];

        g_snprintf(label, sizeof label, "%u", i);
        put_device(r, "vcpu", label, "time",
                   rate(r, g_array_index(b->vcpu_ns, uint64_t, i),
                        g_array_index(r->now->vcpu_ns, uint64_t, i)) /
                       1e9);
    }
}

/* What the guest says that it uses; of one that says nothing what QEMU holds for it, which is
 * at least as much as the guest has touched. */
static uint64_t
memory_used(const FsnReading *now)
{
    uint64_t left = now->usable != FSN_NOT_READ ? now->usable : now->unused;
    uint64_t now_s = (uint64_t)(now->real_us / G_USEC_PER_SEC);
    bool fresh = now->balloon_at != FSN_NOT_READ && now->balloon_at > 0 &&
                 now->balloon_at + BALLOON_FRESH_S >= now_s;

    if (fresh && now->available != FSN_NOT_READ && left <= now->available) {
        return now->available - left;
    }
    return MIN(now->rss, now->balloon); /* FSN_NOT_READ if neither is known */
}

static void
put_memory(Rates *r)
{
    put_level(r, "memory.used", memory_used(r->now));
    put_level(r, "memory.balloon", r->now->balloon);
    put_level(r, "memory.max", r->now->balloon_max);
    put_level(r, "memory.rss", r->now->rss);
}

static const FsnDiskReading *
find_disk(const FsnReading *reading, const char *label)
{
    for (guint i = 0; i < reading->disks->len; i++) {
        const FsnDiskReading *d = &g_array_index(reading->disks, FsnDiskReading, i);

        if (strcmp(d->label, label) == 0) {
            return d;
        }
    }
    return NULL;
}

static const FsnNetReading *
find_net(const FsnReading *reading, const char *label)
{
    for (guint i = 0; i < reading->nets->len; i++) {
        const FsnNetReading *n = &g_array_index(reading->nets, FsnNetReading, i);

        if (strcmp(n->label, label) == 0) {
            return n;
        }
    }
    return NULL;
}

enum {
    READ_BYTES,
    READ_REQUESTS,
    WRITE_BYTES,
    WRITE_REQUESTS,
    PHYSICAL,
    CAPACITY,
    DISK_N
};

static const char *const disk_suffixes[DISK_N] = { "read.bytes",  "read.requests",
                                                   "write.bytes", "write.requests",
                                                   "physical",    "capacity" };

static double
level(uint64_t value)
{
    return value == FSN_NOT_READ ? NAN : (double)value;
}

static void
put_disks(Rates *r)
{
    double sums[DISK_N] = { NAN, NAN, NAN, NAN, NAN, NAN };

    for (guint i = 0; i < r->now->disks->len; i++) {
        const FsnDiskReading *d = &g_array_index(r->now->disks, FsnDiskReading, i);
        const FsnDiskReading *b = r->before ? find_disk(r->before, d->label) : NULL;
        double values[DISK_N] = {
            [READ_BYTES] = b ? rate(r, b->read_bytes, d->read_bytes) : NAN,
            [READ_REQUESTS] = b ? rate(r, b->read_requests, d->read_requests) : NAN,
            [WRITE_BYTES] = b ? rate(r, b->write_bytes, d->write_bytes) : NAN,
            [WRITE_REQUESTS] = b ? rate(r, b->write_requests, d->write_requests) : NAN,
            [PHYSICAL] = level(d->physical),
            [CAPACITY] = level(d->capacity),
        };

        for (int k = 0; k < DISK_N; k++) {
            add(&sums[k], values[k]);
            put_device(r, "disk", d->label, disk_suffixes[k], values[k]);
        }
    }
    for (int k = 0; k < DISK_N; k++) {
        char name[FSN_METRIC_NAME_MAX];

        g_snprintf(name, sizeof name, "disk.%s", disk_suffixes[k]);
        put(r, name, sums[k]);
    }
}

static void
put_nets(Rates *r)
{
    double rx = NAN;
    double tx = NAN;

    for (guint i = 0; r->before && i < r->now->nets->len; i++) {
        const FsnNetReading *n = &g_array_index(r->now->nets, FsnNetReading, i);
        const FsnNetReading *b = find_net(r->before, n->label);
        double in = b ? rate(r, b->rx_bytes, n->rx_bytes) : NAN;
        double out = b ? rate(r, b->tx_bytes, n->tx_bytes) : NAN;

        add(&rx, in);
        add(&tx, out);
        put_device(r, "net", n->label, "rx.bytes", in);
        put_device(r, "net", n->label, "tx.bytes", out);
    }
    put(r, "net.rx.bytes", rx);
    put(r, "net.tx.bytes", tx);
}

/* Microseconds of one uninterrupted run between the readings; 0 if there is no such. */
static int64_t
common_run(const FsnReading *before, const FsnReading *now)
{
    int64_t us;

    if (!before || before->run != now->run || !before->boot ||
        g_strcmp0(before->boot, now->boot) != 0 || strcmp(before->uuid, now->uuid) != 0) {
        return 0;
    }
    if (now->run >= 0 && before->cpu_ns != FSN_NOT_READ && now->cpu_ns != FSN_NOT_READ &&
        now->cpu_ns < before->cpu_ns) {
        return 0; /* started anew, and libvirt counts from the same number again */
    }
    us = now->boot_us - before->boot_us;
    return us >= FSN_RATES_MIN_US && us <= FSN_RATES_MAX_GAP_US ? us : 0;
}

void
fsn_rates_compute(const FsnReading *before,
                  const FsnReading *now,
                  GArray *out_values,
                  int64_t *out_span_us)
{
    int64_t us = common_run(before, now);
    Rates r = { .before = us > 0 ? before : NULL,
                .now = now,
                .seconds = (double)us / G_USEC_PER_SEC,
                .values = out_values };

    put(&r, "running", now->run >= 0 && now->running);
    put_cpu(&r);
    if (now->run >= 0) {
        put_memory(&r);
        put_disks(&r);
        put_nets(&r);
    }
    *out_span_us = us;
}
