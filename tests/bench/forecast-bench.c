/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forecast-bench DIR: forecasts the series in DIR (index.csv and the files that it names) from
 * rolling origins and prints series,origin,step,mean,lo95,hi95,q95. Of each series only
 * what is before the origin reaches the forecaster.
 *   --inside     origins inside the training part: for choosing, never the test part
 *   --model M    one model instead of the selection
 *   --without M  the selection without one model: what that adds
 *   --match T    only series whose name contains T
 *   --m4         DIR is that of M4 Hourly: prints MASE and sMAPE of the competition
 *   --daily      DIR is not needed: minutes of a processor per day for 1000 VMs of 4 metrics,
 *                whose models are read, told an hour of values, asked for the next day, and
 *                written, every hour
 *   --time       DIR is not needed: milliseconds of each model for 2016 values
 * The network of the model "lstm", which all series share, is trained with what is before the
 * first backtest of each.
 * Skips (77) where DIR has no data.
 */
#include "config.h"

#include "models/backtest.h"
#include "models/forecaster.h"
#include "models/lstm.h"
#include "models/model.h"
#include "models/series-csv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SKIPPED    77
#define ORIGINS    8
#define M4_HORIZON 48

static gboolean opt_inside;
static gboolean opt_daily;
static gboolean opt_m4;
static gboolean opt_time;
static char *opt_model;
static char *opt_without;
static char *opt_match;

static GOptionEntry entries[] = {
    { "inside", 0, 0, G_OPTION_ARG_NONE, &opt_inside, "origins in the training part",
      NULL },
    { "model", 0, 0, G_OPTION_ARG_STRING, &opt_model, "one model", "NAME" },
    { "without", 0, 0, G_OPTION_ARG_STRING, &opt_without, "all but one", "NAME" },
    { "match", 0, 0, G_OPTION_ARG_STRING, &opt_match, "only these series", "TEXT" },
    { "m4", 0, 0, G_OPTION_ARG_NONE, &opt_m4, "the data of M4 Hourly", NULL },
    { "daily", 0, 0, G_OPTION_ARG_NONE, &opt_daily, "what all VMs of a host cost", NULL },
    { "time", 0, 0, G_OPTION_ARG_NONE, &opt_time, "how long fits take", NULL },
    G_OPTION_ENTRY_NULL,
};

typedef struct {
    char *name;
    char *file;
    int64_t period_s;
    size_t length, day, train;
} Entry;

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    g_free(entry->name);
    g_free(entry->file);
    g_free(entry);
}

/* The network that all series share, or NULL. */
static FsnLstm *shared;

static char *
read_file(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, &error)) {
        printf("skipped: %s\n", error->message);
        exit(SKIPPED);
    }
    return text;
}

/* The field of a row under the heading @name. */
static const char *
field(char **heading, char **row, const char *name)
{
    for (guint i = 0; heading[i] && row[i]; i++) {
        if (strcmp(heading[i], name) == 0) {
            return row[i];
        }
    }
    g_error("index.csv has no column '%s'", name);
}

static size_t
number(char **heading, char **row, const char *name)
{
    return (size_t)g_ascii_strtoull(field(heading, row, name), NULL, 10);
}

static GPtrArray *
read_index(const char *folder)
{
    g_autofree char *text = read_file(folder, "index.csv");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_auto(GStrv) heading = g_strsplit(lines[0], ",", -1);
    GPtrArray *entries_found = g_ptr_array_new_with_free_func(entry_free);

    for (guint i = 1; lines[i] && lines[i][0]; i++) {
        g_auto(GStrv) row = g_strsplit(lines[i], ",", -1);
        Entry *entry = g_new0(Entry, 1);

        entry->name = g_strdup(field(heading, row, "name"));
        entry->file = g_strdup(field(heading, row, "file"));
        entry->period_s = (int64_t)number(heading, row, "period_s");
        entry->length = number(heading, row, "length");
        entry->day = number(heading, row, "season_day");
        entry->train = number(heading, row, "train_len");
        g_ptr_array_add(entries_found, entry);
    }
    return entries_found;
}

/* Forecasts from what is before @origin, and nothing else; one model falls back to all
 * where the history is too short for it. */
static FsnForecast *
forecast_from(const FsnSeries *series, size_t origin, size_t horizon, const char *model)
{
    g_autoptr(FsnSeries) head = fsn_series_head(series, origin);
    FsnForecasterOptions options = {
        .low = 0, .high = INFINITY, .model = model, .without = opt_without, .lstm = shared
    };
    g_autoptr(FsnForecaster) forecaster = NULL;

    for (size_t i = 0; i < head->n; i++) {
        options.low = head->values[i] < 0 ? -INFINITY : options.low;
    }
    forecaster = fsn_forecaster_fit(head, &options, NULL);
    if (!forecaster) {
        g_autoptr(GError) error = NULL;

        options.model = NULL;
        forecaster = fsn_forecaster_fit(head, &options, &error);
        if (!forecaster) {
            g_error("%s", error->message);
        }
    }
    return fsn_forecaster_predict(forecaster, horizon);
}

static void
print_forecast(const char *name, size_t origin, const FsnForecast *forecast)
{
    for (size_t h = 0; h < forecast->n; h++) {
        printf("%s,%zu,%zu,%.8g,%.8g,%.8g,%.8g\n", name, origin, h + 1, forecast->mean[h],
               forecast->q[FSN_Q025][h], forecast->q[FSN_Q975][h],
               forecast->q[FSN_Q95][h]);
    }
}

static FsnSeries *
read_series(const char *folder, const Entry *entry)
{
    g_autofree char *text = read_file(folder, entry->file);
    g_autoptr(GError) error = NULL;
    FsnSeries *series = fsn_series_from_csv(
        text, strlen(text), entry->period_s * G_USEC_PER_SEC, NULL, &error);

    if (!series) {
        g_error("%s: %s", entry->file, error->message);
    }
    return series;
}

/* Where the first origin may be. */
static size_t
train_length(const Entry *entry)
{
    return opt_inside ? entry->train * 3 / 4 : entry->train;
}

/* From what is before the first origin of the backtest of the first origin of each series:
 * neither origins nor backtests look at what the network has seen. */
static FsnLstm *
train_lstm(const char *folder, const GPtrArray *index)
{
    g_autoptr(GPtrArray) heads =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_series_free);
    FsnLstmOptions options = { .seed = 1, .until_us = G_MININT64 };
    g_autoptr(GError) error = NULL;
    clock_t start = clock();
    double trained;
    double kept;

    for (guint i = 0; i < index->len; i++) {
        g_autoptr(FsnSeries) series = read_series(folder, index->pdata[i]);
        FsnModelData data = fsn_model_data(series, NULL, train_length(index->pdata[i]));

        g_ptr_array_add(heads, fsn_series_head(series, fsn_backtest_cut(&data)));
    }
    FsnLstm *lstm = fsn_lstm_train(heads, &options, &error);
    if (!lstm) {
        g_error("%s", error->message);
    }
    fsn_lstm_losses(lstm, &trained, &kept);
    fprintf(stderr, "network: loss %.4f, on what was kept back %.4f, %.1f s to train\n",
            trained, kept, (double)(clock() - start) / CLOCKS_PER_SEC);
    return lstm;
}

/* The last origins of the scorer: every 25 hours, or every 7 for shorter steps. */
static void
run_entry(const char *folder, const Entry *entry)
{
    g_autoptr(FsnSeries) series = read_series(folder, entry);
    size_t length = opt_inside ? entry->train : entry->length;
    size_t train = train_length(entry);
    size_t stride = entry->period_s == 3600 ? 25 : 84;

    if (series->n < length || length < train + entry->day) {
        g_error("%s: there are only %zu values", entry->file, series->n);
    }
    size_t count = (length - entry->day - train) / stride + 1;
    for (size_t o = count > ORIGINS ? count - ORIGINS : 0; o < count; o++) {
        size_t origin = train + o * stride;
        g_autoptr(FsnForecast) forecast =
            forecast_from(series, origin, entry->day, opt_model);

        print_forecast(entry->name, origin, forecast);
    }
}

static int
run_folder(const char *folder)
{
    g_autoptr(GPtrArray) index = read_index(folder);
    clock_t start = clock();

    shared = g_strcmp0(opt_without, "lstm") == 0 ? NULL : train_lstm(folder, index);
    printf("series,origin,step,mean,lo95,hi95,q95\n");
    for (guint i = 0; i < index->len; i++) {
        const Entry *entry = index->pdata[i];

        if (!opt_match || strstr(entry->name, opt_match)) {
            run_entry(folder, entry);
        }
    }
    fprintf(stderr, "%.1f s of processor time\n",
            (double)(clock() - start) / CLOCKS_PER_SEC);
    fsn_lstm_unref(shared);
    return 0;
}

/* The numbers of a line of M4's files, without the first field, up to the first empty one. */
static size_t
m4_numbers(const char *line, double *out, size_t most)
{
    g_auto(GStrv) row = g_strsplit(line, ",", -1);
    size_t n = 0;

    for (guint i = 1; row[0] && row[i] && n < most; i++) {
        char *text = g_strstrip(row[i]);

        g_strdelimit(text, "\"", ' ');
        g_strstrip(text);
        if (text[0] == '\0' || strcmp(text, "NA") == 0) {
            break;
        }
        out[n++] = g_ascii_strtod(text, NULL);
    }
    return n;
}

typedef struct {
    double mase, smape;
} Score;

/* As the competition counts: the scale is the mean difference of a day apart. */
static Score
m4_score(const FsnSeries *series, const double *actual, const FsnForecast *forecast)
{
    Score score = { 0 };
    double scale = 0;

    for (size_t i = 24; i < series->n; i++) {
        scale +=
            fabs(series->values[i] - series->values[i - 24]) / (double)(series->n - 24);
    }
    for (size_t h = 0; h < M4_HORIZON; h++) {
        double error = fabs(actual[h] - forecast->mean[h]);

        score.mase += error / scale / M4_HORIZON;
        score.smape +=
            200 * error / (fabs(actual[h]) + fabs(forecast->mean[h])) / M4_HORIZON;
    }
    return score;
}

static int
run_m4(const char *folder)
{
    g_autofree char *train = read_file(folder, "Hourly-train.csv");
    g_autofree char *test = read_file(folder, "Hourly-test.csv");
    g_auto(GStrv) lines = g_strsplit(train, "\n", -1);
    g_auto(GStrv) tests = g_strsplit(test, "\n", -1);
    Score total = { 0 };
    size_t count = 0;

    for (guint i = 1; lines[i] && lines[i][0] && tests[i]; i++) {
        double values[2048];
        double actual[M4_HORIZON];
        size_t n = m4_numbers(lines[i], values, G_N_ELEMENTS(values));
        g_autoptr(FsnSeries) series =
            fsn_series_new(0, 3600 * (int64_t)G_USEC_PER_SEC, n);

        memcpy(series->values, values, n * sizeof(double));
        if (m4_numbers(tests[i], actual, M4_HORIZON) != M4_HORIZON) {
            g_error("line %u of the test part is too short", i + 1);
        }
        g_autoptr(FsnForecast) forecast = forecast_from(series, n, M4_HORIZON, opt_model);
        Score score = m4_score(series, actual, forecast);
        total.mase += score.mase;
        total.smape += score.smape;
        count++;
    }
    printf("model,series,mase,smape\n%s,%zu,%.4f,%.4f\n", opt_model ? opt_model : "auto",
           count, total.mase / (double)count, total.smape / (double)count);
    return 0;
}

/* Processor milliseconds of @class's fit, the least of several. */
static double
time_fit(const FsnModelClass *class, const FsnModelData *data)
{
    double least = INFINITY;

    for (int round = 0; round < 7; round++) {
        clock_t start = clock();
        g_autoptr(FsnModel) model = class->fit(data);

        least = MIN(least, (double)(clock() - start) * 1e3 / CLOCKS_PER_SEC);
    }
    return least;
}

/* Processor milliseconds of a day's forecast by a network. */
static double
time_lstm(FsnSeries *series)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    FsnLstmOptions options = { .seed = 1, .samples = 400, .until_us = G_MININT64 };
    FsnModelData data = fsn_model_data(series, series->values, series->n);
    g_autofree double *out = g_new(double, data.day);

    g_ptr_array_add(all, series);
    g_autoptr(FsnLstm) lstm = fsn_lstm_train(all, &options, NULL);
    data.lstm = lstm;
    g_autoptr(FsnModel) model = fsn_model_lstm.fit(&data);
    clock_t start = clock();
    fsn_model_lstm.forecast(model, &data, data.day, out);
    return (double)(clock() - start) * 1e3 / CLOCKS_PER_SEC;
}

/* A bursty day's wave of @n values at 5 min. */
static FsnSeries *
bursty_wave(size_t n)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    FsnSeries *series = fsn_series_new(0, 300 * (int64_t)G_USEC_PER_SEC, n);

    for (size_t i = 0; i < series->n; i++) {
        series->values[i] = 30 + 20 * sin(2 * G_PI * (double)i / 288) +
                            10 * g_rand_double(rand) +
                            (g_rand_double(rand) < .03 ? 50 * g_rand_double(rand) : 0);
    }
    return series;
}

/* One series at one hour: from text to text; the caller frees. */
static char *
follow(const char *text, const FsnSeries *series)
{
    g_autoptr(JsonNode) node = json_from_string(text, NULL);
    g_autoptr(FsnForecaster) forecaster = fsn_forecaster_from_json(node, NULL);

    if (!fsn_forecaster_update(forecaster, series, NULL)) {
        g_error("the values do not continue what is known");
    }
    g_autoptr(FsnForecast) forecast = fsn_forecaster_predict(forecaster, 288);
    g_autoptr(JsonNode) after = fsn_forecaster_to_json(forecaster);
    return json_to_string(after, FALSE);
}

/* 28 days of history, and a day that follows. */
static int
run_daily(void)
{
    g_autoptr(FsnSeries) all = bursty_wave(29 * 288);
    g_autoptr(FsnSeries) head = fsn_series_head(all, 28 * 288);
    FsnForecasterOptions options = { .low = 0, .high = INFINITY };
    clock_t start = clock();
    g_autoptr(FsnForecaster) forecaster = fsn_forecaster_fit(head, &options, NULL);
    double fit_s = (double)(clock() - start) / CLOCKS_PER_SEC;
    g_autoptr(JsonNode) node = fsn_forecaster_to_json(forecaster);
    g_autofree char *text = json_to_string(node, FALSE);
    double hour_s;

    start = clock();
    for (size_t hour = 1; hour <= 24; hour++) {
        g_autoptr(FsnSeries) last =
            fsn_series_new(fsn_series_time(all, hour * 12), all->step_us, 28 * 288);
        char *next;

        memcpy(last->values, all->values + hour * 12, last->n * sizeof(double));
        next = follow(text, last);

        g_free(text);
        text = next;
    }
    hour_s = (double)(clock() - start) / CLOCKS_PER_SEC / 24;
    printf("what,ms,minutes_per_day\nfollow,%.2f,%.1f\nchoose,%.1f,%.1f\n", hour_s * 1e3,
           hour_s * 24 * 4000 / 60, fit_s * 1e3, fit_s * 4000 / 7 / 60);
    return 0;
}

static int
run_times(void)
{
    g_autoptr(FsnSeries) series = bursty_wave(2016);
    clock_t start;

    FsnModelData data = fsn_model_data(series, series->values, series->n);
    printf("model,fit_ms\n");
    for (size_t m = 0; fsn_model_classes[m]; m++) {
        printf("%s,%.2f\n", fsn_model_classes[m]->name,
               time_fit(fsn_model_classes[m], &data));
    }
    printf("lstm (forecast),%.2f\n", time_lstm(series));
    start = clock();
    g_autoptr(FsnForecast) forecast = forecast_from(series, series->n, 288, NULL);
    printf("selection,%.1f\n", (double)(clock() - start) * 1e3 / CLOCKS_PER_SEC);
    return 0;
}

int
main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("[DIR]");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) ||
        (argc != 2 && !opt_time && !opt_daily)) {
        fprintf(stderr, "forecast-bench: %s\n", error ? error->message : "which folder?");
        return 2;
    }
    if (opt_time) {
        return run_times();
    }
    if (opt_daily) {
        return run_daily();
    }
    return opt_m4 ? run_m4(argv[1]) : run_folder(argv[1]);
}
