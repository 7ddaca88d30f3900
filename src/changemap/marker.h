/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* "<uuid>.map" in the state folder: while it is there, QEMU may have something of a change map.
 * Its owner has it locked as long as it lives, so who finds it unlocked clears up after a
 * process that was killed. */
typedef struct FsnMapMarker FsnMapMarker;

/* FSN_ERROR_BUSY if another process has it. */
FsnMapMarker *fsn_map_marker_take(const char *state_dir,
                                  const char *uuid,
                                  GError **error);
/* Removes the file: there is nothing in QEMU any more. Frees. */
void fsn_map_marker_done(FsnMapMarker *marker);
/* Leaves the file to who clears up later. Frees; NULL is fine. */
void fsn_map_marker_leave(FsnMapMarker *marker);

/* UUIDs that have one (char *), locked or not; the array frees them. */
GPtrArray *fsn_map_marker_list(const char *state_dir);

bool fsn_map_marker_exists(const char *state_dir, const char *uuid);

G_END_DECLS
