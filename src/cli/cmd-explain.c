/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap explain: what a snapshot kept and why, in sentences.
 */
#include "config.h"

#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/snapshots.h"
#include "cli/units.h"
#include "cycle/lacks.h"
#include "policies/granularity-json.h"
#include "repo/manifests.h"

#include <string.h>

static void
say_head(GPtrArray *sentences, JsonObject *manifest)
{
    g_autofree char *when =
        fsn_cli_instant_text(fsn_json_peek_string(manifest, "created", "?"));
    const char *state = fsn_json_peek_string(manifest, "run_state", NULL);
    const char *name = "?";
    JsonObject *domain;

    if (fsn_json_get_object(manifest, "domain", &domain, NULL)) {
        name = fsn_json_peek_string(domain, "name", "?");
    }
    g_ptr_array_add(sentences,
                    g_strdup_printf("A %s of domain '%s', of %s%s%s.",
                                    fsn_json_peek_string(manifest, "kind", "snapshot"),
                                    name, when, state ? ", when it was " : "",
                                    state ? state : ""));
}

/* Of a snapshot that no profile has had to do with. */
static void
say_resources(GPtrArray *sentences, JsonObject *manifest)
{
    JsonArray *resources;
    JsonObject *o;

    if (!fsn_json_get_array(manifest, "resources", &resources, NULL)) {
        return;
    }
    for (guint i = 0; i < json_array_get_length(resources); i++) {
        if (fsn_json_get_element(resources, i, &o, NULL)) {
            const char *target = fsn_json_peek_string(o, "target", NULL);

            g_ptr_array_add(sentences,
                            g_strdup_printf("%s%s%s: %s; %s.",
                                            fsn_json_peek_string(o, "kind", "?"),
                                            target ? " " : "", target ? target : "",
                                            fsn_json_peek_string(o, "mode", "taken"),
                                            fsn_json_peek_string(o, "reason", "?")));
        }
    }
}

static void
say_databases(GPtrArray *sentences, JsonObject *manifest)
{
    JsonArray *databases;
    JsonObject *o;

    if (!fsn_json_get_array(manifest, "databases", &databases, NULL)) {
        return;
    }
    for (guint i = 0; i < json_array_get_length(databases); i++) {
        if (fsn_json_get_element(databases, i, &o, NULL)) {
            const char *state = fsn_json_peek_string(o, "state", "?");

            g_ptr_array_add(sentences,
                            g_strdup_printf("Database '%s' was %sat rest%s: %s.",
                                            fsn_json_peek_string(o, "name", "?"),
                                            strcmp(state, "quiesced") == 0 ? "" : "not ",
                                            strcmp(state, "failed") == 0
                                                ? ", though it should have been"
                                                : "",
                                            fsn_json_peek_string(o, "reason", "?")));
        }
    }
}

/* "network 'default', pool 'images'" */
static void
say_config(GPtrArray *sentences, JsonObject *manifest)
{
    static const char *const members[] = { "networks", "pools", "filters" };
    g_autoptr(GString) list = g_string_new(NULL);
    JsonObject *config;

    if (!fsn_json_get_object(manifest, "config", &config, NULL)) {
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        JsonArray *names;

        if (!fsn_json_get_array(config, members[i], &names, NULL)) {
            continue;
        }
        for (guint k = 0; k < json_array_get_length(names); k++) {
            const char *name = json_node_get_string(json_array_get_element(names, k));

            g_string_append_printf(list, "%s%.*s '%s'", list->len > 0 ? ", " : "",
                                   (int)strlen(members[i]) - 1, members[i],
                                   name ? name : "?");
        }
    }
    if (list->len > 0) {
        g_ptr_array_add(sentences,
                        g_strdup_printf("With it are the definitions of what it depends "
                                        "on: %s.",
                                        list->str));
    }
}

static void
say_lacks(GPtrArray *sentences, const GPtrArray *lacks)
{
    for (guint i = 0; i < lacks->len; i++) {
        g_ptr_array_add(sentences, g_strdup_printf("A restore will lack something: %s.",
                                                   (const char *)lacks->pdata[i]));
    }
}

static JsonArray *
strings_json(const GPtrArray *strings)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < strings->len; i++) {
        json_array_add_string_element(array, strings->pdata[i]);
    }
    return array;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_cli_open_repo(context, FSN_REPO_READ_ONLY, error);
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GPtrArray) sentences = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) lacks = NULL;
    JsonObject *granularity = NULL;

    if (!repo || !fsn_repo_load_manifest(repo, args[0], &manifest, error)) {
        return false;
    }
    say_head(sentences, manifest);
    if (fsn_json_get_object(manifest, "granularity", &granularity, NULL)) {
        g_autoptr(GPtrArray) more = fsn_granularity_explain(granularity);

        g_ptr_array_extend_and_steal(sentences, g_steal_pointer(&more));
        json_object_set_object_member(context->document, "granularity",
                                      json_object_ref(granularity));
    } else {
        say_resources(sentences, manifest);
    }
    say_databases(sentences, manifest);
    say_config(sentences, manifest);
    lacks = fsn_manifest_lacks(manifest);
    say_lacks(sentences, lacks);
    json_object_set_string_member(context->document, "snapshot",
                                  fsn_json_peek_string(manifest, "id", ""));
    json_object_set_array_member(context->document, "sentences", strings_json(sentences));
    json_object_set_array_member(context->document, "lacks", strings_json(lacks));
    for (guint i = 0; i < sentences->len; i++) {
        fsn_cli_print_wrapped(context, 0, sentences->pdata[i]);
    }
    return true;
}

const FsnCliCommand fsn_cmd_explain = {
    .name = "explain",
    .arguments = "SNAPSHOT",
    .summary = "say what a snapshot kept, and why",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
