/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks for the plan, one question at a time, and starts what is due, one job at a time. */
#include "config.h"

#include "daemon/scheduler.h"

#include "base/json.h"
#include "daemon/arguments.h"
#include "daemon/child.h"
#include "daemon/log.h"
#include "daemon/source.h"
#include "jobs/jobs.h"

#define PLAN_TIME_S 120
#define NOTE_MIN_US ((int64_t)30 * G_USEC_PER_SEC)
#define NOTE_MAX_US ((int64_t)3600 * G_USEC_PER_SEC)

struct FsnScheduler {
    const FsnDaemonConfig *config;
    const char *state_dir;
    GSource *timer;
    FsnChild *child;      /* NULL: nothing is asked */
    char *job;            /* the last one; NULL: none */
    char *trouble;        /* what was said last of it */
    int64_t note_next_us; /* monotonic: when new schedules are noted at the earliest, */
    int64_t note_wait_us; /* … if this is not 0 */
};

guint
fsn_scheduler_count_due(gpointer document)
{
    JsonArray *plan;
    guint due = 0;

    if (!fsn_json_get_array(document, "plan", &plan, NULL)) {
        return 0;
    }
    for (guint i = 0; i < json_array_get_length(plan); i++) {
        JsonObject *item;

        if (fsn_json_get_element(plan, i, &item, NULL)) {
            due += g_str_equal(fsn_json_peek_string(item, "state", ""), "due");
        }
    }
    return due;
}

bool
fsn_scheduler_has_new(gpointer document)
{
    JsonArray *domains;

    if (!fsn_json_get_array(document, "domains", &domains, NULL)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(domains); i++) {
        JsonObject *domain;

        if (fsn_json_get_element(domains, i, &domain, NULL) &&
            fsn_json_peek_bool(domain, "new", false)) {
            return true;
        }
    }
    return false;
}

static bool
job_runs(FsnScheduler *scheduler)
{
    g_autoptr(FsnJob) job = NULL;

    return scheduler->job &&
           fsn_job_find(scheduler->state_dir, scheduler->job, &job, NULL) &&
           !fsn_job_has_ended(job);
}

static void
run_due(FsnScheduler *scheduler, guint due)
{
    g_autofree char *parallel = g_strdup_printf("%u", scheduler->config->parallel);
    /* Without a limit the list ends before it. */
    g_autofree char *rate = scheduler->config->bandwidth > 0
                                ? g_strdup_printf("--bandwidth=%" G_GUINT64_FORMAT,
                                                  scheduler->config->bandwidth)
                                : NULL;
    g_auto(GStrv) arguments = fsn_daemon_arguments(scheduler->config, "plan", "--run",
                                                   "-j", parallel, rate, NULL);
    FsnJobRequest request = { .arguments = (const char *const *)arguments,
                              .operation = "plan",
                              .origin = "schedule" };
    g_autoptr(GError) error = NULL;
    g_autofree char *id = NULL;

    if (!fsn_job_start(scheduler->state_dir, &request, &id, &error)) {
        fsn_log(FSN_LOG_ERROR, NULL, "the plan is not carried out: %s", error->message);
        return;
    }
    if (due > 0) {
        fsn_log(FSN_LOG_NOTICE, (const char *const[]){ "FORESNAP_JOB", id, NULL },
                "%u snapshot%s due: job %.8s", due, due == 1 ? " is" : "s are", id);
    } else {
        fsn_log(FSN_LOG_NOTICE, (const char *const[]){ "FORESNAP_JOB", id, NULL },
                "there are new schedules: job %.8s notes them", id);
    }
    g_free(scheduler->job);
    scheduler->job = g_steal_pointer(&id);
}

/* From when on a schedule holds is noted by who carries it out; else it would begin anew with each
 * question, and nothing would ever be due. Where that fails it is tried more and more seldom. */
static bool
shall_note(FsnScheduler *scheduler, JsonObject *document)
{
    int64_t now_us = g_get_monotonic_time();

    if (!fsn_scheduler_has_new(document)) {
        scheduler->note_wait_us = 0;
        return false;
    }
    if (scheduler->note_wait_us > 0 && now_us < scheduler->note_next_us) {
        return false;
    }
    scheduler->note_wait_us =
        CLAMP(2 * scheduler->note_wait_us, NOTE_MIN_US, NOTE_MAX_US);
    scheduler->note_next_us = now_us + scheduler->note_wait_us;
    return true;
}

static void
on_plan(JsonObject *document, const char *complaint, gpointer user)
{
    FsnScheduler *scheduler = user;
    guint due;

    scheduler->child = NULL;
    if (complaint) {
        if (g_strcmp0(complaint, scheduler->trouble) != 0) {
            fsn_log(FSN_LOG_WARNING, NULL, "there is no plan: %s", complaint);
        }
        g_free(scheduler->trouble);
        scheduler->trouble = g_strdup(complaint);
        return;
    }
    g_clear_pointer(&scheduler->trouble, g_free);
    due = fsn_scheduler_count_due(document);
    if ((due > 0 || shall_note(scheduler, document)) && !job_runs(scheduler)) {
        run_due(scheduler, due);
    }
}

static gboolean
on_timer(gpointer user)
{
    FsnScheduler *scheduler = user;
    g_auto(GStrv) arguments =
        fsn_daemon_arguments(scheduler->config, "plan", "--hours", "1", NULL);
    g_autoptr(GError) error = NULL;

    if (!scheduler->child && !job_runs(scheduler)) {
        scheduler->child =
            fsn_child_start(arguments, PLAN_TIME_S, on_plan, scheduler, &error);
        if (!scheduler->child) {
            fsn_log(FSN_LOG_ERROR, NULL, "there is no plan: %s", error->message);
        }
    }
    return G_SOURCE_CONTINUE;
}

void
fsn_scheduler_set(FsnScheduler *scheduler, const FsnDaemonConfig *config)
{
    scheduler->config = config;
    fsn_source_clear(&scheduler->timer);
    if (config->schedules) {
        scheduler->timer = fsn_source_attach(
            g_timeout_source_new_seconds(config->schedule_s), on_timer, scheduler);
    }
}

FsnScheduler *
fsn_scheduler_new(const FsnDaemonConfig *config, const char *state_dir)
{
    FsnScheduler *scheduler = g_new0(FsnScheduler, 1);

    scheduler->state_dir = state_dir;
    fsn_scheduler_set(scheduler, config);
    return scheduler;
}

void
fsn_scheduler_free(FsnScheduler *scheduler)
{
    if (!scheduler) {
        return;
    }
    fsn_source_clear(&scheduler->timer);
    fsn_child_abandon(scheduler->child);
    g_free(scheduler->job);
    g_free(scheduler->trouble);
    g_free(scheduler);
}
