/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* Names of what is measured, and what is known about each from its name alone.
 *
 * Per domain: cpu (cores in use), vcpus, running (1 or 0), memory.used, memory.balloon,
 * memory.max, memory.rss, disk.physical, disk.capacity (bytes), disk.read.bytes,
 * disk.write.bytes, disk.read.requests, disk.write.requests, net.rx.bytes, net.tx.bytes
 * (per second); per device with its label: disk.vda.write.bytes, net.vnet0.rx.bytes,
 * vcpu.0.time (cores); from change maps disk.vda.change.bytes and, of a partition,
 * disk.vda.1.change.bytes; from the guest's agent: users, load. Any other valid name is a
 * user's own. */
#define FSN_METRIC_NAME_MAX 64

typedef enum {
    FSN_UNIT_PLAIN, /* a number that has no unit, or whose unit is not known */
    FSN_UNIT_CORES,
    FSN_UNIT_BYTES,
    FSN_UNIT_BYTES_PER_S,
    FSN_UNIT_PER_S,
} FsnMetricUnit;

/* Which go first where there is no room for all. */
typedef enum {
    FSN_METRIC_OF_DOMAIN,
    FSN_METRIC_OF_USER,
    FSN_METRIC_OF_DEVICE,
} FsnMetricKind;

/* A valid name is [a-z][a-z0-9._-]{0,63}; another one is FSN_ERROR_USAGE. */
bool fsn_metric_name_is_valid(const char *name);
bool fsn_metric_name_check(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "@prefix.@label.@suffix" into @out; what a name may not have becomes '_'. A label that
 * would make it too long is cut. */
void fsn_metric_device_name(char out[FSN_METRIC_NAME_MAX + 1],
                            const char *prefix,
                            const char *label,
                            const char *suffix);

FsnMetricUnit fsn_metric_unit(const char *name);
/* "cores", "B", "B/s", "/s" or ""; static. */
const char *fsn_metric_unit_text(FsnMetricUnit unit);
FsnMetricKind fsn_metric_kind(const char *name);

G_END_DECLS
