/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One look at a domain, from the fields of libvirt's bulk statistics (virConnectGetAllDomainStats
 * documents them). The fields come from libvirt, labels in them from the domain's description:
 * numbers of devices are bounded, and nothing else is believed.
 */
#include "config.h"

#include "metrics/reading.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* libvirt counts a domain's memory in KiB. */
#define KIB 1024

FsnReading *
fsn_reading_new(const char *uuid, const char *name)
{
    FsnReading *r = g_new0(FsnReading, 1);

    r->uuid = g_strdup(uuid);
    r->name = g_strdup(name);
    r->run = -1;
    r->cpu_ns = r->vcpus = FSN_NOT_READ;
    r->balloon = r->balloon_max = r->available = FSN_NOT_READ;
    r->unused = r->usable = r->rss = r->balloon_at = FSN_NOT_READ;
    r->vcpu_ns = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    r->disks = g_array_new(FALSE, FALSE, sizeof(FsnDiskReading));
    r->nets = g_array_new(FALSE, FALSE, sizeof(FsnNetReading));
    return r;
}

void
fsn_reading_free(FsnReading *reading)
{
    if (!reading) {
        return;
    }
    g_free(reading->uuid);
    g_free(reading->name);
    g_free(reading->boot);
    g_array_unref(reading->vcpu_ns);
    g_array_unref(reading->disks);
    g_array_unref(reading->nets);
    g_free(reading);
}

void
fsn_reading_stamp(FsnReading *reading, const char *boot)
{
    struct timespec t = { 0 };

    (void)clock_gettime(CLOCK_BOOTTIME, &t); /* cannot fail with this clock */
    reading->boot_us = (int64_t)t.tv_sec * G_USEC_PER_SEC + t.tv_nsec / 1000;
    reading->real_us = fsn_realtime_us();
    g_free(reading->boot);
    reading->boot = g_strdup(boot);
}

/* From "12.rd.bytes" the number, and what follows it. */
static bool
split_index(const char *text, guint *out_index, const char **out_rest)
{
    char *end;
    unsigned long index;

    if (!g_ascii_isdigit(*text)) {
        return false;
    }
    index = strtoul(text, &end, 10);
    if (*end != '.' || index >= FSN_READING_MAX) {
        return false;
    }
    *out_index = (guint)index;
    *out_rest = end + 1;
    return true;
}

static FsnDiskReading *
disk_at(FsnReading *r, guint index)
{
    while (r->disks->len <= index) {
        FsnDiskReading none = { .read_bytes = FSN_NOT_READ,
                                .read_requests = FSN_NOT_READ,
                                .write_bytes = FSN_NOT_READ,
                                .write_requests = FSN_NOT_READ,
                                .physical = FSN_NOT_READ,
                                .capacity = FSN_NOT_READ };

        g_array_append_val(r->disks, none);
    }
    return &g_array_index(r->disks, FsnDiskReading, index);
}

static FsnNetReading *
net_at(FsnReading *r, guint index)
{
    while (r->nets->len <= index) {
        FsnNetReading none = { .rx_bytes = FSN_NOT_READ, .tx_bytes = FSN_NOT_READ };

        g_array_append_val(r->nets, none);
    }
    return &g_array_index(r->nets, FsnNetReading, index);
}

static void
take_disk(FsnReading *r, const char *rest, uint64_t value)
{
    FsnDiskReading *d;
    guint index;

    if (!split_index(rest, &index, &rest)) {
        return;
    }
    d = disk_at(r, index);
    if (strcmp(rest, "rd.bytes") == 0) {
        d->read_bytes = value;
    } else if (strcmp(rest, "rd.reqs") == 0) {
        d->read_requests = value;
    } else if (strcmp(rest, "wr.bytes") == 0) {
        d->write_bytes = value;
    } else if (strcmp(rest, "wr.reqs") == 0) {
        d->write_requests = value;
    } else if (strcmp(rest, "physical") == 0) {
        d->physical = value;
    } else if (strcmp(rest, "capacity") == 0) {
        d->capacity = value;
    }
}

static void
take_net(FsnReading *r, const char *rest, uint64_t value)
{
    guint index;

    if (!split_index(rest, &index, &rest)) {
        return;
    }
    if (strcmp(rest, "rx.bytes") == 0) {
        net_at(r, index)->rx_bytes = value;
    } else if (strcmp(rest, "tx.bytes") == 0) {
        net_at(r, index)->tx_bytes = value;
    }
}

static void
take_vcpu(FsnReading *r, const char *rest, uint64_t value)
{
    const uint64_t none = FSN_NOT_READ;
    guint index;

    if (strcmp(rest, "current") == 0) {
        r->vcpus = value;
    } else if (split_index(rest, &index, &rest) && strcmp(rest, "time") == 0) {
        while (r->vcpu_ns->len <= index) {
            g_array_append_val(r->vcpu_ns, none);
        }
        g_array_index(r->vcpu_ns, uint64_t, index) = value;
    }
}

static void
take_balloon(FsnReading *r, const char *rest, uint64_t value)
{
    uint64_t bytes = value > UINT64_MAX / KIB ? FSN_NOT_READ : value * KIB;

    if (strcmp(rest, "current") == 0) {
        r->balloon = bytes;
    } else if (strcmp(rest, "maximum") == 0) {
        r->balloon_max = bytes;
    } else if (strcmp(rest, "available") == 0) {
        r->available = bytes;
    } else if (strcmp(rest, "unused") == 0) {
        r->unused = bytes;
    } else if (strcmp(rest, "usable") == 0) {
        r->usable = bytes;
    } else if (strcmp(rest, "rss") == 0) {
        r->rss = bytes;
    } else if (strcmp(rest, "last-update") == 0) {
        r->balloon_at = value;
    }
}

void
fsn_reading_number(FsnReading *reading, const char *field, uint64_t value)
{
    if (g_str_has_prefix(field, "block.")) {
        take_disk(reading, field + strlen("block."), value);
    } else if (g_str_has_prefix(field, "net.")) {
        take_net(reading, field + strlen("net."), value);
    } else if (g_str_has_prefix(field, "vcpu.")) {
        take_vcpu(reading, field + strlen("vcpu."), value);
    } else if (g_str_has_prefix(field, "balloon.")) {
        take_balloon(reading, field + strlen("balloon."), value);
    } else if (strcmp(field, "cpu.time") == 0) {
        reading->cpu_ns = value;
    }
}

void
fsn_reading_text(FsnReading *reading, const char *field, const char *value)
{
    bool disk = g_str_has_prefix(field, "block.");
    const char *rest = strchr(field, '.');
    guint index;

    if ((!disk && !g_str_has_prefix(field, "net.")) ||
        !split_index(rest + 1, &index, &rest) || strcmp(rest, "name") != 0) {
        return;
    }
    if (disk) {
        FsnDiskReading *d = disk_at(reading, index);

        g_strlcpy(d->label, value, sizeof d->label);
    } else {
        FsnNetReading *n = net_at(reading, index);

        g_strlcpy(n->label, value, sizeof n->label);
    }
}
