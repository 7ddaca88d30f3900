/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/data.h"
#include "models/forecast.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What similar VMs do at each hour of the day: stands in while a VM's own history is short. */

#define FSN_PRIOR_HOURS 24
/* Own history of this length needs no prior. */
#define FSN_PRIOR_US    (G_GINT64_CONSTANT(3) * 86400 * G_USEC_PER_SEC)

typedef struct {
    double level; /* the median of all values */
    double quantile[FSN_PRIOR_HOURS][FSN_FORECAST_LEVELS];
} FsnPrior;

/* From the values of a similar VM; hours without any take the quantiles of all. */
FsnPrior *fsn_prior_new(const FsnModelData *data);
/* How much it counts for the step @ahead_us from now, 0 to 1, when the own history is
 * @known_us long: all of it without history, little for the next minutes. */
double fsn_prior_part(int64_t known_us, int64_t ahead_us);
/* How much larger the own values are (@own, NULL: none, factor 1); never beyond ten times. */
double fsn_prior_factor(const FsnPrior *prior, const FsnModelData *own);
/* Quantile @l at @time_us before that factor. */
double fsn_prior_quantile(const FsnPrior *prior, size_t l, int64_t time_us);

JsonObject *fsn_prior_to_json(const FsnPrior *prior);
FsnPrior *fsn_prior_from_json(JsonObject *object, GError **error);

G_END_DECLS
