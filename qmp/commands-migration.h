/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

G_BEGIN_DECLS

/* Commands that set up and steer a migration; how it goes is in qmp/migration-info.h. Errors
 * of all: as for fsn_qmp_execute(). */

typedef struct {
    const char *name;
    bool state;
} FsnMigrationCapability;

/* Sets the @n named capabilities and leaves the others. QEMU keeps them from one migration to
 * the next: state every one that matters. FSN_ERROR_UNSUPPORTED if "background-snapshot" is
 * among them and the host does not let QEMU write-protect memory (userfaultfd), or the
 * guest's memory or another capability forbids it. */
bool fsn_qmp_migrate_set_capabilities(FsnQmp *qmp,
                                      const FsnMigrationCapability *capabilities,
                                      size_t n,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A set of the names (char *) of those that are on; the caller unrefs. */
bool fsn_qmp_query_migrate_capabilities(FsnQmp *qmp,
                                        GHashTable **out_enabled,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* -1: leave as it is (when setting), not known to this QEMU (when asked). */
typedef struct {
    int64_t max_bandwidth; /* bytes per second */
    int64_t downtime_limit_ms;
    int64_t max_postcopy_bandwidth; /* bytes per second; 0: no limit */
} FsnMigrationParameters;

#define FSN_MIGRATION_PARAMETERS_INIT \
    {                                 \
        -1, -1, -1                    \
    }

bool fsn_qmp_migrate_set_parameters(FsnQmp *qmp,
                                    const FsnMigrationParameters *parameters,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_qmp_query_migrate_parameters(FsnQmp *qmp,
                                      FsnMigrationParameters *out_parameters,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* @uri: "fd:<name>" of a descriptor given with fsn_qmp_getfd(), or "unix:<path>". Returns when
 * the migration has begun. "exec:" is refused with FSN_ERROR_USAGE: under libvirt's
 * sandbox it kills QEMU. */
bool fsn_qmp_migrate(FsnQmp *qmp, const char *uri, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* For a QEMU started with -incoming defer. */
bool fsn_qmp_migrate_incoming(FsnQmp *qmp, const char *uri, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Returns before the end: wait for FSN_MIGRATION_ENDED. Without a migration it does nothing. */
bool fsn_qmp_migrate_cancel(FsnQmp *qmp, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether an incoming or outgoing migration still holds its connection. QEMU 7.2 calls an
 * incoming postcopy completed a moment before that ends, and a new migration begun in this
 * moment fails for good ("duplicate yank instance"). False where QEMU cannot tell. */
bool fsn_qmp_migration_is_connected(FsnQmp *qmp, bool *out_connected, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* On the destination of a broken postcopy migration: listens on @uri for the source. */
bool fsn_qmp_migrate_recover(FsnQmp *qmp, const char *uri, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Breaks off the connection of a postcopy migration, so that it can be recovered. */
bool fsn_qmp_migrate_pause(FsnQmp *qmp, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Lets a migration go on that waits in FSN_MIGRATION_PRE_SWITCHOVER. */
bool fsn_qmp_migrate_continue(FsnQmp *qmp, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
