/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/level.h"
#include "policies/profile-value.h"

#include <glib.h>

G_BEGIN_DECLS

/* The keys of a profile: one table, by which profiles are read, checked, shown, completed and
 * compared with their manual page. */
typedef struct {
    const char *group;
    const char *key;
    FsnValueRule rule;
    const char *fallback; /* the value where no profile has one */
    const char *doc;      /* a sentence without full stop */
} FsnProfileKey;

/* Of keys that every kind of resource has: the group is the kind. */
typedef enum {
    FSN_KEY_BASE,
    FSN_KEY_LEAST,
    FSN_KEY_GREATEST,
    FSN_KEY_IO_HIGH,
    FSN_KEY_IO_LOW,
    FSN_KEY_CPU_HIGH,
    FSN_KEY_CPU_LOW,
    FSN_KEY_HYSTERESIS,
    FSN_N_RESOURCE_KEYS,
} FsnResourceKey;

/* All others, in the order of the table behind those. */
typedef enum {
    FSN_KEY_DESCRIPTION = FSN_N_RESOURCES * FSN_N_RESOURCE_KEYS,
    FSN_KEY_INHERIT,
    FSN_KEY_MODE_RULE,
    FSN_KEY_DISK_INCLUDE,
    FSN_KEY_DISK_EXCLUDE,
    FSN_KEY_DISK_FULL_ABOVE,
    FSN_KEY_DISK_RESTORE_POINT,
    FSN_KEY_PARTITION_INCLUDE,
    FSN_KEY_PARTITION_EXCLUDE,
    FSN_KEY_LOG_TAIL,
    FSN_KEY_DATABASE_DECLARE,
    FSN_KEY_DATABASE_ON_FAILURE,
    FSN_KEY_CHANGEMAP_ENABLED,
    FSN_KEY_CHANGEMAP_INTERVAL,
    FSN_KEY_SCHEDULE_WHEN,
    FSN_KEY_SCHEDULE_CHANGED,
    FSN_KEY_SCHEDULE_BEFORE_BUSY,
    FSN_KEY_SCHEDULE_QUIET,
    FSN_KEY_SCHEDULE_BANDWIDTH,
    FSN_KEY_RETENTION_LAST,
    FSN_KEY_RETENTION_HOURLY,
    FSN_KEY_RETENTION_DAILY,
    FSN_KEY_RETENTION_WEEKLY,
    FSN_KEY_RETENTION_MONTHLY,
    FSN_KEY_RETENTION_YEARLY,
    FSN_KEY_SIZING_ENABLED,
    FSN_KEY_SIZING_QUANTILE,
    FSN_KEY_SIZING_HEADROOM,
    FSN_KEY_SIZING_HORIZON,
    FSN_KEY_SIZING_SHRINK,
    FSN_KEY_SIZING_MIN_VCPUS,
    FSN_KEY_SIZING_MAX_VCPUS,
    FSN_KEY_SIZING_MIN_MEMORY,
    FSN_KEY_SIZING_MAX_MEMORY,
    FSN_KEY_SIZING_LIMITS,
    FSN_KEY_BATCH_ORDER,
    FSN_KEY_BATCH_AFTER,
    FSN_KEY_BATCH_TAGS,
    FSN_N_PROFILE_KEYS,
} FsnProfileKeyId;

/* Key number @id, 0 to FSN_N_PROFILE_KEYS - 1; static. */
const FsnProfileKey *fsn_profile_key(unsigned id);
/* The number of a resource's key. */
unsigned fsn_resource_key(FsnResourceKind kind, FsnResourceKey key);
/* "disk.base"; the caller frees. */
char *fsn_profile_key_name(unsigned id);

/* The number of @group's @key. FSN_ERROR_FORMAT names the nearest one and those allowed. */
bool fsn_profile_key_find(const char *group,
                          const char *key,
                          unsigned *out_id,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for "GROUP.KEY", or "KEY" alone where only one group has it; FSN_ERROR_USAGE. */
bool fsn_profile_key_parse(const char *name, unsigned *out_id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
