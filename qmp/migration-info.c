/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU says about its migration, read into a struct, and waiting for it to get somewhere.
 * Polling, because events do not pass through libvirt's monitor passthrough; the
 * interval starts short, since a pause of the guest may end with it. Unknown members are
 * ignored, unknown statuses are told apart from the known ones but never an error.
 */
#include "config.h"

#include "qmp/migration-info.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"

#define POLL_FIRST_US 1000
#define POLL_MOST_US  20000

/* More reasons than this are not kept: they are for people to read. */
#define MAX_REASONS 64

static const char *const status_names[] = {
    [FSN_MIGRATION_NONE] = "none",
    [FSN_MIGRATION_SETUP] = "setup",
    [FSN_MIGRATION_CANCELLING] = "cancelling",
    [FSN_MIGRATION_CANCELLED] = "cancelled",
    [FSN_MIGRATION_ACTIVE] = "active",
    [FSN_MIGRATION_POSTCOPY_ACTIVE] = "postcopy-active",
    [FSN_MIGRATION_POSTCOPY_PAUSED] = "postcopy-paused",
    [FSN_MIGRATION_POSTCOPY_RECOVER_SETUP] = "postcopy-recover-setup",
    [FSN_MIGRATION_POSTCOPY_RECOVER] = "postcopy-recover",
    [FSN_MIGRATION_COMPLETED] = "completed",
    [FSN_MIGRATION_FAILED] = "failed",
    [FSN_MIGRATION_COLO] = "colo",
    [FSN_MIGRATION_PRE_SWITCHOVER] = "pre-switchover",
    [FSN_MIGRATION_DEVICE] = "device",
    [FSN_MIGRATION_WAIT_UNPLUG] = "wait-unplug",
    [FSN_MIGRATION_OTHER] = "other",
};

const char *
fsn_migration_status_name(FsnMigrationStatus status)
{
    return status_names[status];
}

FsnMigrationStatus
fsn_migration_status_parse(const char *name)
{
    for (int i = 0; i < FSN_MIGRATION_OTHER; i++) {
        if (g_str_equal(name, status_names[i])) {
            return (FsnMigrationStatus)i;
        }
    }
    return FSN_MIGRATION_OTHER;
}

void
fsn_migration_info_clear(FsnMigrationInfo *info)
{
    g_clear_pointer(&info->error_text, g_free);
    g_clear_pointer(&info->blocked_reasons, g_strfreev);
    *info = (FsnMigrationInfo){ 0 };
}

/* A counter; 0 if it is not there or, which QEMU's estimates can be, negative. */
static uint64_t
peek_count(JsonObject *object, const char *name)
{
    return (uint64_t)MAX(fsn_json_peek_int(object, name, 0), 0);
}

/* QEMU's milliseconds as microseconds; -1 if not there or out of reason. */
static int64_t
peek_ms(JsonObject *object, const char *name)
{
    int64_t ms = fsn_json_peek_int(object, name, -1);

    return ms >= 0 && ms <= INT64_MAX / 1000 ? ms * 1000 : -1;
}

static bool
parse_ram(JsonObject *value, FsnMigrationInfo *info, GError **error)
{
    JsonObject *ram;

    if (!json_object_has_member(value, "ram")) {
        return true;
    }
    if (!fsn_json_get_object(value, "ram", &ram, error)) {
        return false;
    }
    info->has_ram = true;
    info->ram.transferred = peek_count(ram, "transferred");
    info->ram.remaining = peek_count(ram, "remaining");
    info->ram.total = peek_count(ram, "total");
    info->ram.page_size = peek_count(ram, "page-size");
    info->ram.normal = peek_count(ram, "normal");
    info->ram.duplicate = peek_count(ram, "duplicate");
    info->ram.dirty_pages_rate = peek_count(ram, "dirty-pages-rate");
    info->ram.pages_per_second = peek_count(ram, "pages-per-second");
    info->ram.dirty_sync_count = peek_count(ram, "dirty-sync-count");
    info->ram.postcopy_requests = peek_count(ram, "postcopy-requests");
    return true;
}

static bool
parse_reasons(JsonObject *value, FsnMigrationInfo *info, GError **error)
{
    g_autoptr(GStrvBuilder) reasons = g_strv_builder_new();
    JsonArray *array;
    guint n;

    if (!json_object_has_member(value, "blocked-reasons")) {
        return true;
    }
    if (!fsn_json_get_array(value, "blocked-reasons", &array, error)) {
        return false;
    }
    n = MIN(json_array_get_length(array), MAX_REASONS);
    for (guint i = 0; i < n; i++) {
        JsonNode *node = json_array_get_element(array, i);

        if (!JSON_NODE_HOLDS_VALUE(node) ||
            json_node_get_value_type(node) != G_TYPE_STRING) {
            g_set_error_literal(error, FSN_ERROR, FSN_ERROR_FORMAT,
                                "a reason in 'blocked-reasons' is not a string");
            return false;
        }
        g_strv_builder_add(reasons, json_node_get_string(node));
    }
    if (n > 0) {
        info->blocked_reasons = g_strv_builder_end(reasons);
    }
    return true;
}

bool
fsn_migration_info_parse(JsonObject *value, FsnMigrationInfo *out_info, GError **error)
{
    g_auto(FsnMigrationInfo) info = { 0 };
    const char *status = "none";

    if ((json_object_has_member(value, "status") &&
         !fsn_json_get_string(value, "status", &status, error)) ||
        !parse_ram(value, &info, error) || !parse_reasons(value, &info, error)) {
        g_prefix_error(error, "the answer to 'query-migrate': ");
        return false;
    }
    info.status = fsn_migration_status_parse(status);
    info.error_text = g_strdup(fsn_json_peek_string(value, "error-desc", NULL));
    info.total_us = peek_ms(value, "total-time");
    info.setup_us = peek_ms(value, "setup-time");
    info.downtime_us = peek_ms(value, "downtime");
    info.expected_downtime_us = peek_ms(value, "expected-downtime");
    *out_info = info;
    info = (FsnMigrationInfo){ 0 };
    return true;
}

static bool
query_within(FsnQmp *qmp, int64_t timeout_us, FsnMigrationInfo *out_info, GError **error)
{
    g_autoptr(JsonNode) value = NULL;

    if (!fsn_qmp_execute_full(qmp, "query-migrate", NULL, NULL, 0, timeout_us, &value,
                              error)) {
        return false;
    }
    if (!JSON_NODE_HOLDS_OBJECT(value)) {
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_FORMAT,
                            "the answer to 'query-migrate' is not an object");
        return false;
    }
    return fsn_migration_info_parse(json_node_get_object(value), out_info, error);
}

bool
fsn_qmp_query_migrate(FsnQmp *qmp, FsnMigrationInfo *out_info, GError **error)
{
    return query_within(qmp, fsn_qmp_get_timeout(qmp), out_info, error);
}

/* False with the error that fits if @info cannot become what the caller waits for. */
static bool
check_hopeful(const FsnMigrationInfo *info, GError **error)
{
    switch (info->status) {
    case FSN_MIGRATION_FAILED:
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "the migration failed: %s",
                    info->error_text ? info->error_text : "QEMU gives no reason");
        return false;
    case FSN_MIGRATION_CANCELLED:
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_CANCELLED,
                            "the migration was cancelled");
        return false;
    case FSN_MIGRATION_COMPLETED:
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_STATE,
                            "the migration has completed already");
        return false;
    case FSN_MIGRATION_NONE:
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_STATE,
                            "no migration was started");
        return false;
    case FSN_MIGRATION_SETUP:
    case FSN_MIGRATION_CANCELLING:
    case FSN_MIGRATION_ACTIVE:
    case FSN_MIGRATION_POSTCOPY_ACTIVE:
    case FSN_MIGRATION_POSTCOPY_PAUSED:
    case FSN_MIGRATION_POSTCOPY_RECOVER_SETUP:
    case FSN_MIGRATION_POSTCOPY_RECOVER:
    case FSN_MIGRATION_COLO:
    case FSN_MIGRATION_PRE_SWITCHOVER:
    case FSN_MIGRATION_DEVICE:
    case FSN_MIGRATION_WAIT_UNPLUG:
    case FSN_MIGRATION_OTHER:
        return true;
    }
    g_assert_not_reached();
}

bool
fsn_qmp_wait_migration(FsnQmp *qmp,
                       uint32_t wanted,
                       int64_t timeout_us,
                       FsnMigrationInfo *out_info,
                       GError **error)
{
    int64_t deadline_us = fsn_monotonic_us() + timeout_us;
    int64_t pause_us = POLL_FIRST_US;

    for (;;) {
        g_auto(FsnMigrationInfo) info = { 0 };
        int64_t left_us = MAX(deadline_us - fsn_monotonic_us(), POLL_FIRST_US);

        if (!query_within(qmp, MIN(left_us, fsn_qmp_get_timeout(qmp)), &info, error)) {
            return false;
        }
        if (wanted & FSN_MIGRATION_BIT(info.status)) {
            if (out_info) {
                *out_info = info;
                info = (FsnMigrationInfo){ 0 };
            }
            return true;
        }
        if (!check_hopeful(&info, error)) {
            return false;
        }
        left_us = deadline_us - fsn_monotonic_us();
        if (left_us <= 0) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                        "the migration was still '%s' when the time was over",
                        fsn_migration_status_name(info.status));
            return false;
        }
        g_usleep((gulong)MIN(pause_us, left_us));
        pause_us = MIN(pause_us * 2, POLL_MOST_US);
    }
}
