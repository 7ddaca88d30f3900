/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder of event sources. The copy is written before its description, so that
 * validators never promise a copy that is not there: after a crash in between the old
 * validators only make the next refresh fetch once more.
 */
#include "config.h"

#include "events/store.h"

#include "base/error.h"
#include "base/files.h"
#include "calendar/ics.h"
#include "events/source-json.h"
#include "models/events-csv.h"
#include "net/http.h"

#include <string.h>
#include <unistd.h>

#define FETCH_TIMEOUT_S 60
/* What a new copy must be readable in; a calendar may be without end. */
#define PROBE_US        ((int64_t)800 * 86400 * G_USEC_PER_SEC)

char *
fsn_event_store_default(void)
{
    const char *set = g_getenv("FORESNAP_EVENTS");

    if (set && *set) {
        return g_strdup(set);
    }
    return geteuid() == 0
               ? g_strdup("/var/lib/foresnap/events")
               : g_build_filename(g_get_user_data_dir(), "foresnap", "events", NULL);
}

static char *
file_of(const char *folder, const char *id, const char *suffix)
{
    g_autofree char *name = g_strconcat(id, suffix, NULL);

    return g_build_filename(folder, name, NULL);
}

static bool
parse(const char *text,
      size_t len,
      const FsnEventSource *source,
      int64_t from_us,
      int64_t to_us,
      FsnEvents *events,
      size_t *out_skipped,
      GError **error)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    g_autoptr(FsnEvents) all = fsn_events_new();

    *out_skipped = 0;
    if (fsn_ics_is_calendar(text, len)) {
        return fsn_ics_parse(text, len, source->kind, zone, from_us, to_us, events,
                             out_skipped, error);
    }
    if (!fsn_events_parse_csv(text, len, source->kind, zone, all, error)) {
        return false;
    }
    for (size_t i = 0; i < fsn_events_count(all); i++) {
        const FsnEvent *event = fsn_events_get(all, i);

        if (event->end_us > from_us && event->start_us < to_us &&
            !fsn_events_add(events, event->start_us, event->end_us,
                            source->kind ? source->kind : event->kind, event->name,
                            error)) {
            return false;
        }
    }
    return true;
}

/* A new copy is stored only if it can be read. */
static bool
store(const char *folder, const FsnEventSource *source, GBytes *body, GError **error)
{
    g_autofree char *copy = file_of(folder, source->id, ".data");
    g_autofree char *description = file_of(folder, source->id, ".json");
    g_autoptr(JsonObject) object = fsn_event_source_to_json(source);
    g_autofree char *json = fsn_json_to_text(object, true);

    if (body) {
        g_autoptr(FsnEvents) events = fsn_events_new();
        gsize len;
        const char *text = g_bytes_get_data(body, &len);
        size_t skipped;

        if (!parse(text ? text : "", len, source, source->fetched_us - PROBE_US,
                   source->fetched_us + PROBE_US, events, &skipped, error) ||
            !fsn_file_replace(copy, text ? text : "", len, 0600, error)) {
            return false;
        }
    }
    return fsn_file_replace(description, json, strlen(json), 0600, error);
}

/* *@out_body is NULL if the copy is still good. */
static bool
fetch(FsnEventSource *source,
      GCancellable *cancellable,
      GBytes **out_body,
      GError **error)
{
    FsnHttpRequest request = { .max_bytes = FSN_ICS_MAX,
                               .timeout_s = FETCH_TIMEOUT_S,
                               .etag = source->etag,
                               .last_modified = source->last_modified,
                               .cancellable = cancellable };
    g_auto(FsnHttpReply) reply = { 0 };

    if (!fsn_http_is_url(source->source)) {
        return fsn_file_read(source->source, FSN_ICS_MAX, out_body, error);
    }
    if (!fsn_http_get(source->source, &request, &reply, error)) {
        return false;
    }
    if (!reply.not_modified) {
        g_free(source->etag);
        g_free(source->last_modified);
        source->etag = g_steal_pointer(&reply.etag);
        source->last_modified = g_steal_pointer(&reply.last_modified);
    }
    *out_body = g_steal_pointer(&reply.body);
    return true;
}

static char *
id_of(const FsnEventSource *source)
{
    g_autofree char *all =
        g_strdup_printf("%s\n%s\n%s", source->source, source->kind ? source->kind : "",
                        source->domain ? source->domain : "");
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, all, -1);

    return g_strndup(sum, 8);
}

/* An absolute path, or the URL; other schemes than http and https are refused. */
static char *
place_of(const char *where, GError **error)
{
    if (fsn_http_is_url(where)) {
        return g_strdup(where);
    }
    if (g_ascii_strncasecmp(where, "file:", 5) == 0) {
        return g_filename_from_uri(where, NULL, error);
    }
    if (strstr(where, "://")) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s': only files, http:// and https:// can be fetched", where);
        return NULL;
    }
    return g_canonicalize_filename(where, NULL);
}

bool
fsn_event_store_add(const char *folder,
                    const char *where,
                    const char *kind,
                    const char *domain,
                    int64_t now_us,
                    GCancellable *cancellable,
                    FsnEventSource **out_source,
                    GError **error)
{
    g_autoptr(FsnEventSource) source = g_new0(FsnEventSource, 1);
    g_autoptr(GBytes) body = NULL;

    if (kind && !fsn_event_kind_is_valid(kind)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' is no kind of event: use lower-case letters, digits and '-'",
                    kind);
        return false;
    }
    source->source = place_of(where, error);
    if (!source->source) {
        return false;
    }
    source->kind = g_strdup(kind);
    source->domain = g_strdup(domain);
    source->id = id_of(source);
    source->fetched_us = now_us;
    if (!fetch(source, cancellable, &body, error) || !fsn_mkdirs(folder, 0700, error) ||
        !store(folder, source, body, error)) {
        return false;
    }
    *out_source = g_steal_pointer(&source);
    return true;
}

static FsnEventSource *
load_source(const char *folder, const char *id, GError **error)
{
    g_autofree char *path = file_of(folder, id, ".json");
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(JsonObject) object = NULL;
    gsize len;

    if (!fsn_file_read(path, FSN_EVENT_SOURCE_JSON_MAX, &bytes, error)) {
        return NULL;
    }
    const char *text = g_bytes_get_data(bytes, &len);

    if (!fsn_json_parse_object(text ? text : "", len, FSN_EVENT_SOURCE_JSON_MAX, path,
                               &object, error)) {
        return NULL;
    }
    return fsn_event_source_from_json(object, error);
}

static int
by_id(gconstpointer a, gconstpointer b)
{
    const FsnEventSource *const *x = a, *const *y = b;

    return strcmp((*x)->id, (*y)->id);
}

bool
fsn_event_store_list(const char *folder,
                     GPtrArray **out_sources,
                     GPtrArray **out_damaged,
                     GError **error)
{
    g_autoptr(GPtrArray) sources =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_event_source_free);
    g_autoptr(GPtrArray) damaged = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) local = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &local);
    const char *name;

    if (!dir && !g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "%s", local->message);
        return false;
    }
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *id = g_strndup(name, 8);

        if (!fsn_event_source_id_is_valid(id) || strcmp(name + 8, ".json") != 0) {
            continue;
        }
        FsnEventSource *source = load_source(folder, id, NULL);

        g_ptr_array_add(source ? sources : damaged,
                        source ? (gpointer)source : (gpointer)g_steal_pointer(&id));
    }
    g_ptr_array_sort(sources, by_id);
    *out_sources = g_steal_pointer(&sources);
    *out_damaged = g_steal_pointer(&damaged);
    return true;
}

bool
fsn_event_store_remove(const char *folder, const char *id, GError **error)
{
    g_autofree char *copy = file_of(folder, id, ".data");
    g_autofree char *description = file_of(folder, id, ".json");

    if (!fsn_event_source_id_is_valid(id) || access(description, F_OK) != 0) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
            "there is no source of events '%s': 'foresnap events list' shows them", id);
        return false;
    }
    return fsn_file_remove_durable(description, error) &&
           fsn_file_remove_durable(copy, error);
}

bool
fsn_event_store_refresh(const char *folder,
                        FsnEventSource *source,
                        int64_t now_us,
                        GCancellable *cancellable,
                        bool *out_changed,
                        GError **error)
{
    g_autofree char *copy = file_of(folder, source->id, ".data");
    g_autoptr(GBytes) body = NULL;
    g_autoptr(GBytes) old = NULL;

    if (!fsn_file_read(copy, FSN_ICS_MAX, &old, NULL)) {
        g_clear_pointer(&source->etag, g_free);
        g_clear_pointer(&source->last_modified, g_free);
    }
    if (!fetch(source, cancellable, &body, error)) {
        return false;
    }
    bool changed = body && (!old || !g_bytes_equal(body, old));

    source->fetched_us = now_us;
    if (!store(folder, source, changed ? body : NULL, error)) {
        return false;
    }
    *out_changed = changed;
    return true;
}

bool
fsn_event_store_read(const char *folder,
                     const FsnEventSource *source,
                     int64_t from_us,
                     int64_t to_us,
                     FsnEvents *events,
                     size_t *out_skipped,
                     GError **error)
{
    g_autofree char *copy = file_of(folder, source->id, ".data");
    g_autoptr(GBytes) bytes = NULL;
    gsize len;

    if (!fsn_file_read(copy, FSN_ICS_MAX, &bytes, error)) {
        return false;
    }
    const char *text = g_bytes_get_data(bytes, &len);

    return parse(text ? text : "", len, source, from_us, to_us, events, out_skipped,
                 error);
}

static bool
concerns(const FsnEventSource *source, const char *name, const char *uuid)
{
    return !source->domain || g_strcmp0(source->domain, name) == 0 ||
           g_strcmp0(source->domain, uuid) == 0;
}

bool
fsn_event_store_load(const char *folder,
                     const char *name,
                     const char *uuid,
                     int64_t from_us,
                     int64_t to_us,
                     FsnEvents *events,
                     GPtrArray *warnings,
                     GError **error)
{
    g_autoptr(GPtrArray) sources = NULL;
    g_autoptr(GPtrArray) damaged = NULL;

    if (!fsn_event_store_list(folder, &sources, &damaged, error)) {
        return false;
    }
    for (guint i = 0; i < damaged->len; i++) {
        g_ptr_array_add(warnings,
                        g_strdup_printf("the source of events '%s' cannot be read",
                                        (char *)damaged->pdata[i]));
    }
    for (guint i = 0; i < sources->len; i++) {
        const FsnEventSource *source = sources->pdata[i];
        g_autofree char *shown = fsn_http_shown(source->source);
        g_autoptr(GError) local = NULL;
        size_t skipped = 0;

        if (!concerns(source, name, uuid)) {
            continue;
        }
        if (!fsn_event_store_read(folder, source, from_us, to_us, events, &skipped,
                                  &local)) {
            g_ptr_array_add(warnings, g_strdup_printf("events of '%s' are left out: %s",
                                                      shown, local->message));
        } else if (skipped > 0) {
            g_ptr_array_add(warnings, g_strdup_printf("%zu events of '%s' cannot be used",
                                                      skipped, shown));
        }
    }
    return true;
}
