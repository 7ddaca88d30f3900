/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands through libvirt. A libvirt call cannot be given a time limit, so each one
 * runs in a thread of its own with its own references and duplicates of the descriptors;
 * at the end of the time the caller goes on and the thread ends when libvirt answers.
 */
#include "config.h"

#include "virt/qmp-transport.h"

#include "base/clock.h"
#include "base/error.h"
#include "virt/domain-private.h"
#include "virt/error-private.h"

#include <fcntl.h>
#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    FsnQmpTransport base;
    virDomainPtr handle;
} VirtTransport;

/* Shared by the caller and the thread; the mutex guards done, reply and error. */
typedef struct {
    virDomainPtr handle;
    char *command;
    int fds[FSN_QMP_MAX_FDS];
    size_t n_fds;
    GMutex mutex;
    GCond cond;
    bool done;
    char *reply;
    GError *error;
} Call;

static void
call_clear(gpointer data)
{
    Call *call = data;

    for (size_t i = 0; i < call->n_fds; i++) {
        (void)close(call->fds[i]); /* a duplicate; nothing was written through it */
    }
    (void)virDomainFree(call->handle); /* fails for NULL only */
    g_mutex_clear(&call->mutex);
    g_cond_clear(&call->cond);
    g_clear_error(&call->error);
    g_free(call->command);
    g_free(call->reply);
}

static int
ask_libvirt(Call *call, char **out_result)
{
    if (call->n_fds == 0) {
        return virDomainQemuMonitorCommand(call->handle, call->command, out_result, 0);
    }
    return virDomainQemuMonitorCommandWithFiles(call->handle, call->command,
                                                (unsigned)call->n_fds, call->fds, NULL,
                                                NULL, out_result, 0);
}

static gpointer
run_call(gpointer data)
{
    Call *call = data;
    char *result = NULL;
    g_autoptr(GError) error = NULL;

    if (ask_libvirt(call, &result) < 0) {
        (void)fsn_virt_set_error(&error,
                                 "QEMU's monitor cannot be asked"); /* kept below */
    }
    g_mutex_lock(&call->mutex);
    call->reply = g_strdup(result);
    call->error = g_steal_pointer(&error);
    call->done = true;
    g_cond_signal(&call->cond);
    g_mutex_unlock(&call->mutex);
    free(result);
    g_atomic_rc_box_release_full(call, call_clear);
    return NULL;
}

static Call *
call_new(virDomainPtr handle, const char *command)
{
    Call *call = g_atomic_rc_box_new0(Call);

    (void)virDomainRef(handle); /* fails for NULL only */
    call->handle = handle;
    call->command = g_strdup(command);
    g_mutex_init(&call->mutex);
    g_cond_init(&call->cond);
    return call;
}

static bool
call_add_fds(Call *call, const int *fds, size_t n_fds, GError **error)
{
    if (n_fds > FSN_QMP_MAX_FDS) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "more than %d descriptors with one QMP command", FSN_QMP_MAX_FDS);
        return false;
    }
    for (size_t i = 0; i < n_fds; i++) {
        int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);

        if (fd < 0) {
            return fsn_set_errno(error, errno, "cannot duplicate a descriptor");
        }
        call->fds[call->n_fds++] = fd;
    }
    return true;
}

static bool
call_wait(Call *call, int64_t timeout_us, char **out_reply, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&call->mutex);
    int64_t end_us = g_get_monotonic_time() + timeout_us;

    while (!call->done) {
        if (!g_cond_wait_until(&call->cond, &call->mutex, end_us) && !call->done) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                        "QEMU's monitor has not answered within %.1f s",
                        (double)timeout_us / 1e6);
            return false;
        }
    }
    if (call->error) {
        g_propagate_error(error, g_steal_pointer(&call->error));
        return false;
    }
    *out_reply = g_steal_pointer(&call->reply);
    return true;
}

static bool
transport_execute(FsnQmpTransport *base,
                  const char *command,
                  const int *fds,
                  size_t n_fds,
                  int64_t timeout_us,
                  char **out_reply,
                  GError **error)
{
    VirtTransport *transport = (VirtTransport *)base;
    Call *call = call_new(transport->handle, command);
    bool ok = call_add_fds(call, fds, n_fds, error);

    if (ok) {
        g_thread_unref(g_thread_new("qmp-call", run_call, g_atomic_rc_box_acquire(call)));
        ok = call_wait(call, timeout_us, out_reply, error);
    }
    g_atomic_rc_box_release_full(call, call_clear);
    return ok;
}

static void
transport_free(FsnQmpTransport *base)
{
    VirtTransport *transport = (VirtTransport *)base;

    (void)virDomainFree(transport->handle); /* fails for NULL only */
    g_free(transport);
}

static const FsnQmpTransportOps transport_ops = {
    .execute = transport_execute,
    .free = transport_free,
};

FsnQmpTransport *
fsn_virt_qmp_transport(FsnVirtDomain *domain)
{
    VirtTransport *transport = g_new0(VirtTransport, 1);

    transport->base.ops = &transport_ops;
    transport->handle = fsn_virt_domain_handle(domain);
    (void)virDomainRef(transport->handle); /* fails for NULL only */
    return &transport->base;
}
