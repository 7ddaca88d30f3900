/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"
#include "virt/connection.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What every operation needs: where the repository, libvirt and the journals are. The
 * connections open on first use. One thread uses a context at a time. */
typedef struct FsnCycle FsnCycle;

/* @phase is a static word ("memory", "settling"…); @total is 0 where it is not known. */
typedef void (*FsnProgressFunc)(const char *phase,
                                uint64_t done,
                                uint64_t total,
                                gpointer user);

/* @uri NULL: libvirt's own default. @state_dir NULL: $FORESNAP_STATE_DIR, else
 * lib/foresnap/state below configure's localstatedir for root and $XDG_STATE_HOME/foresnap
 * for others. */
FsnCycle *fsn_cycle_new(const char *uri,
                        const char *repo_location,
                        const char *state_dir,
                        GError **error);
void fsn_cycle_free(FsnCycle *cycle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnCycle, fsn_cycle_free)

void fsn_cycle_set_progress(FsnCycle *cycle, FsnProgressFunc func, gpointer user);
void fsn_cycle_progress(FsnCycle *cycle,
                        const char *phase,
                        uint64_t done,
                        uint64_t total);

/* Borrowed; NULL with @error set where it cannot be opened. */
FsnVirt *fsn_cycle_virt(FsnCycle *cycle, GError **error);
FsnRepo *fsn_cycle_repo(FsnCycle *cycle, GError **error);
/* The same for an operation that stores an image, if it is the first to ask: a tier that is
 * written through gets copies. */
FsnRepo *fsn_cycle_storing_repo(FsnCycle *cycle, GError **error);
const char *fsn_cycle_uri(FsnCycle *cycle);           /* as given; may be NULL */
const char *fsn_cycle_repo_location(FsnCycle *cycle); /* absolute */
const char *fsn_cycle_state_dir(FsnCycle *cycle);

/* FORESNAP_STATE_DIR, else that of root or of the user; the caller frees. */
char *fsn_cycle_default_state_dir(void);
/* $FORESNAP_REPO, else /var/lib/foresnap/repo for root and $XDG_DATA_HOME/foresnap/repo for
 * others. The caller frees. */
char *fsn_cycle_default_repo(void);
/* Folder that holds foresnap-pager and its like; FORESNAP_LIBEXECDIR overrides it. The
 * caller frees. */
char *fsn_cycle_helper_path(const char *program);

G_END_DECLS
