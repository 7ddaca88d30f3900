/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jobs/: real keepers with small scripts in the place of foresnap. */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "jobs/record.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define LONG_US (60 * (int64_t)G_USEC_PER_SEC)

typedef struct {
    char *dir;
    char *script;
} Fixture;

/* Called as SCRIPT --json WHAT [ARGUMENT]. */
static const char script_text[] =
    "#!/bin/sh\n"
    "case $2 in\n"
    "echo) echo \"{\\\"said\\\": \\\"$3\\\"}\" ;;\n"
    "fail) echo '{\"error\": {\"code\": \"busy\", \"message\": \"it is busy\"}}'; "
    "echo 'foresnap: it is busy' >&2; exit 75 ;;\n"
    "word) echo 'only a word' >&2; exit 1 ;;\n"
    "die) kill -9 $$ ;;\n"
    "wait) while [ ! -e \"$3\" ]; do sleep 0.05; done; echo '{}' ;;\n"
    "deaf) trap '' TERM; : >\"$3\"; while :; do sleep 0.05; done ;;\n"
    "polite) trap 'exit 0' TERM; : >\"$3\"; while :; do sleep 0.05; done ;;\n"
    "progress) printf 'bytes 5 9 memory%112s' '\n' >\"$FORESNAP_JOB_PROGRESS\"; "
    "while [ ! -e \"$3\" ]; do sleep 0.05; done ;;\n"
    "session) ps -o sid= -p $$ | sed 's/ *\\([0-9]*\\)/{\"sid\": \\1}/' ;;\n"
    "esac\n";

static void
set_up(Fixture *f, gconstpointer user)
{
    f->dir = g_dir_make_tmp("fsn-jobs-XXXXXX", NULL);
    f->script = g_build_filename(f->dir, "script", NULL);
    g_assert_true(g_file_set_contents(f->script, script_text, -1, NULL));
    g_assert_cmpint(g_chmod(f->script, 0700), ==, 0);
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);

        remove_tree(inner);
    }
    g_remove(path);
}

static void
tear_down(Fixture *f, gconstpointer user)
{
    remove_tree(f->dir);
    g_free(f->dir);
    g_free(f->script);
}

static char *
in_dir(Fixture *f, const char *name)
{
    return g_build_filename(f->dir, name, NULL);
}

static char *
start_limited(Fixture *f, const char *what, const char *argument, unsigned parallel)
{
    const char *arguments[] = { what, argument, NULL };
    FsnJobRequest request = { .arguments = arguments,
                              .program = f->script,
                              .domain = "vm",
                              .owner = "me",
                              .parallel = parallel,
                              .grace_s = 1 };
    g_autoptr(GError) error = NULL;
    char *id = NULL;

    g_assert_true(fsn_job_start(f->dir, &request, &id, &error));
    g_assert_no_error(error);
    return id;
}

static char *
start(Fixture *f, const char *what, const char *argument)
{
    return start_limited(f, what, argument, 0);
}

static FsnJob *
wait_for(Fixture *f, const char *id)
{
    g_autoptr(GError) error = NULL;
    FsnJob *job = NULL;

    g_assert_true(fsn_job_wait(f->dir, id, LONG_US, NULL, &job, &error));
    g_assert_no_error(error);
    return job;
}

static FsnJob *
find(Fixture *f, const char *id)
{
    g_autoptr(GError) error = NULL;
    FsnJob *job = NULL;

    g_assert_true(fsn_job_find(f->dir, id, &job, &error));
    g_assert_no_error(error);
    return job;
}

static void
wait_for_file(const char *path)
{
    int64_t end_us = fsn_monotonic_us() + LONG_US;

    while (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_assert_cmpint(fsn_monotonic_us(), <, end_us);
        g_usleep(10000);
    }
}

static void
wait_for_state(Fixture *f, const char *id, FsnJobState state)
{
    int64_t end_us = fsn_monotonic_us() + LONG_US;

    while (true) {
        g_autoptr(FsnJob) job = find(f, id);

        if (job->state == state) {
            return;
        }
        g_assert_cmpint(fsn_monotonic_us(), <, end_us);
        g_usleep(10000);
    }
}

static FsnJobRecord *
record_of(Fixture *f, const char *id)
{
    g_autoptr(GError) error = NULL;
    FsnJobRecord *record = NULL;

    g_assert_true(fsn_job_record_read(f->dir, id, &record, &error));
    return record;
}

static void
test_done(Fixture *f, gconstpointer user)
{
    g_autofree char *id = start(f, "echo", "hello");
    g_autoptr(FsnJob) job = wait_for(f, id);
    g_autoptr(JsonObject) result = NULL;
    g_autoptr(JsonObject) json = NULL;

    g_assert_cmpint(job->state, ==, FSN_JOB_DONE);
    g_assert_cmpint(job->exit_status, ==, 0);
    g_assert_cmpstr(job->operation, ==, "echo");
    g_assert_cmpstr(job->domain, ==, "vm");
    g_assert_cmpstr(job->origin, ==, "cli");
    g_assert_cmpstr(job->owner, ==, "me");
    g_assert_cmpstr(job->argv[1], ==, "--json");
    g_assert_cmpint(job->created_us, >, 0);
    g_assert_cmpint(job->started_us, >=, job->created_us);
    g_assert_cmpint(job->ended_us, >=, job->started_us);
    g_assert_true(fsn_job_result(f->dir, job, &result, NULL));
    g_assert_cmpstr(fsn_json_peek_string(result, "said", ""), ==, "hello");
    g_assert_null(fsn_job_complaint(f->dir, job));
    json = fsn_job_to_json(job);
    g_assert_cmpstr(fsn_json_peek_string(json, "state", ""), ==, "done");
    g_assert_cmpstr(fsn_json_peek_string(json, "job", ""), ==, id);
}

static void
test_failed(Fixture *f, gconstpointer user)
{
    g_autofree char *busy = start(f, "fail", NULL);
    g_autofree char *word = start(f, "word", NULL);
    g_autofree char *die = start(f, "die", NULL);
    g_autoptr(FsnJob) first = wait_for(f, busy);
    g_autoptr(FsnJob) second = wait_for(f, word);
    g_autoptr(FsnJob) third = wait_for(f, die);
    g_autofree char *why_first = fsn_job_complaint(f->dir, first);
    g_autofree char *why_second = fsn_job_complaint(f->dir, second);
    g_autofree char *why_third = fsn_job_complaint(f->dir, third);
    g_autoptr(JsonObject) none = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(first->state, ==, FSN_JOB_FAILED);
    g_assert_cmpint(first->exit_status, ==, 75);
    g_assert_cmpstr(why_first, ==, "it is busy");
    g_assert_cmpint(second->exit_status, ==, 1);
    g_assert_cmpstr(why_second, ==, "only a word");
    g_assert_false(fsn_job_result(f->dir, second, &none, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_assert_cmpint(third->state, ==, FSN_JOB_FAILED);
    g_assert_cmpint(third->exit_status, ==, -1);
    g_assert_cmpint(third->signal, ==, SIGKILL);
    g_assert_cmpstr(why_third, ==, "was ended by signal 9");
}

static void
test_no_program(Fixture *f, gconstpointer user)
{
    const char *arguments[] = { "x", NULL };
    FsnJobRequest request = { .arguments = arguments,
                              .program = "/nonexistent/foresnap" };
    g_autofree char *id = NULL;
    g_autoptr(FsnJob) job = NULL;
    g_autofree char *why = NULL;

    g_assert_true(fsn_job_start(f->dir, &request, &id, NULL));
    job = wait_for(f, id);
    why = fsn_job_complaint(f->dir, job);
    g_assert_cmpint(job->state, ==, FSN_JOB_FAILED);
    g_assert_nonnull(strstr(why, "/nonexistent/foresnap"));
}

static void
test_wait(Fixture *f, gconstpointer user)
{
    g_autofree char *go = in_dir(f, "go");
    g_autofree char *id = start(f, "wait", go);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnJob) job = NULL;

    wait_for_state(f, id, FSN_JOB_RUNNING);
    g_assert_false(fsn_job_wait(f->dir, id, 1000, NULL, &job, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT);
    g_clear_error(&error);
    g_cancellable_cancel(cancellable);
    g_assert_false(fsn_job_wait(f->dir, id, -1, cancellable, &job, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_CANCELLED);
    g_clear_error(&error);
    g_assert_false(fsn_job_remove(f->dir, id, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
    g_assert_true(g_file_set_contents(go, "", 0, NULL));
    job = wait_for(f, id);
    g_assert_cmpint(job->state, ==, FSN_JOB_DONE);
}

static void
test_progress(Fixture *f, gconstpointer user)
{
    g_autofree char *go = in_dir(f, "go");
    g_autofree char *id = start(f, "progress", go);
    int64_t end_us = fsn_monotonic_us() + LONG_US;
    g_autoptr(FsnJob) job = find(f, id);
    g_autoptr(JsonObject) json = NULL;
    JsonObject *progress;

    while (!job->phase) {
        g_assert_cmpint(fsn_monotonic_us(), <, end_us);
        g_clear_pointer(&job, fsn_job_free);
        job = find(f, id);
    }
    g_assert_cmpstr(job->phase, ==, "memory");
    g_assert_cmpuint(job->done, ==, 5);
    g_assert_cmpuint(job->total, ==, 9);
    json = fsn_job_to_json(job);
    g_assert_true(fsn_json_get_object(json, "progress", &progress, NULL));
    g_assert_cmpint(fsn_json_peek_int(progress, "total", 0), ==, 9);
    g_assert_true(g_file_set_contents(go, "", 0, NULL));
    g_clear_pointer(&job, fsn_job_free);
    job = wait_for(f, id);
}

static void
test_cancel(Fixture *f, gconstpointer user)
{
    g_autofree char *deaf_mark = in_dir(f, "deaf");
    g_autofree char *polite_mark = in_dir(f, "polite");
    g_autofree char *deaf = start(f, "deaf", deaf_mark);
    g_autofree char *polite = start(f, "polite", polite_mark);
    g_autoptr(FsnJob) first = NULL;
    g_autoptr(FsnJob) second = NULL;
    g_autoptr(GError) error = NULL;

    wait_for_file(deaf_mark);
    wait_for_file(polite_mark);
    g_assert_true(fsn_job_cancel(f->dir, deaf, NULL));
    g_assert_true(fsn_job_cancel(f->dir, polite, NULL));
    first = wait_for(f, deaf);
    second = wait_for(f, polite);
    /* one that does not listen is killed; one that came to its end all the same is done */
    g_assert_cmpint(first->state, ==, FSN_JOB_CANCELLED);
    g_assert_cmpint(first->signal, ==, SIGKILL);
    g_assert_cmpint(first->cancel_us, >, 0);
    g_assert_cmpint(second->state, ==, FSN_JOB_DONE);
    g_assert_false(fsn_job_cancel(f->dir, deaf, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_STATE);
}

/* One at a time; one that waits can be cancelled; what is left goes on in its turn. */
static void
test_limit(Fixture *f, gconstpointer user)
{
    g_autofree char *go = in_dir(f, "go");
    g_autofree char *first = start_limited(f, "wait", go, 1);
    g_autofree char *second = NULL;
    g_autofree char *third = NULL;
    g_autofree char *free_one = NULL;
    g_autoptr(FsnJob) job = NULL;

    wait_for_state(f, first, FSN_JOB_RUNNING);
    second = start_limited(f, "echo", "b", 1);
    third = start_limited(f, "echo", "c", 1);
    free_one = start(f, "echo", "d");
    job = wait_for(f, free_one);
    g_assert_cmpint(job->state, ==, FSN_JOB_DONE);
    wait_for_state(f, second, FSN_JOB_QUEUED);
    g_assert_true(fsn_job_cancel(f->dir, second, NULL));
    g_clear_pointer(&job, fsn_job_free);
    job = wait_for(f, second);
    g_assert_cmpint(job->state, ==, FSN_JOB_CANCELLED);
    g_assert_cmpint(job->started_us, ==, 0);
    wait_for_state(f, third, FSN_JOB_QUEUED);
    g_assert_true(g_file_set_contents(go, "", 0, NULL));
    g_clear_pointer(&job, fsn_job_free);
    job = wait_for(f, third);
    g_assert_cmpint(job->state, ==, FSN_JOB_DONE);
}

static void
test_lost(Fixture *f, gconstpointer user)
{
    g_autofree char *go = in_dir(f, "go");
    g_autofree char *id = start(f, "wait", go);
    g_autoptr(FsnJobRecord) record = NULL;
    g_autoptr(FsnJob) job = NULL;
    g_autofree char *why = NULL;

    wait_for_state(f, id, FSN_JOB_RUNNING);
    record = record_of(f, id);
    g_assert_true(fsn_process_signal(&record->keeper, SIGKILL));
    while (fsn_process_lives(&record->keeper)) {
        g_usleep(1000);
    }
    /* the command goes on, is seen and can be waited for */
    job = find(f, id);
    g_assert_cmpint(job->state, ==, FSN_JOB_RUNNING);
    g_assert_true(fsn_job_cancel(f->dir, id, NULL));
    g_clear_pointer(&job, fsn_job_free);
    job = wait_for(f, id);
    g_assert_cmpint(job->state, ==, FSN_JOB_LOST);
    why = fsn_job_complaint(f->dir, job);
    g_assert_nonnull(strstr(why, "recover"));
    g_assert_true(fsn_job_remove(f->dir, id, NULL));
}

/* Numbers of processes mean nothing after a boot. */
static void
test_other_boot(Fixture *f, gconstpointer user)
{
    g_autofree char *go = in_dir(f, "go");
    g_autofree char *id = start(f, "wait", go);
    g_autofree char *path = fsn_job_file(f->dir, id, "json");
    g_autoptr(FsnJobRecord) record = NULL;
    g_autofree char *saved = NULL;
    g_autofree char *forged = NULL;
    g_autoptr(FsnJob) job = NULL;

    wait_for_state(f, id, FSN_JOB_RUNNING);
    record = record_of(f, id);
    saved = g_steal_pointer(&record->boot_id);
    record->boot_id = g_strdup("another");
    forged = fsn_job_record_to_text(record);
    g_assert_true(g_file_set_contents(path, forged, -1, NULL));
    job = find(f, id);
    g_assert_cmpint(job->state, ==, FSN_JOB_LOST);
    g_assert_true(g_file_set_contents(go, "", 0, NULL));
    wait_for_state(f, id, FSN_JOB_DONE); /* the keeper has the last word */
}

static void
put(Fixture *f, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(f->dir, "jobs", name, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* What lies in the folder and is no job is named, and nothing hangs or is followed. */
static void
test_hostile_folder(Fixture *f, gconstpointer user)
{
    g_autofree char *id = start(f, "echo", "x");
    g_autofree char *folder = fsn_jobs_folder(f->dir);
    g_autofree char *pipe_path = NULL;
    g_autofree char *link_path = NULL;
    g_autoptr(FsnJob) job = wait_for(f, id);
    g_autoptr(GPtrArray) jobs = NULL;
    g_autoptr(GPtrArray) refused = NULL;
    g_autoptr(FsnJob) none = NULL;
    g_autoptr(GError) error = NULL;

    pipe_path = g_build_filename(folder, "11111111111111111111111111111111.json", NULL);
    link_path = g_build_filename(folder, "22222222222222222222222222222222.json", NULL);
    g_assert_cmpint(mkfifo(pipe_path, 0600), ==, 0);
    g_assert_cmpint(symlink("/etc/passwd", link_path), ==, 0);
    put(f, "33333333333333333333333333333333.json", "{");
    put(f, "mine.json", "{}");
    put(f, "note.txt", "ignored");
    g_assert_true(fsn_jobs_list(f->dir, &jobs, &refused, NULL));
    g_assert_cmpuint(jobs->len, ==, 1);
    g_assert_cmpuint(refused->len, ==, 4);
    g_assert_false(fsn_job_find(f->dir, "3333", &none, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_assert_nonnull(strstr(error->message, "33333333333333333333333333333333.json"));
    g_clear_error(&error);
    g_assert_false(fsn_job_find(f->dir, "../x", &none, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
    g_clear_error(&error);
    g_assert_false(fsn_job_find(f->dir, "ffffffff", &none, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
}

static void
test_forget(Fixture *f, gconstpointer user)
{
    g_autofree char *go = in_dir(f, "go");
    g_autofree char *running = start(f, "wait", go);
    g_autofree char *first = start(f, "echo", "a");
    g_autofree char *second = start(f, "echo", "b");
    g_autoptr(FsnJob) a = wait_for(f, first);
    g_autoptr(FsnJob) b = wait_for(f, second);
    g_autoptr(GPtrArray) jobs = NULL;
    g_autoptr(FsnJob) last = NULL;
    guint n = 0;

    g_assert_true(fsn_jobs_forget(f->dir, MIN(a->ended_us, b->ended_us), &n, NULL));
    g_assert_cmpuint(n, ==, 0);
    g_assert_true(fsn_jobs_forget(f->dir, fsn_realtime_us() + 1, &n, NULL));
    g_assert_cmpuint(n, ==, 2);
    g_assert_true(fsn_jobs_list(f->dir, &jobs, NULL, NULL));
    g_assert_cmpuint(jobs->len, ==, 1);
    g_assert_cmpstr(((FsnJob *)jobs->pdata[0])->id, ==, running);
    g_assert_true(g_file_set_contents(go, "", 0, NULL));
    last = wait_for(f, running);
    g_assert_true(fsn_job_remove(f->dir, running, NULL));
}

static void
test_empty(Fixture *f, gconstpointer user)
{
    g_autoptr(GPtrArray) jobs = NULL;

    g_assert_true(fsn_jobs_list(f->dir, &jobs, NULL, NULL));
    g_assert_cmpuint(jobs->len, ==, 0);
}

/* It is not in our session, so nothing that ends that ends the job. */
static void
test_session(Fixture *f, gconstpointer user)
{
    g_autofree char *id = start(f, "session", NULL);
    g_autoptr(FsnJob) job = wait_for(f, id);
    g_autoptr(FsnJobRecord) record = record_of(f, id);
    g_autoptr(JsonObject) result = NULL;

    g_assert_true(fsn_job_result(f->dir, job, &result, NULL));
    g_assert_cmpint(fsn_json_peek_int(result, "sid", 0), ==, record->keeper.pid);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_setenv("FORESNAP_LIBEXECDIR",
             g_getenv("top_builddir") ? g_getenv("top_builddir") : ".", TRUE);
    ADD("/jobs/done", test_done);
    ADD("/jobs/failed", test_failed);
    ADD("/jobs/no-program", test_no_program);
    ADD("/jobs/wait", test_wait);
    ADD("/jobs/progress", test_progress);
    ADD("/jobs/cancel", test_cancel);
    ADD("/jobs/limit", test_limit);
    ADD("/jobs/lost", test_lost);
    ADD("/jobs/other-boot", test_other_boot);
    ADD("/jobs/hostile-folder", test_hostile_folder);
    ADD("/jobs/forget", test_forget);
    ADD("/jobs/empty", test_empty);
    ADD("/jobs/session", test_session);
    return g_test_run();
}
