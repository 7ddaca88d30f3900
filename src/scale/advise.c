/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a domain's history to a size: the only place where sizing meets history and models.
 * What is sized for is the load within five minutes (their 95th percentile), not their mean.
 */
#include "config.h"

#include "scale/advise.h"

#include "base/clock.h"
#include "history/kept.h"
#include "history/models-store.h"
#include "scale/demand.h"
#include "virt/resize.h"

#include <math.h>

#define STEP_US    FSN_HISTORY_FINE_US
#define WINDOW_US  ((int64_t)28 * 24 * 3600 * G_USEC_PER_SEC)
#define MIN_KNOWN  12 /* an hour: with less there is nothing to go by */
#define MAX_AGE_US ((int64_t)14 * 24 * 3600 * G_USEC_PER_SEC)
#define LOOK_US    500000 /* at the CPU of a running guest */
#define MIB        (UINT64_C(1) << 20)
/* Of Linux, where it cannot be asked: its text and tables, and 64 bytes for each 4 KiB. */
#define KEPT_FIXED (32 * MIB)
#define KEPT_PART  64

/* The part of @series up to its last known value; false if it is too little or too old. */
static bool
is_enough(FsnSeries *series, int64_t now_us)
{
    size_t known = 0;
    size_t n = 0;

    for (size_t i = 0; i < series->n; i++) {
        if (!isnan(series->values[i])) {
            known++;
            n = i + 1;
        }
    }
    series->n = n;
    return known >= MIN_KNOWN && now_us - fsn_series_time(series, n) <= MAX_AGE_US;
}

/* Its steps are those from now on, however long ago the last sample was. */
static double
peak_from_now(const FsnForecaster *forecaster,
              const FsnSeries *series,
              const FsnAdviseOptions *options)
{
    int64_t late_us = options->now_us - fsn_series_time(series, series->n);
    size_t late = late_us > 0 ? (size_t)(late_us / STEP_US) : 0;
    size_t steps = (size_t)(options->policy->horizon_us / STEP_US);
    g_autoptr(FsnForecast) forecast =
        fsn_forecaster_predict(forecaster, late + MAX(steps, 1));

    for (size_t i = 0; i < late; i++) {
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            forecast->q[l][i] = NAN;
        }
    }
    return fsn_demand_peak(forecast, options->policy->quantile, forecast->n);
}

/* Whose history, and what is kept of it. */
typedef struct {
    FsnHistory *history;
    const char *uuid;
    JsonObject *models;
} Source;

static FsnForecaster *
get_forecaster(const Source *source,
               const FsnSeries *series,
               const char *metric,
               const FsnAdviseOptions *options,
               GError **error)
{
    g_autofree char *name = g_strconcat(metric, ".p95", NULL);
    FsnKeptRequest request = { .history_path = options->history_path,
                               .models = source->models,
                               .uuid = source->uuid,
                               .name = name,
                               .now_us = options->now_us,
                               .low = 0,
                               .high = INFINITY,
                               .events = options->events };
    FsnForecaster *forecaster = fsn_kept_forecaster(&request, series, NULL, error);

    if (!forecaster) {
        g_prefix_error(error, "cannot forecast %s: ", metric);
    }
    return forecaster;
}

static bool
forecast_metric(const Source *source,
                const char *metric,
                const FsnAdviseOptions *options,
                FsnAdvice *advice,
                double *out_peak,
                GError **error)
{
    g_autoptr(FsnForecaster) forecaster = NULL;
    g_autoptr(FsnSeries) series = fsn_history_series(
        source->history, source->uuid, metric, options->now_us - WINDOW_US,
        options->now_us, STEP_US, FSN_HISTORY_P95, error);
    g_autofree char *explanation = NULL;
    char *lines;

    if (!series) {
        return false;
    }
    if (!is_enough(series, options->now_us)) {
        return true;
    }
    forecaster = get_forecaster(source, series, metric, options, error);
    if (!forecaster) {
        return false;
    }
    *out_peak = peak_from_now(forecaster, series, options);
    advice->demand.model = "ensemble";
    /* Of the two the worse: it is what may be wrong with the size. */
    advice->demand.error = fmax(advice->demand.error, fsn_forecaster_error(forecaster));
    explanation = fsn_forecaster_explain(forecaster);
    lines = g_strdup_printf("%s%s: %s", advice->models ? advice->models : "", metric,
                            explanation);
    g_free(advice->models);
    advice->models = lines;
    return true;
}

/* Twice the headroom, for a limit is felt at once where a size is not. */
static bool
propose_limits(const Source *source,
               const FsnAdviseOptions *options,
               FsnAdvice *advice,
               GError **error)
{
    static const char *const metrics[FSN_N_LIMITS] = { "disk.read.bytes",
                                                       "disk.write.bytes", "net.rx.bytes",
                                                       "net.tx.bytes" };

    for (size_t i = 0; i < FSN_N_LIMITS; i++) {
        double peak = NAN;

        if (!forecast_metric(source, metrics[i], options, advice, &peak, error)) {
            return false;
        }
        advice->limits[i].metric = metrics[i];
        advice->limits[i].bytes_per_s = peak * (1 + 2 * options->policy->headroom);
    }
    if (!isnan(advice->demand.cpu_cores)) {
        advice->cpu_shares = (unsigned)CLAMP(1024 * advice->demand.cpu_cores, 2, 262144);
    }
    return true;
}

static bool
forecast_all(FsnHistory *history,
             const char *uuid,
             const FsnAdviseOptions *options,
             FsnAdvice *advice,
             GError **error)
{
    const char *path = options->history_path;
    g_autoptr(JsonObject) models = path ? fsn_models_read(path, uuid) : NULL;
    Source source = { history, uuid, models };

    return forecast_metric(&source, "cpu", options, advice, &advice->demand.cpu_cores,
                           error) &&
           forecast_metric(&source, "memory.used", options, advice,
                           &advice->demand.memory_bytes, error) &&
           (!options->limits || propose_limits(&source, options, advice, error));
}

/* Cores that the guest uses at this moment; NAN if it does not run. */
static double
look_at_cpu(FsnVirtDomain *domain)
{
    int64_t begun_us = fsn_monotonic_us();
    int64_t before;
    int64_t after;

    if (!fsn_virt_domain_cpu_time(domain, &before, NULL)) {
        return NAN;
    }
    g_usleep(LOOK_US);
    if (!fsn_virt_domain_cpu_time(domain, &after, NULL) || after < before) {
        return NAN;
    }
    return (double)(after - before) / (double)(fsn_monotonic_us() - begun_us);
}

/* The last that is known of @metric; NAN: nothing, or nothing of the last days. */
static double
last_known(FsnHistory *history, const char *uuid, const char *metric, int64_t now_us)
{
    g_autoptr(FsnSeries) series =
        fsn_history_series(history, uuid, metric, now_us - MAX_AGE_US, now_us, STEP_US,
                           FSN_HISTORY_MAX, NULL);

    for (size_t i = series ? series->n : 0; i > 0; i--) {
        if (!isnan(series->values[i - 1])) {
            return series->values[i - 1];
        }
    }
    return NAN;
}

/* What a guest uses while its memory is being loaded is what it used when it was put away; of
 * its CPU that says nothing. */
static void
ask_guest(FsnHistory *history,
          FsnVirtDomain *domain,
          const char *uuid,
          const FsnAdviseOptions *options,
          bool reports,
          FsnSizingFacts *facts)
{
    facts->cpu_now = NAN;
    if (!facts->running) {
        return;
    }
    if (options->loading) {
        double used =
            history ? last_known(history, uuid, "memory.used", options->now_us) : NAN;

        facts->memory_used = used > 0 ? (uint64_t)used : 0;
        return;
    }
    if (reports) {
        FsnVirtMemoryUse use = fsn_virt_domain_memory_use(domain);

        facts->memory_used = use.used;
        facts->memory_kept = use.kept > 0 ? use.kept : facts->memory_kept;
    }
    facts->cpu_now = look_at_cpu(domain);
}

static FsnSizingFacts
facts_of(const FsnSizeNow *now)
{
    uint64_t step = MIB;

    for (guint i = 0; i < now->facts.virtio_mem->len; i++) {
        step = MAX(step, ((const FsnVirtioMem *)now->facts.virtio_mem->pdata[i])->block);
    }
    return (FsnSizingFacts){
        .vcpus_now = fsn_resize_vcpus_now(&now->facts, &now->state),
        .vcpus_max = now->facts.vcpus_max,
        .memory_now = now->facts.memory,
        .memory_max = fsn_resize_memory_max(&now->facts),
        .memory_step = step,
        .memory_kept = KEPT_FIXED + fsn_resize_memory_max(&now->facts) / KEPT_PART,
        .running = now->state.running,
    };
}

bool
fsn_size_advise(FsnHistory *history,
                FsnVirtDomain *domain,
                const FsnAdviseOptions *options,
                FsnAdvice *out_advice,
                GError **error)
{
    g_auto(FsnAdvice) advice = { .demand = { NAN, NAN, NAN, NULL } };
    const char *uuid =
        options->history_uuid ? options->history_uuid : fsn_virt_domain_uuid(domain);
    FsnSizingFacts facts;

    if (!fsn_size_now(domain, options->loading ? 0 : options->agent_s, &advice.now,
                      error) ||
        (history && !forecast_all(history, uuid, options, &advice, error))) {
        return false;
    }
    facts = facts_of(&advice.now);
    ask_guest(history, domain, uuid, options, advice.now.facts.balloon_stats, &facts);
    fsn_sizing_decide(options->policy, &facts, &advice.demand, &advice.sizing);
    fsn_resize_plan(&advice.now.facts, &advice.now.state, advice.sizing.vcpus,
                    advice.sizing.memory, &advice.plan);
    *out_advice = advice;
    advice = (FsnAdvice){ 0 };
    return true;
}

void
fsn_advice_clear(FsnAdvice *advice)
{
    if (advice->sizing.notes) {
        fsn_sizing_clear(&advice->sizing);
    }
    fsn_size_now_clear(&advice->now);
    fsn_resize_plan_clear(&advice->plan);
    g_clear_pointer(&advice->models, g_free);
}
