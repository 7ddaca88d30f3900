/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"
#include "virt/domain.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * The server of libvirt's managed saves (foresnap-savefs) and the domains that are saved
 * through it. All of it works without the server; what is saved stays guarded.
 */

/* Pid of the server that uses this state folder; 0: there is none. */
int fsn_savefs_running(const char *state_dir);

/* Starts it, unless there is one; returns when it serves. It lives on, and logs to savefs.log
 * in the state folder. Only root can, and only for the system's libvirt. */
bool fsn_savefs_start(FsnCycle *cycle, bool *out_started, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Ends it once nothing is being saved or restored (70 s at most). */
bool fsn_savefs_stop(FsnCycle *cycle, bool *out_stopped, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Returns when the state that has just been guarded under that name is served, so that a
 * start of libvirt's finds it; at once if there is no server, after 10 s in any case. */
void fsn_savefs_await(const char *state_dir, const char *name);

/* From now on libvirt saves @domain (any name that libvirt knows) through it. A saved state
 * whose link was taken away gets it again. *@out_name: the domain's; the caller frees. */
bool fsn_savefs_enable(FsnCycle *cycle,
                       const char *domain,
                       char **out_name,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether nobody has said yet how @domain is to be saved. */
bool fsn_savefs_is_new(const char *state_dir, FsnVirtDomain *domain);
/* The next save is libvirt's own. What is saved stays as it is. */
bool fsn_savefs_disable(FsnCycle *cycle,
                        const char *domain,
                        char **out_name,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Of each such domain an object "domain", "uuid", "enabled", "state" ("ready": the next save
 * goes through here; "saved"; "detached": saved, but libvirt does not know any more;
 * "unlinked": the server has yet to make the link), "snapshot" (or null). */
bool fsn_savefs_status(FsnCycle *cycle, JsonArray **out_domains, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
