/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* How much of a resource is captured, in order: each level has all that the one before it has.
 * Not to be mixed up with the mode of a disk, which is how it is read. */
typedef enum {
    FSN_LEVEL_MINIMAL,
    FSN_LEVEL_STANDARD,
    FSN_LEVEL_DETAILED,
    FSN_LEVEL_RAW,
    FSN_N_LEVELS,
} FsnLevel;

/* What a level is chosen for. Groups of a profile have the same names. */
typedef enum {
    FSN_RESOURCE_CONFIG,
    FSN_RESOURCE_MEMORY,
    FSN_RESOURCE_DISK,
    FSN_RESOURCE_PARTITION,
    FSN_RESOURCE_NETWORK,
    FSN_RESOURCE_LOG,
    FSN_RESOURCE_METRICS,
    FSN_RESOURCE_DATABASE,
    FSN_N_RESOURCES,
} FsnResourceKind;

/* Static. */
const char *fsn_level_name(FsnLevel level);
const char *fsn_resource_name(FsnResourceKind kind);

/* False for a word that is no level. */
bool fsn_level_parse(const char *text, FsnLevel *out_level) G_GNUC_WARN_UNUSED_RESULT;

/* What @level keeps of @kind: a phrase; static. */
const char *fsn_level_meaning(FsnResourceKind kind, FsnLevel level);

G_END_DECLS
