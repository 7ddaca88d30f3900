/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "changemap/qemu-map.h"
#include "cycle/changemap.h"

G_BEGIN_DECLS

/* A disk of a change map, and the bitmap that records for it. */
typedef struct {
    char *target;
    char *alias;
    char *node;         /* that has the bitmap; NULL = none yet */
    const char *bitmap; /* static; NULL = none yet */
    const char *old;    /* likewise: disabled in this round */
    FsnHeatMap *heat;
    bool seen; /* in this round */
    bool read; /* likewise: what has changed */
    bool has_counts;
    FsnHeatCounts counts; /* since QEMU's start */
    FsnHeatCounts delta;
} FsnMapDisk;

/* map-rotate.c: what has changed of @disks (FsnMapDisk) since the last call, into their maps,
 * which it begins; a new bitmap records from now on. *@out_note as in fsn_changemap_round().
 * The caller has the lock of QEMU's server. */
bool fsn_map_rotate(FsnQmp *qmp, GPtrArray *disks, char **out_note, GError **error);
/* The bitmaps of @disks go. */
bool fsn_map_end(FsnQmp *qmp, GPtrArray *disks, GError **error);

G_END_DECLS
