/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/data.h"
#include "models/past.h"

G_BEGIN_DECLS

/* What the regression sees of the past: rows of features for any origin and horizon up to a
 * day, from sums and typical values prepared once. */

#define FSN_FEATURES 17

typedef struct {
    const FsnModelData *data; /* borrowed */
    const FsnPast *past;      /* that of the data, or own */
    FsnPast *own;
    double size;        /* the mean difference from usual */
    double least, most; /* of all values */
} FsnFeatures;

/* @data must have days. */
FsnFeatures *fsn_features_new(const FsnModelData *data);
void fsn_features_free(FsnFeatures *features);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnFeatures, fsn_features_free)

/* What is usual in weeks at each time, as far as the data shows weeks. */
const double *fsn_features_weekly(const FsnFeatures *features);

/* The row for the value @h (1 to a day) after the first @origin values, of which nothing
 * later is used; returns the base, to which the regression adds. */
double fsn_features_row(const FsnFeatures *features,
                        size_t origin,
                        size_t h,
                        double *out);

G_END_DECLS
