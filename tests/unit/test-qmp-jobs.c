/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/jobs.c: jobs of a real QEMU that are cancelled, that end by themselves and that fail. */
#include "config.h"

#include "base/error.h"
#include "block-fixture.h"
#include "qmp-script.h"
#include "qmp/block-nodes.h"
#include "qmp/commands-block.h"
#include "qmp/jobs.h"
#include "qmp/transaction.h"

#define LONG (20 * G_USEC_PER_SEC)

static void
assert_ok(bool ok, GError *error)
{
    g_assert_no_error(error);
    g_assert_true(ok);
}

static void
assert_refused(bool ok, GError **error, int code)
{
    g_assert_false(ok);
    g_assert_error(*error, FSN_ERROR, code);
    g_test_message("%s", (*error)->message);
    g_clear_error(error);
}

static char *
status_of(TestBlock *block, const char *id)
{
    g_autoptr(GPtrArray) jobs = NULL;
    const FsnQmpJob *job;

    g_assert_true(fsn_qmp_query_jobs(block->qmp, &jobs, NULL));
    job = fsn_qmp_job_find(jobs, id);
    return g_strdup(job ? job->status : "gone");
}

static void
wait_status(TestBlock *block, const char *id, const char *status)
{
    for (int i = 0; i < 4000; i++) {
        g_autofree char *found = status_of(block, id);

        if (g_str_equal(found, status)) {
            return;
        }
        g_usleep(5000);
    }
    g_error("job '%s' is never %s", id, status);
}

static void
begin_none(TestBlock *block)
{
    g_autoptr(FsnQmpTransaction) transaction = fsn_qmp_transaction_new();
    g_autoptr(GError) e = NULL;

    test_block_add_scratch(block, 0, "scratch");
    fsn_qmp_transaction_backup_none(transaction, "job", "disk-a", "scratch", NULL);
    assert_ok(fsn_qmp_transaction_run(block->qmp, transaction, &e), e);
}

/* A full copy of disk-b onto a null device, or (blkdebug) onto one that is always full. */
static void
begin_full(TestBlock *block, const char *target)
{
    g_autoptr(JsonObject) node = json_object_new();
    g_autoptr(JsonObject) backup = json_object_new();
    g_autoptr(GError) e = NULL;

    json_object_set_string_member(node, "driver", target);
    json_object_set_string_member(node, "node-name", "target");
    json_object_set_int_member(node, "size", (gint64)TEST_DISK_SIZE);
    if (g_str_equal(target, "blkdebug")) {
        g_autoptr(JsonObject) image = json_object_new();
        JsonObject *rule = json_object_new();
        JsonArray *rules = json_array_new();

        json_object_remove_member(node, "size");
        json_object_set_string_member(image, "driver", "null-co");
        json_object_set_int_member(image, "size", (gint64)TEST_DISK_SIZE);
        json_object_set_object_member(node, "image", g_steal_pointer(&image));
        json_object_set_string_member(rule, "event", "none");
        json_object_set_int_member(rule, "errno", 28);
        json_array_add_object_element(rules, rule);
        json_object_set_array_member(node, "inject-error", rules);
    }
    assert_ok(fsn_qmp_execute(block->qmp, "blockdev-add", node, NULL, &e), e);
    json_object_set_string_member(backup, "job-id", "job");
    json_object_set_string_member(backup, "device", "disk-b");
    json_object_set_string_member(backup, "target", "target");
    json_object_set_string_member(backup, "sync", "full");
    json_object_set_boolean_member(backup, "auto-dismiss", false);
    assert_ok(fsn_qmp_execute(block->qmp, "blockdev-backup", backup, NULL, &e), e);
}

static void
test_cancelled(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(GPtrArray) jobs = NULL;
    g_autoptr(GError) e = NULL;
    char *found = NULL;
    const FsnQmpJob *job;

    if (!block) {
        return;
    }
    begin_none(block);
    assert_ok(fsn_qmp_query_jobs(block->qmp, &jobs, &e), e);
    job = fsn_qmp_job_find(jobs, "job");
    g_assert_nonnull(job);
    g_assert_cmpstr(job->type, ==, "backup");
    g_assert_cmpstr(job->status, ==, "running");
    g_assert_null(job->error);
    g_assert_null(fsn_qmp_job_find(jobs, "jo"));
    assert_refused(fsn_qmp_job_dismiss(block->qmp, "job", &e), &e, FSN_ERROR_STATE);
    assert_ok(fsn_qmp_job_end(block->qmp, "job", LONG, &found, &e), e);
    g_assert_null(found);
    assert_ok(fsn_qmp_blockdev_del(block->qmp, "scratch", &e), e);
    assert_refused(fsn_qmp_job_end(block->qmp, "job", LONG, NULL, &e), &e,
                   FSN_ERROR_NOT_FOUND);
    assert_refused(fsn_qmp_job_cancel(block->qmp, "job", &e), &e, FSN_ERROR_NOT_FOUND);
    assert_refused(fsn_qmp_job_dismiss(block->qmp, "job", &e), &e, FSN_ERROR_NOT_FOUND);
}

/* Cancelled by somebody else, who has died before the job was dismissed. */
static void
test_concluded(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(GError) e = NULL;
    char *failure = NULL;

    if (!block) {
        return;
    }
    begin_full(block, "null-co");
    wait_status(block, "job", "concluded");
    assert_refused(fsn_qmp_job_cancel(block->qmp, "job", &e), &e, FSN_ERROR_STATE);
    assert_ok(fsn_qmp_job_end(block->qmp, "job", LONG, &failure, &e), e);
    g_assert_null(failure);
    begin_none(block);
    assert_ok(fsn_qmp_job_cancel(block->qmp, "job", &e), e);
    wait_status(block, "job", "concluded");
    assert_ok(fsn_qmp_job_dismiss(block->qmp, "job", &e), e);
    wait_status(block, "job", "gone");
}

static void
test_failed(void)
{
    g_autoptr(TestBlock) block = test_block_new();
    g_autoptr(GError) e = NULL;
    g_autofree char *failure = NULL;

    if (!block) {
        return;
    }
    begin_full(block, "blkdebug");
    wait_status(block, "job", "concluded");
    assert_ok(fsn_qmp_job_end(block->qmp, "job", LONG, &failure, &e), e);
    g_assert_cmpstr(failure, ==, "No space left on device");
}

static void
test_script(void)
{
    static const char *const malformed[] = {
        "{\"return\":{}}", "{\"return\":[1]}",
        "{\"return\":[{\"id\":\"j\",\"type\":\"backup\"}]}"
    };
    g_autoptr(FsnQmp) stuck = fsn_qmp_new(test_script_new(
        "{\"return\":[{\"id\":\"j\",\"type\":\"backup\",\"status\":\"aborting\"}]}",
        NULL));
    g_autoptr(GError) timeout = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(malformed); i++) {
        g_autoptr(FsnQmp) qmp = fsn_qmp_new(test_script_new(malformed[i], NULL));
        g_autoptr(GError) error = NULL;
        GPtrArray *jobs = NULL;

        g_assert_false(fsn_qmp_query_jobs(qmp, &jobs, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_null(jobs);
        g_assert_false(fsn_qmp_job_end(qmp, "j", LONG, NULL, NULL));
    }
    g_assert_false(fsn_qmp_job_end(stuck, "j", 20000, NULL, &timeout));
    g_assert_error(timeout, FSN_ERROR, FSN_ERROR_TIMEOUT);
    g_assert_nonnull(strstr(timeout->message, "aborting"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/jobs/cancelled", test_cancelled);
    g_test_add_func("/qmp/jobs/concluded", test_concluded);
    g_test_add_func("/qmp/jobs/failed", test_failed);
    g_test_add_func("/qmp/jobs/script", test_script);
    return g_test_run();
}
