/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The description of a source of events, to JSON and back. */
#include "config.h"

#include "events/source-json.h"

#include "base/error.h"

#include <string.h>

#define SOURCE_VERSION 1

void
fsn_event_source_free(FsnEventSource *source)
{
    if (!source) {
        return;
    }
    g_free(source->id);
    g_free(source->source);
    g_free(source->kind);
    g_free(source->domain);
    g_free(source->etag);
    g_free(source->last_modified);
    g_free(source);
}

bool
fsn_event_source_id_is_valid(const char *id)
{
    return strlen(id) == 8 && strspn(id, "0123456789abcdef") == 8;
}

static void
set(JsonObject *object, const char *name, const char *value)
{
    if (value) {
        json_object_set_string_member(object, name, value);
    }
}

JsonObject *
fsn_event_source_to_json(const FsnEventSource *source)
{
    JsonObject *object = json_object_new();

    json_object_set_int_member(object, "version", SOURCE_VERSION);
    set(object, "id", source->id);
    set(object, "source", source->source);
    set(object, "kind", source->kind);
    set(object, "domain", source->domain);
    set(object, "etag", source->etag);
    set(object, "last_modified", source->last_modified);
    json_object_set_int_member(object, "fetched_us", source->fetched_us);
    return object;
}

/* A validator goes into a request: nothing that could end its line. */
static char *
validator(JsonObject *object, const char *name)
{
    const char *text = fsn_json_peek_string(object, name, NULL);

    for (const char *p = text; p && *p; p++) {
        if (!g_ascii_isprint(*p)) {
            return NULL;
        }
    }
    return g_strdup(text);
}

FsnEventSource *
fsn_event_source_from_json(JsonObject *object, GError **error)
{
    g_autoptr(FsnEventSource) source = g_new0(FsnEventSource, 1);
    int64_t version;
    const char *id, *where;

    if (!fsn_json_get_int(object, "version", 1, G_MAXINT64, &version, error)) {
        return NULL;
    }
    if (version > SOURCE_VERSION) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "a source of events of version %" G_GINT64_FORMAT
                    ", and this foresnap knows %d",
                    version, SOURCE_VERSION);
        return NULL;
    }
    if (!fsn_json_get_string(object, "id", &id, error) ||
        !fsn_json_get_string(object, "source", &where, error) ||
        !fsn_json_get_int(object, "fetched_us", 0, G_MAXINT64, &source->fetched_us,
                          error)) {
        return NULL;
    }
    source->id = g_strdup(id);
    source->source = g_strdup(where);
    source->kind = g_strdup(fsn_json_peek_string(object, "kind", NULL));
    source->domain = g_strdup(fsn_json_peek_string(object, "domain", NULL));
    source->etag = validator(object, "etag");
    source->last_modified = validator(object, "last_modified");
    if (!fsn_event_source_id_is_valid(id) ||
        (source->kind && !fsn_event_kind_is_valid(source->kind))) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "a source of events whose id or kind cannot be");
        return NULL;
    }
    return g_steal_pointer(&source);
}
