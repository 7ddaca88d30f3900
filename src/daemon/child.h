/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * A short run of foresnap that asks libvirt something. It is a process of its own, so that a
 * libvirtd that does not answer holds nobody but that process, which is killed after its time.
 */
typedef struct FsnChild FsnChild;

/* @document is what it has printed (borrowed), or NULL; @complaint says why there is no
 * success, NULL if there is. The child is freed afterwards. */
typedef void (*FsnChildFunc)(JsonObject *document, const char *complaint, gpointer user);

/* Runs "foresnap --json @arguments" in the main context of the thread, with low priority for
 * the processor; @time_s 0 is without a limit. It is asked to end (SIGTERM) when this thread
 * ends, the daemon's own end among that. NULL if it cannot be started, then @func is not called. */
FsnChild *fsn_child_start(
    char **arguments, unsigned time_s, FsnChildFunc func, gpointer user, GError **error);
/* SIGTERM; @func is called when it has ended. */
void fsn_child_ask_to_end(FsnChild *child);
/* The same without anybody who waits for that; @func is not called. */
void fsn_child_dismiss(FsnChild *child);
/* Kills it; @func is not called. */
void fsn_child_abandon(FsnChild *child);

G_END_DECLS
