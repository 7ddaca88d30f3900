/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/events.h"
#include "models/series.h"

G_BEGIN_DECLS

/* What models see of a series: values without holes, and the seasons that it is long enough
 * to show. A view of the first values of another one costs nothing. */

typedef struct {
    const double *y;  /* n values, all finite: holes filled, outliers damped */
    size_t n;         /* > 0 */
    size_t hour;      /* values in an hour, at least 1 */
    size_t day, week; /* values in one; 0 if there are less than two of them */
    int64_t start_us; /* of y[0] */
    int64_t step_us;
    double low, high; /* what the values cannot leave; infinite where there is no bound */
    uint64_t seed;
    const FsnEvents *events;    /* or NULL */
    const struct FsnLstm *lstm; /* network that many series share, or NULL */
    const struct FsnPast
        *past; /* of these and perhaps later values, or NULL: not made yet */
} FsnModelData;

/* How far a value may be from what is usual at its time of day before it is an outlier. */
typedef struct {
    size_t day;      /* values in a day, or 1 */
    double *usual;   /* [day], the medians, beginning with the time of day of the start */
    int64_t base_us; /* the time of usual[0] */
    double limit;    /* INFINITY: nothing is damped */
    double notable;  /* beyond it a value is reported; at most limit */
} FsnOutlierRule;

FsnOutlierRule *fsn_outlier_rule_new(const FsnModelData *data);
void fsn_outlier_rule_free(FsnOutlierRule *rule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnOutlierRule, fsn_outlier_rule_free)
/* What is usual at @time_us. */
double fsn_outlier_rule_usual(const FsnOutlierRule *rule,
                              int64_t time_us,
                              int64_t step_us);

/* Values of the series with holes filled: by the value of the day before, else by the
 * last one known. Nothing that comes later is used. NULL if no value is known. The
 * caller frees. */
double *fsn_model_fill(const FsnSeries *series, double low, double high);
/* Describes @n filled values @y (borrowed) of @series. */
FsnModelData fsn_model_data(const FsnSeries *series, const double *y, size_t n);
/* The same with only the first @n values. */
FsnModelData fsn_model_data_head(const FsnModelData *data, size_t n);
/* Pulls outliers back to the limit, in place. */
void fsn_outlier_rule_damp(const FsnOutlierRule *rule,
                           const FsnSeries *series,
                           double *y);

G_END_DECLS
