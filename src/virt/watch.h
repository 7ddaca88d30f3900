/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/connection.h"
#include "virt/events.h"

G_BEGIN_DECLS

/* What happens to all domains of a connection, and to the connection itself, for somebody who
 * stays: a daemon. */
typedef struct FsnVirtWatch FsnVirtWatch;

/* Called in the thread that runs libvirt's events: it must not wait, nor call libvirt. @event is
 * NULL when the connection has closed, after which nothing more comes; @name is the domain's. */
typedef void (*FsnVirtWatchFunc)(const FsnVirtEvent *event,
                                 const char *name,
                                 gpointer user);

/* Watches @virt, and has a libvirtd that does not answer for 20 s noticed: calls that wait for
 * it fail then. No call is under way when the free function returns, and none comes later. */
bool fsn_virt_watch_new(FsnVirt *virt,
                        FsnVirtWatchFunc func,
                        gpointer user,
                        FsnVirtWatch **out_watch,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
void fsn_virt_watch_free(FsnVirtWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnVirtWatch, fsn_virt_watch_free)

/* "started", "stopped", …; static. */
const char *fsn_virt_event_name(FsnVirtEventKind kind);

G_END_DECLS
