/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap profile: what a snapshot captures, by name. This file shows; cli/profile-edit.c
 * changes.
 */
#include "config.h"

#include "base/error.h"
#include "base/files.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/profile-edit.h"
#include "cli/profile-view.h"
#include "cli/service.h"
#include "cycle/policy.h"
#include "cycle/profile-store.h"
#include "policies/keyfile.h"
#include "policies/profile-json.h"

#include <string.h>

static gboolean opt_effective;

static GOptionEntry options[] = {
    { "effective", 0, 0, G_OPTION_ARG_NONE, &opt_effective,
      "show: NAME is a domain, with what it has of its own", NULL },
    G_OPTION_ENTRY_NULL,
};

static bool
run_list(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnProfileSet) set = fsn_profiles_load(error);
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("llll");
    g_autofree char *text = NULL;
    JsonArray *array;

    if (!set) {
        return false;
    }
    list = fsn_profile_set_list(set);
    array = json_array_new();
    json_object_set_array_member(context->document, "profiles", array);
    fsn_cli_table_add(table, "PROFILE", "FROM", "STATE", "DESCRIPTION");
    for (guint i = 0; i < list->len; i++) {
        const FsnProfileFile *file = list->pdata[i];
        const char *description = file->entries[FSN_KEY_DESCRIPTION].text;
        JsonObject *object = fsn_cli_profile_json(set, file);
        bool sound = json_object_get_boolean_member(object, "sound");

        json_array_add_object_element(array, object);
        fsn_cli_table_add(table, file->name, fsn_profile_origin_name(file->origin),
                          sound ? "sound" : "not sound", description ? description : "");
    }
    text = fsn_cli_table_text(table);
    fsn_cli_print(context, "%s", text);
    return true;
}

/* What the domain's profile comes to with what it has of its own. */
static FsnProfile *
effective(FsnCliContext *context,
          const FsnProfileSet *set,
          const char *who,
          GError **error)
{
    g_autoptr(FsnCycle) cycle = fsn_cli_open_cycle(context, NULL, error);
    FsnVirt *virt = cycle ? fsn_cycle_virt(cycle, error) : NULL;
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autoptr(FsnPolicy) policy = NULL;

    if (!virt || !fsn_virt_lookup(virt, who, &domain, error)) {
        return NULL;
    }
    policy = fsn_policy_load(domain, set, error);
    if (!policy) {
        return NULL;
    }
    if (policy->warning) {
        fsn_cli_warn(context, "%s", policy->warning);
    }
    json_object_set_string_member(context->document, "domain",
                                  fsn_virt_domain_name(domain));
    return g_steal_pointer(&policy->profile);
}

static bool
run_show(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnProfileSet) set = fsn_profiles_load(error);
    g_autoptr(FsnProfile) profile = NULL;

    if (set) {
        profile = opt_effective ? effective(context, set, args[0], error)
                                : fsn_profile_set_resolve(set, args[0], error);
    }
    if (!profile) {
        return false;
    }
    json_object_set_string_member(context->document, "profile", profile->name);
    json_object_set_array_member(context->document, "settings",
                                 fsn_profile_settings_json(profile));
    fsn_cli_print_profile(context, profile, context->verbose);
    return true;
}

static bool
run_diff(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnProfileSet) set = fsn_profiles_load(error);
    g_autoptr(FsnProfile) from =
        set ? fsn_profile_set_resolve(set, args[0], error) : NULL;
    g_autoptr(FsnProfile) to = from ? fsn_profile_set_resolve(set, args[1], error) : NULL;
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lll");
    g_autofree char *text = NULL;
    JsonArray *array;

    if (!to) {
        return false;
    }
    array = json_array_new();
    json_object_set_array_member(context->document, "settings", array);
    fsn_cli_table_add(table, "KEY", from->name, to->name);
    for (unsigned id = 0; id < FSN_N_PROFILE_KEYS; id++) {
        const char *a = fsn_profile_text(from, id);
        const char *b = fsn_profile_text(to, id);
        g_autofree char *name = fsn_profile_key_name(id);
        JsonObject *object;

        if (strcmp(a, b) == 0) {
            continue;
        }
        object = json_object_new();
        json_object_set_string_member(object, "key", name);
        json_object_set_string_member(object, "from", a);
        json_object_set_string_member(object, "to", b);
        json_array_add_object_element(array, object);
        fsn_cli_table_add(table, name, *a ? a : "-", *b ? b : "-");
    }
    text = fsn_cli_table_text(table);
    if (json_array_get_length(array) > 0) {
        fsn_cli_print(context, "%s", text);
    } else {
        fsn_cli_say(context, "they come to the same");
    }
    return true;
}

/* Tells what is wrong with @file, and counts it. */
static guint
check_one(FsnCliContext *context, const FsnProfileSet *set, const FsnProfileFile *file)
{
    JsonArray *array = json_object_get_array_member(context->document, "profiles");
    g_autoptr(GPtrArray) problems = fsn_profile_set_check(set, file);
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "name", file->name);
    json_object_set_string_member(object, "path", file->path);
    json_object_set_boolean_member(object, "sound", problems->len == 0);
    json_object_set_array_member(object, "problems", fsn_cli_problems_json(problems));
    json_array_add_object_element(array, object);
    fsn_cli_print_problems(context, problems);
    if (problems->len == 0) {
        fsn_cli_say(context, "%s: sound", file->path);
    }
    return problems->len;
}

/* A file that need not be in a folder of profiles: what it will be there. */
static bool
check_path(FsnCliContext *context,
           const FsnProfileSet *set,
           const char *path,
           guint *count,
           GError **error)
{
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(FsnProfileFile) file = NULL;

    if (!fsn_file_read(path, FSN_KEYFILE_MAX, &bytes, error)) {
        return false;
    }
    if (g_str_has_suffix(name, FSN_PROFILE_SUFFIX)) {
        name[strlen(name) - strlen(FSN_PROFILE_SUFFIX)] = '\0';
    }
    file = fsn_profile_file_parse(name, path, FSN_PROFILE_USER,
                                  g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    *count += check_one(context, set, file);
    return true;
}

static bool
check_named(FsnCliContext *context,
            const FsnProfileSet *set,
            const char *name,
            guint *count,
            GError **error)
{
    const FsnProfileFile *file = fsn_profile_set_lookup(set, name);

    if (strchr(name, '/')) {
        return check_path(context, set, name, count, error);
    }
    if (!file) {
        g_autoptr(FsnProfile) profile = fsn_profile_set_resolve(set, name, error);

        g_assert(!profile);
        return false;
    }
    *count += check_one(context, set, file);
    return true;
}

static bool
run_check(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnProfileSet) set = fsn_profiles_load(error);
    g_autoptr(GPtrArray) all = NULL;
    guint count = 0;

    if (!set) {
        return false;
    }
    json_object_set_array_member(context->document, "profiles", json_array_new());
    all = fsn_profile_set_all(set);
    for (guint i = 0; !*args && i < all->len; i++) {
        count += check_one(context, set, all->pdata[i]);
    }
    for (; *args; args++) {
        if (!check_named(context, set, *args, &count, error)) {
            return false;
        }
    }
    if (count > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "%u problem%s in the profiles",
                    count, count == 1 ? "" : "s");
        return false;
    }
    return true;
}

static bool
run_keys(FsnCliContext *context, char **args, GError **error)
{
    fsn_cli_show_profile_keys(context, *args ? *args : "");
    return true;
}

static const struct {
    const char *name;
    guint min_args;
    guint max_args;
    bool (*run)(FsnCliContext *context, char **args, GError **error);
} actions[] = {
    { "list", 0, 0, run_list },
    { "show", 1, 1, run_show },
    { "copy", 2, 2, fsn_cli_profile_copy },
    { "diff", 2, 2, run_diff },
    { "check", 0, G_MAXUINT, run_check },
    { "set", 2, G_MAXUINT, fsn_cli_profile_set },
    { "unset", 2, G_MAXUINT, fsn_cli_profile_unset },
    { "edit", 1, 1, fsn_cli_profile_edit },
    { "delete", 1, 1, fsn_cli_profile_delete },
    { "keys", 0, 1, run_keys },
};

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    guint count = g_strv_length(args + 1);

    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (strcmp(args[0], actions[i].name) != 0) {
            continue;
        }
        if (count < actions[i].min_args || count > actions[i].max_args) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                        "'profile %s' takes %s%u argument%s, not %u", args[0],
                        actions[i].max_args > actions[i].min_args ? "at least " : "",
                        actions[i].min_args, actions[i].min_args == 1 ? "" : "s", count);
            return false;
        }
        if (opt_effective && actions[i].run != run_show) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                        "--effective goes with 'show'");
            return false;
        }
        if (!actions[i].run(context, args + 1, error)) {
            g_prefix_error(error, "cannot %s profile%s%s: ", args[0], args[1] ? " " : "s",
                           args[1] ? args[1] : "");
            return false;
        }
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'profile %s' is not known", args[0]);
    return false;
}

const FsnCliCommand fsn_cmd_profile = {
    .name = "profile",
    .arguments =
        "list|show NAME|copy NAME NEW|diff A B|check [NAME...]|set NAME KEY=VALUE...|"
        "unset NAME KEY...|edit NAME|delete NAME|keys [PREFIX]",
    .summary = "show and change what snapshots capture",
    .options = options,
    .min_args = 1,
    .max_args = FSN_CLI_ANY,
    .run = run,
};
