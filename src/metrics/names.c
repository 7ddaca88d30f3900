/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of metrics. */
#include "config.h"

#include "metrics/names.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789._-"

/* Those of a whole domain. */
static const struct {
    const char *name;
    FsnMetricUnit unit;
} known[] = {
    { "cpu", FSN_UNIT_CORES },
    { "disk.capacity", FSN_UNIT_BYTES },
    { "disk.physical", FSN_UNIT_BYTES },
    { "disk.read.bytes", FSN_UNIT_BYTES_PER_S },
    { "disk.read.requests", FSN_UNIT_PER_S },
    { "disk.write.bytes", FSN_UNIT_BYTES_PER_S },
    { "disk.write.requests", FSN_UNIT_PER_S },
    { "load", FSN_UNIT_PLAIN },
    { "memory.balloon", FSN_UNIT_BYTES },
    { "memory.max", FSN_UNIT_BYTES },
    { "memory.rss", FSN_UNIT_BYTES },
    { "memory.used", FSN_UNIT_BYTES },
    { "net.rx.bytes", FSN_UNIT_BYTES_PER_S },
    { "net.tx.bytes", FSN_UNIT_BYTES_PER_S },
    { "running", FSN_UNIT_PLAIN },
    { "users", FSN_UNIT_PLAIN },
    { "vcpus", FSN_UNIT_PLAIN },
};

/* Ends of the names of devices' metrics. */
static const struct {
    const char *prefix;
    const char *suffix;
    FsnMetricUnit unit;
} of_devices[] = {
    { "disk.", ".capacity", FSN_UNIT_BYTES },
    { "disk.", ".change.bytes", FSN_UNIT_BYTES_PER_S },
    { "disk.", ".physical", FSN_UNIT_BYTES },
    { "disk.", ".read.bytes", FSN_UNIT_BYTES_PER_S },
    { "disk.", ".read.requests", FSN_UNIT_PER_S },
    { "disk.", ".write.bytes", FSN_UNIT_BYTES_PER_S },
    { "disk.", ".write.requests", FSN_UNIT_PER_S },
    { "net.", ".rx.bytes", FSN_UNIT_BYTES_PER_S },
    { "net.", ".tx.bytes", FSN_UNIT_BYTES_PER_S },
    { "vcpu.", ".time", FSN_UNIT_CORES },
};

bool
fsn_metric_name_is_valid(const char *name)
{
    size_t len = strlen(name);

    return len >= 1 && len <= FSN_METRIC_NAME_MAX && g_ascii_islower(name[0]) &&
           strspn(name, NAME_CHARACTERS) == len;
}

bool
fsn_metric_name_check(const char *name, GError **error)
{
    if (!fsn_metric_name_is_valid(name)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%.80s' is no name of a metric: it begins with a letter, has a-z, "
                    "0-9, '.', '_' and '-', and at most %d characters",
                    name, FSN_METRIC_NAME_MAX);
        return false;
    }
    return true;
}

void
fsn_metric_device_name(char out[FSN_METRIC_NAME_MAX + 1],
                       const char *prefix,
                       const char *label,
                       const char *suffix)
{
    size_t room = FSN_METRIC_NAME_MAX - strlen(prefix) - strlen(suffix) - 2;
    size_t len = MIN(strlen(label), room);
    char *p = g_stpcpy(out, prefix);

    *p++ = '.';
    for (size_t i = 0; i < len; i++) {
        char c = g_ascii_tolower(label[i]);

        *p++ = c && strchr(NAME_CHARACTERS, c) ? c : '_';
    }
    *p++ = '.';
    (void)g_stpcpy(p, suffix); /* its end is not wanted */
}

/* Index in of_devices, or -1. */
static int
find_device(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(of_devices); i++) {
        if (g_str_has_prefix(name, of_devices[i].prefix) &&
            g_str_has_suffix(name, of_devices[i].suffix) &&
            strlen(name) > strlen(of_devices[i].prefix) + strlen(of_devices[i].suffix)) {
            return (int)i;
        }
    }
    return -1;
}

static int
find_known(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (strcmp(name, known[i].name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

FsnMetricUnit
fsn_metric_unit(const char *name)
{
    int i = find_known(name);
    int device = i < 0 ? find_device(name) : -1;

    return i >= 0        ? known[i].unit
           : device >= 0 ? of_devices[device].unit
                         : FSN_UNIT_PLAIN;
}

const char *
fsn_metric_unit_text(FsnMetricUnit unit)
{
    switch (unit) {
    case FSN_UNIT_PLAIN:
        return "";
    case FSN_UNIT_CORES:
        return "cores";
    case FSN_UNIT_BYTES:
        return "B";
    case FSN_UNIT_BYTES_PER_S:
        return "B/s";
    case FSN_UNIT_PER_S:
        return "/s";
    }
    g_assert_not_reached();
}

FsnMetricKind
fsn_metric_kind(const char *name)
{
    return find_known(name) >= 0    ? FSN_METRIC_OF_DOMAIN
           : find_device(name) >= 0 ? FSN_METRIC_OF_DEVICE
                                    : FSN_METRIC_OF_USER;
}
