/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decision of a restore, without effects: from what is asked for to disks and places. */
#include "config.h"

#include "cycle/restore-plan.h"

#include "base/error.h"

#include <string.h>

#define ID_IN_NAMES 12

static void
disk_free(gpointer data)
{
    FsnRestoreDisk *disk = data;

    g_free(disk->kind);
    g_free(disk->format);
    g_free(disk->path);
    g_free(disk->place);
    g_free(disk->temporary);
    g_free(disk->socket);
    g_free(disk);
}

void
fsn_restore_plan_clear(FsnRestorePlan *plan)
{
    g_clear_pointer(&plan->disks, g_ptr_array_unref);
    g_clear_pointer(&plan->dropped, g_ptr_array_unref);
}

static const FsnDiskFacts *
find_facts(const FsnDomainFacts *facts, const char *target)
{
    for (guint i = 0; i < facts->disks->len; i++) {
        const FsnDiskFacts *disk = g_ptr_array_index(facts->disks, i);

        if (g_strcmp0(disk->target, target) == 0) {
            return disk;
        }
    }
    return NULL;
}

static bool
is_chosen(const FsnRestoreRequest *request, const char *target)
{
    return !request->targets || g_strv_contains(request->targets, target);
}

static bool
refuse(GError **error, int code, const char *target, const char *why)
{
    g_set_error(error, FSN_ERROR, code, "disk %s: %s", target, why);
    return false;
}

/* In place: over what the domain has there now. */
static bool
place_over(const FsnDiskFacts *now, FsnRestoreDisk *disk, GError **error)
{
    const char *target = disk->stored->target;

    if (!now) {
        return refuse(error, FSN_ERROR_STATE, target,
                      "the domain does not have it any more; --disk chooses others, --as "
                      "makes a new domain");
    }
    if (!now->source || (g_strcmp0(now->source_kind, "file") != 0 &&
                         g_strcmp0(now->source_kind, "block") != 0)) {
        return refuse(error, FSN_ERROR_UNSUPPORTED, target,
                      "the domain has it neither in a file nor on a block device now");
    }
    if (now->encrypted) {
        return refuse(error, FSN_ERROR_UNSUPPORTED, target,
                      "the domain has it encrypted");
    }
    disk->format = g_strdup(now->format ? now->format : "raw");
    if (strcmp(disk->format, "raw") != 0 && strcmp(disk->format, "qcow2") != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "disk %s: the domain has it in format '%s', which is not written",
                    target, disk->format);
        return false;
    }
    disk->kind = g_strdup(now->source_kind);
    disk->path = g_strdup(now->source);
    return true;
}

static bool
place_new(const FsnRestoreRequest *request,
          const FsnDiskFacts *then,
          FsnRestoreDisk *disk,
          GError **error)
{
    const char *format = request->lazy ? "qcow2" : disk->stored->format;
    g_autofree char *name =
        g_strdup_printf("%s-%s.%s", request->as, disk->stored->target, format);

    if (!then) {
        return refuse(error, FSN_ERROR_CORRUPT, disk->stored->target,
                      "the snapshot's own description of the domain does not have it");
    }
    disk->kind = g_strdup("file");
    disk->format = g_strdup(format);
    disk->path = g_build_filename(request->folder, name, NULL);
    return true;
}

static bool
plan_disk(const FsnRestoreRequest *request,
          const FsnStoredDisk *stored,
          const FsnDomainFacts *facts,
          GPtrArray *disks,
          GError **error)
{
    const FsnDiskFacts *found = find_facts(facts, stored->target);
    FsnRestoreDisk *disk = g_new0(FsnRestoreDisk, 1);

    disk->stored = stored;
    g_ptr_array_add(disks, disk);
    if (!(request->as ? place_new(request, found, disk, error)
                      : place_over(found, disk, error))) {
        return false;
    }
    disk->own_policy = request->lazy && !found->rerror_policy;
    if (request->lazy &&
        (strcmp(disk->kind, "file") != 0 || strcmp(disk->format, "qcow2") != 0)) {
        return refuse(error, FSN_ERROR_UNSUPPORTED, stored->target,
                      "the domain does not have it in a qcow2 file, which a lazy restore "
                      "needs: leave --lazy out, or --as makes a new domain");
    }
    disk->place = g_strdup(disk->path);
    for (guint i = 0; i + 1 < disks->len; i++) {
        const FsnRestoreDisk *other = g_ptr_array_index(disks, i);

        if (strcmp(other->path, disk->path) == 0) {
            return refuse(error, FSN_ERROR_UNSUPPORTED, stored->target,
                          "another disk has the same place");
        }
    }
    if (strcmp(disk->kind, "file") == 0) {
        disk->temporary = g_strdup_printf("%s.foresnap-%.*s", disk->path, ID_IN_NAMES,
                                          request->snapshot);
    }
    return true;
}

static bool
is_planned(GPtrArray *disks, const char *target)
{
    for (guint i = 0; i < disks->len; i++) {
        const FsnRestoreDisk *disk = g_ptr_array_index(disks, i);

        if (g_strcmp0(disk->stored->target, target) == 0) {
            return true;
        }
    }
    return false;
}

/* The disks of @facts that are not written, and that the guest could write to. */
static bool
plan_others(const FsnRestoreRequest *request,
            const FsnDomainFacts *facts,
            FsnRestorePlan *plan,
            GError **error)
{
    for (guint i = 0; i < facts->disks->len; i++) {
        const FsnDiskFacts *disk = g_ptr_array_index(facts->disks, i);

        if (!disk->target || !disk->source || disk->readonly ||
            g_strcmp0(disk->device, "cdrom") == 0 ||
            is_planned(plan->disks, disk->target)) {
            continue;
        }
        if (request->memory) {
            return refuse(error, FSN_ERROR_STATE, disk->target,
                          "it is not restored, and the memory must not go on over a disk "
                          "that has moved on: --disks-only leaves the memory out");
        }
        if (request->as) {
            g_ptr_array_add(plan->dropped, g_strdup(disk->target));
        }
    }
    g_ptr_array_add(plan->dropped, NULL);
    return true;
}

static bool
check_targets(const FsnRestoreRequest *request, GPtrArray *stored, GError **error)
{
    const FsnStoredDisk *ignored;

    for (const char *const *t = request->targets; t && *t; t++) {
        if (!fsn_stored_disks_find(stored, *t, &ignored, error)) {
            return false;
        }
    }
    return true;
}

/* A name that becomes a part of file names. */
static bool
check_name(const FsnRestoreRequest *request, GError **error)
{
    if (request->as &&
        (!*request->as || strchr(request->as, '/') || *request->as == '.')) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' cannot be the name of the new domain", request->as);
        return false;
    }
    return true;
}

bool
fsn_restore_plan(const FsnRestoreRequest *request,
                 GPtrArray *stored,
                 const FsnDomainFacts *facts,
                 FsnRestorePlan *out_plan,
                 GError **error)
{
    g_auto(FsnRestorePlan) plan = { .disks = g_ptr_array_new_with_free_func(disk_free),
                                    .dropped = g_ptr_array_new_with_free_func(g_free) };

    if (!check_name(request, error) || !check_targets(request, stored, error)) {
        return false;
    }
    for (guint i = 0; i < stored->len; i++) {
        const FsnStoredDisk *disk = g_ptr_array_index(stored, i);

        if (disk->image && is_chosen(request, disk->target) &&
            !plan_disk(request, disk, facts, plan.disks, error)) {
            return false;
        }
    }
    if (plan.disks->len == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "the snapshot has no disks");
        return false;
    }
    if (!plan_others(request, facts, &plan, error)) {
        return false;
    }
    *out_plan = (FsnRestorePlan){ .disks = g_steal_pointer(&plan.disks),
                                  .dropped = g_steal_pointer(&plan.dropped) };
    return true;
}
