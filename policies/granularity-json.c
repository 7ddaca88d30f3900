/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decisions as JSON, and JSON as sentences. Reading trusts nothing: the JSON may come from a
 * manifest that somebody else wrote.
 */
#include "config.h"

#include "policies/granularity-json.h"

#include "base/json.h"

#include <string.h>

static JsonArray *
settings_json(const FsnProfile *profile)
{
    JsonArray *array = json_array_new();

    for (unsigned id = 0; id < FSN_N_PROFILE_KEYS; id++) {
        const FsnProfileSetting *setting = &profile->settings[id];
        g_autofree char *name = fsn_profile_key_name(id);
        JsonObject *o;

        if (strcmp(setting->source, "default") == 0 || id == FSN_KEY_INHERIT ||
            id == FSN_KEY_DESCRIPTION) {
            continue;
        }
        o = json_object_new();
        json_object_set_string_member(o, "key", name);
        json_object_set_string_member(o, "value", setting->text);
        json_object_set_string_member(o, "source", setting->source);
        json_array_add_object_element(array, o);
    }
    return array;
}

JsonObject *
fsn_granularity_json(const FsnProfile *profile)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "profile", profile->name);
    json_object_set_array_member(o, "settings", settings_json(profile));
    json_object_set_array_member(o, "decisions", json_array_new());
    return o;
}

/* Rates and percentages are kept as integers: a member that is not there is not known. */
static void
set_known(JsonObject *o, const char *name, double value)
{
    if (value >= 0) {
        json_object_set_int_member(o, name, (int64_t)MIN(value, 0x1p62));
    }
}

JsonObject *
fsn_granularity_add(JsonObject *granularity,
                    FsnResourceKind kind,
                    const char *name,
                    const FsnActivity *activity,
                    const FsnLevelDecision *decision)
{
    JsonArray *decisions = json_object_get_array_member(granularity, "decisions");
    JsonObject *o = json_object_new();
    JsonObject *inputs = json_object_new();

    json_object_set_string_member(o, "kind", fsn_resource_name(kind));
    if (name) {
        json_object_set_string_member(o, "name", name);
    }
    json_object_set_string_member(o, "base", fsn_level_name(decision->base));
    json_object_set_string_member(o, "level", fsn_level_name(decision->level));
    json_object_set_int_member(o, "step", decision->step);
    json_object_set_string_member(o, "reason", decision->reason);
    set_known(inputs, "io_bytes_per_s", activity->io_rate);
    set_known(inputs, "cpu_percent", activity->cpu);
    json_object_set_int_member(inputs, "previous_step", activity->previous);
    json_object_set_object_member(o, "inputs", inputs);
    json_array_add_object_element(decisions, o);
    return o;
}

static JsonArray *
changes_json(const FsnDiskActivity *activity)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < activity->n_partitions; i++) {
        const FsnPartitionActivity *p = &activity->partitions[i];
        JsonObject *o = json_object_new();

        json_object_set_int_member(o, "number", p->number);
        json_object_set_int_member(o, "size", (int64_t)p->size);
        json_object_set_int_member(o, "dirty", (int64_t)p->dirty);
        json_array_add_object_element(array, o);
    }
    return array;
}

void
fsn_granularity_add_read(JsonObject *decision,
                         const FsnDiskActivity *activity,
                         const FsnReadDecision *read)
{
    JsonObject *inputs = json_object_get_object_member(decision, "inputs");

    json_object_set_string_member(decision, "mode", fsn_read_mode_name(read->mode));
    json_object_set_string_member(decision, "mode_reason", read->reason);
    json_object_set_int_member(inputs, "size", (int64_t)activity->size);
    json_object_set_int_member(inputs, "allocated", (int64_t)activity->allocated);
    json_object_set_boolean_member(inputs, "recorded", activity->recorded);
    if (activity->recorded) {
        json_object_set_int_member(inputs, "dirty", (int64_t)activity->dirty);
        json_object_set_int_member(inputs, "since_us", activity->since_us);
    }
    if (activity->n_partitions > 0) {
        json_object_set_array_member(inputs, "partitions", changes_json(activity));
    }
    if (read->mode == FSN_READ_HYBRID) {
        JsonArray *full = json_array_new();

        for (guint i = 0; i < read->full->len; i++) {
            json_array_add_int_element(full, g_array_index(read->full, unsigned, i));
        }
        json_object_set_array_member(decision, "full_partitions", full);
    }
}

void
fsn_granularity_add_left_out(JsonObject *decision, const char *why, const char *kept)
{
    if (why) {
        json_object_set_string_member(decision, "left_out", why);
    }
    if (kept) {
        json_object_set_string_member(decision, "kept", kept);
    }
}

static bool
find_kind(const char *name, FsnResourceKind *out_kind)
{
    for (FsnResourceKind kind = 0; kind < FSN_N_RESOURCES; kind++) {
        if (strcmp(name, fsn_resource_name(kind)) == 0) {
            *out_kind = kind;
            return true;
        }
    }
    return false;
}

static void
say_settings(GPtrArray *sentences, JsonObject *granularity)
{
    JsonArray *settings = NULL;
    g_autoptr(GString) own = g_string_new(NULL);
    unsigned n = 0;

    if (fsn_json_get_array(granularity, "settings", &settings, NULL)) {
        for (guint i = 0; i < json_array_get_length(settings); i++) {
            JsonObject *o;

            if (fsn_json_get_element(settings, i, &o, NULL) &&
                g_str_has_prefix(fsn_json_peek_string(o, "source", ""), "domain ")) {
                g_string_append_printf(own, "%s%s=%s", n++ > 0 ? ", " : "",
                                       fsn_json_peek_string(o, "key", "?"),
                                       fsn_json_peek_string(o, "value", "?"));
            }
        }
    }
    g_ptr_array_add(
        sentences,
        n > 0
            ? g_strdup_printf("Profile '%s' was used, with %s of the "
                              "domain's own.",
                              fsn_json_peek_string(granularity, "profile", "?"), own->str)
            : g_strdup_printf("Profile '%s' was used.",
                              fsn_json_peek_string(granularity, "profile", "?")));
}

/* "Disk vda" or "Memory"; the caller frees. */
static char *
subject(JsonObject *decision)
{
    const char *kind = fsn_json_peek_string(decision, "kind", "resource");
    const char *name = fsn_json_peek_string(decision, "name", NULL);
    char *text = name ? g_strdup_printf("%s %s", kind, name) : g_strdup(kind);

    *text = g_ascii_toupper(*text);
    return text;
}

static void
say_level(GPtrArray *sentences, const char *who, JsonObject *decision)
{
    const char *base = fsn_json_peek_string(decision, "base", "?");
    const char *level = fsn_json_peek_string(decision, "level", "?");
    const char *meaning = "something";
    FsnResourceKind kind;
    FsnLevel known;

    if (find_kind(fsn_json_peek_string(decision, "kind", ""), &kind) &&
        fsn_level_parse(level, &known)) {
        meaning = fsn_level_meaning(kind, known);
    }
    g_ptr_array_add(sentences,
                    g_strdup_printf("%s: level %s, which keeps %s%s%s; %s.", who, level,
                                    meaning, strcmp(base, level) ? ", from base " : "",
                                    strcmp(base, level) ? base : "",
                                    fsn_json_peek_string(decision, "reason", "?")));
}

static void
say_decision(GPtrArray *sentences, JsonObject *decision)
{
    g_autofree char *who = subject(decision);
    const char *left_out = fsn_json_peek_string(decision, "left_out", NULL);
    const char *kept = fsn_json_peek_string(decision, "kept", NULL);
    const char *mode = fsn_json_peek_string(decision, "mode", NULL);
    bool partition = strcmp(fsn_json_peek_string(decision, "kind", ""), "partition") == 0;

    if (!partition || fsn_json_peek_int(decision, "step", 0) != 0) {
        say_level(sentences, who, decision);
    }
    if (left_out) {
        g_ptr_array_add(sentences,
                        g_strdup_printf("%s was left out%s: %s.", who,
                                        partition ? ", and reads as zeroes" : "",
                                        left_out));
    }
    if (kept) {
        g_ptr_array_add(sentences, g_strdup_printf("%s was kept: %s.", who, kept));
    }
    if (mode) {
        g_ptr_array_add(sentences, g_strdup_printf("%s: mode %s; %s.", who, mode,
                                                   fsn_json_peek_string(
                                                       decision, "mode_reason", "?")));
    }
}

GPtrArray *
fsn_granularity_explain(JsonObject *granularity)
{
    GPtrArray *sentences = g_ptr_array_new_with_free_func(g_free);
    JsonArray *decisions;
    JsonObject *decision;

    say_settings(sentences, granularity);
    if (!fsn_json_get_array(granularity, "decisions", &decisions, NULL)) {
        return sentences;
    }
    for (guint i = 0; i < json_array_get_length(decisions); i++) {
        if (fsn_json_get_element(decisions, i, &decision, NULL)) {
            say_decision(sentences, decision);
        }
    }
    return sentences;
}

int
fsn_granularity_step(JsonObject *granularity, FsnResourceKind kind, const char *name)
{
    JsonArray *decisions;
    JsonObject *o;

    if (!granularity || !fsn_json_get_array(granularity, "decisions", &decisions, NULL)) {
        return 0;
    }
    for (guint i = 0; i < json_array_get_length(decisions); i++) {
        if (fsn_json_get_element(decisions, i, &o, NULL) &&
            strcmp(fsn_json_peek_string(o, "kind", ""), fsn_resource_name(kind)) == 0 &&
            g_strcmp0(fsn_json_peek_string(o, "name", NULL), name) == 0) {
            return (int)CLAMP(fsn_json_peek_int(o, "step", 0), -1, 1);
        }
    }
    return 0;
}
