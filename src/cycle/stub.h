/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * The guard stub: a file where libvirt looks for a managed save image. A start then tries to
 * restore it instead of booting the domain cold over its saved state, and fails with a
 * message that tells the way out; the stub stays. Its header is valid, since libvirt deletes
 * files whose header is short or marked partial, and boots. Of a domain that is saved through
 * foresnap-savefs the guard is in another place (saved-place.h), over which the state itself
 * is served: libvirt restores that. It counts as a stub.
 */

/* Path of the stub for domain @name; the caller frees. */
char *fsn_stub_path(FsnVirt *virt, const char *name);

/* Durable, with the marker for the hook (guard-marker.h). @xml_inactive is the persistent XML of
 * the domain @name with @uuid; @snapshot is recorded in both.
 * A managed save image of libvirt's own in that place is FSN_ERROR_EXISTS. */
bool fsn_stub_write(FsnCycle *cycle,
                    const char *name,
                    const char *uuid,
                    const char *xml_inactive,
                    const char *snapshot,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A stub that is in libvirt's place gives way to the guard over which foresnap-savefs serves
 * the state, in one step. True also if there is none, or one of a state in another repository. */
bool fsn_stub_serve(FsnCycle *cycle,
                    const char *name,
                    const char *uuid,
                    const char *xml_inactive,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* FSN_ERROR_EXISTS if a managed save image of libvirt's own is in the place of the stub. */
bool fsn_stub_check_place(FsnCycle *cycle, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* True if the file is there and is a stub of ours; *@out_snapshot (caller frees, may be
 * NULL) is the snapshot it guards. Any other file is left alone and gives false. */
bool fsn_stub_find(FsnCycle *cycle, const char *name, char **out_snapshot);

/* Removes a stub of ours and the marker, durably; anything else stays and is no error. */
bool fsn_stub_remove(FsnCycle *cycle, const char *name, const char *uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
