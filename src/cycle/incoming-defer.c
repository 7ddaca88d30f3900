/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's side of an incoming migration, by QMP. The stream comes through a socket pair whose
 * end QEMU is given, so that no path, label or permission is needed. When the guest may run
 * is decided elsewhere.
 */
#include "config.h"

#include "cycle/incoming-defer.h"

#include "base/error.h"
#include "domxml/edit.h"
#include "qmp/commands-migration.h"
#include "qmp/commands-status.h"
#include "qmp/migration-info.h"
#include "virt/qmp-transport.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define FD_NAME   "foresnap-in"
#define POSTCOPY  "postcopy-ram"
#define SETTLE_US (5 * G_USEC_PER_SEC)

const char *const fsn_incoming_defer_arguments[] = { "-incoming", "defer", NULL };

bool
fsn_incoming_defer_create(FsnVirt *virt,
                          const char *xml_live,
                          const char *cpu_xml,
                          FsnVirtDomain **out_domain,
                          GError **error)
{
    g_autofree char *with_cpu = NULL;
    g_autofree char *xml = NULL;

    if (cpu_xml && !fsn_domain_xml_set_cpu(xml_live, cpu_xml, &with_cpu, error)) {
        return false;
    }
    return fsn_domain_xml_add_arguments(with_cpu ? with_cpu : xml_live,
                                        fsn_incoming_defer_arguments, &xml, error) &&
           fsn_virt_create(virt, xml, true, out_domain, error);
}

/* Every capability but libvirt's "events" changes what QEMU expects on the wire. */
static bool
set_capabilities(FsnQmp *qmp, bool postcopy, GError **error)
{
    g_autoptr(GHashTable) enabled = NULL;
    g_autoptr(GArray) caps = g_array_new(FALSE, FALSE, sizeof(FsnMigrationCapability));
    FsnMigrationCapability wanted = { .name = POSTCOPY, .state = postcopy };
    GHashTableIter iter;
    gpointer name;

    if (!fsn_qmp_query_migrate_capabilities(qmp, &enabled, error)) {
        return false;
    }
    g_hash_table_iter_init(&iter, enabled);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        FsnMigrationCapability off = { .name = name, .state = false };

        if (!g_str_equal(name, "events") && !g_str_equal(name, POSTCOPY)) {
            g_array_append_val(caps, off);
        }
    }
    g_array_append_val(caps, wanted);
    return fsn_qmp_migrate_set_capabilities(qmp, (FsnMigrationCapability *)caps->data,
                                            caps->len, error);
}

typedef bool (*TakeFunc)(FsnQmp *qmp, const char *uri, GError **error);

static bool
hand_over(FsnQmp *qmp, TakeFunc take, int *out_fd, GError **error)
{
    int ends[2];
    bool ok;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        return fsn_set_errno(error, errno, "cannot make a socket for the migration");
    }
    ok = fsn_qmp_getfd(qmp, FD_NAME, ends[1], error) && take(qmp, "fd:" FD_NAME, error);
    close(ends[1]);
    if (!ok) {
        close(ends[0]);
        return false;
    }
    *out_fd = ends[0];
    return true;
}

bool
fsn_incoming_defer_connect(FsnVirtDomain *domain,
                           bool postcopy,
                           int *out_fd,
                           GError **error)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(fsn_virt_qmp_transport(domain));

    return set_capabilities(qmp, postcopy, error) &&
           hand_over(qmp, fsn_qmp_migrate_incoming, out_fd, error);
}

static bool
is_in(FsnMigrationStatus status, uint32_t set)
{
    return (FSN_MIGRATION_BIT(status) & set) != 0;
}

/* What QEMU may say while it believes that a source is there. */
#define SERVED                                          \
    (FSN_MIGRATION_BIT(FSN_MIGRATION_POSTCOPY_ACTIVE) | \
     FSN_MIGRATION_BIT(FSN_MIGRATION_POSTCOPY_RECOVER))

/* What it may say when it has seen that there is none, or needs none. */
#define SETTLED                                                                         \
    (FSN_MIGRATION_ENDED | FSN_MIGRATION_BIT(FSN_MIGRATION_NONE) |                      \
     FSN_MIGRATION_BIT(FSN_MIGRATION_SETUP) | FSN_MIGRATION_BIT(FSN_MIGRATION_ACTIVE) | \
     FSN_MIGRATION_BIT(FSN_MIGRATION_POSTCOPY_PAUSED) |                                 \
     FSN_MIGRATION_BIT(FSN_MIGRATION_POSTCOPY_RECOVER_SETUP))

bool
fsn_incoming_defer_state(FsnVirtDomain *domain, FsnDeferState *out_state, GError **error)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(fsn_virt_qmp_transport(domain));
    g_auto(FsnMigrationInfo) info = { 0 };
    g_autoptr(GError) local = NULL;

    if (!fsn_qmp_wait_migration(qmp, SETTLED, SETTLE_US, NULL, &local) &&
        !g_error_matches(local, FSN_ERROR, FSN_ERROR_TIMEOUT)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    if (!fsn_qmp_query_migrate(qmp, &info, error)) {
        return false;
    }
    if (info.status == FSN_MIGRATION_COMPLETED) {
        *out_state = FSN_DEFER_LOADED;
    } else if (info.status == FSN_MIGRATION_POSTCOPY_PAUSED ||
               info.status == FSN_MIGRATION_POSTCOPY_RECOVER_SETUP) {
        *out_state = FSN_DEFER_BROKEN;
    } else {
        *out_state = is_in(info.status, SERVED) ? FSN_DEFER_LOADING : FSN_DEFER_WAITING;
    }
    return true;
}

bool
fsn_incoming_defer_reconnect(FsnVirtDomain *domain, int *out_fd, GError **error)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(fsn_virt_qmp_transport(domain));
    g_auto(FsnMigrationInfo) info = { 0 };

    if (!fsn_qmp_query_migrate(qmp, &info, error) ||
        (is_in(info.status, SERVED) && !fsn_qmp_migrate_pause(qmp, error)) ||
        !fsn_qmp_wait_migration(qmp, FSN_MIGRATION_BIT(FSN_MIGRATION_POSTCOPY_PAUSED),
                                SETTLE_US, NULL, error)) {
        return false;
    }
    return hand_over(qmp, fsn_qmp_migrate_recover, out_fd, error);
}
