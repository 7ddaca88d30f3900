/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/backtest.h"

G_BEGIN_DECLS

/* How members are combined, and how far outcomes lie from the combination: pure functions of
 * a backtest. */

typedef struct {
    double centre[FSN_BANDS][FSN_MODELS_MAX]; /* each band's weights add up to 1 */
    /* Of the quantiles: the parts that come from members' own, the rest from the errors
     * of the centre. */
    double own[FSN_FORECAST_LEVELS][FSN_MODELS_MAX];
    double error[FSN_BANDS][FSN_FORECAST_LEVELS]; /* quantiles of (outcome - centre) */
    double shift[FSN_BANDS][FSN_FORECAST_LEVELS]; /* what calibration adds */
    double mean_error;                            /* mean absolute error of the centre */
} FsnWeights;

/* For a history that is too short for a backtest: equal weights for @used members, and
 * errors that are normal with the spread of the values, of which there is nothing better. */
void fsn_weights_equal(FsnWeights *weights, const bool *used, const FsnModelData *data);
void fsn_weights_learn(FsnWeights *weights,
                       const FsnBacktest *backtest,
                       const FsnModelData *data);
/* The combination of the members' @centres ([m], NULL: none) at index @i, in @band. */
double fsn_weights_centre(const FsnWeights *weights,
                          size_t band,
                          double *const *centres,
                          size_t i);
/* The quantile of level @l at index @i, from the @centre and the members' own (NULL:
 * none). */
double fsn_weights_quantile(const FsnWeights *weights,
                            size_t band,
                            size_t l,
                            double centre,
                            double *const (*quantiles)[FSN_FORECAST_LEVELS],
                            size_t i);

G_END_DECLS
