/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "cycle/journal.h"
#include "cycle/lock.h"
#include "repo/repo.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * Filling the disks of a lazy restore. Each is an overlay over the disk in the snapshot, which
 * the process foresnap-fill serves by NBD and copies into the overlay while the guest runs; in
 * the end nothing is below it any more. It goes on beside other operations' journals, so
 * it has one of its own (FSN_OP_FILL), in the folder "fill" of the state folder, and a lock
 * there; a guard takes it up again when the process dies.
 *
 * While it lasts a mark (FSN_FILL_MARK and letters that tell the domain) in the repository keeps the snapshot from being deleted.
 */

#define FSN_FILL_MARK "lazy"

/* Folder of its journals, and a context for it: NULL if there never was any. */
char *fsn_fill_state_dir(const char *state_dir);
bool fsn_fill_cycle(FsnCycle *cycle, FsnCycle **out_fills, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Where disk @target of domain @uuid is served; the caller frees. */
char *fsn_fill_socket(FsnVirt *virt, const char *uuid, const char *target);

/* Whether the restore @journal is a lazy one. */
bool fsn_fill_is_wanted(const FsnJournal *journal);

/* FSN_ERROR_BUSY while disks of domain @uuid are being filled. */
bool fsn_fill_check_none(FsnCycle *cycle, const char *uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Protects the snapshot of the restore or fill @journal, and lets it go again. Both may be
 * done twice. Protecting fails with FSN_ERROR_NOT_FOUND if it has been deleted. */
bool fsn_fill_protect(FsnRepo *repo, const FsnJournal *journal, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_fill_forget(FsnRepo *repo, const FsnJournal *journal, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Begins, once the overlays of @restore are in their places: when this returns they are served. May
 * be done twice. */
bool fsn_fill_start(FsnCycle *cycle, const FsnJournal *restore, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Goes on after the process has died; @fills is the context of the fill's own folder, and the
 * lock passes to the process. Gives up after some attempts if nobody has asked for them. */
bool fsn_fill_continue(FsnCycle *fills,
                       FsnJournal *journal,
                       bool automatic,
                       FsnLock *lock,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The ref of what is learned of a disk of domain @uuid, a working set whose granules are those
 * of the disk; the caller frees. */
char *fsn_diskset_ref(const char *uuid, const char *target);

/* What the process does: serves, fills whenever the domain is on, and returns when all is
 * filled or the images are gone. A byte to @ready_fd, which is closed then, says that the disks
 * are served. */
bool fsn_fill_run(FsnCycle *fills, const char *uuid, int ready_fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
