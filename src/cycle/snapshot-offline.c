/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disks of a domain that is off. It has no instant but the reading itself, during which
 * nobody can start it: the images are locked. A new bitmap is added before that, so that none of
 * what a guest writes after it can be missed; until the older one goes both record. Images of a
 * guest that is suspended are not written to at all, for its memory goes on only over disks
 * that nobody has touched.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/faults.h"
#include "cycle/find-state.h"
#include "cycle/image-bitmaps.h"
#include "cycle/snapshot-private.h"
#include "disk/qemu-img.h"

static bool
is_suspended(FsnSnapshotRun *run)
{
    g_autofree char *state = NULL;
    g_autoptr(GError) none = NULL;

    return run->status.managed_save ||
           fsn_find_suspend_state(run->repo, run->facts->uuid, &state, &none);
}

/* Without one the next snapshot reads all, and says so: no reason to fail. */
static void
mark(FsnSnapshotRun *run, FsnSnapshotDisk *d, bool untouched)
{
    g_autofree char *bitmap = fsn_instant_bitmap(run->repo_id, run->id);
    g_autoptr(GError) error = NULL;

    if (untouched || d->data_file || !fsn_image_keeps_bitmaps(d->facts)) {
        return;
    }
    d->marked = fsn_qemu_img_add_bitmap(d->facts->source, bitmap, &error);
    if (!d->marked) {
        g_debug("disk '%s': %s", d->facts->target, error->message);
    }
}

static bool
open_disk(FsnSnapshotRun *run, FsnSnapshotDisk *d, bool untouched, GError **error)
{
    g_autofree char *bitmap = fsn_disk_mode_needs_bitmap(d->plan->mode)
                                  ? fsn_instant_bitmap(run->repo_id, d->parent_id)
                                  : NULL;

    mark(run, d, untouched);
    fsn_fault_kill_at("offline:marked");
    d->context = bitmap ? g_strconcat("qemu:dirty-bitmap:", bitmap, NULL) : NULL;
    d->offline = fsn_disk_offline_new(
        d->facts->source, d->facts->format ? d->facts->format : "raw", bitmap, error);
    if (!d->offline) {
        g_prefix_error(error, "disk '%s': ", d->facts->target);
    }
    return d->offline != NULL;
}

bool
fsn_snapshot_open_offline(FsnSnapshotRun *run, GError **error)
{
    bool untouched = run->comparing || is_suspended(run);

    run->instant_us = fsn_realtime_us();
    if (!fsn_firmware_read_tpm(run->virt, run->facts, &run->firmware, error)) {
        return false;
    }
    for (guint i = 0; i < run->disks->len; i++) {
        FsnSnapshotDisk *d = run->disks->pdata[i];

        if (d->plan->mode != FSN_DISK_SKIPPED && !open_disk(run, d, untouched, error)) {
            return false;
        }
    }
    return true;
}

void
fsn_snapshot_close_offline(FsnSnapshotRun *run, FsnSweep sweep)
{
    for (guint i = 0; i < run->disks->len; i++) {
        FsnSnapshotDisk *d = run->disks->pdata[i];
        g_autoptr(GError) error = NULL;

        g_clear_pointer(&d->offline, fsn_disk_offline_free); /* its lock goes with it */
        if (d->marked && !fsn_image_bitmaps_settle(d->facts->source, run->repo_id,
                                                   run->id, sweep, &error)) {
            g_debug("disk '%s': %s", d->facts->target, error->message);
        }
        d->marked = false;
    }
}
