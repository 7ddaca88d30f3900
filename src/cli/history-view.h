/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"
#include "history/store.h"

G_BEGIN_DECLS

/* One metric over a range of time, as it is shown. */
typedef struct {
    char *metric;
    int64_t start_us;
    int64_t step_us;
    size_t n;
    FsnWindow *windows; /* cover 0: not known */
} FsnMetricView;

void fsn_metric_view_free(FsnMetricView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnMetricView, fsn_metric_view_free)

/* A value as people read it: "1.42", "512 MiB", "3.1 MiB/s"; the caller frees. */
char *fsn_cli_metric_text(FsnMetricUnit unit, double value);

/* A step so that @range_us has at most about @points of them: 10 s, 1, 5, 15 min, 1, 6 h, 1 d. */
int64_t fsn_cli_choose_step(int64_t range_us, int64_t points);

/* All known windows as one; false if there is none. *@out_last_us is the end of the last. */
bool fsn_metric_view_sum(const FsnMetricView *view,
                         FsnWindow *out_sum,
                         double *out_last,
                         int64_t *out_last_us);

/* {"metric", "unit", "start", "step_us", "mean": […], "min", "max", "p95"}; null where nothing
 * is known. */
JsonObject *fsn_metric_view_json(const FsnMetricView *view);
/* {"metric", "unit", "mean", "min", "max", "p95", "last", "last_seen"}, of what is known. */
JsonObject *fsn_metric_view_summary_json(const FsnMetricView *view);

/* Lines "time,metric,min,mean,max,p95" of what is known, without a heading. */
void fsn_metric_view_csv(const FsnMetricView *view, GString *out);

/* The mean or another number of each window, NAN where nothing is known; the caller frees. */
FsnSeries *fsn_metric_view_series(const FsnMetricView *view, FsnHistoryStat stat);

G_END_DECLS
