/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap hooks: the hook by which libvirt asks before it starts a domain.
 */
#include "config.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/hook-file.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cycle/context.h"

#include <string.h>

static char *opt_folder;

static GOptionEntry options[] = {
    { "folder", 0, 0, G_OPTION_ARG_FILENAME, &opt_folder,
      "libvirt's folder of hooks, if it is not /etc/libvirt/hooks", "FOLDER" },
    G_OPTION_ENTRY_NULL,
};

static const char *const state_names[] = {
    [FSN_HOOK_ABSENT] = "absent",     [FSN_HOOK_CURRENT] = "installed",
    [FSN_HOOK_OTHER] = "other",       [FSN_HOOK_FOREIGN] = "foreign",
    [FSN_HOOK_UNUSABLE] = "unusable",
};

/* What has to be done for libvirt to see a first hook; it looks again for nothing else. */
#define RELOAD                                                                          \
    "libvirt looks for its first hook only at its start and on SIGHUP: run 'systemctl " \
    "reload libvirtd', or send SIGHUP to libvirtd (virtqemud)"

static void
probe(const char *state_dir, FsnHookFile *out_file)
{
    fsn_hook_file_probe(opt_folder, state_dir, out_file);
}

static void
fill_document(FsnCliContext *context, const FsnHookFile *file)
{
    json_object_set_string_member(context->document, "path", file->path);
    json_object_set_string_member(context->document, "state", state_names[file->state]);
    json_object_set_boolean_member(context->document, "other_hooks", file->others);
    json_object_set_int_member(context->document, "guarded", file->guarded);
}

static bool
run_install(FsnCliContext *context, const char *state_dir, GError **error)
{
    g_auto(FsnHookFile) before = { 0 };
    g_auto(FsnHookFile) after = { 0 };
    bool changed;

    probe(state_dir, &before);
    if (!fsn_hook_file_install(opt_folder, state_dir, &changed, error)) {
        return fsn_cli_fail(error, "install the hook", NULL);
    }
    probe(state_dir, &after);
    fill_document(context, &after);
    json_object_set_boolean_member(context->document, "changed", changed);
    json_object_set_boolean_member(context->document, "reload_needed",
                                   changed && before.state == FSN_HOOK_ABSENT &&
                                       !before.others);
    fsn_cli_say(context, changed ? "installed '%s'" : "'%s' is installed already",
                after.path);
    if (changed && before.state == FSN_HOOK_ABSENT && !before.others) {
        fsn_cli_warn(context, RELOAD);
    }
    return true;
}

static bool
run_remove(FsnCliContext *context, const char *state_dir, GError **error)
{
    g_auto(FsnHookFile) after = { 0 };
    bool changed;

    if (!fsn_hook_file_remove(opt_folder, &changed, error)) {
        return fsn_cli_fail(error, "remove the hook", NULL);
    }
    probe(state_dir, &after);
    fill_document(context, &after);
    json_object_set_boolean_member(context->document, "changed", changed);
    fsn_cli_say(context, changed ? "removed '%s'" : "'%s' is not installed", after.path);
    if (after.guarded > 0) {
        fsn_cli_warn(context,
                     "nothing keeps libvirt any more from booting %u suspended domain%s "
                     "when it is told to ('virsh start --force-boot')",
                     after.guarded, after.guarded == 1 ? "" : "s");
    }
    return true;
}

static bool
run_status(FsnCliContext *context, const char *state_dir, GError **error)
{
    static const char *const texts[] = {
        [FSN_HOOK_ABSENT] = "not installed: 'foresnap hooks install'",
        [FSN_HOOK_CURRENT] = "installed",
        [FSN_HOOK_OTHER] = "of another version: 'foresnap hooks install'",
        [FSN_HOOK_FOREIGN] = "not foresnap's",
        [FSN_HOOK_UNUSABLE] = "not executable: 'foresnap hooks install'",
    };
    g_auto(FsnHookFile) file = { 0 };

    probe(state_dir, &file);
    fill_document(context, &file);
    fsn_cli_print(context, "hook:    '%s' is %s\n", file.path, texts[file.state]);
    fsn_cli_print(context, "others:  %s\n",
                  file.others ? "libvirt has other hooks, which are left alone" : "none");
    fsn_cli_print(context, "guarded: %u suspended domain%s\n", file.guarded,
                  file.guarded == 1 ? "" : "s");
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    static const struct {
        const char *name;
        bool (*run)(FsnCliContext *context, const char *state_dir, GError **error);
    } actions[] = {
        { "install", run_install },
        { "remove", run_remove },
        { "status", run_status },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (strcmp(args[0], actions[i].name) == 0) {
            g_autofree char *state_dir = fsn_cycle_default_state_dir();

            return actions[i].run(context, state_dir, error);
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'hooks %s' is not known", args[0]);
    return false;
}

const FsnCliCommand fsn_cmd_hooks = {
    .name = "hooks",
    .arguments = "install|remove|status",
    .summary = "let libvirt ask before it starts a domain",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
