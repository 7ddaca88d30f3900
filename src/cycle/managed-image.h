/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * A suspend state as the file that libvirt restores. Who opens it may be libvirt before a
 * start, so libvirt's hook lets a start pass while it is open; who reads memory has claimed
 * the state; who reads what comes after the memory may let the guest run, so the state is
 * marked as run before. What has become of it is seen afterwards (FSN_OP_LOAD).
 * Nothing here asks libvirt.
 */
typedef struct FsnManagedImage FsnManagedImage;

/* Of snapshot @id, a suspend state that has not been used. */
FsnManagedImage *fsn_managed_image_new(FsnCycle *cycle, const char *id, GError **error);
void fsn_managed_image_free(FsnManagedImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnManagedImage, fsn_managed_image_free)

/* True if it is certain that there is no such state any more: deleted, or used. */
bool fsn_managed_image_is_void(FsnCycle *cycle, const char *id);

const char *fsn_managed_image_id(const FsnManagedImage *image);
uint64_t fsn_managed_image_size(const FsnManagedImage *image);

/* FSN_ERROR_STATE if the state must not be used: it was, somebody has claimed it, or a disk
 * differs. FSN_ERROR_BUSY: another operation works on the domain. */
bool fsn_managed_image_open(FsnManagedImage *image, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_managed_image_pread(FsnManagedImage *image,
                             void *out,
                             size_t len,
                             uint64_t offset,
                             size_t *out_len,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The last one has closed it. Puts the guard back unless the state is claimed; then
 * *@out_claimed tells that the journal has to be settled. */
void fsn_managed_image_close(FsnManagedImage *image, bool *out_claimed);

/* After a close: libvirt has let the guest run, which it says by taking its link away. Then the
 * state is used up, nothing of it is left but the snapshot, and *@out_used is true; else it is
 * not known yet. */
bool fsn_managed_image_conclude(FsnManagedImage *image,
                                const char *save_folder,
                                bool *out_used,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
