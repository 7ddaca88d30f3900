/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/domain.h"

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* A queue of what happens to domains, filled from the moment of its creation. */
typedef struct FsnVirtEvents FsnVirtEvents;

typedef enum {
    FSN_VIRT_EVENT_OTHER,     /* defined, undefined, suspended by its guest, … */
    FSN_VIRT_EVENT_STARTED,   /* a QEMU runs, from whatever cause */
    FSN_VIRT_EVENT_SUSPENDED, /* the guest stands */
    FSN_VIRT_EVENT_RESUMED,   /* the guest goes on */
    FSN_VIRT_EVENT_SHUTDOWN,  /* the guest has shut down; QEMU may still be there */
    FSN_VIRT_EVENT_STOPPED,   /* QEMU is gone */
    FSN_VIRT_EVENT_CRASHED,
    FSN_VIRT_EVENT_REBOOTED, /* the guest was reset; QEMU is the same */
} FsnVirtEventKind;

typedef struct {
    FsnVirtEventKind kind;
    int detail; /* libvirt's number, for messages */
    char uuid[37];
} FsnVirtEvent;

/* Events of @domain. */
bool fsn_virt_events_new(FsnVirtDomain *domain,
                         FsnVirtEvents **out_events,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
void fsn_virt_events_free(FsnVirtEvents *events);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnVirtEvents, fsn_virt_events_free)

/* Takes the oldest event, waiting up to @timeout_us for one (0: only what is there);
 * FSN_ERROR_TIMEOUT if there is none. One thread waits at a time. */
bool fsn_virt_events_wait(FsnVirtEvents *events,
                          int64_t timeout_us,
                          FsnVirtEvent *out_event,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* False once the connection has closed: events are missed from then on. */
bool fsn_virt_events_live(FsnVirtEvents *events);

G_END_DECLS
