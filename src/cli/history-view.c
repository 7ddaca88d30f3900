/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of metrics, as text, JSON and CSV. */
#include "config.h"

#include "cli/history-view.h"

#include "base/clock.h"
#include "base/json.h"
#include "cli/units.h"

#include <math.h>

void
fsn_metric_view_free(FsnMetricView *view)
{
    if (view) {
        g_free(view->metric);
        g_free(view->windows);
        g_free(view);
    }
}

static char *
bytes_text(double value, const char *after)
{
    g_autofree char *size = fsn_cli_size_text((uint64_t)CLAMP(fabs(value), 0, 9e18));

    return g_strdup_printf("%s%s%s", value < 0 ? "-" : "", size, after);
}

char *
fsn_cli_metric_text(FsnMetricUnit unit, double value)
{
    switch (unit) {
    case FSN_UNIT_BYTES:
        return bytes_text(value, "");
    case FSN_UNIT_BYTES_PER_S:
        return bytes_text(value, "/s");
    case FSN_UNIT_PLAIN:
    case FSN_UNIT_CORES:
    case FSN_UNIT_PER_S:
        break;
    }
    if (fabs(value) >= 1e6 || (value == floor(value) && fabs(value) < 1e6)) {
        return g_strdup_printf("%.7g", value);
    }
    return g_strdup_printf(fabs(value) < 10 ? "%.2f" : "%.1f", value);
}

int64_t
fsn_cli_choose_step(int64_t range_us, int64_t points)
{
    static const int64_t steps_s[] = { 10, 60, 300, 900, 3600, 21600, 86400 };

    for (size_t i = 0; i < G_N_ELEMENTS(steps_s); i++) {
        if (range_us / (steps_s[i] * G_USEC_PER_SEC) <= points) {
            return steps_s[i] * G_USEC_PER_SEC;
        }
    }
    return steps_s[G_N_ELEMENTS(steps_s) - 1] * G_USEC_PER_SEC;
}

bool
fsn_metric_view_sum(const FsnMetricView *view,
                    FsnWindow *out_sum,
                    double *out_last,
                    int64_t *out_last_us)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(FsnWindow));
    g_autoptr(GArray) weights = g_array_new(FALSE, FALSE, sizeof(double));

    for (size_t i = 0; i < view->n; i++) {
        double weight = view->windows[i].cover;

        if (view->windows[i].cover > 0) {
            g_array_append_val(parts, view->windows[i]);
            g_array_append_val(weights, weight);
            *out_last = view->windows[i].mean;
            *out_last_us = view->start_us + (int64_t)(i + 1) * view->step_us;
        }
    }
    if (parts->len == 0) {
        return false;
    }
    *out_sum = fsn_window_combine((const FsnWindow *)(void *)parts->data,
                                  (const double *)(void *)weights->data, parts->len,
                                  255. * (double)view->n);
    return true;
}

static double
value_of(const FsnWindow *w, FsnHistoryStat stat)
{
    switch (stat) {
    case FSN_HISTORY_MEAN:
        return w->mean;
    case FSN_HISTORY_MIN:
        return w->min;
    case FSN_HISTORY_MAX:
        return w->max;
    case FSN_HISTORY_P95:
        return w->p95;
    }
    g_assert_not_reached();
}

static const struct {
    const char *name;
    FsnHistoryStat stat;
} stats[] = { { "min", FSN_HISTORY_MIN },
              { "mean", FSN_HISTORY_MEAN },
              { "max", FSN_HISTORY_MAX },
              { "p95", FSN_HISTORY_P95 } };

static JsonObject *
begin_json(const FsnMetricView *view)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "metric", view->metric);
    json_object_set_string_member(object, "unit",
                                  fsn_metric_unit_text(fsn_metric_unit(view->metric)));
    return object;
}

JsonObject *
fsn_metric_view_json(const FsnMetricView *view)
{
    JsonObject *object = begin_json(view);
    g_autofree char *start = fsn_rfc3339(view->start_us);

    json_object_set_string_member(object, "start", start);
    json_object_set_int_member(object, "step_us", view->step_us);
    for (size_t k = 0; k < G_N_ELEMENTS(stats); k++) {
        JsonArray *array = json_array_sized_new((guint)view->n);

        for (size_t i = 0; i < view->n; i++) {
            double value = value_of(&view->windows[i], stats[k].stat);

            if (view->windows[i].cover > 0 && isfinite(value)) {
                json_array_add_double_element(array, value);
            } else {
                json_array_add_null_element(array);
            }
        }
        json_object_set_array_member(object, stats[k].name, array);
    }
    return object;
}

JsonObject *
fsn_metric_view_summary_json(const FsnMetricView *view)
{
    JsonObject *object = begin_json(view);
    FsnWindow sum = { .min = NAN, .mean = NAN, .max = NAN, .p95 = NAN };
    double last = NAN;
    int64_t last_us = 0;
    bool known = fsn_metric_view_sum(view, &sum, &last, &last_us);

    for (size_t k = 0; k < G_N_ELEMENTS(stats); k++) {
        fsn_json_set_number(object, stats[k].name, value_of(&sum, stats[k].stat));
    }
    fsn_json_set_number(object, "last", last);
    if (known) {
        g_autofree char *seen = fsn_rfc3339(last_us);

        json_object_set_string_member(object, "last_seen", seen);
    } else {
        json_object_set_null_member(object, "last_seen");
    }
    return object;
}

void
fsn_metric_view_csv(const FsnMetricView *view, GString *out)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    for (size_t i = 0; i < view->n; i++) {
        g_autofree char *time = fsn_rfc3339(view->start_us + (int64_t)i * view->step_us);

        if (view->windows[i].cover == 0) {
            continue;
        }
        g_string_append_printf(out, "%s,%s", time, view->metric);
        for (size_t k = 0; k < G_N_ELEMENTS(stats); k++) {
            double value = value_of(&view->windows[i], stats[k].stat);

            g_string_append_c(out, ',');
            if (isfinite(value)) {
                g_string_append(out,
                                g_ascii_formatd(number, sizeof number, "%.9g", value));
            }
        }
        g_string_append_c(out, '\n');
    }
}

FsnSeries *
fsn_metric_view_series(const FsnMetricView *view, FsnHistoryStat stat)
{
    FsnSeries *series = fsn_series_new(view->start_us, view->step_us, view->n);

    for (size_t i = 0; i < view->n; i++) {
        if (view->windows[i].cover > 0) {
            series->values[i] = value_of(&view->windows[i], stat);
        }
    }
    return series;
}
