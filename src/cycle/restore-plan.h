/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "disk/stored-disk.h"
#include "domxml/domain-facts.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* What is asked for. */
typedef struct {
    const char *snapshot;       /* id */
    const char *as;             /* name of a new domain; NULL: in place */
    const char *folder;         /* of the new domain's disks; absolute */
    const char *const *targets; /* NULL: all that the snapshot has */
    bool memory;                /* the guest goes on from the instant */
    bool lazy; /* the disks are filled later: qcow2 images in files only */
} FsnRestoreRequest;

/* One disk to be written. */
typedef struct {
    const FsnStoredDisk *stored; /* borrowed */
    char *kind;                  /* "file" or "block" */
    char *format;                /* "raw" or "qcow2" */
    char *path;                  /* as the domain has it */
    char *place;                 /* where it is written: the path, links followed */
    char *temporary;             /* written first, then renamed; NULL: written in place */
    char *socket;                /* lazy: where what is below it is served; else NULL */
    uint64_t bandwidth;          /* lazy: bytes a second that are filled; 0: no limit */
    bool own_policy;             /* lazy: what a failed read does is said by us */
} FsnRestoreDisk;

typedef struct {
    GPtrArray *disks; /* of FsnRestoreDisk */
    GPtrArray
        *dropped; /* targets (char *) that the new domain cannot have; NULL-terminated */
} FsnRestorePlan;

void fsn_restore_plan_clear(FsnRestorePlan *plan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnRestorePlan, fsn_restore_plan_clear)

/*
 * Which disks are written where. @facts are those of the domain as it is now, or for a new one
 * of the domain in the snapshot. In place a disk keeps its path and gets the format that the
 * domain has for it now, as a standalone image; a new domain gets FOLDER/NAME-TARGET.FORMAT.
 * Writable disks that the snapshot does not have are left alone in place, and lost by a
 * new domain, which must not write to another's; with memory they are refused, for the
 * guest goes on only over the disks that it had. Pure; the caller clears @out_plan.
 */
bool fsn_restore_plan(const FsnRestoreRequest *request,
                      GPtrArray *stored,
                      const FsnDomainFacts *facts,
                      FsnRestorePlan *out_plan,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
