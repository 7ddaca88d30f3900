/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "history/store.h"
#include "schedule/look.h"
#include "virt/domain.h"

G_BEGIN_DECLS

/* Fills what @domain's input says of changes since the newest snapshot, as far as it can be
 * found out: from QEMU's record of them, else from what the history says was written.
 * @history may be NULL. */
void fsn_schedule_look_changes(FsnCycle *cycle,
                               FsnHistory *history,
                               FsnScheduleDomain *domain);

/* Whether it is off and its disks are as the newest snapshot has them. To find that out may
 * take a process, which is why it is asked only where it matters. */
bool fsn_schedule_is_unchanged(FsnCycle *cycle,
                               FsnVirtDomain *handle,
                               const FsnScheduleDomain *domain);

/* Notes something for people, as printf. */
void fsn_schedule_note(FsnScheduleDomain *domain, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

G_END_DECLS
