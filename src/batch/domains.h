/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "batch/record.h"
#include "cycle/context.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* All domains that libvirt knows with what a batch decides by, ordered by name:
 * FsnBatchDomain; the caller unrefs. @record may be NULL. One that goes away meanwhile is
 * left out. */
bool fsn_batch_list_domains(FsnCycle *cycle,
                            const FsnBatchRecord *record,
                            GPtrArray **out_domains,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
