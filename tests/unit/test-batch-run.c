/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batch/run.c: real processes that succeed, fail, hang and ignore signals. */
#include "config.h"

#include "base/clock.h"
#include "base/json.h"
#include "batch/run.h"

#include <string.h>

/* The domain's title is the shell command that stands for it. */
static char **
command(const FsnBatchDomain *domain, gpointer user)
{
    const char *argv[] = { "/bin/sh", "-c", domain->title, NULL };

    return g_strdupv((char **)argv);
}

static void
count(const FsnBatchDomain *domain, const FsnBatchOutcome *outcome, gpointer user)
{
    ++*(int *)user;
}

static GPtrArray *
make(const char *const *commands)
{
    GPtrArray *all =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_batch_domain_free);

    for (; *commands; commands++) {
        FsnBatchDomain *domain = g_new0(FsnBatchDomain, 1);

        domain->name = g_strdup_printf("d%u", all->len);
        domain->title = g_strdup(*commands);
        g_ptr_array_add(all, domain);
    }
    return all;
}

static GPtrArray *
run(const FsnBatchRun *how, const char *const *commands, GCancellable *cancellable)
{
    g_autoptr(GPtrArray) all = make(commands);
    g_autoptr(GError) error = NULL;
    GPtrArray *outcomes = NULL;

    g_assert_true(fsn_batch_run(how, all, cancellable, &outcomes, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(outcomes->len, ==, all->len);
    return outcomes;
}

static const FsnBatchOutcome *
at(GPtrArray *outcomes, guint i)
{
    return outcomes->pdata[i];
}

static void
test_outcomes(void)
{
    static const char *const commands[] = {
        "echo '{\"snapshot\": \"s0\"}'",
        "echo '{\"error\": {\"message\": \"no room\"}}'; exit 1",
        "echo words; echo complaint >&2; echo more >&2; exit 3",
        "exit 1",
        "kill -9 $$",
        NULL,
    };
    int told = 0;
    const FsnBatchRun how = { .verb = FSN_BATCH_SUSPEND,
                              .jobs = 2,
                              .command = command,
                              .tell = count,
                              .user = &told };
    g_autoptr(GPtrArray) outcomes = run(&how, commands, NULL);

    g_assert_cmpint(told, ==, 5);
    g_assert_cmpint(at(outcomes, 0)->state, ==, FSN_BATCH_DONE);
    g_assert_cmpstr(fsn_json_peek_string(at(outcomes, 0)->result, "snapshot", ""), ==,
                    "s0");
    g_assert_null(at(outcomes, 0)->error);
    g_assert_cmpint(at(outcomes, 1)->state, ==, FSN_BATCH_FAILED);
    g_assert_cmpstr(at(outcomes, 1)->error, ==, "no room");
    g_assert_cmpstr(at(outcomes, 2)->error, ==, "complaint");
    g_assert_cmpstr(at(outcomes, 3)->error, ==, "ended without a word");
    g_assert_cmpint(at(outcomes, 4)->state, ==, FSN_BATCH_FAILED);
    g_assert_nonnull(strstr(at(outcomes, 4)->error, "signal 9"));
}

/* One that hears is ended by a word, one that does not by force. */
static void
test_limits(void)
{
    static const char *const commands[] = {
        "trap 'exit 1' TERM; while :; do sleep .05; done",
        "trap '' TERM; while :; do sleep .05; done",
        "echo '{}'",
        NULL,
    };
    const FsnBatchRun how = {
        .verb = FSN_BATCH_RESUME, .jobs = 3, .time_s = 1, .grace_s = 1, .command = command
    };
    int64_t begun_us = fsn_monotonic_us();
    g_autoptr(GPtrArray) outcomes = run(&how, commands, NULL);

    g_assert_cmpint(fsn_monotonic_us() - begun_us, <, 8000000);
    for (guint i = 0; i < 2; i++) {
        g_assert_true(at(outcomes, i)->timed_out);
        g_assert_cmpint(at(outcomes, i)->state, ==, FSN_BATCH_FAILED);
        g_assert_nonnull(strstr(at(outcomes, i)->error, "too long"));
    }
    g_assert_cmpint(at(outcomes, 2)->state, ==, FSN_BATCH_DONE);
}

static gpointer
cancel_soon(gpointer cancellable)
{
    g_usleep(300000);
    g_cancellable_cancel(cancellable);
    return NULL;
}

static void
test_cancelled(void)
{
    static const char *const commands[] = {
        "sleep 1; echo '{}'",
        "echo '{}'",
        NULL,
    };
    const FsnBatchRun how = { .verb = FSN_BATCH_RESUME, .jobs = 1, .command = command };
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    GThread *thread = g_thread_new("cancel", cancel_soon, cancellable);
    g_autoptr(GPtrArray) outcomes = run(&how, commands, cancellable);

    g_thread_join(thread);
    g_assert_cmpint(at(outcomes, 0)->state, ==, FSN_BATCH_DONE);
    g_assert_cmpint(at(outcomes, 1)->state, ==, FSN_BATCH_SKIPPED);
    g_assert_nonnull(strstr(at(outcomes, 1)->error, "interrupted"));
}

/* Never more at a time than asked for, and not fewer where there is work. */
static void
test_jobs(void)
{
    static const char *const commands[] = { "sleep .4", "sleep .4", "sleep .4",
                                            "sleep .4", NULL };
    const FsnBatchRun how = { .verb = FSN_BATCH_RESUME, .jobs = 2, .command = command };
    int64_t begun_us = fsn_monotonic_us();
    g_autoptr(GPtrArray) outcomes = run(&how, commands, NULL);
    int64_t took_us = fsn_monotonic_us() - begun_us;

    g_assert_cmpint(took_us, >=, 800000);
    g_assert_cmpint(took_us, <, 1590000);
    g_assert_cmpint(at(outcomes, 3)->took_us, >=, 390000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/batch-run/outcomes", test_outcomes);
    g_test_add_func("/batch-run/limits", test_limits);
    g_test_add_func("/batch-run/cancelled", test_cancelled);
    g_test_add_func("/batch-run/jobs", test_jobs);
    return g_test_run();
}
