/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Combination of members by their errors in the backtest (Bates and Granger, The combination
 * of forecasts, 1969), with weights that fall exponentially with the error relative to the
 * best member's and are shrunk towards equal ones, for small differences are noise.
 * Quantiles are averages of quantiles (Lichtendahl, Grushka-Cockayne, Winkler, Management
 * Science 59, 2013), then shifted so that they would have covered what they say (conformalised
 * quantile regression: Romano, Patterson, Candès, NeurIPS 2019).
 */
#include "models/weights.h"

#include "models/numbers.h"

#include <math.h>
#include <string.h>

#define RECENT            5.0 /* days after which an error counts 1/e for the weights */
#define RECENCY           10.0 /* the same for the spread of errors, which needs more of them */
#define STEEP             14.0 /* how fast weights fall with the relative error */
#define SHARE             .1   /* of the weight is given equally */
#define CUTOFF            1.6 /* who is worse than the best by this factor gets no weight */
#define OWN_STEEP         8.0  /* the same for quantiles */
#define OWN_BIAS          1.05 /* on the loss by errors */
#define GUARD             .85  /* of a tail is left to what was not seen yet */
#define GUARD_FAR         .5   /* the same for the tails that some weeks hardly show */
#define FAR_TAIL          .03
/* The levels between there and the middle are seen often enough to follow the last days, and what
 * they missed by is only half of it a habit. */
#define RECENCY_NEAR_TAIL 5.0
#define SHIFT_NEAR_TAIL   .5

/* Standard deviation; with one or two values half of their size. */
static double
spread(const FsnModelData *data)
{
    double mean = fsn_mean(data->y, data->n);
    double sum = 0;

    if (data->n < 3) {
        return fabs(mean) / 2;
    }
    for (size_t i = 0; i < data->n; i++) {
        sum += (data->y[i] - mean) * (data->y[i] - mean);
    }
    return sqrt(sum / (double)(data->n - 1));
}

void
fsn_weights_equal(FsnWeights *weights, const bool *used, const FsnModelData *data)
{
    static const double normal[FSN_FORECAST_LEVELS] = { -1.96, -1.645, -.674, 0,
                                                        .674,  1.645,  1.96 };
    double deviation = spread(data);
    size_t n = 0;

    memset(weights, 0, sizeof *weights);
    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        n += used[m];
    }
    for (size_t b = 0; b < FSN_BANDS; b++) {
        for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
            weights->centre[b][m] = used[m] ? 1.0 / (double)MAX(n, 1) : 0;
        }
        for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
            weights->error[b][l] = deviation * normal[l];
        }
    }
    weights->mean_error = NAN;
}

/* How much origin @k counts if 1/e is left after @days: the last days most. */
static double
recency(const FsnBacktest *b, const FsnModelData *data, size_t k, double days)
{
    double day = (double)MAX(data->day, 24);

    return exp(-(double)(data->n - b->origins[k]) / (days * day));
}

static bool
is_near_tail(size_t l)
{
    double tail = MIN(fsn_forecast_levels[l], 1 - fsn_forecast_levels[l]);

    return tail >= FAR_TAIL && tail <= .2;
}

/* The same for what is learned of level @l. */
static double
recency_of_level(const FsnBacktest *b, const FsnModelData *data, size_t k, size_t l)
{
    return recency(b, data, k, is_near_tail(l) ? RECENCY_NEAR_TAIL : RECENCY);
}

/* Weights of one band from the members' losses in it (NAN: no member). */
static void
weigh_band(const double *losses, double *out)
{
    double least = INFINITY;
    double sum = 0;
    size_t n = 0;

    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        if (isfinite(losses[m])) {
            least = MIN(least, losses[m]);
        }
    }
    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        double ratio = (losses[m] + 1e-12) / (least + 1e-12);

        out[m] = isfinite(losses[m]) && ratio < CUTOFF ? exp(-STEEP * (ratio - 1)) : 0;
        sum += out[m];
        n += out[m] > 0;
    }
    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        if (out[m] > 0) {
            out[m] = (1 - SHARE) * out[m] / sum + SHARE / (double)n;
        }
    }
}

static void
learn_centre(FsnWeights *w, const FsnBacktest *b, const FsnModelData *data)
{
    double loss[FSN_BANDS][FSN_MODELS_MAX] = { 0 };
    double count[FSN_BANDS] = { 0 };

    for (size_t k = 0; k < b->n_origins; k++) {
        double weight = recency(b, data, k, RECENT);

        for (size_t h = 0; h < b->horizon; h++) {
            size_t i = k * b->horizon + h;
            size_t band = fsn_band_of(data, h + 1);

            if (isnan(b->actual[i])) {
                continue;
            }
            count[band] += weight;
            for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
                loss[band][m] +=
                    b->centre[m] ? weight * fabs(b->actual[i] - b->centre[m][i]) : 0;
            }
        }
    }
    for (size_t band = 0; band < FSN_BANDS; band++) {
        for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
            loss[band][m] =
                b->centre[m] && count[band] > 0 ? loss[band][m] / count[band] : NAN;
        }
        if (count[band] > 0) {
            weigh_band(loss[band], w->centre[band]);
        } else if (band > 0) {
            memcpy(w->centre[band], w->centre[band - 1], sizeof w->centre[band]);
        }
    }
}

typedef struct {
    double *value[FSN_BANDS];
    double *weight[FSN_BANDS];
    size_t n[FSN_BANDS];
} Pools;

static void
pools_init(Pools *pools, size_t most)
{
    for (size_t b = 0; b < FSN_BANDS; b++) {
        pools->value[b] = g_new(double, most);
        pools->weight[b] = g_new(double, most);
        pools->n[b] = 0;
    }
}

static void
pools_clear(Pools *pools)
{
    for (size_t b = 0; b < FSN_BANDS; b++) {
        g_free(pools->value[b]);
        g_free(pools->weight[b]);
    }
}

static void
pools_add(Pools *pools, size_t band, double value, double weight)
{
    pools->value[band][pools->n[band]] = value;
    pools->weight[band][pools->n[band]++] = weight;
}

/* Bands that are empty take what the band before them has. */
static void
pools_quantiles(Pools *pools, double level, size_t l, double (*out)[FSN_FORECAST_LEVELS])
{
    for (size_t b = 0; b < FSN_BANDS; b++) {
        if (pools->n[b]) {
            out[b][l] = fsn_weighted_quantile(pools->value[b], pools->weight[b],
                                              pools->n[b], level);
        } else {
            out[b][l] = b ? out[b - 1][l] : 0;
        }
    }
}

static void
learn_errors(FsnWeights *w, const FsnBacktest *b, const FsnModelData *data)
{
    Pools pools;
    double sum = 0;
    double count = 0;

    pools_init(&pools, b->n_origins * b->horizon);
    for (size_t k = 0; k < b->n_origins; k++) {
        for (size_t h = 0; h < b->horizon; h++) {
            size_t i = k * b->horizon + h;
            size_t band = fsn_band_of(data, h + 1);

            if (!isnan(b->actual[i])) {
                double error = b->actual[i] - fsn_weights_centre(w, band, b->centre, i);

                pools_add(&pools, band, error, recency(b, data, k, RECENCY));
                sum += fabs(error);
                count++;
            }
        }
    }
    for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
        pools_quantiles(&pools, fsn_forecast_levels[l], l, w->error);
    }
    pools_clear(&pools);
    w->mean_error = count ? sum / count : NAN;
}

static double
pinball(double level, double outcome, double quantile)
{
    double off = outcome - quantile;

    return off > 0 ? level * off : (level - 1) * off;
}

/* Weights of the members' own quantiles and of the errors', by what each would have lost. */
static void
learn_own(FsnWeights *w, const FsnBacktest *b, const FsnModelData *data, size_t l)
{
    double level = fsn_forecast_levels[l];
    double loss[FSN_MODELS_MAX] = { 0 };
    double by_error = 0;
    double least;
    double sum;

    for (size_t k = 0; k < b->n_origins; k++) {
        double weight = recency_of_level(b, data, k, l);

        for (size_t h = 0; h < b->horizon; h++) {
            size_t i = k * b->horizon + h;
            size_t band = fsn_band_of(data, h + 1);

            if (isnan(b->actual[i])) {
                continue;
            }
            by_error += weight * pinball(level, b->actual[i],
                                         fsn_weights_centre(w, band, b->centre, i) +
                                             w->error[band][l]);
            for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
                loss[m] += b->quantile[m][l] ? weight * pinball(level, b->actual[i],
                                                                b->quantile[m][l][i])
                                             : 0;
            }
        }
    }
    /* They were chosen by the same outcomes. */
    by_error = by_error * OWN_BIAS + 1e-12;
    least = by_error;
    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        least = b->quantile[m][l] ? MIN(least, loss[m] + 1e-12) : least;
    }
    sum = exp(-OWN_STEEP * (by_error / least - 1));
    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        w->own[l][m] =
            b->quantile[m][l] ? exp(-OWN_STEEP * ((loss[m] + 1e-12) / least - 1)) : 0;
        sum += w->own[l][m];
    }
    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        w->own[l][m] /= sum;
    }
}

/* A level a little further out than @level: what the outcomes of some weeks show of the tails
 * is not all (the finite-sample correction of conformal prediction). */
static double
guarded(double level)
{
    double tail = MIN(level, 1 - level);
    double guarded_tail = tail * (tail < FAR_TAIL ? GUARD_FAR : GUARD);

    if (tail > .2) {
        return level;
    }
    return level < .5 ? guarded_tail : 1 - guarded_tail;
}

static void
calibrate(FsnWeights *w, const FsnBacktest *b, const FsnModelData *data, size_t l)
{
    Pools pools;

    pools_init(&pools, b->n_origins * b->horizon);
    for (size_t k = 0; k < b->n_origins; k++) {
        for (size_t h = 0; h < b->horizon; h++) {
            size_t i = k * b->horizon + h;
            size_t band = fsn_band_of(data, h + 1);

            if (!isnan(b->actual[i])) {
                double centre = fsn_weights_centre(w, band, b->centre, i);

                pools_add(&pools, band,
                          b->actual[i] -
                              fsn_weights_quantile(w, band, l, centre, b->quantile, i),
                          recency_of_level(b, data, k, l));
            }
        }
    }
    pools_quantiles(&pools, guarded(fsn_forecast_levels[l]), l, w->shift);
    pools_clear(&pools);
    for (size_t band = 0; band < FSN_BANDS && is_near_tail(l); band++) {
        w->shift[band][l] *= SHIFT_NEAR_TAIL;
    }
}

void
fsn_weights_learn(FsnWeights *w, const FsnBacktest *backtest, const FsnModelData *data)
{
    memset(w, 0, sizeof *w);
    learn_centre(w, backtest, data);
    learn_errors(w, backtest, data);
    for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
        learn_own(w, backtest, data, l);
        calibrate(w, backtest, data, l);
    }
}

double
fsn_weights_centre(const FsnWeights *weights,
                   size_t band,
                   double *const *centres,
                   size_t i)
{
    double mean = 0;
    double sum = 0;

    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        if (centres[m] && weights->centre[band][m] > 0) {
            mean += weights->centre[band][m] * centres[m][i];
            sum += weights->centre[band][m];
        }
    }
    return sum > 0 ? mean / sum : NAN;
}

double
fsn_weights_quantile(const FsnWeights *weights,
                     size_t band,
                     size_t l,
                     double centre,
                     double *const (*quantiles)[FSN_FORECAST_LEVELS],
                     size_t i)
{
    double rest = 1;
    double value = 0;

    for (size_t m = 0; m < FSN_MODELS_MAX; m++) {
        if (quantiles[m][l]) {
            value += weights->own[l][m] * quantiles[m][l][i];
            rest -= weights->own[l][m];
        }
    }
    return value + rest * (centre + weights->error[band][l]) + weights->shift[band][l];
}
