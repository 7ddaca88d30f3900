/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks which domains are to have a map, one question at a time, and has a process for each. One that
 * ends, for its domain has or for another has made a map of it, is begun anew after the next
 * question at the earliest. */
#include "config.h"

#include "daemon/mapper.h"

#include "base/json.h"
#include "daemon/arguments.h"
#include "daemon/child.h"
#include "daemon/log.h"
#include "daemon/source.h"

#define LIST_TIME_S 120
/* After something has happened to a domain, which seldom comes alone. */
#define HURRY_S     5

typedef struct {
    FsnMapper *mapper;
    char *uuid;
    FsnChild *child;
    bool ending;
} Map;

struct FsnMapper {
    const FsnDaemonConfig *config;
    GSource *timer;
    GSource *hurry;   /* NULL: nothing has happened */
    FsnChild *child;  /* NULL: nothing is asked */
    GHashTable *maps; /* by UUID, Map */
    char *trouble;    /* what was said last of it */
    bool full;        /* that was said */
};

static void
map_free(gpointer data)
{
    Map *map = data;

    g_free(map->uuid);
    g_free(map);
}

void
fsn_mapper_decide(gpointer document,
                  GHashTable *running,
                  GPtrArray *start,
                  GPtrArray *end)
{
    g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    JsonArray *domains;
    gpointer uuid;

    if (!fsn_json_get_array(document, "domains", &domains, NULL)) {
        return;
    }
    for (guint i = 0; i < json_array_get_length(domains); i++) {
        JsonObject *domain;
        const char *name = fsn_json_get_element(domains, i, &domain, NULL)
                               ? fsn_json_peek_string(domain, "uuid", NULL)
                               : NULL;

        if (name && g_uuid_string_is_valid(name) &&
            g_hash_table_add(wanted, (gpointer)name) &&
            !g_hash_table_contains(running, name)) {
            g_ptr_array_add(start, g_strdup(name));
        }
    }
    g_hash_table_iter_init(&iter, running);
    while (g_hash_table_iter_next(&iter, &uuid, NULL)) {
        if (!g_hash_table_contains(wanted, uuid)) {
            g_ptr_array_add(end, g_strdup(uuid));
        }
    }
}

static void
on_map_ended(JsonObject *document, const char *complaint, gpointer user)
{
    Map *map = user;
    const char *const fields[] = { "FORESNAP_UUID", map->uuid, NULL };

    /* A domain that has gone off is no trouble, but what it was is not known here. */
    if (complaint && !map->ending) {
        fsn_log(FSN_LOG_INFO, fields, "the change map of %s has ended: %s", map->uuid,
                complaint);
    }
    g_hash_table_remove(map->mapper->maps, map->uuid);
}

static void
start_map(FsnMapper *mapper, const char *uuid)
{
    g_auto(GStrv) arguments =
        fsn_daemon_arguments(mapper->config, "changemap", uuid, "--watch", NULL);
    g_autoptr(GError) error = NULL;
    Map *map = g_new0(Map, 1);

    map->mapper = mapper;
    map->uuid = g_strdup(uuid);
    map->child = fsn_child_start(arguments, 0, on_map_ended, map, &error);
    if (map->child) {
        g_hash_table_insert(mapper->maps, map->uuid, map);
    } else {
        fsn_log(FSN_LOG_ERROR, NULL, "there is no change map of %s: %s", uuid,
                error->message);
        map_free(map);
    }
}

static void
end_map(FsnMapper *mapper, const char *uuid)
{
    Map *map = g_hash_table_lookup(mapper->maps, uuid);

    if (map && !map->ending) {
        map->ending = true;
        fsn_child_ask_to_end(map->child);
    }
}

static void
carry_out(FsnMapper *mapper, GPtrArray *start, GPtrArray *end)
{
    bool full = false;

    for (guint i = 0; i < end->len; i++) {
        end_map(mapper, end->pdata[i]);
    }
    for (guint i = 0; i < start->len && !full; i++) {
        full = g_hash_table_size(mapper->maps) >= FSN_MAPPER_MAX;
        if (!full) {
            start_map(mapper, start->pdata[i]);
        }
    }
    if (full && !mapper->full) {
        fsn_log(FSN_LOG_WARNING, NULL,
                "more than %d domains ask for change maps: the others have none",
                FSN_MAPPER_MAX);
    }
    mapper->full = full;
}

static void
on_list(JsonObject *document, const char *complaint, gpointer user)
{
    FsnMapper *mapper = user;
    g_autoptr(GPtrArray) start = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) end = g_ptr_array_new_with_free_func(g_free);

    mapper->child = NULL;
    if (complaint) {
        if (g_strcmp0(complaint, mapper->trouble) != 0) {
            fsn_log(FSN_LOG_WARNING, NULL,
                    "it is not known which domains ask for change maps: %s", complaint);
        }
        g_free(mapper->trouble);
        mapper->trouble = g_strdup(complaint);
        return;
    }
    g_clear_pointer(&mapper->trouble, g_free);
    /* What was asked for before a reload does not count any more. */
    if (mapper->config->changemaps) {
        fsn_mapper_decide(document, mapper->maps, start, end);
        carry_out(mapper, start, end);
    }
}

static void
ask(FsnMapper *mapper)
{
    g_auto(GStrv) arguments =
        fsn_daemon_arguments(mapper->config, "changemap", "--list", NULL);
    g_autoptr(GError) error = NULL;

    if (mapper->child) {
        return;
    }
    mapper->child = fsn_child_start(arguments, LIST_TIME_S, on_list, mapper, &error);
    if (!mapper->child) {
        fsn_log(FSN_LOG_ERROR, NULL, "nobody looks at change maps: %s", error->message);
    }
}

static gboolean
on_timer(gpointer user)
{
    ask(user);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_hurry(gpointer user)
{
    FsnMapper *mapper = user;

    fsn_source_clear(&mapper->hurry);
    ask(mapper);
    return G_SOURCE_REMOVE;
}

static void
end_all(FsnMapper *mapper)
{
    GHashTableIter iter;
    gpointer uuid;

    g_hash_table_iter_init(&iter, mapper->maps);
    while (g_hash_table_iter_next(&iter, &uuid, NULL)) {
        end_map(mapper, uuid);
    }
}

void
fsn_mapper_set(FsnMapper *mapper, const FsnDaemonConfig *config)
{
    mapper->config = config;
    fsn_source_clear(&mapper->timer);
    if (config->changemaps) {
        mapper->timer = fsn_source_attach(
            g_timeout_source_new_seconds(config->changemap_s), on_timer, mapper);
        fsn_mapper_hurry(mapper);
    } else {
        fsn_source_clear(&mapper->hurry);
        end_all(mapper);
    }
}

void
fsn_mapper_hurry(FsnMapper *mapper)
{
    if (mapper->config->changemaps && !mapper->hurry) {
        mapper->hurry =
            fsn_source_attach(g_timeout_source_new_seconds(HURRY_S), on_hurry, mapper);
    }
}

FsnMapper *
fsn_mapper_new(const FsnDaemonConfig *config)
{
    FsnMapper *mapper = g_new0(FsnMapper, 1);

    mapper->maps = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, map_free);
    fsn_mapper_set(mapper, config);
    return mapper;
}

void
fsn_mapper_free(FsnMapper *mapper)
{
    GHashTableIter iter;
    gpointer map;

    if (!mapper) {
        return;
    }
    fsn_source_clear(&mapper->timer);
    fsn_source_clear(&mapper->hurry);
    fsn_child_abandon(mapper->child);
    g_hash_table_iter_init(&iter, mapper->maps);
    while (g_hash_table_iter_next(&iter, NULL, &map)) {
        fsn_child_dismiss(((Map *)map)->child);
    }
    g_hash_table_unref(mapper->maps);
    g_free(mapper->trouble);
    g_free(mapper);
}
