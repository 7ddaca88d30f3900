/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's side of an outgoing migration, by QMP. The hold is a bandwidth limit so small that
 * QEMU sends one page in each of its 100 ms windows: it sleeps between them and holds no lock,
 * so that the guest and QMP go on as usual (QEMU 7.2, migration_rate_limit()).
 */
#include "config.h"

#include "cycle/outgoing.h"

#include "base/clock.h"
#include "base/error.h"
#include "qmp/commands-migration.h"
#include "qmp/commands-status.h"
#include "qmp/migration-info.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes per second. QEMU divides the limit by ten windows a second and takes a result of
 * zero for "no limit": 10 is the smallest that limits. */
#define HOLD_BANDWIDTH       10
/* More than any link; zero would mean the same today but not in each release. */
#define FULL_BANDWIDTH       (G_GINT64_CONSTANT(1) << 40)
/* The guest may be stopped once what is left can be sent in so many milliseconds. */
#define CONVERGE_DOWNTIME_MS 20
/* Before and during a hold QEMU may not come to its end: with the limit above it would call
 * 30 MB "little enough", which can be more than the reserve, and then wait for us to read
 * while it holds its main lock. */
#define HOLD_DOWNTIME_MS     1
#define SOCKET_BUFFER        (1 << 20)
#define FD_NAME              "foresnap-out"
#define END_TIMEOUT_US       (10 * G_USEC_PER_SEC)
#define DISCONNECT_US        (10 * G_USEC_PER_SEC)
#define POLL_US              5000
#define DRAIN_LOOK_MS        20

struct FsnOutgoing {
    FsnQmp *qmp;
    FsnMigrationParameters saved;
    char **saved_caps; /* that were on, without "events"; NULL: none */
    bool touched;
    bool background; /* that capability was set by us */
};

static const char *const background_caps[] = { "background-snapshot", NULL };

static char **
names_of(GHashTable *enabled)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer name;

    g_hash_table_iter_init(&iter, enabled);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (!g_str_equal(name, "events")) {
            g_ptr_array_add(names, g_strdup(name));
        }
    }
    if (names->len == 0) {
        return NULL;
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_steal(names, NULL);
}

FsnOutgoing *
fsn_outgoing_new(FsnQmp *qmp, GError **error)
{
    g_autoptr(FsnOutgoing) o = g_new0(FsnOutgoing, 1);
    g_autoptr(GHashTable) enabled = NULL;

    o->qmp = qmp;
    if (!fsn_qmp_query_migrate_parameters(qmp, &o->saved, error) ||
        !fsn_qmp_query_migrate_capabilities(qmp, &enabled, error)) {
        return NULL;
    }
    o->saved_caps = names_of(enabled);
    return g_steal_pointer(&o);
}

void
fsn_outgoing_free(FsnOutgoing *o)
{
    if (o) {
        g_strfreev(o->saved_caps);
        g_free(o);
    }
}

/* libvirt relies on "events"; every other capability changes what is on the wire, or when. */
static bool
switch_capabilities(FsnQmp *qmp, const char *const *names, bool state, GError **error)
{
    g_autoptr(GArray) caps = g_array_new(FALSE, FALSE, sizeof(FsnMigrationCapability));

    for (const char *const *name = names; name && *name; name++) {
        FsnMigrationCapability cap = { .name = *name, .state = state };

        g_array_append_val(caps, cap);
    }
    return caps->len == 0 ||
           fsn_qmp_migrate_set_capabilities(qmp, (FsnMigrationCapability *)caps->data,
                                            caps->len, error);
}

static bool
set_limits(FsnOutgoing *o, int64_t bandwidth, int64_t downtime_ms, GError **error)
{
    FsnMigrationParameters p = FSN_MIGRATION_PARAMETERS_INIT;

    p.max_bandwidth = bandwidth;
    p.downtime_limit_ms = downtime_ms;
    o->touched = true;
    return fsn_qmp_migrate_set_parameters(o->qmp, &p, error);
}

bool
fsn_outgoing_socket(int out_ends[2], GError **error)
{
    int size = SOCKET_BUFFER;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out_ends) < 0) {
        return fsn_set_errno(error, errno, "cannot make a socket for the migration");
    }
    /* A larger buffer saves wake-ups; without it all is well, only slower. */
    (void)setsockopt(out_ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return true;
}

/* Waits until an earlier migration has let go of QEMU. */
static bool
wait_disconnected(FsnQmp *qmp, GError **error)
{
    int64_t deadline = fsn_monotonic_us() + DISCONNECT_US;
    bool connected;

    while (fsn_qmp_migration_is_connected(qmp, &connected, error)) {
        if (!connected) {
            return true;
        }
        if (fsn_monotonic_us() > deadline) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                        "an earlier migration has not let go of QEMU yet");
            return false;
        }
        g_usleep(POLL_US); /* QEMU has no event for it */
    }
    return false;
}

/* QEMU looks at the capability when it clears up after a migration, also one that failed: if
 * it is off by then, the memory stays write-protected and the guest stands still for ever. */
static bool
clear_background(FsnQmp *qmp, GError **error)
{
    return wait_disconnected(qmp, error) &&
           switch_capabilities(qmp, background_caps, false, error);
}

bool
fsn_outgoing_start(FsnOutgoing *o, bool to_hold, int *out_fd, GError **error)
{
    int ends[2];
    bool ok;

    if (!wait_disconnected(o->qmp, error) ||
        !switch_capabilities(o->qmp, (const char *const *)o->saved_caps, false, error) ||
        !set_limits(o, FULL_BANDWIDTH, to_hold ? HOLD_DOWNTIME_MS : CONVERGE_DOWNTIME_MS,
                    error) ||
        !fsn_outgoing_socket(ends, error)) {
        return false;
    }
    ok = fsn_qmp_getfd(o->qmp, FD_NAME, ends[1], error) &&
         fsn_qmp_migrate(o->qmp, "fd:" FD_NAME, error);
    close(ends[1]);
    if (!ok) {
        close(ends[0]);
        return false;
    }
    *out_fd = ends[0];
    return true;
}

bool
fsn_outgoing_prepare_background(FsnOutgoing *o, int qemu_end, GError **error)
{
    if (!wait_disconnected(o->qmp, error) ||
        !switch_capabilities(o->qmp, (const char *const *)o->saved_caps, false, error) ||
        !set_limits(o, FULL_BANDWIDTH, CONVERGE_DOWNTIME_MS, error)) {
        return false;
    }
    o->background = true;
    return switch_capabilities(o->qmp, background_caps, true, error) &&
           fsn_qmp_getfd(o->qmp, FD_NAME, qemu_end, error);
}

bool
fsn_outgoing_probe_background(FsnQmp *qmp, bool *out_can, GError **error)
{
    g_autoptr(FsnOutgoing) o = fsn_outgoing_new(qmp, error);
    g_autoptr(GError) refusal = NULL;

    if (!o || !wait_disconnected(o->qmp, error) ||
        !switch_capabilities(qmp, (const char *const *)o->saved_caps, false, error)) {
        return false;
    }
    o->touched = true;
    o->background = switch_capabilities(qmp, background_caps, true, &refusal);
    *out_can = o->background;
    if (refusal) {
        g_debug("no background snapshot: %s", refusal->message);
    }
    fsn_outgoing_restore(o);
    return true;
}

bool
fsn_outgoing_start_background(FsnOutgoing *o, GError **error)
{
    return fsn_qmp_migrate(o->qmp, "fd:" FD_NAME, error);
}

static bool
has_ended(FsnQmp *qmp, bool *out_ended, GError **error)
{
    g_auto(FsnMigrationInfo) info = { 0 };

    if (!fsn_qmp_query_migrate(qmp, &info, error)) {
        return false;
    }
    *out_ended = FSN_MIGRATION_BIT(info.status) & FSN_MIGRATION_IDLE;
    return true;
}

bool
fsn_outgoing_drain(FsnQmp *qmp, int fd, GError **error)
{
    g_autofree char *bytes = g_malloc(SOCKET_BUFFER);
    bool ended = false;

    while (!ended) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int rc = poll(&p, 1, DRAIN_LOOK_MS);

        if (rc > 0 && read(fd, bytes, SOCKET_BUFFER) > 0) {
            continue;
        }
        if (!has_ended(qmp, &ended, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_outgoing_await_end(FsnQmp *qmp, GError **error)
{
    bool ended = false;

    while (has_ended(qmp, &ended, error) && !ended) {
        g_usleep(POLL_US); /* libvirt passes events of migrations of its own only */
    }
    return ended;
}

bool
fsn_outgoing_hold(FsnOutgoing *o, GError **error)
{
    return set_limits(o, HOLD_BANDWIDTH, HOLD_DOWNTIME_MS, error);
}

bool
fsn_outgoing_release(FsnOutgoing *o, GError **error)
{
    return set_limits(o, FULL_BANDWIDTH, CONVERGE_DOWNTIME_MS, error);
}

bool
fsn_outgoing_finish(FsnOutgoing *o, int64_t *out_downtime_us, GError **error)
{
    g_auto(FsnMigrationInfo) info = { 0 };

    if (!fsn_qmp_wait_migration(o->qmp, FSN_MIGRATION_ENDED, END_TIMEOUT_US, &info,
                                error)) {
        return false;
    }
    if (info.status != FSN_MIGRATION_COMPLETED) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "QEMU's migration did not complete%s%s", info.error_text ? ": " : "",
                    info.error_text ? info.error_text : "");
        return false;
    }
    *out_downtime_us = MAX(info.downtime_us, 0);
    return true;
}

bool
fsn_outgoing_cancel(FsnOutgoing *o, GError **error)
{
    g_auto(FsnMigrationInfo) info = { 0 };

    return fsn_qmp_migrate_cancel(o->qmp, error) &&
           fsn_qmp_wait_migration(o->qmp, FSN_MIGRATION_IDLE, END_TIMEOUT_US, &info,
                                  error);
}

void
fsn_outgoing_restore(FsnOutgoing *o)
{
    g_autoptr(GError) ignored = NULL;

    if (!o->touched) {
        return;
    }
    o->touched = false;
    if (!fsn_qmp_migrate_set_parameters(o->qmp, &o->saved, &ignored)) {
        g_clear_error(&ignored); /* the domain has gone, and its parameters with it */
    }
    if (o->background && !clear_background(o->qmp, &ignored)) {
        g_clear_error(&ignored); /* likewise */
    }
    if (!switch_capabilities(o->qmp, (const char *const *)o->saved_caps, true,
                             &ignored)) {
        g_clear_error(&ignored); /* likewise */
    }
}

void
fsn_outgoing_saved(FsnOutgoing *o,
                   int64_t *out_max_bandwidth,
                   int64_t *out_downtime_limit_ms,
                   char ***out_capabilities)
{
    *out_max_bandwidth = o->saved.max_bandwidth;
    *out_downtime_limit_ms = o->saved.downtime_limit_ms;
    *out_capabilities = g_strdupv(o->saved_caps);
}

bool
fsn_outgoing_put_back(FsnQmp *qmp,
                      int64_t max_bandwidth,
                      int64_t downtime_limit_ms,
                      char *const *capabilities,
                      bool background,
                      GError **error)
{
    FsnMigrationParameters p = FSN_MIGRATION_PARAMETERS_INIT;

    p.max_bandwidth = max_bandwidth;
    p.downtime_limit_ms = downtime_limit_ms;
    return fsn_qmp_migrate_set_parameters(qmp, &p, error) &&
           (!background || clear_background(qmp, error)) &&
           switch_capabilities(qmp, (const char *const *)capabilities, true, error);
}
