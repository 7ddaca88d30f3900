/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap plan: which snapshots the schedules of profiles ask for, and why; with --run those
 * that are due are taken, for cron on hosts without the daemon.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/size.h"
#include "cli/units.h"
#include "schedule/look.h"
#include "schedule/run.h"

#define DEFAULT_HOURS 24
#define MAX_HOURS     744
#define DEFAULT_JOBS  2
#define HOUR_US       ((int64_t)3600 * G_USEC_PER_SEC)

static char *opt_bandwidth;
static char *opt_history;
static gboolean opt_run;
static int opt_hours = DEFAULT_HOURS;
static int opt_jobs = DEFAULT_JOBS;

static GOptionEntry options[] = {
    { "bandwidth", 0, 0, G_OPTION_ARG_STRING, &opt_bandwidth,
      "with --run: read at most so many bytes a second, all at a time together (K, M, G)",
      "BYTES" },
    { "history", 0, 0, G_OPTION_ARG_FILENAME, &opt_history, "file of the history",
      "FILE" },
    { "hours", 0, 0, G_OPTION_ARG_INT, &opt_hours, "look so far ahead (24)", "HOURS" },
    { "jobs", 'j', 0, G_OPTION_ARG_INT, &opt_jobs, "so many at a time (default 2)", "N" },
    { "run", 0, 0, G_OPTION_ARG_NONE, &opt_run, "take the snapshots that are due now",
      NULL },
    G_OPTION_ENTRY_NULL,
};

/* "now", "16:00", "Sun 02:30", "2026-12-24 02:30"; the caller frees. */
static char *
time_text(int64_t time_us, int64_t now_us)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(time_us / G_USEC_PER_SEC);
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_local(now_us / G_USEC_PER_SEC);
    bool today = g_date_time_get_year(time) == g_date_time_get_year(now) &&
                 g_date_time_get_day_of_year(time) == g_date_time_get_day_of_year(now);

    if (time_us <= now_us) {
        return g_strdup("now");
    }
    return g_date_time_format(time, today                                 ? "%H:%M"
                                    : time_us - now_us < 6 * 24 * HOUR_US ? "%a %H:%M"
                                                                          : "%F %H:%M");
}

typedef struct {
    const FsnScheduleDomain *domain;
    const FsnPlanItem *item;
} Row;

static int
by_time(gconstpointer a, gconstpointer b)
{
    const Row *x = a;
    const Row *y = b;

    return x->item->at_us < y->item->at_us ? -1 : x->item->at_us > y->item->at_us;
}

/* The items of all domains, by time and then by name; the caller unrefs. */
static GArray *
rows_of(GPtrArray *domains)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(Row));

    for (guint i = 0; i < domains->len; i++) {
        const FsnScheduleDomain *domain = domains->pdata[i];

        for (guint k = 0; k < domain->items->len; k++) {
            Row row = { domain, &g_array_index(domain->items, FsnPlanItem, k) };

            g_array_append_val(rows, row);
        }
    }
    g_array_sort(rows, by_time); /* GArray's sort is stable */
    return rows;
}

static void
set_time(JsonObject *object, const char *name, int64_t time_us)
{
    g_autofree char *text = time_us > 0 ? fsn_rfc3339(time_us) : NULL;

    fsn_json_add_string(object, name, text);
}

static JsonArray *
triggers_json(unsigned triggers)
{
    JsonArray *array = json_array_new();

    for (unsigned bit = FSN_PLAN_CALENDAR; bit <= FSN_PLAN_BUSY; bit <<= 1) {
        if (triggers & bit) {
            json_array_add_string_element(array, fsn_plan_trigger_name(bit));
        }
    }
    return array;
}

static JsonArray *
rows_json(const GArray *rows)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "domain", row->domain->name);
        json_object_set_string_member(object, "uuid", row->domain->uuid);
        json_object_set_string_member(object, "action", "snapshot");
        json_object_set_string_member(object, "state",
                                      fsn_plan_state_name(row->item->state));
        set_time(object, "time", row->item->at_us);
        set_time(object, "asked", row->item->asked_us);
        json_object_set_array_member(object, "triggers",
                                     triggers_json(row->item->triggers));
        json_object_set_string_member(object, "reason", row->item->reason);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonObject *
domain_json(const FsnScheduleDomain *domain)
{
    JsonObject *object = json_object_new();
    const FsnPlanInput *in = &domain->input;

    json_object_set_string_member(object, "domain", domain->name);
    json_object_set_string_member(object, "uuid", domain->uuid);
    json_object_set_string_member(object, "profile", domain->profile);
    json_object_set_boolean_member(object, "scheduled",
                                   fsn_schedule_is_set(&domain->schedule));
    if (domain->adopted && fsn_schedule_is_set(&domain->schedule)) {
        json_object_set_boolean_member(object, "new", true);
    }
    set_time(object, "last_snapshot", in->taken_us);
    set_time(object, "last_attempt", domain->record.begun_us);
    json_object_set_int_member(object, "failures", domain->record.failures);
    if (domain->record.error) {
        json_object_set_string_member(object, "error", domain->record.error);
    }
    if (in->changed != UINT64_MAX) {
        json_object_set_int_member(object, "changed", (int64_t)in->changed);
    }
    if (in->change_rate > 0) {
        json_object_set_double_member(object, "change_rate", in->change_rate);
    }
    if (domain->busy.start_us > 0) {
        set_time(object, "busy_from", domain->busy.start_us);
        json_object_set_string_member(object, "busy_reason", domain->busy_reason);
    }
    return object;
}

static void
fill_document(FsnCliContext *context,
              const FsnScheduleRequest *request,
              GPtrArray *domains,
              const GArray *rows,
              guint without)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < domains->len; i++) {
        json_array_add_object_element(array, domain_json(domains->pdata[i]));
    }
    set_time(context->document, "now", request->now_us);
    set_time(context->document, "until", request->until_us);
    json_object_set_array_member(context->document, "plan", rows_json(rows));
    json_object_set_array_member(context->document, "domains", array);
    json_object_set_int_member(context->document, "unscheduled", without);
}

static void
warn(FsnCliContext *context, GPtrArray *domains)
{
    for (guint i = 0; i < domains->len; i++) {
        const FsnScheduleDomain *domain = domains->pdata[i];

        for (guint k = 0; k < domain->notes->len; k++) {
            fsn_cli_warn(context, "%s: %s", domain->name,
                         (const char *)domain->notes->pdata[k]);
        }
    }
}

static void
show(FsnCliContext *context,
     const FsnScheduleRequest *request,
     GPtrArray *domains,
     const GArray *rows,
     guint without)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lll");
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, "TIME", "DOMAIN", "SNAPSHOT BECAUSE OF", NULL);
    for (guint i = 0; i < rows->len; i++) {
        const Row *row = &g_array_index(rows, Row, i);
        g_autofree char *time = time_text(row->item->at_us, request->now_us);
        g_autofree char *cell = row->item->state == FSN_PLAN_DROPPED
                                    ? g_strdup_printf("(%s)", time)
                                    : g_strdup(time);

        fsn_cli_table_add(table, cell, row->domain->name, row->item->reason);
    }
    text = fsn_cli_table_text(table);
    if (rows->len > 0) {
        fsn_cli_print(context, "%s", text);
    } else {
        fsn_cli_say(context, "nothing is planned for the next %d hours", opt_hours);
    }
    for (guint i = 0; request->domains && i < domains->len; i++) {
        const FsnScheduleDomain *domain = domains->pdata[i];

        if (!fsn_schedule_is_set(&domain->schedule)) {
            fsn_cli_say(context,
                        "'%s' has no schedule: 'foresnap policy %s set "
                        "schedule.when=daily' gives it one",
                        domain->name, domain->name);
        }
    }
    if (without > 0) {
        fsn_cli_say(context, "%u domain%s no schedule", without,
                    without == 1 ? " has" : "s have");
    }
}

static void
tell(const FsnScheduleOutcome *outcome, gpointer user)
{
    FsnCliContext *context = user;
    g_autofree char *took = fsn_cli_duration_text(outcome->took_us);
    const FsnPlanItem *item = fsn_plan_due(outcome->domain->items);

    switch (outcome->state) {
    case FSN_SCHEDULE_DONE:
        fsn_cli_say(context, "%s: snapshot in %s (%s)", outcome->domain->name, took,
                    item->reason);
        break;
    case FSN_SCHEDULE_BUSY:
        fsn_cli_say(context, "%s: another operation is under way: next time",
                    outcome->domain->name);
        break;
    case FSN_SCHEDULE_FAILED:
        fsn_cli_warn(context, "%s: %s", outcome->domain->name, outcome->error);
        break;
    }
}

static JsonArray *
outcomes_json(GPtrArray *outcomes)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < outcomes->len; i++) {
        const FsnScheduleOutcome *outcome = outcomes->pdata[i];
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "domain", outcome->domain->name);
        json_object_set_string_member(object, "uuid", outcome->domain->uuid);
        json_object_set_string_member(object, "state",
                                      fsn_schedule_state_name(outcome->state));
        if (outcome->error) {
            json_object_set_string_member(object, "reason", outcome->error);
        }
        if (outcome->result) {
            json_object_set_object_member(object, "result",
                                          json_object_ref(outcome->result));
        }
        json_object_set_int_member(object, "took_us", outcome->took_us);
        json_array_add_object_element(array, object);
    }
    return array;
}

static bool
judge(GPtrArray *outcomes, GError **error)
{
    guint n[3] = { 0 };

    for (guint i = 0; i < outcomes->len; i++) {
        n[((const FsnScheduleOutcome *)outcomes->pdata[i])->state]++;
    }
    if (n[FSN_SCHEDULE_FAILED] > 0) {
        g_set_error(error, FSN_ERROR,
                    n[FSN_SCHEDULE_FAILED] < outcomes->len ? FSN_ERROR_PARTIAL
                                                           : FSN_ERROR_FAILED,
                    "%u of %u snapshots failed", n[FSN_SCHEDULE_FAILED], outcomes->len);
        return false;
    }
    if (n[FSN_SCHEDULE_BUSY] > 0) {
        g_set_error(error, FSN_ERROR,
                    n[FSN_SCHEDULE_DONE] > 0 ? FSN_ERROR_PARTIAL : FSN_ERROR_BUSY,
                    "other operations are under way on %u of %u domains",
                    n[FSN_SCHEDULE_BUSY], outcomes->len);
        return false;
    }
    return true;
}

static bool
carry_out(FsnCliContext *context, FsnCycle *cycle, GPtrArray *domains, GError **error)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", error);
    g_autoptr(GPtrArray) outcomes = NULL;
    FsnScheduleRun how = {
        .program = program, .jobs = (unsigned)opt_jobs, .tell = tell, .user = context
    };

    if (!program ||
        (opt_bandwidth && !fsn_cli_parse_size(opt_bandwidth, &how.bandwidth, error)) ||
        !fsn_schedule_run(cycle, &how, domains, context->cancellable, &outcomes, error)) {
        return false;
    }
    json_object_set_array_member(context->document, "runs", outcomes_json(outcomes));
    return judge(outcomes, error);
}

static bool
check_options(GError **error)
{
    const char *wrong = NULL;

    if (opt_hours < 1 || opt_hours > MAX_HOURS) {
        wrong = "--hours takes a number from 1 to 744";
    } else if (opt_jobs < 1 || opt_jobs > 256) {
        wrong = "--jobs takes a number from 1 to 256";
    } else if (opt_bandwidth && !opt_run) {
        wrong = "--bandwidth goes with --run";
    }
    if (wrong) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "%s", wrong);
    }
    return !wrong;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    int64_t now_us = fsn_realtime_us();
    FsnScheduleRequest request = { .domains = args[0] ? (const char *const *)args : NULL,
                                   .now_us = now_us,
                                   .until_us = now_us + opt_hours * HOUR_US,
                                   .only_due = opt_run,
                                   .history = opt_history };
    g_autoptr(FsnScheduleLock) lock = NULL;
    g_autoptr(FsnCycle) cycle = NULL;
    g_autoptr(GPtrArray) domains = NULL;
    g_autoptr(GArray) rows = NULL;
    guint without;

    if (!check_options(error)) {
        return false;
    }
    cycle = fsn_cli_open_cycle(context, NULL, error);
    if (!cycle) {
        return false;
    }
    if (opt_run && !(lock = fsn_schedule_lock(fsn_cycle_state_dir(cycle), error))) {
        return false;
    }
    if (!fsn_schedule_look(cycle, &request, &domains, &without, error)) {
        return false;
    }
    rows = rows_of(domains);
    warn(context, domains);
    fill_document(context, &request, domains, rows, without);
    if (opt_run) {
        return carry_out(context, cycle, domains, error);
    }
    show(context, &request, domains, rows, without);
    return true;
}

const FsnCliCommand fsn_cmd_plan = {
    .name = "plan",
    .arguments = "[DOMAIN...]",
    .summary = "show which snapshots are planned and why, or take those that are due",
    .options = options,
    .max_args = FSN_CLI_ANY,
    .interruptible = true,
    .run = run,
};
