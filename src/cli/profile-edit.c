/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing profiles: by key, by copying, and in an editor as `virsh edit` does it: what is not
 * sound is not saved but may be edited again. Only a user's own profiles are changed; of the
 * others a copy, or one that inherits them, is the way.
 */
#include "config.h"

#include "cli/profile-edit.h"

#include "base/error.h"
#include "base/files.h"
#include "cli/output.h"
#include "cli/profile-view.h"
#include "cycle/profile-store.h"
#include "policies/keyfile.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool
fsn_cli_split_setting(const char *text,
                      char **out_key,
                      const char **out_value,
                      GError **error)
{
    const char *equals = strchr(text, '=');

    if (!equals || equals == text) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'%s' is not KEY=VALUE", text);
        return false;
    }
    *out_key = g_strndup(text, (gsize)(equals - text));
    *out_value = equals + 1;
    return true;
}

/* This user's own profile @name, and its text. */
static bool
load_own(const char *name, char **out_text, GError **error)
{
    g_autoptr(FsnProfileSet) set = fsn_profiles_load(error);
    const FsnProfileFile *file = set ? fsn_profile_set_lookup(set, name) : NULL;

    if (!set) {
        return false;
    }
    if (!file) {
        g_autoptr(FsnProfile) profile = fsn_profile_set_resolve(set, name, error);

        g_assert(!profile);
        return false;
    }
    if (file->origin != fsn_profile_own_origin()) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "'%s' is not one of your own: make one that inherits it by 'foresnap "
                    "profile copy %s NAME'",
                    file->path, name);
        return false;
    }
    return fsn_profile_read(file, out_text, error);
}

static bool
save(FsnCliContext *context, const char *name, const char *text, GError **error)
{
    g_autofree char *path = NULL;

    if (!fsn_profile_write(name, text, &path, error)) {
        return false;
    }
    json_object_set_string_member(context->document, "profile", name);
    json_object_set_string_member(context->document, "path", path);
    fsn_cli_say(context, "saved profile '%s' in %s", name, path);
    return true;
}

bool
fsn_cli_profile_copy(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnProfileSet) set = fsn_profiles_load(error);
    g_autoptr(FsnProfile) from = NULL;
    g_autofree char *text = NULL;
    const FsnProfileFile *there;

    from = set ? fsn_profile_set_resolve(set, args[0], error) : NULL;
    if (!from) {
        return false;
    }
    there = fsn_profile_set_lookup(set, args[1]);
    if (there && there->origin == fsn_profile_own_origin()) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS, "there is a profile '%s' in '%s'",
                    args[1], there->path);
        return false;
    }
    /* Without a line of its own everything would follow the original for ever. */
    text = fsn_keyfile_edit("", "profile", "description",
                            fsn_profile_text(from, FSN_KEY_DESCRIPTION));
    for (unsigned id = 0; id < FSN_N_PROFILE_KEYS; id++) {
        const FsnProfileKey *key = fsn_profile_key(id);
        char *longer;

        if (id == FSN_KEY_DESCRIPTION || id == FSN_KEY_INHERIT ||
            !from->settings[id].profile) {
            continue;
        }
        longer = fsn_keyfile_edit(text, key->group, key->key, from->settings[id].text);
        g_free(text);
        text = longer;
    }
    return save(context, args[1], text, error);
}

/* Changes one key in *@text; @value NULL takes it out. */
static bool
change(char **text, const char *name, const char *value, GError **error)
{
    const FsnProfileKey *key;
    char *changed;
    unsigned id;

    if (!fsn_profile_key_parse(name, &id, error)) {
        return false;
    }
    key = fsn_profile_key(id);
    if (value && (strpbrk(value, "\n\r") || !g_utf8_validate(value, -1, NULL))) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "the value of '%s' is not one line of text", name);
        return false;
    }
    changed = fsn_keyfile_edit(*text, key->group, key->key, value);
    g_free(*text);
    *text = changed;
    return true;
}

bool
fsn_cli_profile_set(FsnCliContext *context, char **args, GError **error)
{
    g_autofree char *text = NULL;

    if (!load_own(args[0], &text, error)) {
        return false;
    }
    for (char **arg = args + 1; *arg; arg++) {
        g_autofree char *key = NULL;
        const char *value;

        if (!fsn_cli_split_setting(*arg, &key, &value, error) ||
            !change(&text, key, value, error)) {
            return false;
        }
    }
    return save(context, args[0], text, error);
}

bool
fsn_cli_profile_unset(FsnCliContext *context, char **args, GError **error)
{
    g_autofree char *text = NULL;

    if (!load_own(args[0], &text, error)) {
        return false;
    }
    for (char **arg = args + 1; *arg; arg++) {
        if (!change(&text, *arg, NULL, error)) {
            return false;
        }
    }
    return save(context, args[0], text, error);
}

bool
fsn_cli_profile_delete(FsnCliContext *context, char **args, GError **error)
{
    g_autofree char *path = NULL;

    if (!fsn_profile_remove(args[0], &path, error)) {
        return false;
    }
    json_object_set_string_member(context->document, "profile", args[0]);
    json_object_set_string_member(context->document, "path", path);
    fsn_cli_say(context, "deleted profile '%s'", args[0]);
    return true;
}

/* The command of the editor is a shell's, as that of other programs. */
static bool
run_editor(const char *path, GError **error)
{
    const char *editor = g_getenv("VISUAL");
    g_autofree char *command = NULL;
    const char *argv[] = { "sh", "-c", NULL, "sh", path, NULL };
    int status;

    editor = editor && *editor ? editor : g_getenv("EDITOR");
    editor = editor && *editor ? editor : "vi";
    command = g_strdup_printf("%s \"$1\"", editor);
    argv[2] = command;
    if (!g_spawn_sync(NULL, (char **)argv, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL,
                      NULL, NULL, &status, error) ||
        !g_spawn_check_wait_status(status, error)) {
        g_prefix_error(error, "the editor '%s' failed: ", editor);
        return false;
    }
    return true;
}

/* Shows the problems and asks whether to edit again; false also at the end of the input. */
static bool
ask_again(FsnCliContext *context, const GPtrArray *problems)
{
    char answer[16];

    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *text = fsn_profile_problem_text(problems->pdata[i]);

        fsn_cli_warn(context, "%s", text);
    }
    do {
        fputs("not saved. Edit again? [y,n] ", stderr);
        fflush(stderr);
        if (!fgets(answer, sizeof answer, stdin)) {
            return false;
        }
    } while (!strchr("yYnN", *answer));
    return *answer == 'y' || *answer == 'Y';
}

/* Edits the file at @path until it is sound or the user gives up. */
static bool
edit_until_sound(FsnCliContext *context,
                 const char *name,
                 const char *path,
                 char **out_text,
                 GError **error)
{
    for (;;) {
        g_autofree char *text = NULL;
        g_autoptr(GPtrArray) problems = NULL;

        if (!run_editor(path, error) || !g_file_get_contents(path, &text, NULL, error)) {
            return false;
        }
        problems = fsn_profile_try(name, text, error);
        if (!problems) {
            return false;
        }
        if (problems->len == 0) {
            *out_text = g_steal_pointer(&text);
            return true;
        }
        if (!ask_again(context, problems)) {
            return fsn_profile_problems_fail(problems, error);
        }
    }
}

/* What the editor made of @before, in a file of its own that goes in the end. */
static bool
edit_text(FsnCliContext *context,
          const char *name,
          const char *before,
          char **out_text,
          GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("foresnap-XXXXXX" FSN_PROFILE_SUFFIX, &path, error);
    bool ok;

    if (fd < 0) {
        return false;
    }
    ok = fsn_write_all(fd, before, strlen(before), path, error);
    close(fd);
    ok = ok && edit_until_sound(context, name, path, out_text, error);
    (void)g_unlink(path); /* in the folder for temporary files */
    return ok;
}

bool
fsn_cli_profile_edit(FsnCliContext *context, char **args, GError **error)
{
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    g_autofree char *meanwhile = NULL;

    if (!load_own(args[0], &before, error) ||
        !edit_text(context, args[0], before, &after, error)) {
        return false;
    }
    if (strcmp(before, after) == 0) {
        json_object_set_string_member(context->document, "profile", args[0]);
        fsn_cli_say(context, "profile '%s' is as before", args[0]);
        return true;
    }
    if (!load_own(args[0], &meanwhile, error)) {
        return false;
    }
    if (strcmp(before, meanwhile) != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "somebody else has changed it meanwhile: edit it again");
        return false;
    }
    return save(context, args[0], after, error);
}
