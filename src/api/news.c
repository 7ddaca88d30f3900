/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Server-sent events: states of domains, progress of jobs, and what the daemon publishes. While
 * somebody reads, views and jobs are looked at every second, and what is different is told. A
 * reader who does not read is dropped when so much waits for him: he comes back and asks anew.
 */
#include "config.h"

#include "api/private.h"

#include "base/clock.h"
#include "base/json.h"
#include "jobs/jobs.h"

#include <string.h>

#define TICK_MS     1000
#define VIEW_US     ((int64_t)2 * G_USEC_PER_SEC)
#define ALIVE_US    ((int64_t)15 * G_USEC_PER_SEC)
#define PENDING_MAX ((size_t)256 << 10)

typedef struct {
    FsnApiNews *news;
    SoupServerMessage *message;
    FsnApiPeer *peer;
    FsnPrincipal whose;
    size_t pending; /* bytes that were not written yet */
    int64_t told_us;
} Reader;

struct FsnApiNews {
    FsnApi *api;
    GPtrArray *readers;
    GSource *tick;    /* while there are readers */
    GHashTable *jobs; /* id → char*: its text as told last; NULL: not asked yet */
    bool asking;
};

static void
reader_free(Reader *reader)
{
    g_signal_handlers_disconnect_by_data(reader->message, reader);
    g_object_unref(reader->message);
    fsn_api_peer_unref(reader->peer);
    fsn_principal_clear(&reader->whose);
    g_free(reader);
}

FsnApiNews *
fsn_api_news_new(FsnApi *api)
{
    FsnApiNews *news = g_new0(FsnApiNews, 1);

    news->api = api;
    news->readers = g_ptr_array_new_with_free_func((GDestroyNotify)reader_free);
    return news;
}

static void
stop(FsnApiNews *news)
{
    if (news->tick) {
        g_source_destroy(news->tick);
        g_clear_pointer(&news->tick, g_source_unref);
    }
    g_clear_pointer(&news->jobs, g_hash_table_unref);
}

void
fsn_api_news_free(FsnApiNews *news)
{
    if (news) {
        stop(news);
        g_ptr_array_unref(news->readers);
        g_free(news);
    }
}

guint
fsn_api_news_readers(const FsnApiNews *news)
{
    return news->readers->len;
}

static void
tell(Reader *reader, const char *text)
{
    size_t len = strlen(text);

    if (reader->pending + len > PENDING_MAX) {
        fsn_api_peer_cut(reader->peer);
        return;
    }
    reader->pending += len;
    reader->told_us = fsn_monotonic_us();
    soup_message_body_append(soup_server_message_get_response_body(reader->message),
                             SOUP_MEMORY_COPY, text, len);
    soup_server_message_unpause(reader->message);
}

/* To those that may see domain @name with @tags; @name NULL: to those who see all. */
static void
tell_all(
    FsnApiNews *news, const char *type, const char *name, char **tags, JsonObject *data)
{
    g_autofree char *json = fsn_json_to_text(data, false);
    g_autofree char *text = g_strdup_printf("event: %s\ndata: %s\n\n", type, json);

    for (guint i = 0; i < news->readers->len; i++) {
        Reader *reader = news->readers->pdata[i];
        const FsnTenant *tenant = &reader->whose.tenant;

        if (name ? fsn_tenant_has(tenant, name, (const char *const *)tags)
                 : !fsn_tenant_is_limited(tenant)) {
            tell(reader, text);
        }
    }
}

void
fsn_api_publish(FsnApi *api, const char *type, const char *domain, JsonObject *data)
{
    FsnView *view = api->running ? fsn_api_views_last(api->views) : NULL;
    const FsnViewDomain *known = view && domain ? fsn_view_find(view, domain) : NULL;

    if (api->running) {
        tell_all(api->news, type, known ? known->name : domain,
                 known ? known->tags : NULL, data);
    }
}

/* What of a domain is news. */
static bool
differs(const FsnViewDomain *a, const FsnViewDomain *b)
{
    return strcmp(fsn_view_domain_state(a), fsn_view_domain_state(b)) != 0 ||
           strcmp(a->name, b->name) != 0 || a->snapshots != b->snapshots ||
           a->suspends != b->suspends || a->status.post_copy != b->status.post_copy ||
           a->sampled_us != b->sampled_us || a->bytes_own != b->bytes_own ||
           g_strcmp0(a->profile, b->profile) != 0 || g_strcmp0(a->title, b->title) != 0;
}

void
fsn_api_news_view(FsnApiNews *news, FsnView *before, FsnView *after)
{
    for (guint i = 0; news->readers->len > 0 && i < after->domains->len; i++) {
        const FsnViewDomain *domain = after->domains->pdata[i];
        const FsnViewDomain *old = g_hash_table_lookup(before->by_uuid, domain->uuid);

        if (!old || differs(old, domain)) {
            g_autoptr(JsonObject) object = fsn_view_domain_json(domain);

            tell_all(news, "domain", domain->name, domain->tags, object);
        }
    }
    for (guint i = 0; news->readers->len > 0 && i < before->domains->len; i++) {
        const FsnViewDomain *domain = before->domains->pdata[i];

        if (!g_hash_table_contains(after->by_uuid, domain->uuid)) {
            g_autoptr(JsonObject) object = json_object_new();

            json_object_set_string_member(object, "uuid", domain->uuid);
            json_object_set_string_member(object, "domain", domain->name);
            tell_all(news, "domain-gone", domain->name, domain->tags, object);
        }
    }
}

/* In a thread. */
static JsonObject *
list_jobs(gpointer data, GError **error)
{
    g_autoptr(GPtrArray) jobs = NULL;
    JsonObject *document;
    JsonArray *array;

    if (!fsn_jobs_list(data, &jobs, NULL, error)) {
        return NULL;
    }
    document = json_object_new();
    array = json_array_new();
    for (guint i = 0; i < jobs->len; i++) {
        json_array_add_object_element(array, fsn_job_to_json(jobs->pdata[i]));
    }
    json_object_set_array_member(document, "jobs", array);
    return document;
}

static void
on_jobs(FsnApi *api, JsonObject *document, const GError *error)
{
    FsnApiNews *news = api->news;
    g_autoptr(GHashTable) told = g_steal_pointer(&news->jobs);
    JsonArray *array = document ? json_object_get_array_member(document, "jobs") : NULL;
    FsnView *view = fsn_api_views_last(api->views);

    news->asking = false;
    news->jobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonObject *job = json_array_get_object_element(array, i);
        const char *id = fsn_json_peek_string(job, "job", "");
        const char *name = fsn_json_peek_string(job, "domain", NULL);
        const FsnViewDomain *domain = view && name ? fsn_view_find(view, name) : NULL;
        char *text = fsn_json_to_text(job, false);
        const char *before = told ? g_hash_table_lookup(told, id) : NULL;

        /* What was there before anybody read is in the list of jobs. */
        if (told && g_strcmp0(before, text) != 0) {
            tell_all(news, "job", name, domain ? domain->tags : NULL, job);
        }
        g_hash_table_insert(news->jobs, g_strdup(id), text);
    }
}

static gboolean
on_tick(gpointer data)
{
    FsnApiNews *news = data;
    int64_t now_us = fsn_monotonic_us();

    fsn_api_views_refresh(news->api->views, VIEW_US);
    if (!news->asking) {
        news->asking = true;
        fsn_api_background(news->api, list_jobs, g_strdup(news->api->state_dir), g_free,
                           on_jobs);
    }
    for (guint i = 0; i < news->readers->len; i++) {
        Reader *reader = news->readers->pdata[i];

        if (now_us - reader->told_us > ALIVE_US) {
            tell(reader, ": still here\n\n");
        }
    }
    return G_SOURCE_CONTINUE;
}

void
fsn_api_news_wake(FsnApiNews *news)
{
    if (news->tick) {
        (void)on_tick(news);
    }
}

static void
on_written(SoupServerMessage *message, guint size, gpointer data)
{
    Reader *reader = data;

    reader->pending -= MIN(reader->pending, size);
}

static void
on_reader_gone(SoupServerMessage *message, gpointer data)
{
    FsnApiNews *news = ((Reader *)data)->news;

    g_ptr_array_remove_fast(news->readers, data);
    if (news->readers->len == 0) {
        stop(news);
    }
}

static Reader *
reader_new(FsnApiRequest *request)
{
    Reader *reader = g_new0(Reader, 1);

    reader->news = request->api->news;
    reader->message = g_object_ref(request->message);
    reader->peer = g_rc_box_acquire(request->peer);
    reader->peer->streams = true;
    reader->whose = request->principal;
    memset(&request->principal, 0, sizeof(request->principal));
    g_signal_connect(reader->message, "wrote-body-data", G_CALLBACK(on_written), reader);
    g_signal_connect(reader->message, "finished", G_CALLBACK(on_reader_gone), reader);
    g_ptr_array_add(reader->news->readers, reader);
    return reader;
}

/* GET /v1/events */
void
fsn_api_get_events(FsnApiRequest *request)
{
    FsnApi *api = request->api;
    FsnApiNews *news = api->news;
    SoupServerMessage *message = request->message;
    g_autoptr(GBytes) hello = g_bytes_new_static("retry: 2000\n\n", 13);

    if (news->readers->len >= api->max_streams) {
        fsn_api_reply_error(request, SOUP_STATUS_SERVICE_UNAVAILABLE, "busy",
                            "too many read events already");
        return;
    }
    soup_message_headers_set_encoding(soup_server_message_get_response_headers(message),
                                      SOUP_ENCODING_CHUNKED);
    soup_message_body_set_accumulate(soup_server_message_get_response_body(message),
                                     FALSE);
    Reader *reader = reader_new(request);

    reader->told_us = fsn_monotonic_us();
    if (!news->tick) {
        news->tick = g_timeout_source_new(TICK_MS);
        g_source_set_callback(news->tick, on_tick, news, NULL);
        g_source_attach(news->tick, api->context);
    }
    fsn_api_reply_bytes(request, SOUP_STATUS_OK, "text/event-stream", hello);
    fsn_api_news_wake(news);
}
