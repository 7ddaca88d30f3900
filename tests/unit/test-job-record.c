/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jobs/record.c, progress.c, process-id.c: what is written is read again, anything else is
 * refused by name, and what a job is follows from its file and its processes. */
#include "config.h"

#include "base/error.h"
#include "jobs/progress.h"
#include "jobs/record.h"

#include <string.h>
#include <unistd.h>

#define ID "0123456789abcdef0123456789abcdef"

static const char golden[] =
    "{\"version\": 1, \"id\": \"" ID
    "\", \"argv\": [\"foresnap\", \"--json\", \"snapshot\", "
    "\"vm\"], \"operation\": \"snapshot\", \"domain\": \"vm\", \"origin\": \"cli\", "
    "\"owner\": \"root\", \"uid\": 0, \"state\": \"failed\", \"created_us\": 10, "
    "\"started_us\": 20, \"ended_us\": 30, \"exit_status\": 75, \"boot_id\": \"b\", "
    "\"keeper\": {\"pid\": 7, \"start\": 8}, \"process\": {\"pid\": 9, \"start\": 11}, "
    "\"parallel\": 2, \"grace_s\": 5}";

static void
check_golden(const FsnJobRecord *record)
{
    const FsnJob *job = record->job;

    g_assert_cmpstr(job->id, ==, ID);
    g_assert_cmpuint(g_strv_length(job->argv), ==, 4);
    g_assert_cmpstr(job->argv[3], ==, "vm");
    g_assert_cmpstr(job->operation, ==, "snapshot");
    g_assert_cmpstr(job->domain, ==, "vm");
    g_assert_cmpint(job->state, ==, FSN_JOB_FAILED);
    g_assert_cmpint(job->exit_status, ==, 75);
    g_assert_cmpint(job->signal, ==, 0);
    g_assert_cmpint(job->ended_us, ==, 30);
    g_assert_cmpint(record->process.start, ==, 11);
    g_assert_cmpuint(record->parallel, ==, 2);
    g_assert_cmpuint(record->grace_s, ==, 5);
}

static void
test_round_trip(void)
{
    g_autoptr(FsnJobRecord) record = NULL;
    g_autoptr(FsnJobRecord) again = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_job_record_parse(golden, strlen(golden), &record, &error));
    g_assert_no_error(error);
    check_golden(record);
    text = fsn_job_record_to_text(record);
    g_assert_true(fsn_job_record_parse(text, strlen(text), &again, NULL));
    check_golden(again);
}

/* No beginning of it is a job, and no byte of it makes the reader fall over. */
static void
test_damage(void)
{
    for (size_t len = 0; len < strlen(golden); len++) {
        FsnJobRecord *record = NULL;

        g_assert_false(fsn_job_record_parse(golden, len, &record, NULL));
    }
    for (size_t i = 0; i < strlen(golden); i++) {
        g_autofree char *text = g_strdup(golden);
        g_autoptr(FsnJobRecord) record = NULL;

        text[i] ^= 0x15;
        if (fsn_job_record_parse(text, strlen(text), &record, NULL)) {
            g_assert_nonnull(record->job->argv[0]);
            g_assert_cmpuint(strlen(record->job->id), ==, 32);
        }
    }
}

static void
test_hostile(void)
{
    static const struct {
        const char *old;
        const char *new;
    } cases[] = {
        { "\"version\": 1", "\"version\": 2" },
        { ID, "../../../etc/passwd" },
        { "\"failed\"", "\"lost\"" },
        { "\"failed\"", "\"made\"" },
        { "[\"foresnap\", \"--json\", \"snapshot\", \"vm\"]", "[]" },
        { "\"vm\"]", "7]" },
        { "\"exit_status\": 75", "\"exit_status\": 256" },
        { "\"exit_status\": 75", "\"exit_status\": \"75\"" },
        { "\"pid\": 7", "\"pid\": -7" },
        { "\"pid\": 7", "\"pid\": 99999999999" },
        { "\"ended_us\": 30", "\"ended_us\": -30" },
        { "\"parallel\": 2", "\"parallel\": 100000" },
        { "\"uid\": 0, ", "" },
        { "\"keeper\": {", "\"porter\": {" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) text = g_string_new(golden);
        g_autoptr(GError) error = NULL;
        FsnJobRecord *record = NULL;

        g_assert_cmpuint(g_string_replace(text, cases[i].old, cases[i].new, 1), ==, 1);
        g_assert_false(fsn_job_record_parse(text->str, text->len, &record, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

static void
test_judge(void)
{
    static const struct {
        FsnJobState written;
        bool keeper;
        bool process;
        FsnJobState expected;
    } cases[] = {
        { FSN_JOB_QUEUED, true, false, FSN_JOB_QUEUED },
        { FSN_JOB_QUEUED, false, false, FSN_JOB_LOST },
        { FSN_JOB_RUNNING, true, true, FSN_JOB_RUNNING },
        { FSN_JOB_RUNNING, true, false, FSN_JOB_RUNNING },
        { FSN_JOB_RUNNING, false, true, FSN_JOB_RUNNING },
        { FSN_JOB_RUNNING, false, false, FSN_JOB_LOST },
        { FSN_JOB_DONE, false, false, FSN_JOB_DONE },
        { FSN_JOB_FAILED, false, false, FSN_JOB_FAILED },
        { FSN_JOB_CANCELLED, true, true, FSN_JOB_CANCELLED },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(
            fsn_job_judge(cases[i].written, cases[i].keeper, cases[i].process), ==,
            cases[i].expected);
    }
}

static void
test_progress(void)
{
    FsnJobProgress p = { .bytes = true, .done = 12, .total = G_MAXUINT64 };
    FsnJobProgress read;
    char line[FSN_JOB_LINE + 1];

    g_strlcpy(p.phase, "looking at snapshots", sizeof p.phase);
    fsn_job_progress_format(&p, line);
    g_assert_cmpuint(strlen(line), ==, FSN_JOB_LINE);
    g_assert_true(fsn_job_progress_parse(line, FSN_JOB_LINE, &read));
    g_assert_cmpstr(read.phase, ==, p.phase);
    g_assert_true(read.bytes);
    g_assert_cmpuint(read.done, ==, 12);
    g_assert_cmpuint(read.total, ==, G_MAXUINT64);
    g_assert_false(fsn_job_progress_parse(line, FSN_JOB_LINE - 1, &read));
    line[0] = 'x';
    g_assert_false(fsn_job_progress_parse(line, FSN_JOB_LINE, &read));
    memset(line, 0, sizeof line);
    g_assert_false(fsn_job_progress_parse(line, FSN_JOB_LINE, &read));
    memset(p.phase, 'w', sizeof p.phase - 1);
    p.done = p.total;
    fsn_job_progress_format(&p, line);
    g_assert_true(fsn_job_progress_parse(line, FSN_JOB_LINE, &read));
}

static void
test_process(void)
{
    FsnProcessId self = fsn_process_id(getpid());
    FsnProcessId other = { self.pid, self.start + 1 };
    FsnProcessId none = { 0, 0 };

    g_assert_cmpint(self.pid, ==, getpid());
    g_assert_true(fsn_process_lives(&self));
    g_assert_false(fsn_process_lives(&other));
    g_assert_false(fsn_process_signal(&other, 0));
    g_assert_true(fsn_process_signal(&self, 0));
    g_assert_false(fsn_process_lives(&none));
    g_assert_cmpint(
        fsn_process_start_of("1 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 "
                             "17 18 4711 20 21"),
        ==, 4711);
    g_assert_cmpint(fsn_process_start_of("1 (a) S 1"), ==, 0);
    g_assert_cmpint(fsn_process_start_of(""), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/job-record/round-trip", test_round_trip);
    g_test_add_func("/job-record/damage", test_damage);
    g_test_add_func("/job-record/hostile", test_hostile);
    g_test_add_func("/job-record/judge", test_judge);
    g_test_add_func("/job-record/progress", test_progress);
    g_test_add_func("/job-record/process", test_process);
    return g_test_run();
}
