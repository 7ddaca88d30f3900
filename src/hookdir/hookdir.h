/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Administrators' own programs around operations: those in the folders pre-OPERATION.d and
 * post-OPERATION.d of @folder, in the order of their names. Each gets what it is about in its
 * environment and as JSON on its standard input. */
typedef struct {
    const char *operation; /* "suspend", "resume", "snapshot", "restore" */
    const char *target;    /* what was asked for: a domain or a snapshot */
    const char *domain;    /* its name and UUID; NULL: not known (yet) */
    const char *uuid;
    const char *repo;
    const char *uri; /* NULL: libvirt's own default */
} FsnHookEvent;

/* How it ended. */
typedef struct {
    bool done;
    const char *snapshot; /* NULL: none */
    const char *error;    /* NULL: none */
} FsnHookEnd;

/* In the environment of hooks: what they start runs none. */
#define FSN_HOOKS_GUARD "FORESNAP_IN_HOOK"

/* $FORESNAP_CONFIG_DIR/hooks, else foresnap/hooks below configure's sysconfdir; the caller frees. */
char *fsn_hookdir_default(void);

/* Whether anything is in the folders of @operation. */
bool fsn_hookdir_any(const char *folder, const char *operation);

/* Runs those before @event, each for at most @limit_us. One that ends with another status than
 * 0, cannot be run, or takes too long vetoes: FSN_ERROR_STATE says which and what it printed,
 * and the others are not run. So does a file that somebody else than root (or this user) could
 * have put there. Lines to tell (char*) are added to @lines. */
bool fsn_hookdir_pre(const char *folder,
                     const FsnHookEvent *event,
                     int64_t limit_us,
                     GPtrArray *lines,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs those after it, all of them; what goes wrong is added to @warnings (char*). */
void fsn_hookdir_post(const char *folder,
                      const FsnHookEvent *event,
                      const FsnHookEnd *end,
                      int64_t limit_us,
                      GPtrArray *lines,
                      GPtrArray *warnings);

G_END_DECLS
