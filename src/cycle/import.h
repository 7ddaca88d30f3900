/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/suspend.h"

G_BEGIN_DECLS

/* Takes file @path, an image of `virsh save`, as the suspend state of @domain, which must be
 * the one that was saved, off, and not suspended by foresnap or libvirt already. Only codec
 * and level of @options count. FSN_ERROR_STATE if a disk was written after the image. The
 * domain is guarded from then on; @path stays as it is. The caller clears @out_result. */
bool fsn_cycle_import_save_image(FsnCycle *cycle,
                                 const char *domain,
                                 const char *path,
                                 const FsnSuspendOptions *options,
                                 FsnSuspendResult *out_result,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
