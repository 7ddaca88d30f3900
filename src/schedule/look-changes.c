/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much has changed. QEMU's record is exact, but there only if the domain runs and has been
 * snapshot since it did; what was written counts twice what is written twice, and so errs to
 * the safe side: the snapshot comes too early.
 */
#include "config.h"

#include "base/json.h"
#include "cycle/snapshot.h"
#include "domxml/domain-facts.h"
#include "schedule/look-private.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#define DAY_US  ((int64_t)86400 * G_USEC_PER_SEC)
/* A rate of a shorter time is chance. */
#define RATE_US ((int64_t)1800 * G_USEC_PER_SEC)

/* What a snapshot would find now, its policy's decisions; the caller unrefs. NULL if it would
 * not even begin: why is told when it is taken. */
static JsonArray *
ask_decisions(FsnCycle *cycle, const FsnScheduleDomain *domain)
{
    FsnSnapshotOptions options = FSN_SNAPSHOT_OPTIONS_INIT;
    g_auto(FsnSnapshotResult) result = { 0 };
    JsonArray *decisions;

    if (!fsn_cycle_snapshot_plan(cycle, domain->uuid, &options, &result, NULL) ||
        !result.granularity ||
        !fsn_json_get_array(result.granularity, "decisions", &decisions, NULL)) {
        return NULL;
    }
    return json_array_ref(decisions);
}

/* Bytes that are recorded as changed of disk @name (NULL: of all that would be taken); false if
 * there is no such record. */
static bool
recorded(JsonArray *decisions, const char *name, uint64_t *out_bytes)
{
    uint64_t sum = 0;
    guint disks = 0;

    for (guint i = 0; i < json_array_get_length(decisions); i++) {
        JsonObject *decision = json_array_get_object_element(decisions, i);
        JsonObject *inputs;

        if (strcmp(fsn_json_peek_string(decision, "kind", ""), "disk") != 0 ||
            fsn_json_peek_string(decision, "left_out", NULL) ||
            (name && strcmp(fsn_json_peek_string(decision, "name", ""), name) != 0)) {
            continue;
        }
        if (!fsn_json_get_object(decision, "inputs", &inputs, NULL) ||
            !fsn_json_peek_bool(inputs, "recorded", false)) {
            return false;
        }
        sum += (uint64_t)MAX(fsn_json_peek_int(inputs, "dirty", 0), 0);
        disks++;
    }
    *out_bytes = sum;
    return disks > 0;
}

static bool
ask_qemu(FsnCycle *cycle, const FsnScheduleDomain *domain, uint64_t *out_bytes)
{
    g_autoptr(JsonArray) decisions = ask_decisions(cycle, domain);

    return decisions && recorded(decisions, NULL, out_bytes);
}

/* What was written from @from_us to now, and how much of that time is known. */
static double
written(FsnHistory *history,
        const FsnScheduleDomain *domain,
        int64_t from_us,
        double *out_known_s)
{
    int64_t step_us = FSN_HISTORY_FINE_US;
    g_autoptr(FsnSeries) series =
        fsn_history_series(history, domain->uuid, "disk.write.bytes", from_us,
                           domain->input.now_us, step_us, FSN_HISTORY_MEAN, NULL);
    double sum = 0;

    *out_known_s = 0;
    for (size_t i = 0; series && i < series->n; i++) {
        if (isfinite(series->values[i])) {
            double seconds = (double)step_us / G_USEC_PER_SEC;

            *out_known_s += seconds;
            sum += series->values[i] * seconds;
        }
    }
    return sum;
}

static void
ask_history(FsnHistory *history, FsnScheduleDomain *domain)
{
    FsnPlanInput *in = &domain->input;
    int64_t since_us = in->now_us - in->taken_us;
    double known_s;
    double day = written(history, domain, in->now_us - DAY_US, &known_s);

    if (known_s > 0 && !(in->change_rate > 0)) {
        in->change_rate = day / known_s;
    }
    if (in->changed != UINT64_MAX || in->taken_us == 0) {
        return;
    }
    double bytes = since_us < DAY_US
                       ? written(history, domain, in->taken_us, &known_s)
                       : written(history, domain,
                                 MAX(in->taken_us, in->now_us - 60 * DAY_US), &known_s);

    if (known_s > 0) {
        in->changed = (uint64_t)CLAMP(bytes, 0, 1e18);
    }
}

/* A file that nobody has written since @time_us. */
static bool
is_older(const FsnDiskFacts *disk, int64_t time_us)
{
    struct stat st;

    return g_strcmp0(disk->source_kind, "file") == 0 && stat(disk->source, &st) == 0 &&
           S_ISREG(st.st_mode) && st.st_mtim.tv_sec < time_us / G_USEC_PER_SEC;
}

/* Whether each disk of a domain that is off is older than @time_us, or by its own record as
 * the newest snapshot has it. */
static bool
all_unchanged(FsnCycle *cycle,
              const FsnScheduleDomain *domain,
              const FsnDomainFacts *facts,
              int64_t time_us)
{
    g_autoptr(JsonArray) decisions = NULL;
    guint seen = 0;

    for (guint i = 0; i < facts->disks->len; i++) {
        const FsnDiskFacts *disk = facts->disks->pdata[i];
        uint64_t bytes;

        if (disk->readonly || !disk->source) {
            continue;
        }
        seen++;
        if (is_older(disk, time_us)) {
            continue;
        }
        decisions = decisions ? decisions : ask_decisions(cycle, domain);
        if (!decisions || !recorded(decisions, disk->target, &bytes) || bytes > 0) {
            return false;
        }
    }
    return seen > 0;
}

bool
fsn_schedule_is_unchanged(FsnCycle *cycle,
                          FsnVirtDomain *handle,
                          const FsnScheduleDomain *domain)
{
    g_autoptr(FsnDomainFacts) facts = NULL;
    g_autofree char *xml = NULL;

    return !domain->running && domain->input.taken_us > 0 &&
           fsn_virt_domain_xml(handle, FSN_VIRT_XML_INACTIVE, &xml, NULL) &&
           fsn_domain_facts_parse(xml, &facts, NULL) &&
           all_unchanged(cycle, domain, facts, domain->input.taken_us);
}

void
fsn_schedule_look_changes(FsnCycle *cycle, FsnHistory *history, FsnScheduleDomain *domain)
{
    FsnPlanInput *in = &domain->input;
    int64_t since_us = in->now_us - in->taken_us;

    in->changed = UINT64_MAX;
    in->change_rate = 0;
    if (domain->schedule.changed == 0 || in->taken_us == 0) {
        return;
    }
    if (domain->running && ask_qemu(cycle, domain, &in->changed) && since_us >= RATE_US) {
        in->change_rate = (double)in->changed / ((double)since_us / G_USEC_PER_SEC);
    }
    if (history) {
        ask_history(history, domain);
    }
    if (in->changed == UINT64_MAX && !(in->change_rate > 0)) {
        fsn_schedule_note(domain, "how much has changed is not known: QEMU has no record "
                                  "of it, and nobody samples the domain ('foresnap "
                                  "sample')");
    }
}
