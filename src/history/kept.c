/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a kept model is good enough, and what happens when not. */
#include "config.h"

#include "history/kept.h"

#include "history/models-store.h"
#include "models/lstm.h"

#include <math.h>

#define DAY_US   ((int64_t)24 * 3600 * G_USEC_PER_SEC)
#define REFIT_US (6 * DAY_US) /* and up to a day more */

/* When this one is due, always the same for one series. */
static int64_t
refit_after_us(const FsnKeptRequest *request)
{
    guint hash = g_str_hash(request->uuid) * 31 + g_str_hash(request->name);

    return REFIT_US + (int64_t)(hash % 86400) * G_USEC_PER_SEC;
}

static bool
is_fresh(const FsnKeptRequest *request, int64_t fitted_us, int64_t lasts_us)
{
    return fitted_us <= request->now_us && request->now_us - fitted_us < lasts_us;
}

static FsnForecaster *
load(const FsnKeptRequest *request, int64_t *out_fitted_us)
{
    return request->models
               ? fsn_models_get(request->models, request->name, out_fitted_us, NULL)
               : fsn_models_load(request->history_path, request->uuid, request->name,
                                 out_fitted_us, NULL);
}

FsnForecaster *
fsn_kept_forecaster(const FsnKeptRequest *request,
                    const FsnSeries *series,
                    int64_t *out_fitted_us,
                    GError **error)
{
    const char *path = request->history_path;
    FsnForecasterOptions how = FSN_FORECASTER_OPTIONS_INIT;
    g_autoptr(FsnForecaster) kept = NULL;
    g_autoptr(FsnLstm) lstm = NULL;
    FsnForecaster *forecaster;
    int64_t fitted_us = 0;

    if (path && !request->refit) {
        kept = load(request, &fitted_us);
    }
    if (kept && is_fresh(request, fitted_us, refit_after_us(request)) &&
        fsn_forecaster_update(kept, series, NULL)) {
        if (out_fitted_us) {
            *out_fitted_us = fitted_us;
        }
        return g_steal_pointer(&kept);
    }
    lstm = path ? fsn_models_load_network(path, NULL) : NULL;
    how.low = request->low;
    how.high = request->high;
    how.events = request->events;
    how.lstm = lstm;
    forecaster = fsn_forecaster_fit(series, &how, error);
    if (forecaster && path) {
        (void)!fsn_models_save(path, request->uuid, request->name, request->now_us,
                               forecaster, NULL); /* see kept.h */
    }
    if (forecaster && out_fitted_us) {
        *out_fitted_us = request->now_us;
    }
    return forecaster;
}

FsnIdle *
fsn_kept_idle(const FsnKeptRequest *request,
              const FsnIdleInput *input,
              int64_t *out_fitted_us)
{
    const char *path = request->history_path;
    FsnIdle *idle = NULL;

    if (path && !request->refit) {
        idle = fsn_models_load_idle(path, request->uuid, out_fitted_us, NULL);
    }
    if (idle && is_fresh(request, *out_fitted_us, DAY_US)) {
        return idle;
    }
    fsn_idle_free(idle);
    idle = fsn_idle_new();
    fsn_idle_fit(idle, input);
    *out_fitted_us = request->now_us;
    if (path && fsn_idle_samples(idle) > 0) {
        (void)!fsn_models_save_idle(path, request->uuid, request->now_us, idle,
                                    NULL); /* see kept.h */
    }
    return idle;
}
