/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out what is due and decides nothing. The processes are those of batches; whatever
 * kills this one, each domain's record says that an attempt was begun.
 */
#include "config.h"

#include "schedule/run.h"

#include "base/clock.h"
#include "base/json.h"
#include "batch/run.h"

#include <string.h>

#define GRACE_S 30

typedef struct {
    FsnCycle *cycle;
    const FsnScheduleRun *run;
    GHashTable *by_uuid; /* FsnScheduleDomain, borrowed */
    GPtrArray *chosen;   /* FsnBatchDomain */
    GPtrArray *outcomes;
    GHashTable *before; /* UUID → FsnScheduleRecord, as it was */
    GError *error;      /* of a record */
} Work;

static void
outcome_free(gpointer data)
{
    FsnScheduleOutcome *outcome = data;

    g_free(outcome->error);
    g_clear_pointer(&outcome->result, json_object_unref);
    g_free(outcome);
}

static void
record_free(gpointer data)
{
    fsn_schedule_record_clear(data);
    g_free(data);
}

static void
work_clear(Work *work)
{
    g_clear_pointer(&work->by_uuid, g_hash_table_unref);
    g_clear_pointer(&work->chosen, g_ptr_array_unref);
    g_clear_pointer(&work->outcomes, g_ptr_array_unref);
    g_clear_pointer(&work->before, g_hash_table_unref);
    g_clear_error(&work->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

const char *
fsn_schedule_state_name(FsnScheduleState state)
{
    switch (state) {
    case FSN_SCHEDULE_DONE:
        return "done";
    case FSN_SCHEDULE_FAILED:
        return "failed";
    case FSN_SCHEDULE_BUSY:
        return "busy";
    }
    g_assert_not_reached();
}

uint64_t
fsn_schedule_bandwidth(uint64_t own, uint64_t all, unsigned jobs)
{
    uint64_t share = all > 0 ? MAX(all / MAX(jobs, 1), 1) : 0;

    return own == 0 ? share : share == 0 ? own : MIN(own, share);
}

static bool
save(Work *work, FsnScheduleDomain *domain)
{
    return fsn_schedule_record_save(fsn_cycle_state_dir(work->cycle), domain->uuid,
                                    &domain->record, work->error ? NULL : &work->error);
}

static FsnScheduleRecord *
copy_record(const FsnScheduleRecord *record)
{
    FsnScheduleRecord *copy = g_memdup2(record, sizeof *record);

    copy->when = g_strdup(record->when);
    copy->error = g_strdup(record->error);
    copy->snapshot = g_strdup(record->snapshot);
    return copy;
}

/* Also notes that it begins; the first trouble with a record is reported at the end. */
static char **
command(const FsnBatchDomain *chosen, gpointer user)
{
    Work *work = user;
    FsnScheduleDomain *domain = g_hash_table_lookup(work->by_uuid, chosen->uuid);
    const char *uri = fsn_cycle_uri(work->cycle);
    GStrvBuilder *argv = g_strv_builder_new();
    char **words;

    g_strv_builder_add_many(argv, work->run->program, "--json", "--repo",
                            fsn_cycle_repo_location(work->cycle), NULL);
    if (uri) {
        g_strv_builder_add_many(argv, "--connect", uri, NULL);
    }
    g_strv_builder_add_many(argv, "snapshot", chosen->uuid, NULL);
    if (work->run->bandwidth > 0) {
        g_autofree char *rate = g_strdup_printf(
            "%" G_GUINT64_FORMAT,
            fsn_schedule_bandwidth(domain->schedule.bandwidth, work->run->bandwidth,
                                   work->run->jobs));

        g_strv_builder_add_many(argv, "--bandwidth", rate, NULL);
    }
    words = g_strv_builder_end(argv);
    g_strv_builder_unref(argv);
    g_hash_table_insert(work->before, domain->uuid, copy_record(&domain->record));
    fsn_schedule_record_begin(&domain->record, fsn_realtime_us());
    (void)!save(work, domain);
    return words;
}

static FsnScheduleState
state_of(const FsnBatchOutcome *outcome)
{
    JsonObject *error = NULL;

    if (outcome->state == FSN_BATCH_DONE) {
        return FSN_SCHEDULE_DONE;
    }
    return outcome->result &&
                   fsn_json_get_object(outcome->result, "error", &error, NULL) &&
                   strcmp(fsn_json_peek_string(error, "code", ""), "busy") == 0
               ? FSN_SCHEDULE_BUSY
               : FSN_SCHEDULE_FAILED;
}

static void
record(Work *work, FsnScheduleDomain *domain, const FsnScheduleOutcome *outcome)
{
    const char *snapshot =
        outcome->result ? fsn_json_peek_string(outcome->result, "snapshot", "?") : "?";

    switch (outcome->state) {
    case FSN_SCHEDULE_DONE:
        fsn_schedule_record_end(&domain->record, fsn_realtime_us(), snapshot, NULL);
        break;
    case FSN_SCHEDULE_FAILED:
        fsn_schedule_record_end(&domain->record, fsn_realtime_us(), NULL, outcome->error);
        break;
    case FSN_SCHEDULE_BUSY:
        fsn_schedule_record_undo(&domain->record,
                                 g_hash_table_lookup(work->before, domain->uuid));
        break;
    }
    (void)!save(work, domain);
}

static void
on_outcome(const FsnBatchDomain *chosen, const FsnBatchOutcome *ended, gpointer user)
{
    Work *work = user;
    FsnScheduleDomain *domain = g_hash_table_lookup(work->by_uuid, chosen->uuid);
    FsnScheduleOutcome *outcome;

    if (!g_hash_table_contains(work->before, chosen->uuid)) {
        return; /* was not begun */
    }
    outcome = g_new0(FsnScheduleOutcome, 1);
    outcome->domain = domain;
    outcome->state = state_of(ended);
    outcome->error = g_strdup(ended->error);
    outcome->result = ended->result ? json_object_ref(ended->result) : NULL;
    outcome->took_us = ended->took_us;
    g_ptr_array_add(work->outcomes, outcome);
    record(work, domain, outcome);
    if (work->run->tell) {
        work->run->tell(outcome, work->run->user);
    }
}

static void
choose(Work *work, GPtrArray *domains)
{
    for (guint i = 0; i < domains->len; i++) {
        FsnScheduleDomain *domain = domains->pdata[i];
        FsnBatchDomain *chosen;

        if (!fsn_plan_due(domain->items)) {
            if (domain->adopted && fsn_schedule_is_set(&domain->schedule)) {
                (void)!save(work, domain);
            }
            continue;
        }
        chosen = g_new0(FsnBatchDomain, 1);
        chosen->name = g_strdup(domain->name);
        chosen->uuid = g_strdup(domain->uuid);
        g_ptr_array_add(work->chosen, chosen);
        g_hash_table_insert(work->by_uuid, domain->uuid, domain);
    }
}

bool
fsn_schedule_run(FsnCycle *cycle,
                 const FsnScheduleRun *run,
                 GPtrArray *domains,
                 GCancellable *cancellable,
                 GPtrArray **out_outcomes,
                 GError **error)
{
    g_auto(Work) work = { .cycle = cycle, .run = run };
    g_autoptr(GPtrArray) ended = NULL;
    FsnBatchRun batch = { .verb = FSN_BATCH_SNAPSHOT,
                          .jobs = run->jobs,
                          .grace_s = GRACE_S,
                          .command = command,
                          .tell = on_outcome,
                          .user = &work };

    work.by_uuid = g_hash_table_new(g_str_hash, g_str_equal);
    work.chosen = g_ptr_array_new_with_free_func((GDestroyNotify)fsn_batch_domain_free);
    work.outcomes = g_ptr_array_new_with_free_func(outcome_free);
    work.before = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, record_free);
    choose(&work, domains);
    if (!fsn_batch_run(&batch, work.chosen, cancellable, &ended, error)) {
        return false;
    }
    if (work.error) {
        g_propagate_error(error, g_steal_pointer(&work.error));
        return false;
    }
    *out_outcomes = g_steal_pointer(&work.outcomes);
    return true;
}
