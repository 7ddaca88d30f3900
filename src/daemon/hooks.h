/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* The socket that foresnap-hook writes to. What comes is news, never the truth: some of it may
 * be lost, and libvirt's events say the same later. Nothing here may take long, and nothing
 * calls libvirt: whoever has written holds a domain locked. */
typedef struct FsnHooks FsnHooks;

typedef struct {
    const char *name;      /* of the domain; valid UTF-8 */
    const char *uuid;      /* "" if libvirt did not say */
    const char *operation; /* "prepare", "start", "started", "stopped", "release" … */
} FsnHookNews;

typedef void (*FsnHooksFunc)(const FsnHookNews *news, gpointer user);

/* Listens at @path, in the main context of the thread; makes the folder. A socket that another
 * process listens at is FSN_ERROR_BUSY, one that nobody listens at is replaced. */
FsnHooks *fsn_hooks_new(const char *path,
                        FsnHooksFunc func,
                        gpointer user,
                        GError **error);
void fsn_hooks_free(FsnHooks *hooks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnHooks, fsn_hooks_free)

/* Whether the domain is another one after that @operation: on or off, here or not. Pure. */
bool fsn_hooks_is_change(const char *operation);

/* Pure: false if @text is no news. The fields of @out_news belong to *@out_keep, to be
 * unreffed. */
bool fsn_hooks_parse(const char *text,
                     size_t len,
                     FsnHookNews *out_news,
                     gpointer *out_keep) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
