/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How profiles are shown: as tables with the source of each value, and as JSON.
 */
#include "config.h"

#include "cli/profile-view.h"

#include "base/json.h"
#include "cli/output.h"
#include "policies/profile-json.h"

#include <string.h>

JsonObject *
fsn_cli_profile_json(const FsnProfileSet *set, const FsnProfileFile *file)
{
    JsonObject *object = fsn_profile_file_json(set, file);

    json_object_set_string_member(object, "path", file->path);
    json_object_set_boolean_member(
        object, "overrides",
        fsn_profile_set_lookup_before(set, file->name, file->origin) != NULL);
    return object;
}

static bool
is_default(const FsnProfileSetting *setting)
{
    return strcmp(setting->source, "default") == 0;
}

void
fsn_cli_print_profile(FsnCliContext *context, const FsnProfile *profile, bool all)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lll");
    g_autofree char *text = NULL;
    unsigned left = 0;

    fsn_cli_table_add(table, "KEY", "VALUE", "FROM");
    for (unsigned id = 0; id < FSN_N_PROFILE_KEYS; id++) {
        const FsnProfileSetting *setting = &profile->settings[id];
        g_autofree char *name = fsn_profile_key_name(id);

        if (all || !is_default(setting)) {
            fsn_cli_table_add(table, name, *setting->text ? setting->text : "-",
                              setting->source);
        } else {
            left++;
        }
    }
    text = fsn_cli_table_text(table);
    fsn_cli_print(context, "%s", text);
    if (left > 0) {
        fsn_cli_say(context, "%u keys have their defaults, which -v shows", left);
    }
}

void
fsn_cli_print_problems(FsnCliContext *context, const GPtrArray *problems)
{
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *text = fsn_profile_problem_text(problems->pdata[i]);

        fsn_cli_print(context, "%s\n", text);
    }
}

JsonArray *
fsn_cli_problems_json(const GPtrArray *problems)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < problems->len; i++) {
        const FsnProfileProblem *problem = problems->pdata[i];
        JsonObject *object = json_object_new();

        fsn_json_set_string(object, "path", problem->path);
        json_object_set_int_member(object, "line", problem->line);
        json_object_set_string_member(object, "message", problem->message);
        json_array_add_object_element(array, object);
    }
    return array;
}

void
fsn_cli_show_profile_keys(FsnCliContext *context, const char *prefix)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lll");
    JsonArray *array = json_array_new();
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, "KEY", "DEFAULT", "MEANING");
    for (unsigned id = 0; id < FSN_N_PROFILE_KEYS; id++) {
        const FsnProfileKey *key = fsn_profile_key(id);
        g_autofree char *name = fsn_profile_key_name(id);
        g_autofree char *allowed = fsn_value_allowed(&key->rule);
        JsonObject *object;

        if (!g_str_has_prefix(name, prefix)) {
            continue;
        }
        object = json_object_new();
        json_object_set_string_member(object, "key", name);
        json_object_set_string_member(object, "default", key->fallback);
        json_object_set_string_member(object, "allowed", allowed);
        json_object_set_string_member(object, "meaning", key->doc);
        json_array_add_object_element(array, object);
        fsn_cli_table_add(table, name, *key->fallback ? key->fallback : "-", key->doc);
    }
    json_object_set_array_member(context->document, "keys", array);
    text = fsn_cli_table_text(table);
    fsn_cli_print(context, "%s", text);
}
