/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "cycle/restore-plan.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * The disks of a restore on their way to their places, in the form that the journal keeps, so
 * that whoever finds it can complete or undo the restore: an array of
 * {"target", "format", "path", "new"} and, for a file, "temporary". @new says that nothing
 * may be there. Other files that are put back (restore-firmware.c) stand there likewise, and
 * one with "gone" is removed. One that is filled later has "source", the path as the domain
 * has it, "socket", "own_policy" and "bandwidth" too.
 */
JsonArray *fsn_restore_files_of(const FsnRestorePlan *plan, bool is_new);

/* Makes the empty file @temporary, which must not be there, with owner, mode and label of
 * @place, if that is there. */
bool fsn_restore_files_make(const char *temporary, const char *place, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Writes all temporary files, with owner, mode and label of what they will replace, durable.
 * *@out_written gets {"target", "path", "format", "size", "bytes_written"} for each. */
bool fsn_restore_files_write(FsnCycle *cycle,
                             const char *snapshot,
                             const FsnRestorePlan *plan,
                             JsonArray *written,
                             GCancellable *cancellable,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets them take their places, and writes block devices. May be done again. */
bool fsn_restore_files_replace(FsnCycle *cycle,
                               const char *snapshot,
                               JsonArray *files,
                               JsonArray *written,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes the temporary files; those that are not there are no error. */
bool fsn_restore_files_remove(JsonArray *files, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
