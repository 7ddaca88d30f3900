/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decisions of a snapshot, without effects: which disks, in which mode and why; whether
 * and how the memory. When in doubt about a bitmap everything is read and compared: it costs
 * time, never a change that is missed.
 */
#include "config.h"

#include "cycle/snapshot-plan.h"

#include "base/error.h"

/* A scratch file's own tables, and what QEMU reads around a write. */
#define SCRATCH_RESERVE (UINT64_C(16) << 20)

static const char *const disk_mode_names[] = {
    [FSN_DISK_SKIPPED] = "skipped",
    [FSN_DISK_FULL] = "full",
    [FSN_DISK_INCREMENTAL] = "incremental",
    [FSN_DISK_HYBRID] = "hybrid",
};

static const char *const ram_mode_names[] = {
    [FSN_RAM_NONE] = "none",
    [FSN_RAM_BACKGROUND] = "background",
    [FSN_RAM_STOPPED] = "stopped",
};

const char *
fsn_disk_mode_name(FsnDiskMode mode)
{
    return disk_mode_names[mode];
}

const char *
fsn_ram_mode_name(FsnRamMode mode)
{
    return ram_mode_names[mode];
}

void
fsn_disk_plan_free(FsnDiskPlan *plan)
{
    if (plan) {
        g_free(plan->reason);
        g_free(plan);
    }
}

/* Why not incremental, NULL if it can be. */
static char *
why_full(const FsnDiskFound *f)
{
    if (!f->parent) {
        return g_strdup("first snapshot of this disk");
    }
    if (f->parent_size != f->size) {
        return g_strdup_printf("its size was %" G_GUINT64_FORMAT " bytes in %.8s",
                               f->parent_size, f->parent);
    }
    switch (f->bitmap) {
    case FSN_BITMAP_ABSENT:
        return g_strdup_printf("QEMU has no record of the changes since %.8s", f->parent);
    case FSN_BITMAP_STOPPED:
        return g_strdup_printf("the record of the changes since %.8s was stopped",
                               f->parent);
    case FSN_BITMAP_INCONSISTENT:
        return g_strdup_printf("the record of the changes since %.8s is not to be "
                               "trusted: QEMU did not end in good order",
                               f->parent);
    case FSN_BITMAP_BUSY:
        return g_strdup_printf("another job uses the record of the changes since %.8s",
                               f->parent);
    case FSN_BITMAP_DATA_FILE:
        return g_strdup("its data file can be written without QEMU's record of it");
    case FSN_BITMAP_RECORDING:
        break;
    }
    return NULL;
}

FsnDiskPlan *
fsn_disk_plan(const FsnDiskFound *f, bool some_asked, GError **error)
{
    g_autoptr(FsnDiskPlan) plan = g_new0(FsnDiskPlan, 1);

    if (some_asked && !f->asked) {
        plan->reason = g_strdup("not asked for");
        return g_steal_pointer(&plan);
    }
    if (f->refusal) {
        if (f->asked) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                        "disk '%s' cannot be taken: %s", f->target, f->refusal);
            return NULL;
        }
        plan->reason = g_strdup(f->refusal);
        return g_steal_pointer(&plan);
    }
    plan->reason = why_full(f);
    plan->mode = plan->reason ? FSN_DISK_FULL : FSN_DISK_INCREMENTAL;
    plan->estimate = f->allocated > 0 ? MIN(f->allocated, f->size) : f->size;
    plan->scratch = plan->estimate + SCRATCH_RESERVE;
    if (plan->mode == FSN_DISK_INCREMENTAL) {
        plan->estimate = MIN(f->dirty, f->size);
        plan->reason = g_strdup_printf("changes since %.8s are recorded", f->parent);
    }
    return g_steal_pointer(&plan);
}

bool
fsn_ram_plan(const FsnRamFound *f,
             FsnRamMode *out_mode,
             const char **out_reason,
             GError **error)
{
    if (f->unwanted) {
        *out_mode = FSN_RAM_NONE;
        *out_reason = "not wanted";
        return true;
    }
    if (f->background && (f->running || !f->starts)) {
        *out_mode = FSN_RAM_BACKGROUND;
        *out_reason = "read while the guest runs on";
        return true;
    }
    if (!f->running) {
        *out_mode = FSN_RAM_STOPPED;
        *out_reason = "the guest is stopped anyway";
        return true;
    }
    if (f->allow_stop) {
        *out_mode = FSN_RAM_STOPPED;
        *out_reason = "QEMU may not write-protect memory, and the guest may be stopped";
        return true;
    }
    g_set_error(
        error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
        "the memory cannot be taken while the guest runs, since QEMU may not "
        "write-protect it (see 'foresnap check-host'); 'foresnap check-host --fix' permits "
        "it, --stop stops the guest while %" G_GUINT64_FORMAT
        " MiB are read, --no-memory does without",
        f->memory >> 20);
    return false;
}
