/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/data.h"

G_BEGIN_DECLS

/* What the regression sees of the past: sums and typical values prepared once, rows of
 * features for any origin and horizon up to a day from them. */

#define FSN_FEATURES 17

typedef struct {
    const FsnModelData *data; /* borrowed */
    double *usual;            /* [n + day] the median of the days before, at that time */
    double *slow;             /* [n + day] a slow average of the same */
    double *weekly;           /* [n + day] the median of the weeks before, or usual */
    double *sum;              /* [n + 1] of the values before */
    double *sum_off;          /* [n + 1] of the differences from usual before */
    double *sum_usual;        /* [n + day + 1] */
    double size;              /* the mean difference from usual */
    double least, most;       /* of all values */
} FsnFeatures;

/* @data must have days. */
FsnFeatures *fsn_features_new(const FsnModelData *data);
void fsn_features_free(FsnFeatures *features);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnFeatures, fsn_features_free)

/* The row for the value @h (1 to a day) after the first @origin values, of which nothing
 * later is used; returns the base, to which the regression adds. */
double fsn_features_row(const FsnFeatures *features,
                        size_t origin,
                        size_t h,
                        double *out);

G_END_DECLS
