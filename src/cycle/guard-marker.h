/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * The marker of a suspended domain: the file guard/UUID in the state folder, with the
 * snapshot's id and the domain's name, a line each. libvirt deletes the stub (stub.h) when it
 * is told to boot all the same; the hook that foresnap ships for libvirt refuses every start
 * of a domain with a marker, and reads nothing else.
 */

/* Durable; one that is there is replaced. */
bool fsn_guard_marker_write(const char *state_dir,
                            const char *uuid,
                            const char *name,
                            const char *snapshot,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Durable; true also if there is none. */
bool fsn_guard_marker_remove(const char *state_dir, const char *uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
