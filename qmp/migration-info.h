/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

G_BEGIN_DECLS

/* QEMU's MigrationStatus. Incoming and outgoing migrations use the same words. */
typedef enum {
    FSN_MIGRATION_NONE, /* none since QEMU started */
    FSN_MIGRATION_SETUP,
    FSN_MIGRATION_CANCELLING,
    FSN_MIGRATION_CANCELLED,
    FSN_MIGRATION_ACTIVE,
    FSN_MIGRATION_POSTCOPY_ACTIVE,
    FSN_MIGRATION_POSTCOPY_PAUSED,
    FSN_MIGRATION_POSTCOPY_RECOVER_SETUP, /* since QEMU 9.1 */
    FSN_MIGRATION_POSTCOPY_RECOVER,
    FSN_MIGRATION_COMPLETED,
    FSN_MIGRATION_FAILED,
    FSN_MIGRATION_COLO,
    FSN_MIGRATION_PRE_SWITCHOVER,
    FSN_MIGRATION_DEVICE,
    FSN_MIGRATION_WAIT_UNPLUG,
    FSN_MIGRATION_OTHER, /* a word that this list does not have */
} FsnMigrationStatus;

/* A set of them is a uint32_t of these bits. */
#define FSN_MIGRATION_BIT(status) (UINT32_C(1) << (status))

/* Nothing more happens by itself. */
#define FSN_MIGRATION_ENDED                       \
    (FSN_MIGRATION_BIT(FSN_MIGRATION_COMPLETED) | \
     FSN_MIGRATION_BIT(FSN_MIGRATION_FAILED) |    \
     FSN_MIGRATION_BIT(FSN_MIGRATION_CANCELLED))

/* Nothing is under way. */
#define FSN_MIGRATION_IDLE (FSN_MIGRATION_ENDED | FSN_MIGRATION_BIT(FSN_MIGRATION_NONE))

/* QEMU's word; "other" for FSN_MIGRATION_OTHER. Static. */
const char *fsn_migration_status_name(FsnMigrationStatus status);
FsnMigrationStatus fsn_migration_status_parse(const char *name);

/* Answer of query-migrate. Numbers that QEMU did not give are 0 (bytes, counts) or -1
 * (times). */
typedef struct {
    FsnMigrationStatus status;
    char *error_text; /* why it failed; or NULL */
    char **
        blocked_reasons; /* NULL-terminated; why a migration is impossible now, or NULL */
    int64_t total_us;    /* since it began */
    int64_t setup_us;
    int64_t downtime_us; /* of the guest, once it is over */
    int64_t expected_downtime_us;
    bool has_ram; /* else all of these are 0 */

    struct {
        uint64_t transferred;       /* bytes */
        uint64_t remaining;         /* bytes */
        uint64_t total;             /* bytes */
        uint64_t page_size;         /* bytes */
        uint64_t normal;            /* pages sent in full */
        uint64_t duplicate;         /* pages sent as zero */
        uint64_t dirty_pages_rate;  /* pages per second */
        uint64_t pages_per_second;  /* sent */
        uint64_t dirty_sync_count;  /* passes */
        uint64_t postcopy_requests; /* pages asked for by the other side */
    } ram;
} FsnMigrationInfo;

/* Frees what @info points to, and empties it. */
void fsn_migration_info_clear(FsnMigrationInfo *info);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnMigrationInfo, fsn_migration_info_clear)

/* From the value that query-migrate returns; FSN_ERROR_FORMAT if a member has another type
 * than documented. The caller clears @out_info, whose old contents are not freed. */
bool fsn_migration_info_parse(JsonObject *value,
                              FsnMigrationInfo *out_info,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Asks QEMU. Errors as for fsn_qmp_execute(), and as above. */
bool fsn_qmp_query_migrate(FsnQmp *qmp, FsnMigrationInfo *out_info, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Asks again and again, for the transports without events: after 1 ms, then after twice as
 * long each time, up to 20 ms, until the status is in the set @wanted. *@out_info (may be
 * NULL) is as at that moment. Errors: FSN_ERROR_TIMEOUT after @timeout_us;
 * FSN_ERROR_FAILED with QEMU's reason if the migration failed and FSN_ERROR_CANCELLED if it
 * was cancelled, FSN_ERROR_STATE if it completed or there is none, each unless wanted; and those
 * of fsn_qmp_query_migrate(). */
bool fsn_qmp_wait_migration(FsnQmp *qmp,
                            uint32_t wanted,
                            int64_t timeout_us,
                            FsnMigrationInfo *out_info,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
