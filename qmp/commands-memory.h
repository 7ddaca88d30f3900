/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

G_BEGIN_DECLS

/* The guest's memory in bytes: what the machine started with, and what was plugged in since
 * (0 where the machine knows no hotplug). Not the RAM blocks of devices and firmware, which
 * are in the migration stream too. Errors: as for fsn_qmp_execute(), FSN_ERROR_FORMAT. */
bool fsn_qmp_query_memory_size(FsnQmp *qmp,
                               uint64_t *out_base,
                               uint64_t *out_plugged,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
