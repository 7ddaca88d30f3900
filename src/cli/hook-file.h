/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* foresnap's hook among those of libvirt: a copy of the program foresnap-hook, so that it
 * still guards suspended domains when foresnap itself is being upgraded or gone. */

typedef enum {
    FSN_HOOK_ABSENT,
    FSN_HOOK_CURRENT,  /* what this foresnap would install */
    FSN_HOOK_OTHER,    /* foresnap's, of another version or for another state folder */
    FSN_HOOK_FOREIGN,  /* a file of that name that is not foresnap's */
    FSN_HOOK_UNUSABLE, /* foresnap's, but not executable */
} FsnHookState;

typedef struct {
    char *path;
    FsnHookState state;
    bool others;   /* libvirt had hooks before this one, and so looks for more already */
    guint guarded; /* domains that are suspended and guarded by it */
} FsnHookFile;

/* @folder is libvirt's of hooks (NULL: /etc/libvirt/hooks), @state_dir foresnap's of state
 * (NULL: the one of root). The caller clears. */
void fsn_hook_file_probe(const char *folder,
                         const char *state_dir,
                         FsnHookFile *out_file);
void fsn_hook_file_clear(FsnHookFile *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnHookFile, fsn_hook_file_clear)

/* Puts it there, or another version in the place of one; other hooks are left alone. Writes
 * whether anything was to be done. A foreign file is FSN_ERROR_EXISTS. */
bool fsn_hook_file_install(const char *folder,
                           const char *state_dir,
                           bool *out_changed,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Takes it away, and nothing else. */
bool fsn_hook_file_remove(const char *folder, bool *out_changed, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
