/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/domains: the list, one of them, what it has used, and what is expected of it. */
#include "config.h"

#include "api/private.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "history/store.h"

#include <math.h>
#include <string.h>

#define HOUR_US    ((int64_t)3600 * G_USEC_PER_SEC)
#define DAY_US     (24 * HOUR_US)
#define POINTS     480
#define POINTS_MAX 5000
/* Past forecasts are made of times up to that. */
#define PAST_DAYS  60

static void
list(FsnApiRequest *request, FsnView *view)
{
    g_autoptr(GBytes) bytes =
        g_bytes_ref(fsn_api_views_list(request->api->views, &request->principal));

    fsn_api_reply_bytes(request, SOUP_STATUS_OK, "application/json", bytes);
}

void
fsn_api_get_domains(FsnApiRequest *request)
{
    fsn_api_with_view(request, list);
}

static void
one(FsnApiRequest *request, FsnView *view, const FsnViewDomain *domain)
{
    g_autoptr(JsonObject) document = fsn_view_domain_json(domain);

    fsn_api_reply_json(request, SOUP_STATUS_OK, document);
}

void
fsn_api_get_domain(FsnApiRequest *request)
{
    fsn_api_with_domain(request, one);
}

/* What of the history or of the future is asked for. */
typedef struct {
    char *path;
    char *uuid;
    char *name;
    char *metric;
    int64_t from_us, to_us, step_us; /* of the history; to_us also of a past forecast */
    int64_t horizon_us;
} Span;

static void
span_free(gpointer data)
{
    Span *span = data;

    g_free(span->path);
    g_free(span->uuid);
    g_free(span->name);
    g_free(span->metric);
    g_free(span);
}

/* The metric that is asked for, or NULL after a reply. */
static const char *
query_metric(FsnApiRequest *request)
{
    const char *metric = fsn_api_query(request, "metric");

    metric = metric ? metric : "cpu";
    if (fsn_metric_name_is_valid(metric)) {
        return metric;
    }
    fsn_api_reply_error(request, SOUP_STATUS_BAD_REQUEST, "usage",
                        "'metric' is not the name of a metric");
    return NULL;
}

static Span *
span_new(FsnApiRequest *request, const FsnViewDomain *domain, const char *metric)
{
    Span *span = g_new0(Span, 1);

    span->path = g_strdup(request->api->history);
    span->uuid = g_strdup(domain->uuid);
    span->name = g_strdup(domain->name);
    span->metric = g_strdup(metric);
    return span;
}

static JsonArray *
means(const FsnWindow *windows, size_t n, size_t what)
{
    JsonArray *array = json_array_sized_new((guint)n);

    for (size_t i = 0; i < n; i++) {
        const FsnWindow *window = &windows[i];
        double values[] = { window->mean, window->min, window->max, window->p95 };

        fsn_view_add_number(array, window->cover > 0 ? values[what] : NAN);
    }
    return array;
}

/* In a thread. */
static JsonObject *
read_history(gpointer data, GError **error)
{
    static const char *const names[] = { "mean", "min", "max", "p95" };
    const Span *span = data;
    g_autoptr(FsnHistory) history =
        fsn_history_open(span->path, FSN_HISTORY_READ_ONLY, error);
    g_autoptr(GPtrArray) metrics = NULL;
    g_autofree FsnWindow *windows = NULL;
    g_autofree char *start = NULL;
    JsonObject *document;
    JsonArray *array;
    int64_t start_us;
    size_t n;

    if (!history ||
        !fsn_history_windows(history, span->uuid, span->metric, span->from_us,
                             span->to_us, span->step_us, &windows, &n, &start_us,
                             error) ||
        !fsn_history_metrics(history, span->uuid, &metrics, error)) {
        return NULL;
    }
    document = json_object_new();
    start = fsn_rfc3339(start_us);
    json_object_set_string_member(document, "domain", span->name);
    json_object_set_string_member(document, "metric", span->metric);
    json_object_set_string_member(document, "unit",
                                  fsn_metric_unit_text(fsn_metric_unit(span->metric)));
    json_object_set_string_member(document, "start", start);
    json_object_set_int_member(document, "step_us", span->step_us);
    for (size_t what = 0; what < G_N_ELEMENTS(names); what++) {
        json_object_set_array_member(document, names[what], means(windows, n, what));
    }
    array = json_array_new();
    for (guint i = 0; i < metrics->len; i++) {
        json_array_add_string_element(array, metrics->pdata[i]);
    }
    json_object_set_array_member(document, "metrics", array);
    return document;
}

static void
history(FsnApiRequest *request, FsnView *view, const FsnViewDomain *domain)
{
    int64_t now_us = fsn_realtime_us();
    const char *metric = query_metric(request);
    double hours, end, step;
    Span *span;

    if (!metric || !fsn_api_query_number(request, "hours", .01, 24 * 800, 24, &hours) ||
        !fsn_api_query_number(request, "until", 0, 4e9, (double)now_us / 1e6, &end)) {
        return;
    }
    /* Longer ago there are windows of 5 minutes, which a shorter step would show holes in. */
    step = hours <= 2 ? 60 : MAX(300., ceil(hours * 3600 / POINTS / 300) * 300);
    if (!fsn_api_query_number(request, "step", 10, 86400 * 7, step, &step)) {
        return;
    }
    if (hours * 3600 / step > POINTS_MAX) {
        fsn_api_reply_error(request, SOUP_STATUS_BAD_REQUEST, "usage",
                            "that are more than %d values: take a longer step",
                            POINTS_MAX);
        return;
    }
    span = span_new(request, domain, metric);
    span->to_us = (int64_t)(end * 1e6);
    span->from_us = span->to_us - (int64_t)(hours * (double)HOUR_US);
    span->step_us = (int64_t)step * G_USEC_PER_SEC;
    fsn_api_work(request, read_history, span, span_free);
}

void
fsn_api_get_domain_history(FsnApiRequest *request)
{
    fsn_api_with_domain(request, history);
}

static JsonArray *
numbers(const double *values, size_t n)
{
    JsonArray *array = json_array_sized_new((guint)n);

    for (size_t i = 0; i < n; i++) {
        fsn_view_add_number(array, values[i]);
    }
    return array;
}

static JsonObject *
forecast_json(const Span *span, const FsnForecast *forecast, bool p95)
{
    static const char *const names[FSN_FORECAST_LEVELS] = { "q025", "q05", "q25", "q50",
                                                            "q75",  "q95", "q975" };
    JsonObject *document = json_object_new();
    g_autofree char *start = fsn_rfc3339(forecast->start_us);

    json_object_set_string_member(document, "domain", span->name);
    json_object_set_string_member(document, "metric", span->metric);
    json_object_set_string_member(document, "of", p95 ? "p95" : "mean");
    json_object_set_string_member(document, "unit",
                                  fsn_metric_unit_text(fsn_metric_unit(span->metric)));
    json_object_set_string_member(document, "start", start);
    json_object_set_int_member(document, "step_us", forecast->step_us);
    json_object_set_array_member(document, "mean", numbers(forecast->mean, forecast->n));
    for (size_t l = 0; l < FSN_FORECAST_LEVELS; l++) {
        json_object_set_array_member(document, names[l],
                                     numbers(forecast->q[l], forecast->n));
    }
    return document;
}

/* In a thread. */
static JsonObject *
read_forecast(gpointer data, GError **error)
{
    const Span *span = data;
    g_autofree char *explanation = NULL;
    g_autofree char *fitted = NULL;
    int64_t fitted_us;
    bool p95;
    g_autoptr(FsnForecast) forecast =
        fsn_view_forecast(span->path, span->uuid, span->metric, span->horizon_us,
                          fsn_realtime_us(), &fitted_us, &p95, &explanation, error);
    JsonObject *document;

    if (!forecast) {
        return NULL;
    }
    document = forecast_json(span, forecast, p95);
    fitted = fsn_rfc3339(fitted_us);
    json_object_set_string_member(document, "fitted", fitted);
    json_object_set_string_member(document, "explanation", explanation);
    return document;
}

/* In a thread, as it was to be expected then. */
static JsonObject *
make_past_forecast(gpointer data, GError **error)
{
    const Span *span = data;
    g_autofree char *at = NULL;
    bool p95;
    g_autoptr(FsnForecast) forecast = fsn_view_forecast_then(
        span->path, span->uuid, span->metric, span->horizon_us, span->to_us, &p95, error);
    JsonObject *document;

    if (!forecast) {
        return NULL;
    }
    document = forecast_json(span, forecast, p95);
    at = fsn_rfc3339(span->to_us);
    json_object_set_string_member(document, "at", at);
    return document;
}

static void
forecast(FsnApiRequest *request, FsnView *view, const FsnViewDomain *domain)
{
    const char *metric = query_metric(request);
    double now = (double)fsn_realtime_us() / 1e6;
    double hours, at;
    Span *span;

    if (!metric || !fsn_api_query_number(request, "hours", 1, 24 * 14, 24, &hours) ||
        !fsn_api_query_number(request, "at", now - PAST_DAYS * 86400., now, 0, &at)) {
        return;
    }
    span = span_new(request, domain, metric);
    span->horizon_us = (int64_t)(hours * (double)HOUR_US);
    span->to_us = (int64_t)(at * 1e6);
    fsn_api_work(request, at > 0 ? make_past_forecast : read_forecast, span, span_free);
}

void
fsn_api_get_domain_forecast(FsnApiRequest *request)
{
    fsn_api_with_domain(request, forecast);
}

/* Documents that name the domain as it was given on the command line, which was its UUID. */
static void
reply_named(FsnApiRequest *request, JsonObject *document, GError *error)
{
    FsnView *view = fsn_api_views_last(request->api->views);
    const FsnViewDomain *domain = fsn_view_find(view, request->parameters[0]);

    if (document && domain) {
        json_object_set_string_member(document, "domain", domain->name);
        json_object_set_string_member(document, "uuid", domain->uuid);
    }
    fsn_api_reply_document(request, document, error);
}

static void
idle(FsnApiRequest *request, FsnView *view, const FsnViewDomain *domain)
{
    const char *arguments[] = { "idle", "--history", request->api->history, domain->uuid,
                                NULL };

    fsn_api_run(request, arguments, NULL, reply_named);
}

void
fsn_api_get_domain_idle(FsnApiRequest *request)
{
    fsn_api_with_domain(request, idle);
}

static void
workingset(FsnApiRequest *request, FsnView *view, const FsnViewDomain *domain)
{
    const char *arguments[] = { "workingset", domain->uuid, NULL };

    fsn_api_run(request, arguments, NULL, reply_named);
}

void
fsn_api_get_domain_workingset(FsnApiRequest *request)
{
    fsn_api_with_domain(request, workingset);
}

static void
policy(FsnApiRequest *request, FsnView *view, const FsnViewDomain *domain)
{
    const char *arguments[] = { "policy", domain->uuid, NULL };

    fsn_api_run(request, arguments, NULL, fsn_api_reply_document);
}

void
fsn_api_get_domain_policy(FsnApiRequest *request)
{
    fsn_api_with_domain(request, policy);
}

static void
policy_changed(FsnApiRequest *request, JsonObject *document, GError *error)
{
    /* Tags decide who sees the domain: that must not be an old view's answer. */
    fsn_api_views_invalidate(request->api->views, NULL);
    fsn_api_reply_document(request, document, error);
}

/* {"KEY": "VALUE"} sets, {"KEY": null} takes out; "profile" names the profile. */
static void
change_policy(FsnApiRequest *request, FsnView *view, const FsnViewDomain *domain)
{
    g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GList) members = json_object_get_members(request->body);
    unsigned sets = 0, unsets = 0;

    g_ptr_array_add(arguments, g_strdup("policy"));
    g_ptr_array_add(arguments, g_strdup("--"));
    g_ptr_array_add(arguments, g_strdup(domain->uuid));
    g_ptr_array_add(arguments, NULL); /* set or unset */
    for (GList *member = members; member; member = member->next) {
        JsonNode *node = json_object_get_member(request->body, member->data);

        if (JSON_NODE_HOLDS_NULL(node)) {
            unsets++;
            g_ptr_array_add(arguments, g_strdup(member->data));
        } else if (JSON_NODE_HOLDS_VALUE(node) &&
                   json_node_get_value_type(node) == G_TYPE_STRING) {
            sets++;
            g_ptr_array_add(arguments, g_strdup_printf("%s=%s", (char *)member->data,
                                                       json_node_get_string(node)));
        } else {
            sets = unsets = 1; /* neither */
        }
    }
    if ((sets > 0) == (unsets > 0)) {
        fsn_api_reply_error(request, SOUP_STATUS_BAD_REQUEST, "usage",
                            "give keys with texts to set, or keys with null to take out");
        return;
    }
    arguments->pdata[3] = g_strdup(sets > 0 ? "set" : "unset");
    g_ptr_array_add(arguments, NULL);
    fsn_api_run(request, (const char *const *)arguments->pdata, NULL, policy_changed);
}

void
fsn_api_patch_domain_policy(FsnApiRequest *request)
{
    fsn_api_with_domain(request, change_policy);
}
