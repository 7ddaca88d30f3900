/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks Prometheus for a series; models/prometheus-json.c reads the answer. */
#include "config.h"

#include "net/prometheus.h"

#include "base/error.h"
#include "models/prometheus-json.h"
#include "net/http.h"

#include <string.h>

#define TIMEOUT_S      30
/* Prometheus refuses to give more at once. */
#define POINTS_AT_ONCE 10000

static char *
seconds_text(int64_t time_us)
{
    return g_strdup_printf("%" G_GINT64_FORMAT ".%03" G_GINT64_FORMAT,
                           time_us / G_USEC_PER_SEC, time_us % G_USEC_PER_SEC / 1000);
}

static char *
range_url(
    const char *base, const char *query, int64_t from_us, int64_t to_us, int64_t step_us)
{
    g_autofree char *what = fsn_http_parameter("query", query);
    g_autofree char *from = seconds_text(from_us), *to = seconds_text(to_us);
    g_autofree char *step = seconds_text(step_us);
    size_t len = strlen(base);

    while (len > 0 && base[len - 1] == '/') {
        len--;
    }
    return g_strdup_printf("%.*s/api/v1/query_range?%s&start=%s&end=%s&step=%s", (int)len,
                           base, what, from, to, step);
}

bool
fsn_prometheus_range(const char *base,
                     const char *query,
                     int64_t from_us,
                     int64_t to_us,
                     int64_t step_us,
                     GCancellable *cancellable,
                     FsnSeries **out_series,
                     GError **error)
{
    FsnHttpRequest request = { .max_bytes = FSN_PROMETHEUS_JSON_MAX,
                               .timeout_s = TIMEOUT_S,
                               .cancellable = cancellable };
    size_t n = to_us > from_us ? (size_t)((to_us - from_us - 1) / step_us + 1) : 0;
    g_autoptr(FsnSeries) series = fsn_series_new(from_us, step_us, n);
    bool any = false;

    for (size_t at = 0; at < n; at += POINTS_AT_ONCE) {
        size_t last = MIN(n, at + POINTS_AT_ONCE) - 1;
        g_autofree char *url = range_url(base, query, fsn_series_time(series, at),
                                         fsn_series_time(series, last), step_us);
        g_auto(FsnHttpReply) reply = { 0 };
        bool found;

        if (!fsn_http_get(url, &request, &reply, error)) {
            return false;
        }
        gsize len;
        const char *text = reply.body ? g_bytes_get_data(reply.body, &len) : NULL;

        if (!fsn_prometheus_parse(text, text ? len : 0, series, &found, error)) {
            g_autofree char *shown = fsn_http_shown(base);

            g_prefix_error(error, "'%s': ", shown);
            return false;
        }
        any |= found;
    }
    if (!any) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "Prometheus has nothing for '%s' in that time", query);
        return false;
    }
    *out_series = g_steal_pointer(&series);
    return true;
}
