/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The forecast of a metric of a domain: from its history, and drawn behind it. */
#include "config.h"

#include "cli/forecast-domain.h"

#include "base/error.h"
#include "cli/history-view.h"
#include "cli/output.h"
#include "history/store.h"
#include "plot/plot.h"

#include <math.h>
#include <string.h>

#define DAY_US    ((int64_t)86400 * G_USEC_PER_SEC)
#define DAYS      28
#define PLOT_ROWS 12
#define COLUMNS   80
/* So much of the past as of the future is drawn, times this. */
#define PAST      2

FsnSeries *
fsn_cli_domain_series(const char *domain,
                      const char *metric,
                      const char *path,
                      int64_t now_us,
                      char **out_uuid,
                      GError **error)
{
    g_autofree char *usual = fsn_history_default_path();
    g_autoptr(FsnHistory) history =
        fsn_history_open(path ? path : usual, FSN_HISTORY_READ_ONLY, error);
    int64_t to_us = now_us / FSN_HISTORY_FINE_US * FSN_HISTORY_FINE_US;
    g_autofree char *uuid = NULL;
    g_autoptr(FsnSeries) whole = NULL;
    g_autoptr(FsnSeries) known = NULL;

    if (!history || !fsn_history_find(history, domain, &uuid, error)) {
        return NULL;
    }
    whole = fsn_history_series(history, uuid, metric, to_us - DAYS * DAY_US, to_us,
                               FSN_HISTORY_FINE_US, FSN_HISTORY_MEAN, error);
    if (!whole) {
        return NULL;
    }
    known = fsn_series_without_lead(whole);
    if (known->n == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "nothing is known of '%s' of '%s': 'foresnap sample' records it",
                    metric, domain);
        return NULL;
    }
    *out_uuid = g_steal_pointer(&uuid);
    return g_steal_pointer(&known);
}

static char *
bytes_text(double value)
{
    return fsn_cli_metric_text(FSN_UNIT_BYTES, value);
}

static char *
number_text(double value)
{
    return fsn_cli_metric_text(FSN_UNIT_PLAIN, value);
}

/* @past values of @series, then those of @coming (NULL: none). */
static FsnSeries *
join(const FsnSeries *series, size_t past, const double *coming, size_t n)
{
    size_t first = series->n - past;
    FsnSeries *joined =
        fsn_series_new(fsn_series_time(series, first), series->step_us, past + n);

    memcpy(joined->values, series->values + first, past * sizeof(double));
    memcpy(joined->values + past, coming, n * sizeof(double));
    return joined;
}

/* Only what is to come. */
static FsnSeries *
after(const FsnSeries *line, size_t past, const double *coming, size_t n)
{
    FsnSeries *only = fsn_series_new(line->start_us, line->step_us, past + n);

    memcpy(only->values + past, coming, n * sizeof(double));
    return only;
}

bool
fsn_cli_plot_forecast(FsnCliContext *context,
                      const char *title,
                      const char *metric,
                      const FsnSeries *series,
                      const FsnForecast *forecast,
                      const char *output,
                      GError **error)
{
    FsnMetricUnit unit = fsn_metric_unit(metric);
    bool bytes = unit == FSN_UNIT_BYTES || unit == FSN_UNIT_BYTES_PER_S;
    size_t past = MIN(series->n, forecast->n * PAST);
    FsnSeries *line = join(series, past, forecast->mean, forecast->n);
    FsnSeries *upper = after(line, past, forecast->q[FSN_Q95], forecast->n);
    FsnSeries *lower = after(line, past, forecast->q[FSN_Q05], forecast->n);
    g_autoptr(GPtrArray) plots =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_plot_free);
    FsnPlot *plot =
        fsn_plot_new(title, line, upper, lower, bytes ? bytes_text : number_text);
    g_autofree char *text = NULL;

    g_ptr_array_add(plots, plot);
    plot->now_us = forecast->start_us;
    if (output) {
        json_object_set_string_member(context->document, "output", output);
        return fsn_plot_write(plots, output, error);
    }
    text = fsn_plot_terminal(plot, COLUMNS, PLOT_ROWS, !g_get_charset(NULL));
    fsn_cli_print(context, "%s", text);
    return true;
}
