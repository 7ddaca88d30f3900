/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/forecaster.h"
#include "models/idle.h"

G_BEGIN_DECLS

/* Models that are chosen once and then only told what came: the forecaster of a metric is
 * fitted anew after a week (spread over a day, so that not all are due at once), what is
 * known of a domain's idle times after a day. That something cannot be kept costs the
 * next one some time and is no error. */

typedef struct {
    const char *history_path; /* NULL: nothing is kept */
    JsonObject *models; /* of the domain (fsn_models_read()); NULL: read when needed */
    const char *uuid;
    const char *name; /* the metric, with what was taken of it: "cpu.p95" */
    int64_t now_us;
    bool refit; /* anew in any case */
    double low, high;
    const FsnEvents *events; /* or NULL */
} FsnKeptRequest;

/* A forecaster that knows all of @series. *@out_fitted_us (or NULL) is when it was chosen. The
 * caller frees. */
FsnForecaster *fsn_kept_forecaster(const FsnKeptRequest *request,
                                   const FsnSeries *series,
                                   int64_t *out_fitted_us,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The model of idle times of a domain, fitted to @input unless one was within a day. @name,
 * @low, @high and @events are not looked at. The caller frees. */
FsnIdle *fsn_kept_idle(const FsnKeptRequest *request,
                       const FsnIdleInput *input,
                       int64_t *out_fitted_us);

G_END_DECLS
