/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop of a batch. Decides nothing about order (order.c) or domains (select.c): it starts
 * what may start, as long as there is room, and watches limits of time.
 */
#include "config.h"

#include "batch/run.h"

#include "base/clock.h"
#include "base/json.h"

#include <signal.h>
#include <string.h>

#define MAX_DOCUMENT (16u << 20)

typedef struct {
    const FsnBatchRun *run;
    GPtrArray *domains;
    GPtrArray *outcomes;
    FsnBatchOrder *order;
    GCancellable *cancellable;
    GMainContext *main_context;
    GPtrArray *active; /* Job */
} Batch;

typedef struct {
    Batch *batch;
    guint i;
    GSubprocess *process;
    GSource *limit; /* NULL: none is running */
    bool asked;     /* to end */
    int64_t begun_us;
} Job;

void
fsn_batch_outcome_free(FsnBatchOutcome *outcome)
{
    g_free(outcome->error);
    g_clear_pointer(&outcome->result, json_object_unref);
    g_free(outcome);
}

static FsnBatchOutcome *
outcome_at(Batch *b, guint i)
{
    return b->outcomes->pdata[i];
}

static void
stop_limit(Job *job)
{
    if (job->limit) {
        g_source_destroy(job->limit);
        g_clear_pointer(&job->limit, g_source_unref);
    }
}

static gboolean on_limit(gpointer user);

static void
set_limit(Job *job, unsigned seconds)
{
    stop_limit(job);
    if (seconds > 0) {
        job->limit = g_timeout_source_new_seconds(seconds);
        g_source_set_callback(job->limit, on_limit, job, NULL);
        g_source_attach(job->limit, job->batch->main_context);
    }
}

/* First a word, then force: an operation that is killed is undone by its guard. */
static void
ask_to_end(Job *job)
{
    if (!job->asked) {
        job->asked = true;
        g_subprocess_send_signal(job->process, SIGTERM);
        set_limit(job, MAX(job->batch->run->grace_s, 1));
    } else {
        g_subprocess_force_exit(job->process);
        stop_limit(job);
    }
}

static gboolean
on_limit(gpointer user)
{
    Job *job = user;

    if (!job->asked) {
        outcome_at(job->batch, job->i)->timed_out = true;
    }
    ask_to_end(job);
    return G_SOURCE_REMOVE;
}

static void
tell(Batch *b, guint i)
{
    if (b->run->tell) {
        b->run->tell(b->domains->pdata[i], outcome_at(b, i), b->run->user);
    }
}

/* What the command says of its failure, in its document or else on standard error. */
static char *
error_of(GSubprocess *process, JsonObject *document, const char *complaints)
{
    JsonObject *error = NULL;
    const char *newline;

    if (document && fsn_json_get_object(document, "error", &error, NULL)) {
        return g_strdup(fsn_json_peek_string(error, "message", "failed"));
    }
    if ((!complaints || !*complaints) && g_subprocess_get_if_signaled(process)) {
        return g_strdup_printf("was ended by signal %d; recovery takes it from there",
                               g_subprocess_get_term_sig(process));
    }
    if (!complaints || !*complaints) {
        return g_strdup("ended without a word");
    }
    newline = strchr(complaints, '\n');
    return newline ? g_strndup(complaints, (size_t)(newline - complaints))
                   : g_strdup(complaints);
}

static void start_more(Batch *b);

static void
job_free(Job *job)
{
    stop_limit(job);
    g_clear_object(&job->process);
    g_free(job);
}

static void
on_end(GObject *source, GAsyncResult *result, gpointer user)
{
    Job *job = user;
    Batch *b = job->batch;
    FsnBatchOutcome *outcome = outcome_at(b, job->i);
    g_autofree char *output = NULL;
    g_autofree char *complaints = NULL;
    bool done = g_subprocess_communicate_utf8_finish(job->process, result, &output,
                                                     &complaints, NULL) &&
                g_subprocess_get_successful(job->process);

    if (output && !fsn_json_parse_object(output, strlen(output), MAX_DOCUMENT, "document",
                                         &outcome->result, NULL)) {
        outcome->result = NULL;
    }
    outcome->took_us = fsn_monotonic_us() - job->begun_us;
    outcome->state = done ? FSN_BATCH_DONE : FSN_BATCH_FAILED;
    if (!done) {
        outcome->error = outcome->timed_out
                             ? g_strdup("took too long and was stopped")
                             : error_of(job->process, outcome->result, complaints);
    }
    fsn_batch_order_end(b->order, job->i, done);
    tell(b, job->i);
    g_ptr_array_remove_fast(b->active, job);
    job_free(job);
    start_more(b);
}

static void
fail(Batch *b, guint i, const GError *error)
{
    outcome_at(b, i)->state = FSN_BATCH_FAILED;
    outcome_at(b, i)->error = g_strdup(error->message);
    fsn_batch_order_end(b->order, i, false);
    tell(b, i);
}

static void
start(Batch *b, guint i)
{
    g_auto(GStrv) argv = b->run->command(b->domains->pdata[i], b->run->user);
    g_autoptr(GError) error = NULL;
    Job *job = g_new0(Job, 1);

    job->batch = b;
    job->i = i;
    job->begun_us = fsn_monotonic_us();
    job->process = g_subprocess_newv(
        (const char *const *)argv,
        G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
    if (!job->process) {
        job_free(job);
        fail(b, i, error);
        return;
    }
    g_ptr_array_add(b->active, job);
    set_limit(job, b->run->time_s);
    g_subprocess_communicate_utf8_async(job->process, NULL, NULL, on_end, job);
}

static void
start_more(Batch *b)
{
    while (b->active->len < b->run->jobs && !g_cancellable_is_cancelled(b->cancellable)) {
        int next = fsn_batch_order_next(b->order);

        if (next < 0) {
            return;
        }
        start(b, (guint)next);
    }
}

/* Those that were never begun. */
static void
settle_rest(Batch *b)
{
    for (guint i = 0; i < b->domains->len; i++) {
        FsnBatchOutcome *outcome = outcome_at(b, i);
        const char *blamed = fsn_batch_order_blamed(b->order, i);

        if (outcome->state != FSN_BATCH_WAITING) {
            continue;
        }
        outcome->state = FSN_BATCH_SKIPPED;
        outcome->error = blamed
                             ? g_strdup_printf("was left alone, for '%s' failed", blamed)
                             : g_strdup("was not begun: the batch was interrupted");
        tell(b, i);
    }
}

static void
loop(Batch *b)
{
    start_more(b);
    while (b->active->len > 0) {
        g_main_context_iteration(b->main_context, TRUE);
    }
}

bool
fsn_batch_run(const FsnBatchRun *run,
              GPtrArray *domains,
              GCancellable *cancellable,
              GPtrArray **out_outcomes,
              GError **error)
{
    g_autoptr(FsnBatchOrder) order = fsn_batch_order_new(run->verb, domains, error);
    g_autoptr(GMainContext) main_context = NULL;
    g_autoptr(GPtrArray) active = g_ptr_array_new();
    Batch b = { .run = run,
                .domains = domains,
                .order = order,
                .cancellable = cancellable,
                .active = active };

    if (!order) {
        return false;
    }
    b.outcomes = g_ptr_array_new_with_free_func((GDestroyNotify)fsn_batch_outcome_free);
    for (guint i = 0; i < domains->len; i++) {
        g_ptr_array_add(b.outcomes, g_new0(FsnBatchOutcome, 1));
    }
    main_context = g_main_context_new();
    b.main_context = main_context;
    g_main_context_push_thread_default(main_context);
    loop(&b);
    g_main_context_pop_thread_default(main_context);
    settle_rest(&b);
    *out_outcomes = b.outcomes;
    return true;
}
