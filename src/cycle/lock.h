/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * One operation at a time per domain UUID and repository. The lock is a flock(2) on an open
 * file: it passes to children that inherit the descriptor and goes when the last one ends.
 */
typedef struct FsnLock FsnLock;

/* In place of a repository: the lock of who uses QEMU's NBD server. */
#define FSN_NBD_LOCK "nbd"

/* FSN_ERROR_BUSY if another process holds it. The wait is at most @wait_ms. */
FsnLock *fsn_lock_take(const char *state_dir,
                       const char *repo,
                       const char *uuid,
                       int wait_ms,
                       GError **error);
void fsn_lock_release(FsnLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnLock, fsn_lock_release)

/* True if some process holds the lock at this moment. */
bool fsn_lock_is_held(const char *state_dir, const char *repo, const char *uuid);

/* The descriptor, close-on-exec; a child that must keep the lock clears that flag. */
int fsn_lock_fd(FsnLock *lock);

G_END_DECLS
