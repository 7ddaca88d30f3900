/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/profile-set.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* How much of each resource a snapshot keeps, and how each disk is read, with the reasons. Pure:
 * the same profile and the same facts lead to the same decision, word for word. */

/* --- The level of a resource ------------------------------------------------------------ */

/* What a resource does. A negative number is not known. */
typedef struct {
    double io_rate;      /* bytes read and written per second */
    double cpu;          /* percent of all virtual processors */
    int previous;        /* the step of the last decision: -1, 0 or 1 */
    const char *missing; /* why something is not known; static, NULL = no word of it */
} FsnActivity;

#define FSN_ACTIVITY_UNKNOWN     \
    {                            \
        .io_rate = -1, .cpu = -1 \
    }

/* What a profile says about the level of one kind of resource. */
typedef struct {
    FsnLevel base;
    FsnLevel least;
    FsnLevel greatest;
    double io_high; /* bytes per second; negative = none, as of all thresholds */
    double io_low;
    double cpu_high; /* percent */
    double cpu_low;
    double hysteresis; /* 0 to 0.5 */
} FsnLevelRule;

typedef struct {
    FsnLevel base;
    FsnLevel level;
    int step; /* wanted: -1, 0, 1; to be remembered for the next decision */
    char *reason;
} FsnLevelDecision;

void fsn_level_decision_clear(FsnLevelDecision *decision);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnLevelDecision, fsn_level_decision_clear)

FsnLevelRule fsn_level_rule(const FsnProfile *profile, FsnResourceKind kind);

/* One step up from the high threshold of anything that is measured on, one down if all that is
 * measured and has a low threshold is below it, else the base; never beyond the limits. A
 * threshold that has been crossed has to be crossed back by the hysteresis (a Schmitt trigger
 * with three states): the level does not change while what is measured does not. More activity
 * never leads to a lower level, of the same previous step. */
void fsn_level_decide(const FsnLevelRule *rule,
                      const FsnActivity *activity,
                      FsnLevelDecision *out_decision);

/* --- How a disk is read ------------------------------------------------------------------- */

typedef enum {
    FSN_READ_FULL,
    FSN_READ_INCREMENTAL, /* what has changed, by a record of it */
    FSN_READ_HYBRID,      /* some partitions in full, the others by what has changed */
} FsnReadMode;

typedef struct {
    unsigned number;
    uint64_t size;
    uint64_t dirty; /* bytes of it in the record */
} FsnPartitionActivity;

typedef struct {
    uint64_t size;
    uint64_t allocated; /* bytes that would be read in full; 0 = not known */
    bool recorded;      /* there is a record of what has changed */
    uint64_t dirty;     /* bytes in it */
    int64_t since_us;   /* since it was begun; 0 = not known */
    const FsnPartitionActivity *partitions;
    guint n_partitions; /* 0 = not known */
} FsnDiskActivity;

typedef struct {
    FsnReadMode mode;
    char *reason;         /* names the rule */
    GArray *full;         /* of a hybrid: numbers (unsigned) of partitions; else empty */
    double change_rate;   /* bytes per second; negative = not known */
    uint64_t cost_full;   /* of mode-rule=cost, in bytes read in sequence; else 0 */
    uint64_t cost_change; /* likewise */
} FsnReadDecision;

void fsn_read_decision_clear(FsnReadDecision *decision);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnReadDecision, fsn_read_decision_clear)

/* "full", "incremental", "hybrid"; static. */
const char *fsn_read_mode_name(FsnReadMode mode);

/* Level raw, and a disk of which no changes are recorded, are read in full. Else by the
 * profile's mode-rule. rate: from disk.full-above on in full, or only those partitions that
 * change so much. cost: reading what changes until disk.restore-point, which is scattered,
 * against reading all of it in sequence. */
void fsn_read_decide(const FsnProfile *profile,
                     FsnLevel level,
                     const FsnDiskActivity *activity,
                     FsnReadDecision *out_decision);

/* --- What is left out --------------------------------------------------------------------- */

/* Why a disk of @level is left out; NULL if it is taken. The caller frees. */
char *fsn_granularity_skip_disk(const FsnProfile *profile,
                                FsnLevel level,
                                const char *target,
                                uint64_t size);

typedef struct {
    const char *disk; /* "vda" */
    unsigned number;
    uint64_t size;
    const char *type;
    const char *name;  /* in the partition table; may be NULL, as the label */
    const char *label; /* of the file system */
    bool overlaps;     /* shares bytes with another one */
    bool swap_area;    /* has the signature of swap that can be given up */
} FsnPartitionFacts;

/* Why the contents of a partition of @level are left out; NULL if they are taken, and then
 * *@out_kept says why although something said otherwise, NULL if nothing did. With memory,
 * which may refer to anything, nothing is left out. The caller frees both. */
char *fsn_granularity_skip_partition(const FsnProfile *profile,
                                     FsnLevel level,
                                     const FsnPartitionFacts *partition,
                                     bool with_memory,
                                     char **out_kept);

G_END_DECLS
