/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "metrics/reading.h"
#include "virt/domain.h"

G_BEGIN_DECLS

/* Looks at @domains (NULL-terminated; NULL: at all that libvirt knows), in one call that waits
 * for no job of a domain: what a busy one cannot say at once is not read this time. The
 * readings (FsnReading) are stamped with the clocks; the array frees them. A domain that has
 * gone is left out. */
bool fsn_virt_read_stats(FsnVirt *virt,
                         FsnVirtDomain *const *domains,
                         GPtrArray **out_readings,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
