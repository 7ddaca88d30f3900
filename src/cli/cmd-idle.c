/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap idle: whether a domain will soon be active, when it wakes, and why.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/idle-input.h"
#include "cli/output.h"
#include "history/kept.h"
#include "history/store.h"

#include <math.h>

/* Older samples say little of now. */
#define FRESH_US ((int64_t)15 * 60 * G_USEC_PER_SEC)

static char *opt_csv;
static char *opt_history;
static char *opt_prometheus;
static char *opt_query;
static double opt_threshold;
static char **opt_with;
static gboolean opt_no_events;
static gboolean opt_refit;

static GOptionEntry options[] = {
    { "csv", 0, 0, G_OPTION_ARG_FILENAME, &opt_csv,
      "take the CPU use from a file of comma-separated values, in per cent", "FILE" },
    { "history", 0, 0, G_OPTION_ARG_FILENAME, &opt_history, "file of the history",
      "FILE" },
    { "no-events", 0, 0, G_OPTION_ARG_NONE, &opt_no_events, "do without known events",
      NULL },
    { "prometheus", 0, 0, G_OPTION_ARG_STRING, &opt_prometheus,
      "take the CPU use, in cores, from this server", "URL" },
    { "query", 0, 0, G_OPTION_ARG_STRING, &opt_query, "what to ask Prometheus for",
      "PROMQL" },
    { "refit", 0, 0, G_OPTION_ARG_NONE, &opt_refit, "learn anew, which else lasts a day",
      NULL },
    { "threshold", 0, 0, G_OPTION_ARG_DOUBLE, &opt_threshold,
      "what CPU use is activity (learned)", "VALUE" },
    { "with", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt_with,
      "learn from this metric of the history too; may be repeated", "METRIC" },
    G_OPTION_ENTRY_NULL,
};

static JsonArray *
times_json(const int64_t *times_us)
{
    JsonArray *array = json_array_new();

    for (size_t k = 0; k < FSN_IDLE_WAIT_LEVELS; k++) {
        JsonObject *object = json_object_new();
        g_autofree char *time = fsn_rfc3339(times_us[k]);

        json_object_set_double_member(object, "level", fsn_idle_wait_levels[k]);
        json_object_set_string_member(object, "time", time);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonArray *
lengths_json(const int64_t *lengths_us)
{
    JsonArray *array = json_array_new();

    for (size_t k = 0; k < FSN_IDLE_WAIT_LEVELS; k++) {
        JsonObject *object = json_object_new();

        json_object_set_double_member(object, "level", fsn_idle_wait_levels[k]);
        json_object_set_int_member(object, "us", lengths_us[k]);
        json_array_add_object_element(array, object);
    }
    return array;
}

static void
set_time(JsonObject *object, const char *name, int64_t time_us)
{
    g_autofree char *time = fsn_rfc3339(time_us);

    json_object_set_string_member(object, name, time);
}

static void
fill_document(FsnCliContext *context,
              const FsnIdleData *data,
              const FsnIdleForecast *forecast,
              const char *reason)
{
    JsonObject *document = context->document;
    JsonObject *wake = json_object_new(), *idle = json_object_new();

    json_object_set_string_member(document, "domain", data->name);
    json_object_set_string_member(document, "state",
                                  forecast->active ? "active" : "idle");
    set_time(document, "since", forecast->since_us);
    set_time(document, "now", forecast->now_us);
    json_object_set_double_member(document, "active_within_15_min", forecast->p15);
    json_object_set_double_member(document, "active_within_60_min", forecast->p60);
    set_time(wake, "likely", forecast->wake_likely_us);
    json_object_set_array_member(wake, "quantiles", times_json(forecast->wake_us));
    json_object_set_object_member(document, "wake", wake);
    set_time(idle, "likely", forecast->idle_likely_us);
    json_object_set_array_member(idle, "quantiles", times_json(forecast->idle_us));
    json_object_set_array_member(idle, "lengths", lengths_json(forecast->idle_length_us));
    json_object_set_object_member(document, "idle", idle);
    json_object_set_double_member(document, "threshold",
                                  fsn_idle_track_threshold(data->track));
    json_object_set_int_member(document, "samples",
                               (int64_t)fsn_idle_track_count(data->track));
    json_object_set_string_member(document, "reason", reason);
}

/* Local time, with the day where it is another one than today; the caller frees. */
static char *
clock_text(int64_t time_us, int64_t now_us)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(time_us / G_USEC_PER_SEC);
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_local(now_us / G_USEC_PER_SEC);
    bool today = g_date_time_get_year(time) == g_date_time_get_year(now) &&
                 g_date_time_get_day_of_year(time) == g_date_time_get_day_of_year(now);

    return g_date_time_format(time, today ? "%H:%M" : "%Y-%m-%d %H:%M");
}

static void
print_range(FsnCliContext *context,
            const char *what,
            int64_t likely_us,
            const int64_t *times_us,
            int64_t now_us)
{
    g_autofree char *likely = clock_text(likely_us, now_us);
    g_autofree char *from = clock_text(times_us[0], now_us);
    g_autofree char *to = clock_text(times_us[FSN_IDLE_WAIT_LEVELS - 1], now_us);

    fsn_cli_print(context, "%-11s about %s; 90 %%: %s to %s\n", what, likely, from, to);
}

static void
show(FsnCliContext *context, const FsnIdleForecast *forecast, const char *reason)
{
    g_autofree char *since = clock_text(forecast->since_us, forecast->now_us);
    int64_t minute_us = (int64_t)60 * G_USEC_PER_SEC;

    fsn_cli_print(context, "%-11s %s since %s\n",
                  "state:", forecast->active ? "active" : "idle", since);
    fsn_cli_print(context, "%-11s %.0f %% within 15 minutes, %.0f %% within the hour\n",
                  "active:", 100 * forecast->p15, 100 * forecast->p60);
    print_range(context, "next wake:", forecast->wake_likely_us, forecast->wake_us,
                forecast->now_us);
    if (forecast->active) {
        print_range(context, "next idle:", forecast->idle_likely_us, forecast->idle_us,
                    forecast->now_us);
    }
    fsn_cli_print(context,
                  "%-11s %" G_GINT64_FORMAT " min; 90 %%: %" G_GINT64_FORMAT
                  " to %" G_GINT64_FORMAT " min\n",
                  "idle for:", forecast->idle_length_us[2] / minute_us,
                  forecast->idle_length_us[0] / minute_us,
                  forecast->idle_length_us[FSN_IDLE_WAIT_LEVELS - 1] / minute_us);
    fsn_cli_print(context, "%-11s %s\n", "why:", reason);
}

static void
warn(FsnCliContext *context, const FsnIdleData *data, int64_t now_us)
{
    size_t last = fsn_idle_track_count(data->track) - 1;

    for (guint i = 0; i < data->warnings->len; i++) {
        fsn_cli_warn(context, "%s", (char *)data->warnings->pdata[i]);
    }
    while (last > 0 && !fsn_idle_track_is_known(data->track, last)) {
        last--;
    }
    int64_t age_us = now_us - fsn_idle_track_time(data->track, last) - FSN_IDLE_STEP_US;

    if (!opt_csv && age_us > FRESH_US) {
        fsn_cli_warn(context,
                     "the last sample of '%s' is %" G_GINT64_FORMAT
                     " min old: was it off, or does nobody sample it?",
                     data->name, age_us / 60 / G_USEC_PER_SEC);
    }
    if (last < 2 * FSN_IDLE_DAY) {
        fsn_cli_warn(context,
                     "less than two days are known of '%s': this is what holds for "
                     "domains in general",
                     data->name);
    }
}

static bool
check_options(char **args, GError **error)
{
    int sources = (args[0] != NULL) + (opt_csv != NULL);

    if ((opt_prometheus != NULL) != (opt_query != NULL)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "--prometheus and --query go together");
        return false;
    }
    if (opt_prometheus ? opt_csv != NULL : sources != 1) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "say either a domain, --csv or --prometheus");
        return false;
    }
    if ((opt_csv || opt_prometheus) && opt_with) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "--with goes with the history");
        return false;
    }
    if ((opt_csv || opt_prometheus) && opt_refit) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "--refit goes with the history");
        return false;
    }
    if (opt_threshold < 0 || !isfinite(opt_threshold)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "--threshold must be above 0");
        return false;
    }
    return true;
}

/* What was learned of a domain of the history is kept. With a threshold or with other metrics
 * than usual it is another thing. */
static FsnIdle *
get_model(FsnCliContext *context, const FsnIdleData *data, int64_t now_us)
{
    g_autofree char *usual = fsn_history_default_path();
    bool is_usual = data->uuid && !opt_with && !(opt_threshold > 0) && !opt_no_events;
    FsnKeptRequest request = { .history_path = opt_history ? opt_history : usual,
                               .uuid = data->uuid,
                               .now_us = now_us,
                               .refit = opt_refit };
    int64_t fitted_us;
    FsnIdle *idle;

    if (!is_usual) {
        request.history_path = NULL;
    }
    idle = fsn_kept_idle(&request, &data->input, &fitted_us);
    set_time(context->document, "fitted", fitted_us);
    return idle;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    FsnIdleRequest request = { .domain = args[0],
                               .history = opt_history,
                               .csv = opt_csv,
                               .prometheus = opt_prometheus,
                               .query = opt_query,
                               .with = opt_with,
                               .threshold = opt_threshold > 0 ? opt_threshold : NAN,
                               .no_events = opt_no_events,
                               .now_us = fsn_realtime_us(),
                               .cancellable = context->cancellable };
    g_auto(FsnIdleData) data = { 0 };
    g_autoptr(FsnIdle) idle = NULL;
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    FsnIdleForecast forecast;

    if (!check_options(args, error) || !fsn_idle_data_load(&request, &data, error)) {
        return false;
    }
    size_t last = fsn_idle_track_count(data.track) - 1;

    idle = get_model(context, &data, request.now_us);
    fsn_idle_predict(idle, &data.input, last, &forecast);
    g_autofree char *reason = fsn_idle_explain(data.track, last, &forecast, zone);

    warn(context, &data, request.now_us);
    fill_document(context, &data, &forecast, reason);
    show(context, &forecast, reason);
    return true;
}

const FsnCliCommand fsn_cmd_idle = {
    .name = "idle",
    .arguments = "[DOMAIN]",
    .summary = "foretell when a domain will be active, and when it wakes",
    .options = options,
    .max_args = 1,
    .interruptible = true,
    .run = run,
};
