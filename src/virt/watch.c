/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of all domains, by callback. libvirt may call back once more after deregistration, so
 * what it is given is shared by reference and knows whether anybody still listens.
 */
#include "config.h"

#include "virt/watch.h"

#include "virt/connection-private.h"
#include "virt/error-private.h"
#include "virt/events-private.h"

#include <libvirt/virterror.h>

#define KEEPALIVE_S     5
#define KEEPALIVE_COUNT 3

typedef struct {
    GMutex mutex;          /* held while @func runs; nothing else is taken inside */
    FsnVirtWatchFunc func; /* NULL: nobody listens any more */
    gpointer user;
} Listener;

struct FsnVirtWatch {
    virConnectPtr connection; /* a reference of our own */
    Listener *listener;       /* by g_atomic_rc_box */
    int lifecycle;            /* callback id; negative if not registered */
    bool closing;             /* the close callback is registered */
};

static const char *const names[] = {
    [FSN_VIRT_EVENT_OTHER] = "changed",     [FSN_VIRT_EVENT_STARTED] = "started",
    [FSN_VIRT_EVENT_SUSPENDED] = "paused",  [FSN_VIRT_EVENT_RESUMED] = "resumed",
    [FSN_VIRT_EVENT_SHUTDOWN] = "shutdown", [FSN_VIRT_EVENT_STOPPED] = "stopped",
    [FSN_VIRT_EVENT_CRASHED] = "crashed",   [FSN_VIRT_EVENT_REBOOTED] = "rebooted",
};

const char *
fsn_virt_event_name(FsnVirtEventKind kind)
{
    return names[kind];
}

static void
clear_listener(gpointer data)
{
    g_mutex_clear(&((Listener *)data)->mutex);
}

static void
release_listener(void *opaque)
{
    g_atomic_rc_box_release_full(opaque, clear_listener);
}

static void
tell(Listener *listener, const FsnVirtEvent *event, const char *name)
{
    g_mutex_lock(&listener->mutex);
    if (listener->func) {
        listener->func(event, name, listener->user);
    }
    g_mutex_unlock(&listener->mutex);
}

static int
on_lifecycle(
    virConnectPtr connection, virDomainPtr handle, int event, int detail, void *opaque)
{
    FsnVirtEvent e = { .kind = fsn_virt_event_kind(event), .detail = detail };

    (void)virDomainGetUUIDString(handle, e.uuid); /* fails for NULL only */
    tell(opaque, &e, virDomainGetName(handle));
    return 0;
}

static void
on_close(virConnectPtr connection, int reason, void *opaque)
{
    tell(opaque, NULL, NULL);
}

bool
fsn_virt_watch_new(FsnVirt *virt,
                   FsnVirtWatchFunc func,
                   gpointer user,
                   FsnVirtWatch **out_watch,
                   GError **error)
{
    g_autoptr(FsnVirtWatch) watch = g_new0(FsnVirtWatch, 1);

    watch->connection = fsn_virt_handle(virt);
    (void)virConnectRef(watch->connection); /* fails for NULL only */
    watch->lifecycle = -1;
    watch->listener = g_atomic_rc_box_new0(Listener);
    g_mutex_init(&watch->listener->mutex);
    watch->listener->func = func;
    watch->listener->user = user;
    /* Not all drivers can; without it a libvirtd that stands still is waited for. */
    (void)virConnectSetKeepAlive(watch->connection, KEEPALIVE_S, KEEPALIVE_COUNT);
    /* No reference: libvirt calls under a lock that unregistering takes too, and forgets to give
     * one back where the driver has no such callback, which counts as success. */
    watch->closing = virConnectRegisterCloseCallback(watch->connection, on_close,
                                                     watch->listener, NULL) == 0;
    watch->lifecycle = virConnectDomainEventRegisterAny(
        watch->connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
        VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), g_atomic_rc_box_acquire(watch->listener),
        release_listener);
    if (watch->lifecycle < 0) {
        release_listener(watch->listener);
        return fsn_virt_set_error(error, "cannot watch the domains");
    }
    *out_watch = g_steal_pointer(&watch);
    return true;
}

void
fsn_virt_watch_free(FsnVirtWatch *watch)
{
    if (!watch) {
        return;
    }
    g_mutex_lock(&watch->listener->mutex);
    watch->listener->func = NULL;
    g_mutex_unlock(&watch->listener->mutex);
    /* These fail only where the connection is gone, and then nothing more comes. */
    if (watch->lifecycle >= 0) {
        (void)virConnectDomainEventDeregisterAny(watch->connection, watch->lifecycle);
    }
    if (watch->closing) {
        (void)virConnectUnregisterCloseCallback(watch->connection, on_close);
    }
    (void)virConnectClose(watch->connection); /* gives our reference back */
    release_listener(watch->listener);
    g_free(watch);
}
