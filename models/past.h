/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/data.h"

G_BEGIN_DECLS

/* What is usual at each time of a series, and running sums and extremes. Value i of each array
 * depends on what lies before it only: made once for all values, it serves every view of the
 * first ones too, which is what a backtest looks at from its origins. */

typedef struct FsnPast {
    size_t n, day;
    size_t room;       /* the n that there are places for */
    double *usual;     /* [n + day] the median of the days before, at that time */
    double *slow;      /* [n + day] a slow average of the same */
    double *weekly;    /* [n + day] the median of the weeks before, or usual */
    double *high;      /* [n + day] the highest of the days before, at that time */
    double *low;       /* [n + day] the lowest */
    double *sum;       /* [n + 1] of the values before */
    double *sum_off;   /* [n + 1] of the differences from usual before */
    double *sum_size;  /* [n + 1] of the sizes of these */
    double *sum_usual; /* [n + day + 1] */
    double *least;     /* [n + 1] of the values before */
    double *most;      /* [n + 1] */
} FsnPast;

/* @data must have days. */
FsnPast *fsn_past_new(const FsnModelData *data);
/* A copy of what it says of the first @n values, with room for @room of them. */
FsnPast *fsn_past_copy(const FsnPast *past, size_t n, size_t room);
/* Goes on with @data, which begins with the same values and has at most as many as there is
 * room for. */
void fsn_past_extend(FsnPast *past, const FsnModelData *data);
void fsn_past_free(FsnPast *past);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPast, fsn_past_free)

/* Lets the models that get @data share one past, which the caller frees after them; NULL where
 * there are no days. */
FsnPast *fsn_past_attach(FsnModelData *data);

G_END_DECLS
