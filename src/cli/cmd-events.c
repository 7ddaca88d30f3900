/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap events: the calendars and tables of what is known to come.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "events/store.h"
#include "net/http.h"

#include <string.h>

/* What 'list' counts: from now on, for so long. */
#define AHEAD_US ((int64_t)30 * 86400 * G_USEC_PER_SEC)

static char *opt_domain;
static char *opt_kind;

static GOptionEntry options[] = {
    { "domain", 0, 0, G_OPTION_ARG_STRING, &opt_domain,
      "add: the events concern this domain only", "DOMAIN" },
    { "kind", 0, 0, G_OPTION_ARG_STRING, &opt_kind, "add: what kind all events are of",
      "KIND" },
    G_OPTION_ENTRY_NULL,
};

/* One source: counts its events of the coming days, and warns of what is wrong with it. */
static size_t
describe(FsnCliContext *context,
         const char *folder,
         const FsnEventSource *source,
         JsonObject *object)
{
    g_autoptr(FsnEvents) events = fsn_events_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *shown = fsn_http_shown(source->source);
    g_autofree char *fetched = fsn_rfc3339(source->fetched_us);
    int64_t now_us = fsn_realtime_us();
    size_t skipped = 0;

    if (!fsn_event_store_read(folder, source, now_us, now_us + AHEAD_US, events, &skipped,
                              &error)) {
        fsn_cli_warn(context, "'%s': %s", shown, error->message);
    } else if (skipped > 0) {
        fsn_cli_warn(context, "%zu events of '%s' cannot be used", skipped, shown);
    }
    const FsnEvent *next = fsn_events_next(events, NULL, now_us);
    g_autofree char *when = next ? fsn_rfc3339(next->start_us) : NULL;

    json_object_set_string_member(object, "id", source->id);
    json_object_set_string_member(object, "source", shown);
    fsn_json_set_string(object, "kind", source->kind);
    fsn_json_set_string(object, "domain", source->domain);
    json_object_set_string_member(object, "fetched", fetched);
    json_object_set_int_member(object, "events_30_days",
                               (int64_t)fsn_events_count(events));
    fsn_json_set_string(object, "next", when);
    fsn_json_set_string(object, "next_name", next ? next->name : NULL);
    return fsn_events_count(events);
}

static bool
run_add(FsnCliContext *context, const char *folder, char **args, GError **error)
{
    g_autoptr(FsnEventSource) source = NULL;

    if (!fsn_event_store_add(folder, args[0], opt_kind, opt_domain, fsn_realtime_us(),
                             context->cancellable, &source, error)) {
        g_autofree char *shown = fsn_http_shown(args[0]);

        g_prefix_error(error, "cannot add events of '%s': ", shown);
        return false;
    }
    size_t n = describe(context, folder, source, context->document);

    fsn_cli_say(context, "added %s: %zu events in the coming 30 days", source->id, n);
    return true;
}

static bool
run_list(FsnCliContext *context, const char *folder, char **args, GError **error)
{
    g_autoptr(GPtrArray) sources = NULL;
    g_autoptr(GPtrArray) damaged = NULL;
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("llllrl");
    JsonArray *array = json_array_new();

    json_object_set_array_member(context->document, "sources", array);
    if (!fsn_event_store_list(folder, &sources, &damaged, error)) {
        return false;
    }
    fsn_cli_table_add(table, "ID", "KIND", "DOMAIN", "FETCHED", "EVENTS", "SOURCE");
    for (guint i = 0; i < sources->len; i++) {
        const FsnEventSource *source = sources->pdata[i];
        JsonObject *object = json_object_new();
        g_autofree char *fetched = fsn_rfc3339(source->fetched_us);
        g_autofree char *shown = fsn_http_shown(source->source);
        size_t n = describe(context, folder, source, object);
        g_autofree char *events = g_strdup_printf("%zu", n);

        json_array_add_object_element(array, object);
        fsn_cli_table_add(table, source->id, source->kind ? source->kind : "-",
                          source->domain ? source->domain : "-", fetched, events, shown);
    }
    g_autofree char *text = fsn_cli_table_text(table);
    if (sources->len > 0) {
        fsn_cli_print(context, "%s", text);
    }
    for (guint i = 0; i < damaged->len; i++) {
        fsn_cli_warn(context,
                     "the source '%s' cannot be read: 'foresnap events remove' it and "
                     "add it again",
                     (char *)damaged->pdata[i]);
    }
    return true;
}

static bool
run_remove(FsnCliContext *context, const char *folder, char **args, GError **error)
{
    if (!fsn_event_store_remove(folder, args[0], error)) {
        return false;
    }
    json_object_set_string_member(context->document, "id", args[0]);
    fsn_cli_say(context, "removed %s", args[0]);
    return true;
}

/* Fetches one again; a failure is a warning, for the others go on. */
static bool
refresh(FsnCliContext *context,
        const char *folder,
        FsnEventSource *source,
        JsonArray *array)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *shown = fsn_http_shown(source->source);
    JsonObject *object = json_object_new();
    bool changed = false;
    bool ok = fsn_event_store_refresh(folder, source, fsn_realtime_us(),
                                      context->cancellable, &changed, &error);

    json_object_set_string_member(object, "id", source->id);
    json_object_set_boolean_member(object, "changed", changed);
    fsn_json_set_string(object, "error", ok ? NULL : error->message);
    json_array_add_object_element(array, object);
    if (ok) {
        fsn_cli_say(context, "%s: %s", source->id, changed ? "a new copy" : "unchanged");
    } else {
        fsn_cli_warn(context, "%s keeps its old copy: %s", source->id, error->message);
    }
    return ok;
}

static bool
run_refresh(FsnCliContext *context, const char *folder, char **args, GError **error)
{
    g_autoptr(GPtrArray) sources = NULL;
    g_autoptr(GPtrArray) damaged = NULL;
    JsonArray *array = json_array_new();
    guint failed = 0, tried = 0;

    json_object_set_array_member(context->document, "sources", array);
    if (!fsn_event_store_list(folder, &sources, &damaged, error)) {
        return false;
    }
    for (guint i = 0; i < sources->len; i++) {
        FsnEventSource *source = sources->pdata[i];

        if (!args[0] || strcmp(args[0], source->id) == 0) {
            tried++;
            failed += !refresh(context, folder, source, array);
        }
    }
    if (args[0] && tried == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "there is no source of events '%s'", args[0]);
        return false;
    }
    if (failed > 0) {
        g_set_error(error, FSN_ERROR,
                    failed < tried ? FSN_ERROR_PARTIAL : FSN_ERROR_FAILED,
                    "%u of %u sources of events could not be fetched", failed, tried);
        return false;
    }
    return true;
}

static const struct {
    const char *name;
    guint min_args, max_args;
    bool (*run)(FsnCliContext *context, const char *folder, char **args, GError **error);
} actions[] = {
    { "add", 1, 1, run_add },
    { "list", 0, 0, run_list },
    { "refresh", 0, 1, run_refresh },
    { "remove", 1, 1, run_remove },
};

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autofree char *folder = fsn_event_store_default();
    guint n = g_strv_length(args + 1);

    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (strcmp(args[0], actions[i].name) != 0) {
            continue;
        }
        if ((opt_kind || opt_domain) && actions[i].run != run_add) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                        "--kind and --domain go with 'add'");
            return false;
        }
        if (n < actions[i].min_args || n > actions[i].max_args) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'events %s' takes %s",
                        args[0],
                        actions[i].max_args == 0   ? "no argument"
                        : actions[i].min_args == 0 ? "at most one argument"
                                                   : "one argument");
            return false;
        }
        return actions[i].run(context, folder, args + 1, error);
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'events %s' is not known", args[0]);
    return false;
}

const FsnCliCommand fsn_cmd_events = {
    .name = "events",
    .arguments = "add FILE|URL|list|refresh [ID]|remove ID",
    .summary = "say which calendars forecasts are to know",
    .options = options,
    .min_args = 1,
    .max_args = 2,
    .interruptible = true,
    .run = run,
};
