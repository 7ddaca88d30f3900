/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lifecycle events of one domain as a queue with a time limit. libvirt calls back in the
 * thread that runs its events (connection.c) and may do so once more after deregistration,
 * so the queue is shared by reference. Nothing is judged here.
 */
#include "config.h"

#include "virt/events.h"

#include "base/error.h"
#include "virt/domain-private.h"
#include "virt/error-private.h"
#include "virt/events-private.h"

#include <libvirt/virterror.h>

struct FsnVirtEvents {
    virConnectPtr connection; /* a reference of our own */
    int lifecycle;            /* callback ids; negative if not registered */
    int reboot;
    GAsyncQueue *queue; /* of FsnVirtEvent */
};

FsnVirtEventKind
fsn_virt_event_kind(int event)
{
    switch (event) {
    case VIR_DOMAIN_EVENT_STARTED:
        return FSN_VIRT_EVENT_STARTED;
    case VIR_DOMAIN_EVENT_SUSPENDED:
        return FSN_VIRT_EVENT_SUSPENDED;
    case VIR_DOMAIN_EVENT_RESUMED:
        return FSN_VIRT_EVENT_RESUMED;
    case VIR_DOMAIN_EVENT_SHUTDOWN:
        return FSN_VIRT_EVENT_SHUTDOWN;
    case VIR_DOMAIN_EVENT_STOPPED:
        return FSN_VIRT_EVENT_STOPPED;
    case VIR_DOMAIN_EVENT_CRASHED:
        return FSN_VIRT_EVENT_CRASHED;
    default:
        return FSN_VIRT_EVENT_OTHER;
    }
}

static void
push_event(GAsyncQueue *queue, virDomainPtr handle, FsnVirtEventKind kind, int detail)
{
    FsnVirtEvent *event = g_new0(FsnVirtEvent, 1);

    event->kind = kind;
    event->detail = detail;
    (void)virDomainGetUUIDString(handle, event->uuid); /* fails for NULL only */
    g_async_queue_push(queue, event);
}

static int
on_lifecycle(
    virConnectPtr connection, virDomainPtr handle, int event, int detail, void *opaque)
{
    push_event(opaque, handle, fsn_virt_event_kind(event), detail);
    return 0;
}

static void
on_reboot(virConnectPtr connection, virDomainPtr handle, void *opaque)
{
    push_event(opaque, handle, FSN_VIRT_EVENT_REBOOTED, 0);
}

static void
release_queue(void *opaque)
{
    g_async_queue_unref(opaque);
}

/* The callback id, or a negative number. */
static int
subscribe(FsnVirtEvents *events,
          virDomainPtr handle,
          int what,
          virConnectDomainEventGenericCallback callback)
{
    int id =
        virConnectDomainEventRegisterAny(events->connection, handle, what, callback,
                                         g_async_queue_ref(events->queue), release_queue);

    if (id < 0) {
        g_async_queue_unref(events->queue);
    }
    return id;
}

bool
fsn_virt_events_new(FsnVirtDomain *domain, FsnVirtEvents **out_events, GError **error)
{
    g_autoptr(FsnVirtEvents) events = g_new0(FsnVirtEvents, 1);
    virDomainPtr handle = fsn_virt_domain_handle(domain);

    events->connection = virDomainGetConnect(handle);
    (void)virConnectRef(events->connection); /* fails for NULL only */
    events->queue = g_async_queue_new_full(g_free);
    events->lifecycle = events->reboot = -1;
    events->lifecycle = subscribe(events, handle, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                  VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle));
    if (events->lifecycle < 0) {
        return fsn_virt_set_error(error, "cannot watch domain '%s'",
                                  fsn_virt_domain_name(domain));
    }
    events->reboot = subscribe(events, handle, VIR_DOMAIN_EVENT_ID_REBOOT,
                               VIR_DOMAIN_EVENT_CALLBACK(on_reboot));
    if (events->reboot < 0) {
        return fsn_virt_set_error(error, "cannot watch domain '%s'",
                                  fsn_virt_domain_name(domain));
    }
    *out_events = g_steal_pointer(&events);
    return true;
}

static void
unsubscribe(FsnVirtEvents *events, int id)
{
    if (id >= 0) {
        /* fails only where the connection is gone, and then nothing more comes */
        (void)virConnectDomainEventDeregisterAny(events->connection, id);
    }
}

void
fsn_virt_events_free(FsnVirtEvents *events)
{
    if (!events) {
        return;
    }
    unsubscribe(events, events->lifecycle);
    unsubscribe(events, events->reboot);
    (void)virConnectClose(events->connection); /* gives our reference back */
    g_async_queue_unref(events->queue);
    g_free(events);
}

bool
fsn_virt_events_wait(FsnVirtEvents *events,
                     int64_t timeout_us,
                     FsnVirtEvent *out_event,
                     GError **error)
{
    g_autofree FsnVirtEvent *event =
        timeout_us > 0 ? g_async_queue_timeout_pop(events->queue, (guint64)timeout_us)
                       : g_async_queue_try_pop(events->queue);

    if (!event) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                    "nothing happened to the domain");
        return false;
    }
    *out_event = *event;
    return true;
}

bool
fsn_virt_events_live(FsnVirtEvents *events)
{
    return virConnectIsAlive(events->connection) > 0;
}
