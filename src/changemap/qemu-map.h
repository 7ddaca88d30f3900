/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "disk/dirty-map.h"
#include "qmp/session.h"

G_BEGIN_DECLS

/* What of QEMU's a change map uses: transient bitmaps of its own and, for moments, the one NBD
 * server, if nobody else has it. All of it bears the prefix, so that a sweep finds it; bitmaps
 * of others are looked at and never changed. Whoever calls holds the domain's lock of the
 * server (changemap/marker.h). */
#define FSN_MAP_PREFIX      "foresnap-map-"
#define FSN_MAP_GRANULARITY (64u << 10)

typedef struct FsnMapServer FsnMapServer;

/* FSN_ERROR_BUSY if QEMU serves somebody else. @qmp is borrowed; @node is any, and gets a mark. */
FsnMapServer *fsn_map_server_start(FsnQmp *qmp, const char *node, GError **error);
/* Reads @bitmap of @node, which records nothing; @found may be NULL. */
bool fsn_map_server_read(FsnMapServer *server,
                         const char *node,
                         const char *bitmap,
                         FsnDirtyFound found,
                         FsnDirtyEach each,
                         gpointer user,
                         uint64_t *out_size,
                         GPtrArray **out_partitions,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Ends the server, and frees it whether that goes well or not. */
bool fsn_map_server_end(FsnMapServer *server, GError **error);

/* A new bitmap @name on @node that has what @bitmap has at this instant, and does not record. */
bool fsn_map_copy(FsnQmp *qmp,
                  const char *node,
                  const char *bitmap,
                  const char *name,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes @bitmap of @node; none there is no error. */
bool fsn_map_drop(FsnQmp *qmp, const char *node, const char *bitmap, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Ends what a change map that was killed has left: exports, and the server if it serves nothing
 * else; with @bitmaps its bitmaps too, on whatever nodes they are. May be repeated. */
bool fsn_map_sweep(FsnQmp *qmp, bool bitmaps, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
