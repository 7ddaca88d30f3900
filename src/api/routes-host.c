/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /metrics, and /v1/health, whoami, openapi.json, repository. */
#include "config.h"

#include "api/private.h"

#include "base/clock.h"
#include "base/json.h"

#include <string.h>

static void
health(FsnApiRequest *request, FsnView *view)
{
    g_autoptr(JsonObject) document = json_object_new();
    JsonArray *problems = json_array_new();
    bool limited = fsn_tenant_is_limited(&request->principal.tenant);
    bool ok = view->libvirt && view->problems->len == 0;

    /* Problems name domains and files; of others they are nobody's business. */
    for (guint i = 0; !limited && i < view->problems->len; i++) {
        json_array_add_string_element(problems, view->problems->pdata[i]);
    }
    json_object_set_string_member(document, "status", ok ? "ok" : "degraded");
    json_object_set_string_member(document, "version", PACKAGE_VERSION);
    json_object_set_boolean_member(document, "libvirt", view->libvirt);
    json_object_set_boolean_member(document, "repository", view->repo_there);
    json_object_set_boolean_member(document, "history", view->history_there);
    fsn_json_set_time(document, "looked", view->made_us);
    json_object_set_int_member(document, "look_us", view->took_us);
    json_object_set_array_member(document, "problems", problems);
    fsn_api_reply_json(request, SOUP_STATUS_OK, document);
}

void
fsn_api_get_health(FsnApiRequest *request)
{
    fsn_api_with_view(request, health);
}

void
fsn_api_get_whoami(FsnApiRequest *request)
{
    g_autoptr(JsonObject) document = json_object_new();
    const FsnPrincipal *principal = &request->principal;

    fsn_json_set_string(document, "name", principal->name);
    json_object_set_string_member(document, "scope", fsn_scope_name(principal->scope));
    json_object_set_boolean_member(document, "limited",
                                   fsn_tenant_is_limited(&principal->tenant));
    fsn_api_reply_json(request, SOUP_STATUS_OK, document);
}

void
fsn_api_get_openapi(FsnApiRequest *request)
{
    g_autoptr(GBytes) bytes = NULL;
    const char *type;

    if (fsn_api_static("/openapi.json", &bytes, &type)) {
        fsn_api_reply_bytes(request, SOUP_STATUS_OK, type, bytes);
    } else {
        fsn_api_reply_error(request, SOUP_STATUS_NOT_FOUND, "not-found", "it is missing");
    }
}

/* Of the server itself. */
static void
append_own(GString *text, FsnApi *api)
{
    static const char *const classes[] = { "0xx", "1xx", "2xx", "3xx", "4xx", "5xx" };

    g_string_append(text,
                    "# HELP foresnap_api_requests_total Requests that were answered, "
                    "by the class of their status.\n"
                    "# TYPE foresnap_api_requests_total counter\n");
    for (size_t i = 2; i < G_N_ELEMENTS(classes); i++) {
        g_string_append_printf(
            text, "foresnap_api_requests_total{code=\"%s\"} %" G_GUINT64_FORMAT "\n",
            classes[i], api->replies[i]);
    }
    g_string_append_printf(text,
                           "# HELP foresnap_api_connections Connections that are open.\n"
                           "# TYPE foresnap_api_connections gauge\n"
                           "foresnap_api_connections %u\n"
                           "# HELP foresnap_api_event_readers Readers of events.\n"
                           "# TYPE foresnap_api_event_readers gauge\n"
                           "foresnap_api_event_readers %u\n",
                           fsn_api_connections_count(api->connections),
                           fsn_api_news_readers(api->news));
}

static void
metrics(FsnApiRequest *request, FsnView *view)
{
    g_autofree char *head = fsn_view_metrics(view);
    g_autoptr(GString) text = g_string_new(head);
    g_autoptr(GBytes) bytes = NULL;

    append_own(text, request->api);
    bytes = g_bytes_new(text->str, text->len);
    fsn_api_reply_bytes(request, SOUP_STATUS_OK,
                        "text/plain; version=0.0.4; charset=utf-8", bytes);
}

void
fsn_api_get_metrics(FsnApiRequest *request)
{
    if (fsn_tenant_is_limited(&request->principal.tenant)) {
        fsn_api_reply_error(request, SOUP_STATUS_FORBIDDEN, "usage",
                            "the metrics are of all domains");
        return;
    }
    fsn_api_with_view(request, metrics);
}

static void
set_bytes(JsonObject *object, const char *name, int64_t value)
{
    if (value >= 0) {
        json_object_set_int_member(object, name, value);
    } else {
        json_object_set_null_member(object, name);
    }
}

static JsonArray *
domains_json(FsnView *view)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < view->domains->len; i++) {
        const FsnViewDomain *domain = view->domains->pdata[i];
        JsonObject *object;

        if (!domain->last) {
            continue;
        }
        object = json_object_new();
        json_object_set_string_member(object, "domain", domain->name);
        json_object_set_string_member(object, "uuid", domain->uuid);
        json_object_set_int_member(object, "snapshots",
                                   domain->snapshots + domain->suspends);
        set_bytes(object, "bytes_own", domain->bytes_own);
        json_array_add_object_element(array, object);
    }
    return array;
}

/* What was stored on each day, from the snapshots that are still there: its growth. */
static JsonArray *
days_json(FsnView *view)
{
    JsonArray *array = json_array_new();
    JsonObject *day = NULL;

    for (guint i = view->snapshots ? view->snapshots->len : 0; i > 0; i--) {
        const FsnCatalogueEntry *entry = view->snapshots->pdata[i - 1];
        g_autofree char *date = entry->created ? g_strndup(entry->created, 10) : NULL;

        if (!date) {
            continue;
        }
        if (!day || strcmp(fsn_json_peek_string(day, "day", ""), date) != 0) {
            day = json_object_new();
            json_object_set_string_member(day, "day", date);
            json_array_add_object_element(array, day);
        }
        json_object_set_int_member(day, "snapshots",
                                   fsn_json_peek_int(day, "snapshots", 0) + 1);
        json_object_set_int_member(day, "bytes_stored",
                                   fsn_json_peek_int(day, "bytes_stored", 0) +
                                       MAX(entry->bytes_stored, 0));
    }
    return array;
}

static void
repository(FsnApiRequest *request, FsnView *view)
{
    g_autoptr(JsonObject) document = json_object_new();
    const FsnViewRepo *repo = &view->repo;

    json_object_set_string_member(document, "repository", request->api->repo);
    json_object_set_boolean_member(document, "there", view->repo_there);
    set_bytes(document, "bytes_logical", view->repo_there ? repo->bytes_logical : -1);
    set_bytes(document, "bytes_stored", view->repo_there ? repo->bytes_stored : -1);
    set_bytes(document, "bytes_needed", view->repo_there ? repo->bytes_needed : -1);
    set_bytes(document, "bytes_free", view->repo_there ? repo->bytes_free : -1);
    if (view->repo_there && repo->bytes_needed > 0) {
        fsn_view_set_number(document, "ratio",
                            (double)repo->bytes_logical / (double)repo->bytes_needed);
    } else {
        json_object_set_null_member(document, "ratio");
    }
    fsn_json_set_time(document, "counted", repo->counted_us);
    json_object_set_array_member(document, "domains", domains_json(view));
    json_object_set_array_member(document, "days", days_json(view));
    fsn_api_reply_json(request, SOUP_STATUS_OK, document);
}

void
fsn_api_get_repository(FsnApiRequest *request)
{
    if (fsn_tenant_is_limited(&request->principal.tenant)) {
        fsn_api_reply_error(request, SOUP_STATUS_FORBIDDEN, "usage",
                            "the repository is that of all domains");
        return;
    }
    fsn_api_with_view(request, repository);
}
