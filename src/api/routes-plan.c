/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/plan: which snapshots the schedules of profiles ask for, and why; the document of
 * `foresnap plan`, of which everybody sees what is of domains that he may see. */
#include "config.h"

#include "api/private.h"

#include "base/json.h"

#define HOURS     24
#define HOURS_MAX 744

/* The elements of @array that are of domains that may be seen; the caller unrefs. */
static JsonArray *
visible(FsnApiRequest *request, JsonArray *array)
{
    FsnView *view = fsn_api_views_last(request->api->views);
    JsonArray *some = json_array_new();

    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *element;
        const FsnViewDomain *domain;

        if (!fsn_json_get_element(array, i, &element, NULL)) {
            continue;
        }
        domain = fsn_view_find(view, fsn_json_peek_string(element, "uuid", ""));
        if (domain && fsn_api_may_see(&request->principal, domain)) {
            json_array_add_object_element(some, json_object_ref(element));
        }
    }
    return some;
}

static void
limit(FsnApiRequest *request, JsonObject *document)
{
    static const char *const members[] = { "plan", "domains" };
    JsonArray *array;

    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        if (fsn_json_get_array(document, members[i], &array, NULL)) {
            json_object_set_array_member(document, members[i], visible(request, array));
        }
    }
    json_object_remove_member(document, "unscheduled"); /* counts those of others */
}

static void
reply(FsnApiRequest *request, JsonObject *document, GError *error)
{
    if (document && fsn_tenant_is_limited(&request->principal.tenant)) {
        limit(request, document);
    }
    fsn_api_reply_document(request, document, error);
}

static void
ask(FsnApiRequest *request, const FsnViewDomain *domain)
{
    g_autofree char *hours = NULL;
    double wanted;

    if (!fsn_api_query_number(request, "hours", 1, HOURS_MAX, HOURS, &wanted)) {
        return;
    }
    hours = g_strdup_printf("%d", (int)wanted);
    const char *arguments[] = { "plan",
                                "--hours",
                                hours,
                                "--history",
                                request->api->history,
                                domain ? domain->uuid : NULL,
                                NULL };

    fsn_api_run(request, arguments, NULL, reply);
}

static void
plan(FsnApiRequest *request, FsnView *view)
{
    const char *who = fsn_api_query(request, "domain");
    const FsnViewDomain *domain = who ? fsn_view_find(view, who) : NULL;

    if (who && (!domain || !fsn_api_may_see(&request->principal, domain))) {
        fsn_api_reply_error(request, SOUP_STATUS_NOT_FOUND, "not-found",
                            "there is no domain '%s'", who);
        return;
    }
    ask(request, domain);
}

void
fsn_api_get_plan(FsnApiRequest *request)
{
    fsn_api_with_view(request, plan);
}
