/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The view that requests are answered from. Making one takes a thread a while; meanwhile, and for
 * some seconds after, all requests are answered from the last one, as long as nobody has said
 * that something is different. A libvirt that hangs makes views old, not requests slow.
 */
#include "config.h"

#include "api/private.h"

#include "base/clock.h"
#include "base/json.h"

#include <string.h>

/* Younger than that is as good as new; older than that is waited for. */
#define FRESH_US       ((int64_t)2 * G_USEC_PER_SEC)
#define OLD_US         ((int64_t)15 * G_USEC_PER_SEC)
/* A look that takes longer than that is not waited for if there is an older view. */
#define PATIENCE_MS    3000
/* The repository is counted when its snapshots are others than at the last count, and else seldom,
 * for others may have collected its garbage. */
#define COUNT_LEAST_US ((int64_t)5 * G_USEC_PER_SEC)
#define COUNT_MOST_US  ((int64_t)600 * G_USEC_PER_SEC)

/* What threads work with outlives the API while they do. */
typedef struct {
    FsnViewSource *source;
    FsnView *made;
} Shared;

typedef struct {
    FsnApiRequest *request;
    FsnApiViewFunc func;
} Waiter;

struct FsnApiViews {
    FsnApi *api;
    Shared *shared;     /* g_atomic_rc_box */
    FsnView *last;      /* NULL: none yet */
    int64_t looked_us;  /* monotonic, of its begin */
    int64_t counted_us; /* monotonic; 0: never */
    char *counted;      /* which snapshots there were */
    bool looking, counting;
    bool invalid;       /* what comes is to be looked at anew */
    bool again;         /* … also if one is under way */
    GPtrArray *waiters; /* Waiter */
    GSource *patience;
    GHashTable *lists; /* of the last view: tenant → GBytes */
};

static void
shared_clear(gpointer data)
{
    fsn_view_source_free(((Shared *)data)->source);
}

static void
shared_release(gpointer data)
{
    g_atomic_rc_box_release_full(data, shared_clear);
}

FsnApiViews *
fsn_api_views_new(FsnApi *api)
{
    FsnApiViews *views = g_new0(FsnApiViews, 1);
    FsnViewPlaces places = { .uri = api->uri,
                             .history = api->history,
                             .repo = api->repo };

    views->api = api;
    views->shared = g_atomic_rc_box_new0(Shared);
    views->shared->source = fsn_view_source_new(&places);
    views->waiters = g_ptr_array_new_with_free_func(g_free);
    views->lists = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify)g_bytes_unref);
    return views;
}

static void
stop_patience(FsnApiViews *views)
{
    if (views->patience) {
        g_source_destroy(views->patience);
        g_clear_pointer(&views->patience, g_source_unref);
    }
}

void
fsn_api_views_free(FsnApiViews *views)
{
    if (!views) {
        return;
    }
    stop_patience(views);
    for (guint i = 0; i < views->waiters->len; i++) {
        Waiter *waiter = views->waiters->pdata[i];

        waiter->request->gone = true;
        fsn_api_reply_empty(waiter->request, SOUP_STATUS_SERVICE_UNAVAILABLE);
    }
    g_ptr_array_unref(views->waiters);
    g_hash_table_unref(views->lists);
    fsn_view_unref(views->last);
    g_free(views->counted);
    shared_release(views->shared);
    g_free(views);
}

FsnView *
fsn_api_views_last(FsnApiViews *views)
{
    return views->last;
}

/* In a thread. The view goes back beside the document, of which there is none. */
static JsonObject *
look(gpointer data, GError **error)
{
    Shared *shared = data;

    shared->made = fsn_view_gather(shared->source);
    return NULL;
}

static JsonObject *
count(gpointer data, GError **error)
{
    Shared *shared = data;

    /* A repository that is not there yet has nothing to count. */
    (void)!fsn_view_count(shared->source, NULL);
    return NULL;
}

/* Calls those that wait, with what there is. */
static void
serve_waiters(FsnApiViews *views)
{
    g_autoptr(GPtrArray) waiters = views->waiters;

    stop_patience(views);
    views->waiters = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < waiters->len; i++) {
        Waiter *waiter = waiters->pdata[i];

        if (views->last) {
            waiter->func(waiter->request, views->last);
        } else {
            fsn_api_reply_error(waiter->request, SOUP_STATUS_SERVICE_UNAVAILABLE, "busy",
                                "libvirt does not answer");
        }
    }
}

static void begin_look(FsnApiViews *views);
static void count_if_due(FsnApiViews *views);

static void
on_looked(FsnApi *api, JsonObject *document, const GError *error)
{
    FsnApiViews *views = api->views;
    FsnView *before = views->last;

    views->looking = false;
    views->last = g_steal_pointer(&views->shared->made);
    g_hash_table_remove_all(views->lists);
    if (before) {
        fsn_api_news_view(api->news, before, views->last);
        fsn_view_unref(before);
    }
    count_if_due(views);
    if (views->again) {
        views->again = false;
        begin_look(views);
        return; /* what was said meanwhile is to be seen by those that wait */
    }
    views->invalid = false;
    serve_waiters(views);
}

static void
on_counted(FsnApi *api, JsonObject *document, const GError *error)
{
    api->views->counting = false;
    api->views->counted_us = fsn_monotonic_us();
}

static void
begin_look(FsnApiViews *views)
{
    views->looking = true;
    views->looked_us = fsn_monotonic_us();
    fsn_api_background(views->api, look, g_atomic_rc_box_acquire(views->shared),
                       shared_release, on_looked);
}

static void
count_if_due(FsnApiViews *views)
{
    const GPtrArray *all = views->last->snapshots;
    const FsnCatalogueEntry *newest = all && all->len > 0 ? all->pdata[0] : NULL;
    g_autofree char *now =
        g_strdup_printf("%u %s", all ? all->len : 0, newest ? newest->id : "");
    bool others = g_strcmp0(now, views->counted) != 0;
    int64_t age_us = fsn_monotonic_us() - views->counted_us;

    if (!views->last->repo_there || views->counting ||
        (views->counted_us > 0 && age_us < (others ? COUNT_LEAST_US : COUNT_MOST_US))) {
        return;
    }
    views->counting = true;
    g_free(views->counted);
    views->counted = g_steal_pointer(&now);
    fsn_api_background(views->api, count, g_atomic_rc_box_acquire(views->shared),
                       shared_release, on_counted);
}

static gboolean
on_patience(gpointer data)
{
    FsnApiViews *views = data;

    g_clear_pointer(&views->patience, g_source_unref);
    serve_waiters(views);
    return G_SOURCE_REMOVE;
}

static void
wait_for_view(FsnApiViews *views, FsnApiRequest *request, FsnApiViewFunc func)
{
    Waiter *waiter = g_new(Waiter, 1);

    *waiter = (Waiter){ request, func };
    g_ptr_array_add(views->waiters, waiter);
    if (!views->patience) {
        /* Without any view it has to be waited for as long as a request may take. */
        views->patience = views->last ? g_timeout_source_new(PATIENCE_MS)
                                      : g_timeout_source_new_seconds(views->api->work_s);
        g_source_set_callback(views->patience, on_patience, views, NULL);
        g_source_attach(views->patience, views->api->context);
    }
}

void
fsn_api_with_view(FsnApiRequest *request, FsnApiViewFunc func)
{
    FsnApiViews *views = request->api->views;
    int64_t age_us = fsn_monotonic_us() - views->looked_us;

    if (!views->looking && (!views->last || views->invalid || age_us > FRESH_US)) {
        begin_look(views);
    }
    if (views->last && !views->invalid && age_us <= OLD_US) {
        func(request, views->last);
        return;
    }
    wait_for_view(views, request, func);
}

void
fsn_api_views_refresh(FsnApiViews *views, int64_t older_us)
{
    if (!views->looking &&
        (!views->last || fsn_monotonic_us() - views->looked_us > older_us)) {
        begin_look(views);
    }
}

void
fsn_api_views_invalidate(FsnApiViews *views, const char *uuid)
{
    fsn_view_forget(views->shared->source, uuid);
    views->invalid = true;
    views->again = views->looking;
    if (fsn_api_news_readers(views->api->news) > 0 && !views->looking) {
        begin_look(views);
    }
}

bool
fsn_api_may_see(const FsnPrincipal *principal, const FsnViewDomain *domain)
{
    return fsn_tenant_has(&principal->tenant, domain->name,
                          (const char *const *)domain->tags);
}

GBytes *
fsn_api_views_list(FsnApiViews *views, const FsnPrincipal *principal)
{
    const FsnTenant *tenant = &principal->tenant;
    g_autofree char *key = g_strdup_printf("%s\n%s", tenant->prefix ? tenant->prefix : "",
                                           tenant->tag ? tenant->tag : "");
    GBytes *bytes = g_hash_table_lookup(views->lists, key);
    g_autoptr(JsonObject) document = NULL;
    JsonArray *array;
    char *text;

    if (bytes) {
        return bytes;
    }
    document = json_object_new();
    array = json_array_new();
    for (guint i = 0; i < views->last->domains->len; i++) {
        const FsnViewDomain *domain = views->last->domains->pdata[i];

        if (fsn_api_may_see(principal, domain)) {
            json_array_add_object_element(array, fsn_view_domain_json(domain));
        }
    }
    g_autofree char *looked = fsn_rfc3339(views->last->made_us);

    json_object_set_string_member(document, "looked", looked);
    json_object_set_boolean_member(document, "libvirt", views->last->libvirt);
    json_object_set_array_member(document, "domains", array);
    text = fsn_json_to_text(document, false);
    bytes = g_bytes_new_take(text, strlen(text));
    g_hash_table_insert(views->lists, g_steal_pointer(&key), bytes);
    return bytes;
}

static void
with_domain(FsnApiRequest *request, FsnView *view)
{
    FsnApiDomainFunc *func = request->data;
    const FsnViewDomain *domain = fsn_view_find(view, request->parameters[0]);

    /* Those of others are not there at all: whether they are is nobody's business. */
    if (!domain || !fsn_api_may_see(&request->principal, domain)) {
        fsn_api_reply_error(request, SOUP_STATUS_NOT_FOUND, "not-found",
                            "there is no domain '%s'", request->parameters[0]);
        return;
    }
    (*func)(request, view, domain);
}

void
fsn_api_with_domain(FsnApiRequest *request, FsnApiDomainFunc func)
{
    FsnApiDomainFunc *data = g_new(FsnApiDomainFunc, 1);

    *data = func;
    request->data = data;
    request->data_free = g_free;
    fsn_api_with_view(request, with_domain);
}
