/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/migration-info.c: every member read, nothing believed; how waiting ends. */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "qmp-script.h"
#include "qmp/migration-info.h"

static bool
parse(const char *text, FsnMigrationInfo *out_info, GError **error)
{
    g_autoptr(JsonNode) node = json_from_string(text, NULL);

    return fsn_migration_info_parse(json_node_get_object(node), out_info, error);
}

static void
test_full(void)
{
    g_auto(FsnMigrationInfo) info = { 0 };

    g_assert_true(parse(
        "{\"status\":\"active\",\"total-time\":12,\"setup-time\":3,\"downtime\":4,"
        "\"expected-downtime\":300,\"error-desc\":\"e\",\"unknown\":{},"
        "\"blocked-reasons\":[\"one\",\"two\"],\"ram\":{\"transferred\":1,\"remaining\":2,"
        "\"total\":3,\"page-size\":4096,\"normal\":5,\"duplicate\":6,"
        "\"dirty-pages-rate\":7,\"pages-per-second\":8,\"dirty-sync-count\":9,"
        "\"postcopy-requests\":10,\"mbps\":1.5}}",
        &info, NULL));
    g_assert_cmpint(info.status, ==, FSN_MIGRATION_ACTIVE);
    g_assert_cmpint(info.total_us, ==, 12000);
    g_assert_cmpint(info.setup_us, ==, 3000);
    g_assert_cmpint(info.downtime_us, ==, 4000);
    g_assert_cmpint(info.expected_downtime_us, ==, 300000);
    g_assert_cmpstr(info.error_text, ==, "e");
    g_assert_cmpuint(g_strv_length(info.blocked_reasons), ==, 2);
    g_assert_cmpstr(info.blocked_reasons[1], ==, "two");
    g_assert_true(info.has_ram);
    g_assert_cmpuint(info.ram.transferred, ==, 1);
    g_assert_cmpuint(info.ram.remaining, ==, 2);
    g_assert_cmpuint(info.ram.total, ==, 3);
    g_assert_cmpuint(info.ram.page_size, ==, 4096);
    g_assert_cmpuint(info.ram.normal, ==, 5);
    g_assert_cmpuint(info.ram.duplicate, ==, 6);
    g_assert_cmpuint(info.ram.dirty_pages_rate, ==, 7);
    g_assert_cmpuint(info.ram.pages_per_second, ==, 8);
    g_assert_cmpuint(info.ram.dirty_sync_count, ==, 9);
    g_assert_cmpuint(info.ram.postcopy_requests, ==, 10);
}

static void
test_sparse(void)
{
    g_auto(FsnMigrationInfo) info = { 0 };
    g_auto(FsnMigrationInfo) odd = { 0 };

    g_assert_true(parse("{}", &info, NULL));
    g_assert_cmpint(info.status, ==, FSN_MIGRATION_NONE);
    g_assert_cmpint(info.downtime_us, ==, -1);
    g_assert_null(info.blocked_reasons);
    g_assert_null(info.error_text);
    g_assert_false(info.has_ram);
    g_assert_true(parse("{\"status\":\"new-word\",\"downtime\":9223372036854775807,"
                        "\"blocked-reasons\":[],\"ram\":{\"remaining\":-8}}",
                        &odd, NULL));
    g_assert_cmpint(odd.status, ==, FSN_MIGRATION_OTHER);
    g_assert_cmpint(odd.downtime_us, ==, -1);
    g_assert_cmpuint(odd.ram.remaining, ==, 0);
    g_assert_null(odd.blocked_reasons);
}

static void
test_malformed(void)
{
    const char *bad[] = { "{\"status\":1}", "{\"ram\":[]}", "{\"blocked-reasons\":{}}",
                          "{\"blocked-reasons\":[\"a\",1]}",
                          "{\"blocked-reasons\":[[]]}" };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        FsnMigrationInfo info = { 0 };
        g_autoptr(GError) error = NULL;

        g_assert_false(parse(bad[i], &info, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_null(info.blocked_reasons);
    }
}

static void
test_names(void)
{
    for (int i = 0; i <= FSN_MIGRATION_OTHER; i++) {
        const char *name = fsn_migration_status_name((FsnMigrationStatus)i);

        g_assert_cmpint(fsn_migration_status_parse(name), ==, i);
    }
    g_assert_cmpint(fsn_migration_status_parse(""), ==, FSN_MIGRATION_OTHER);
}

static void
assert_wait(const char *reply, uint32_t wanted, int code, const char *phrase)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(test_script_new(reply, NULL));
    g_autoptr(GError) error = NULL;
    g_auto(FsnMigrationInfo) info = { 0 };
    bool ok = fsn_qmp_wait_migration(qmp, wanted, 50000, &info, &error);

    g_assert_cmpint(ok, ==, code < 0);
    if (code >= 0) {
        g_assert_error(error, FSN_ERROR, code);
        g_assert_nonnull(strstr(error->message, phrase));
    }
}

static void
test_wait(void)
{
    const uint32_t completed = FSN_MIGRATION_BIT(FSN_MIGRATION_COMPLETED);
    const uint32_t active = FSN_MIGRATION_BIT(FSN_MIGRATION_ACTIVE);

    assert_wait("{\"return\":{\"status\":\"completed\"}}", completed, -1, NULL);
    assert_wait("{\"return\":{\"status\":\"failed\"}}", FSN_MIGRATION_ENDED, -1, NULL);
    assert_wait("{\"return\":{\"status\":\"failed\",\"error-desc\":\"no luck\"}}",
                completed, FSN_ERROR_FAILED, "no luck");
    assert_wait("{\"return\":{\"status\":\"cancelled\"}}", completed, FSN_ERROR_CANCELLED,
                "cancelled");
    assert_wait("{\"return\":{\"status\":\"completed\"}}", active, FSN_ERROR_STATE,
                "completed");
    assert_wait("{\"return\":{}}", completed, FSN_ERROR_STATE, "no migration");
    assert_wait("{\"return\":{\"status\":\"postcopy-paused\"}}", completed,
                FSN_ERROR_TIMEOUT, "postcopy-paused");
    assert_wait("{\"return\":[]}", completed, FSN_ERROR_FORMAT, "query-migrate");
    assert_wait(NULL, completed, FSN_ERROR_TIMEOUT, "no reply");
}

/* The questions become rarer: 50 ms at 1, 2, 4, 8, 16, 20 ms and at the end is 7 of them. */
static void
test_wait_interval(void)
{
    g_autoptr(GPtrArray) commands = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(FsnQmp) qmp =
        fsn_qmp_new(test_script_new("{\"return\":{\"status\":\"active\"}}", commands));
    int64_t start_us = fsn_monotonic_us();

    g_assert_false(fsn_qmp_wait_migration(qmp, FSN_MIGRATION_ENDED, 50000, NULL, NULL));
    g_assert_cmpint(fsn_monotonic_us() - start_us, >=, 50000);
    g_assert_cmpuint(commands->len, >=, 2);
    g_assert_cmpuint(commands->len, <=, 7);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/migration-info/full", test_full);
    g_test_add_func("/qmp/migration-info/sparse", test_sparse);
    g_test_add_func("/qmp/migration-info/malformed", test_malformed);
    g_test_add_func("/qmp/migration-info/names", test_names);
    g_test_add_func("/qmp/migration-info/wait", test_wait);
    g_test_add_func("/qmp/migration-info/wait-interval", test_wait_interval);
    return g_test_run();
}
