/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap forecast: what a series will be, and how sure that is. Where the series comes from
 * is a function of its own; the rest is the same for all sources.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/forecast-domain.h"
#include "cli/output.h"
#include "history/kept.h"
#include "history/models-store.h"
#include "history/store.h"
#include "models/forecaster.h"
#include "models/series-csv.h"

#include <math.h>
#include <string.h>

#define CSV_BYTES_MAX (256 * 1024 * 1024)
#define PERIOD_MAX    (400.0 * 86400)

static char *opt_csv;
static char *opt_history;
static char *opt_metric;
static char *opt_output;
static gboolean opt_plot;
static int opt_horizon;
static double opt_period;
static char *opt_model;
static int opt_origin;
static double opt_low = NAN;
static double opt_high = NAN;
static gboolean opt_explain;
static gboolean opt_refit;

static GOptionEntry options[] = {
    { "csv", 0, 0, G_OPTION_ARG_FILENAME, &opt_csv, "a file with times and values",
      "FILE" },
    { "history", 0, 0, G_OPTION_ARG_FILENAME, &opt_history,
      "file of the history of a domain", "FILE" },
    { "metric", 0, 0, G_OPTION_ARG_STRING, &opt_metric, "of a domain (default: cpu)",
      "METRIC" },
    { "output", 0, 0, G_OPTION_ARG_FILENAME, &opt_output,
      "draw into FILE, which ends in .svg or .png", "FILE" },
    { "plot", 0, 0, G_OPTION_ARG_NONE, &opt_plot, "draw in the terminal", NULL },
    { "horizon", 0, 0, G_OPTION_ARG_INT, &opt_horizon,
      "steps to forecast (default: one day)", "H" },
    { "period", 0, 0, G_OPTION_ARG_DOUBLE, &opt_period,
      "seconds between values (default: as the times say)", "S" },
    { "model", 0, 0, G_OPTION_ARG_STRING, &opt_model, "one model only, or auto (default)",
      "NAME" },
    { "origin", 0, 0, G_OPTION_ARG_INT, &opt_origin,
      "use the first N steps only (default: all)", "N" },
    { "low", 0, 0, G_OPTION_ARG_DOUBLE, &opt_low,
      "no value can be lower (default: 0 if none was)", "X" },
    { "high", 0, 0, G_OPTION_ARG_DOUBLE, &opt_high, "no value can be higher", "X" },
    { "explain", 0, 0, G_OPTION_ARG_NONE, &opt_explain,
      "say how the forecast came about instead", NULL },
    { "refit", 0, 0, G_OPTION_ARG_NONE, &opt_refit,
      "choose the models of a domain anew, which else lasts a week", NULL },
    G_OPTION_ENTRY_NULL,
};

static void
warn_of_facts(FsnCliContext *context, const FsnCsvFacts *facts)
{
    if (facts->unsorted) {
        fsn_cli_warn(context, "%zu lines were not in the order of their times",
                     facts->unsorted);
    }
    if (facts->merged) {
        fsn_cli_warn(context,
                     "%zu values fell on the time of another one and were averaged",
                     facts->merged);
    }
}

static FsnSeries *
series_of_csv(FsnCliContext *context, GError **error)
{
    g_autoptr(GMappedFile) file = g_mapped_file_new(opt_csv, FALSE, error);
    FsnCsvFacts facts;
    FsnSeries *series;

    if (!file) {
        return NULL;
    }
    if (g_mapped_file_get_length(file) > CSV_BYTES_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%s' is larger than 256 MiB",
                    opt_csv);
        return NULL;
    }
    series = fsn_series_from_csv(g_mapped_file_get_contents(file),
                                 g_mapped_file_get_length(file),
                                 (int64_t)(opt_period * 1e6), &facts, error);
    if (!series) {
        g_prefix_error(error, "cannot read '%s': ", opt_csv);
        return NULL;
    }
    warn_of_facts(context, &facts);
    return series;
}

static bool
check_options(const char *domain, GError **error)
{
    const char *wrong = NULL;

    if (!opt_csv == !domain) {
        wrong = "say what is to be forecast: a domain, or a file with --csv";
    } else if (!domain && (opt_metric || opt_history)) {
        wrong = "--metric and --history are for a domain";
    } else if (!domain && opt_refit) {
        wrong = "--refit is for a domain";
    } else if (domain && opt_period > 0) {
        wrong = "--period is for --csv";
    } else if (opt_horizon < 0 || opt_horizon > FSN_HORIZON_MAX) {
        wrong = "--horizon must be from 1 to 100000 steps";
    } else if (!(opt_period >= 0 && opt_period <= PERIOD_MAX)) {
        wrong = "--period must be from a microsecond to 400 days, in seconds";
    } else if (opt_origin < 0) {
        wrong = "--origin must be a number of steps";
    } else if (opt_low > opt_high) {
        wrong = "--low must not be above --high";
    }
    if (wrong) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "%s", wrong);
    }
    return !wrong;
}

/* What was never negative will not be. */
static double
lowest(const FsnSeries *series)
{
    if (!isnan(opt_low)) {
        return opt_low;
    }
    for (size_t i = 0; i < series->n; i++) {
        if (series->values[i] < 0) {
            return -INFINITY;
        }
    }
    return 0;
}

static size_t
default_horizon(const FsnSeries *series)
{
    size_t day = fsn_series_season(series, G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC);

    return day > 0 && day <= FSN_HORIZON_MAX ? day : 24;
}

static void
set_time(JsonObject *object, const char *name, int64_t time_us)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(time_us / G_USEC_PER_SEC);
    g_autofree char *text = time ? g_date_time_format_iso8601(time) : NULL;

    fsn_json_set_string(object, name, text);
}

static void
fill_document(FsnCliContext *context,
              const FsnForecaster *forecaster,
              const FsnForecast *forecast)
{
    JsonObject *document = context->document;
    JsonArray *steps = json_array_new();
    g_autofree char *words = fsn_forecaster_explain(forecaster);
    double error = fsn_forecaster_error(forecaster);

    set_time(document, "start", forecast->start_us);
    json_object_set_int_member(document, "step_us", forecast->step_us);
    json_object_set_string_member(document, "explanation", words);
    fsn_json_set_number(document, "backtest_error", error);
    for (size_t h = 0; h < forecast->n; h++) {
        JsonObject *step = json_object_new();

        json_object_set_int_member(step, "step", (int64_t)h + 1);
        json_object_set_double_member(step, "mean", forecast->mean[h]);
        json_object_set_double_member(step, "lo95", forecast->q[FSN_Q025][h]);
        json_object_set_double_member(step, "hi95", forecast->q[FSN_Q975][h]);
        json_object_set_double_member(step, "q95", forecast->q[FSN_Q95][h]);
        json_array_add_object_element(steps, step);
    }
    json_object_set_array_member(document, "forecast", steps);
}

static void
print_steps(FsnCliContext *context, const FsnForecast *forecast)
{
    fsn_cli_print(context, "step,mean,lo95,hi95,q95\n");
    for (size_t h = 0; h < forecast->n; h++) {
        fsn_cli_print(context, "%zu,%.6g,%.6g,%.6g,%.6g\n", h + 1, forecast->mean[h],
                      forecast->q[FSN_Q025][h], forecast->q[FSN_Q975][h],
                      forecast->q[FSN_Q95][h]);
    }
}

/* Whether what is asked for is what others ask for too: only that is kept. */
static bool
is_usual(void)
{
    return isnan(opt_low) && isnan(opt_high) && opt_origin == 0 &&
           (!opt_model || strcmp(opt_model, "auto") == 0);
}

/* The models for @series, of the domain @uuid (NULL: of none). */
static FsnForecaster *
get_forecaster(FsnCliContext *context,
               const char *uuid,
               const FsnSeries *series,
               GError **error)
{
    double low = lowest(series);
    double high = isnan(opt_high) ? INFINITY : opt_high;
    g_autofree char *usual_path = fsn_history_default_path();
    const char *path = opt_history ? opt_history : usual_path;
    g_autofree char *name = g_strconcat(opt_metric ? opt_metric : "cpu", ".mean", NULL);
    int64_t fitted_us;
    FsnForecaster *forecaster;

    low = MIN(low, high);
    if (!uuid || !is_usual()) {
        g_autoptr(FsnLstm) lstm = uuid ? fsn_models_load_network(path, NULL) : NULL;
        FsnForecasterOptions how = { .low = low, .high = high, .lstm = lstm };

        how.model = opt_model && strcmp(opt_model, "auto") != 0 ? opt_model : NULL;
        return fsn_forecaster_fit(series, &how, error);
    }
    FsnKeptRequest request = { .history_path = path,
                               .uuid = uuid,
                               .name = name,
                               .now_us = fsn_realtime_us(),
                               .refit = opt_refit,
                               .low = low,
                               .high = high };
    forecaster = fsn_kept_forecaster(&request, series, &fitted_us, error);
    if (forecaster) {
        set_time(context->document, "fitted", fitted_us);
    }
    return forecaster;
}

/* Forecasts @series, wherever it came from. */
static bool
forecast_series(FsnCliContext *context,
                const char *domain,
                const char *uuid,
                const FsnSeries *series,
                GError **error)
{
    g_autoptr(FsnForecaster) forecaster = get_forecaster(context, uuid, series, error);
    g_autoptr(FsnForecast) forecast = NULL;

    if (!forecaster) {
        return false;
    }
    forecast = fsn_forecaster_predict(
        forecaster, opt_horizon > 0 ? (size_t)opt_horizon : default_horizon(series));
    fill_document(context, forecaster, forecast);
    if (opt_explain) {
        g_autofree char *words = fsn_forecaster_explain(forecaster);

        fsn_cli_print(context, "%s\n", words);
    } else if (opt_plot || opt_output) {
        const char *metric = opt_metric ? opt_metric : domain ? "cpu" : "values";
        g_autofree char *title =
            g_strdup_printf("%s: %s, forecast", domain ? domain : opt_csv, metric);

        return fsn_cli_plot_forecast(context, title, metric, series, forecast, opt_output,
                                     error);
    } else {
        print_steps(context, forecast);
    }
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnSeries) all = NULL;
    g_autoptr(FsnSeries) series = NULL;
    g_autofree char *uuid = NULL;

    if (!check_options(args[0], error)) {
        return false;
    }
    all = args[0] ? fsn_cli_domain_series(args[0], opt_metric ? opt_metric : "cpu",
                                          opt_history, fsn_realtime_us(), &uuid, error)
                  : series_of_csv(context, error);
    if (!all) {
        return false;
    }
    if ((size_t)opt_origin > all->n) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "--origin %d is beyond the %zu steps of the series", opt_origin,
                    all->n);
        return false;
    }
    series = fsn_series_head(all, opt_origin > 0 ? (size_t)opt_origin : all->n);
    if (!forecast_series(context, args[0], uuid, series, error)) {
        g_prefix_error(error, "cannot forecast: ");
        return false;
    }
    return true;
}

const FsnCliCommand fsn_cmd_forecast = {
    .name = "forecast",
    .arguments = "[DOMAIN]",
    .summary = "forecast a series of values, with quantiles",
    .options = options,
    .min_args = 0,
    .max_args = 1,
    .run = run,
};
