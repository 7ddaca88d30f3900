/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "history/store.h"
#include "metrics/reading.h"

#include <math.h>

/* Machines that libvirt's bulk statistics could be of, for benchmarks: 24 metrics each. */

#define SEC      ((int64_t)G_USEC_PER_SEC)
#define TICK_S   10
#define DAY_US   (FSN_HISTORY_FINE_US * 288)
#define START_US ((int64_t)1700006400 * SEC)

typedef struct {
    char uuid[37];
    char name[16];
    uint64_t cpu, read, write, rx, tx;
} Machine;

/* Noise on a daily rhythm, as counters. */
static inline void
advance(Machine *m, GRand *rand, int64_t time_us)
{
    double day = sin((double)(time_us % DAY_US) / (double)DAY_US * 2 * G_PI) + 1.2;

    m->cpu += (uint64_t)(day * g_rand_double(rand) * TICK_S * 1e9);
    m->read += (uint64_t)(day * g_rand_double(rand) * 1e7);
    m->write += (uint64_t)(day * g_rand_double(rand) * 3e7);
    m->rx += (uint64_t)(day * g_rand_double(rand) * 1e6);
    m->tx += (uint64_t)(day * g_rand_double(rand) * 2e6);
}

static inline FsnReading *
read_machine(const Machine *m, GRand *rand, int64_t time_us)
{
    FsnReading *r = fsn_reading_new(m->uuid, m->name);

    r->boot = g_strdup("boot");
    r->real_us = time_us;
    r->boot_us = time_us - START_US + SEC;
    r->run = 1;
    r->running = true;
    fsn_reading_number(r, "cpu.time", m->cpu);
    fsn_reading_number(r, "cpu.user", m->cpu / 2);
    fsn_reading_number(r, "cpu.system", m->cpu / 2);
    fsn_reading_number(r, "balloon.current", 4 << 20);
    fsn_reading_number(r, "balloon.maximum", 4 << 20);
    fsn_reading_number(r, "balloon.available", 4000000);
    fsn_reading_number(r, "balloon.usable", 2000000 + g_rand_int(rand) % 100000);
    fsn_reading_number(r, "balloon.rss", 3000000 + g_rand_int(rand) % 1000);
    fsn_reading_number(r, "balloon.last-update", (uint64_t)(time_us / SEC));
    fsn_reading_number(r, "vcpu.current", 2);
    fsn_reading_number(r, "vcpu.0.time", m->cpu / 2);
    fsn_reading_number(r, "vcpu.1.time", m->cpu / 2);
    fsn_reading_text(r, "net.0.name", "vnet0");
    fsn_reading_number(r, "net.0.rx.bytes", m->rx);
    fsn_reading_number(r, "net.0.tx.bytes", m->tx);
    fsn_reading_text(r, "block.0.name", "vda");
    fsn_reading_number(r, "block.0.rd.reqs", m->read / 65536);
    fsn_reading_number(r, "block.0.rd.bytes", m->read);
    fsn_reading_number(r, "block.0.wr.reqs", m->write / 65536);
    fsn_reading_number(r, "block.0.wr.bytes", m->write);
    fsn_reading_number(r, "block.0.capacity", UINT64_C(20) << 30);
    fsn_reading_number(r, "block.0.physical", UINT64_C(8) << 30);
    return r;
}

static inline void
name_machine(Machine *m, guint i)
{
    g_snprintf(m->uuid, sizeof m->uuid, "6a1f27a2-7d6a-4a0c-93a5-4d5e%08x", i);
    g_snprintf(m->name, sizeof m->name, "vm-%u", i);
}
