/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * The note that a guest has not run, though its snapshot is marked as run: a small file that
 * is there from before the mark until the moment in which the guest is let go. Whoever finds
 * mark and note knows that the state is as good as it was. The note vouches only for the
 * boot of the host in which it was written, so it need not be synced: a power loss, which
 * might bring a removed one back, voids it.
 */

/* Replaces whatever stands at @path. */
bool fsn_not_run_write(const char *path, const char *snapshot, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* True also if there was none. After false nothing may run. */
bool fsn_not_run_remove(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* False whenever it is not certain. */
bool fsn_not_run_holds(const char *path, const char *snapshot);

G_END_DECLS
