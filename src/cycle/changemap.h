/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "heat/heat.h"

G_BEGIN_DECLS

/* The change map of a running domain, made round by round. Its disks change where transient
 * bitmaps of its own say so, if the domain's profile asks for that (changemap.enabled); else only
 * QEMU's statistics are looked at. A round that would disturb is given up: somebody else has
 * QEMU's NBD server, or a backup is open. */
typedef struct FsnChangeMap FsnChangeMap;

/* Begins; what was left by one that was killed goes. FSN_ERROR_STATE if @domain is off,
 * FSN_ERROR_BUSY if another process makes a map of it. */
FsnChangeMap *fsn_changemap_new(FsnCycle *cycle, const char *domain, GError **error);
/* Takes everything out of QEMU. What could not be is left to 'recover', and told. */
bool fsn_changemap_end(FsnChangeMap *map, GError **error);

/* One look. The first one only begins. *@out_note: why places are not known this time, NULL if
 * they are; the caller frees. An error is one that ends the map: the domain has gone. */
bool fsn_changemap_round(FsnChangeMap *map, char **out_note, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The maps (FsnHeatMap, borrowed until the next round) of the disks that there are now; the
 * caller unrefs the array. */
GPtrArray *fsn_changemap_disks(FsnChangeMap *map);
const char *fsn_changemap_uuid(const FsnChangeMap *map);
const char *fsn_changemap_name(const FsnChangeMap *map);
bool fsn_changemap_has_bitmaps(const FsnChangeMap *map);
/* By the profile, microseconds. */
int64_t fsn_changemap_interval_us(const FsnChangeMap *map);

/* How long to wait before the next round so that rounds take no more than 1 % of a processor,
 * and those of all maps on this host 5 %; at least @interval_us. */
int64_t fsn_changemap_wait_us(const FsnChangeMap *map, int64_t interval_us);
/* The same of what the last round took, with @n maps being made. Pure. */
int64_t fsn_changemap_stretch(int64_t interval_us, int64_t cost_us, unsigned n);

G_END_DECLS
