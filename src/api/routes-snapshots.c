/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/snapshots and /v1/suspends. */
#include "config.h"

#include "api/private.h"

#include "base/json.h"

#include <string.h>

#define LIST_MAX 10000

/* A snapshot belongs to whom its domain belongs to; one whose domain is not known to nobody
 * with limits. */
static bool
may_see(FsnApiRequest *request, FsnView *view, const FsnCatalogueEntry *entry)
{
    const FsnViewDomain *domain =
        entry->uuid ? g_hash_table_lookup(view->by_uuid, entry->uuid) : NULL;

    return domain ? fsn_api_may_see(&request->principal, domain)
                  : !fsn_tenant_is_limited(&request->principal.tenant);
}

static bool
is_of(const FsnCatalogueEntry *entry, const FsnViewDomain *domain)
{
    return !domain || g_strcmp0(entry->uuid, domain->uuid) == 0;
}

/* @kind NULL: all. */
static void
reply_list(FsnApiRequest *request, FsnView *view, const char *member, const char *kind)
{
    const char *who = fsn_api_query(request, "domain");
    const FsnViewDomain *domain = who ? fsn_view_find(view, who) : NULL;
    g_autoptr(JsonObject) document = json_object_new();
    JsonArray *array;

    if (who && (!domain || !fsn_api_may_see(&request->principal, domain))) {
        fsn_api_reply_error(request, SOUP_STATUS_NOT_FOUND, "not-found",
                            "there is no domain '%s'", who);
        return;
    }
    array = json_array_new();
    for (guint i = 0; view->snapshots && i < view->snapshots->len &&
                      json_array_get_length(array) < LIST_MAX;
         i++) {
        const FsnCatalogueEntry *entry = view->snapshots->pdata[i];

        if (is_of(entry, domain) && (!kind || g_strcmp0(entry->kind, kind) == 0) &&
            may_see(request, view, entry)) {
            json_array_add_object_element(array, fsn_view_snapshot_json(view, entry));
        }
    }
    json_object_set_array_member(document, member, array);
    fsn_api_reply_json(request, SOUP_STATUS_OK, document);
}

static void
snapshots(FsnApiRequest *request, FsnView *view)
{
    reply_list(request, view, "snapshots", fsn_api_query(request, "kind"));
}

void
fsn_api_get_snapshots(FsnApiRequest *request)
{
    fsn_api_with_view(request, snapshots);
}

static void
suspends(FsnApiRequest *request, FsnView *view)
{
    reply_list(request, view, "suspends", "suspend");
}

void
fsn_api_get_suspends(FsnApiRequest *request)
{
    fsn_api_with_view(request, suspends);
}

static void
snapshot(FsnApiRequest *request, FsnView *view)
{
    const FsnCatalogueEntry *entry = fsn_view_find_snapshot(view, request->parameters[0]);
    const char *arguments[] = { "show", NULL, NULL };

    if (!entry || !may_see(request, view, entry)) {
        fsn_api_reply_error(request, SOUP_STATUS_NOT_FOUND, "not-found",
                            "there is no snapshot '%s'", request->parameters[0]);
        return;
    }
    arguments[1] = entry->id;
    fsn_api_run(request, arguments, NULL, fsn_api_reply_document);
}

void
fsn_api_get_snapshot(FsnApiRequest *request)
{
    fsn_api_with_view(request, snapshot);
}
