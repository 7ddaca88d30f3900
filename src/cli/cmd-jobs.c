/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap jobs: the commands that run on their own, whoever has started them.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/units.h"
#include "cycle/context.h"
#include "jobs/jobs.h"

#include <string.h>

static gboolean opt_ended;
static int opt_timeout = -1;

static GOptionEntry options[] = {
    { "ended", 0, 0, G_OPTION_ARG_NONE, &opt_ended, "remove: all that have ended", NULL },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &opt_timeout, "wait: so long at most, then fail",
      "SECONDS" },
    G_OPTION_ENTRY_NULL,
};

typedef bool (*Verb)(FsnCliContext *context,
                     const char *state_dir,
                     char **ids,
                     GError **error);

static char *
age_text(const FsnJob *job)
{
    g_autofree char *instant = fsn_rfc3339(job->created_us);

    return fsn_cli_instant_text(instant);
}

/* How it ended, or how far it is. */
static char *
progress_text(const FsnJob *job)
{
    if (job->state == FSN_JOB_RUNNING && job->phase) {
        return job->counts_bytes
                   ? fsn_cli_progress_text(job->phase, job->done, job->total, 0)
                   : g_strdup_printf("%s %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
                                     job->phase, job->done, job->total);
    }
    if (job->state == FSN_JOB_FAILED) {
        return job->signal > 0 ? g_strdup_printf("signal %d", job->signal)
                               : g_strdup_printf("exit status %d", job->exit_status);
    }
    if (fsn_job_has_ended(job) && job->ended_us > 0 && job->started_us > 0) {
        g_autofree char *took = fsn_cli_duration_text(job->ended_us - job->started_us);

        return g_strdup_printf("in %s", took);
    }
    return g_strdup("-");
}

static bool
list(FsnCliContext *context, const char *state_dir, char **ids, GError **error)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("llllll");
    g_autoptr(GPtrArray) jobs = NULL;
    g_autoptr(GPtrArray) refused = NULL;
    JsonArray *array = json_array_new();
    g_autofree char *text = NULL;

    json_object_set_array_member(context->document, "jobs", array);
    if (!fsn_jobs_list(state_dir, &jobs, &refused, error)) {
        return false;
    }
    fsn_cli_table_add(table, "JOB", "STATE", "COMMAND", "DOMAIN", "CREATED", "PROGRESS");
    for (guint i = 0; i < jobs->len; i++) {
        const FsnJob *job = jobs->pdata[i];
        g_autofree char *id = g_strndup(job->id, 8);
        g_autofree char *created = age_text(job);
        g_autofree char *progress = progress_text(job);

        json_array_add_object_element(array, fsn_job_to_json(job));
        fsn_cli_table_add(table, id, fsn_job_state_name(job->state), job->operation,
                          job->domain ? job->domain : "-", created, progress);
    }
    for (guint i = 0; i < refused->len; i++) {
        fsn_cli_warn(context, "%s", (const char *)refused->pdata[i]);
    }
    text = fsn_cli_table_text(table);
    if (jobs->len > 0) {
        fsn_cli_print(context, "%s", text);
    }
    return true;
}

/* The job with what it has printed, and why it failed. */
static JsonObject *
describe(const char *state_dir, const FsnJob *job)
{
    JsonObject *object = fsn_job_to_json(job);
    g_autofree char *complaint = fsn_job_complaint(state_dir, job);
    JsonObject *result = NULL;

    if (complaint) {
        json_object_set_string_member(object, "complaint", complaint);
    }
    if (fsn_job_result(state_dir, job, &result, NULL)) {
        json_object_set_object_member(object, "result", result);
    }
    return object;
}

static void
print_job(FsnCliContext *context, const char *state_dir, const FsnJob *job)
{
    g_autofree char *command = g_strjoinv(" ", job->argv);
    g_autofree char *created = age_text(job);
    g_autofree char *progress = progress_text(job);
    g_autofree char *complaint = fsn_job_complaint(state_dir, job);
    g_autoptr(JsonObject) result = NULL;

    fsn_cli_print(context,
                  "job:       %s\nstate:     %s\ncommand:   %s\nowner:     %s (by %s)\n"
                  "created:   %s\nprogress:  %s\n",
                  job->id, fsn_job_state_name(job->state), command,
                  job->owner ? job->owner : "?", job->origin ? job->origin : "?", created,
                  progress);
    if (complaint) {
        fsn_cli_print(context, "complaint: %s\n", complaint);
    }
    if (fsn_job_result(state_dir, job, &result, NULL)) {
        g_autofree char *text = fsn_json_to_text(result, true);

        fsn_cli_print(context, "%s\n", text);
    }
}

static bool
show(FsnCliContext *context, const char *state_dir, char **ids, GError **error)
{
    g_autoptr(FsnJob) job = NULL;
    g_autoptr(JsonObject) object = NULL;

    if (g_strv_length(ids) != 1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'jobs show' takes one id");
        return false;
    }
    if (!fsn_job_find(state_dir, ids[0], &job, error)) {
        return false;
    }
    object = describe(state_dir, job);
    fsn_cli_add_result(context, object);
    print_job(context, state_dir, job);
    return true;
}

static bool
cancel(FsnCliContext *context, const char *state_dir, char **ids, GError **error)
{
    for (char **id = ids; *id; id++) {
        if (!fsn_job_cancel(state_dir, *id, error)) {
            return false;
        }
        fsn_cli_say(context, "job %s is asked to stop", *id);
    }
    return true;
}

/* An error that ends this program as the job has ended. */
static bool
judge(const char *state_dir, const FsnJob *job, GError **error)
{
    g_autofree char *complaint = fsn_job_complaint(state_dir, job);
    FsnError code = FSN_ERROR_FAILED;

    if (job->state == FSN_JOB_DONE) {
        return true;
    }
    if (job->exit_status == FSN_EXIT_PARTIAL) {
        code = FSN_ERROR_PARTIAL;
    } else if (job->exit_status == FSN_EXIT_BUSY) {
        code = FSN_ERROR_BUSY;
    }
    g_set_error(error, FSN_ERROR, code, "job %.8s (%s) is %s%s%s", job->id,
                job->operation, fsn_job_state_name(job->state), complaint ? ": " : "",
                complaint ? complaint : "");
    return false;
}

/* Waits for all, and fails as the first that failed. */
static bool
wait_for(FsnCliContext *context, const char *state_dir, char **ids, GError **error)
{
    int64_t end_us = fsn_monotonic_us() + opt_timeout * (int64_t)G_USEC_PER_SEC;
    JsonArray *array = json_array_new();
    g_autoptr(GError) first = NULL;

    json_object_set_array_member(context->document, "jobs", array);
    for (char **id = ids; *id; id++) {
        g_autoptr(FsnJob) job = NULL;
        int64_t left_us = opt_timeout < 0 ? -1 : MAX(end_us - fsn_monotonic_us(), 0);

        if (!fsn_job_wait(state_dir, *id, left_us, context->cancellable, &job, error)) {
            return false;
        }
        json_array_add_object_element(array, describe(state_dir, job));
        fsn_cli_say(context, "job %.8s (%s) is %s", job->id, job->operation,
                    fsn_job_state_name(job->state));
        (void)!judge(state_dir, job, first ? NULL : &first); /* the first one counts */
    }
    if (first) {
        g_propagate_error(error, g_steal_pointer(&first));
        return false;
    }
    return true;
}

static bool
remove_ended(FsnCliContext *context, const char *state_dir, char **ids, GError **error)
{
    guint count = 0;

    for (char **id = ids; *id; id++) {
        if (!fsn_job_remove(state_dir, *id, error)) {
            return false;
        }
        count++;
    }
    if (opt_ended) {
        guint more = 0;

        if (!fsn_jobs_forget(state_dir, G_MAXINT64, &more, error)) {
            return false;
        }
        count += more;
    }
    json_object_set_int_member(context->document, "removed", count);
    fsn_cli_say(context, "%u job%s forgotten", count, count == 1 ? "" : "s");
    return true;
}

static const struct {
    const char *name;
    Verb run;
    bool needs_id;
} verbs[] = {
    { "list", list, false },          { "show", show, true },
    { "cancel", cancel, true },       { "wait", wait_for, true },
    { "remove", remove_ended, true },
};

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autofree char *state_dir = fsn_cycle_default_state_dir();
    const char *verb = args[0] ? args[0] : "list";
    char **ids = args[0] ? args + 1 : args;

    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        bool all = opt_ended && verbs[i].run == remove_ended;

        if (strcmp(verb, verbs[i].name) != 0) {
            continue;
        }
        if (verbs[i].needs_id ? !*ids && !all : *ids != NULL) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'jobs %s' takes %s", verb,
                        verbs[i].needs_id ? "the id of a job" : "no argument");
            return false;
        }
        return verbs[i].run(context, state_dir, ids, error);
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'jobs %s' is not known", verb);
    return false;
}

const FsnCliCommand fsn_cmd_jobs = {
    .name = "jobs",
    .arguments = "[list|show|cancel|wait|remove] [JOB...]",
    .summary = "show and stop the commands that run on their own",
    .options = options,
    .max_args = FSN_CLI_ANY,
    .interruptible = true,
    .run = run,
};
