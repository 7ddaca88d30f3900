/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap savefs: libvirt's own managed save goes into the repository.
 */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cycle/savefs-control.h"
#include "virt/domain.h"

#include <string.h>

/* Characters of an id that are shown. */
#define ID_SHOWN 8

static gboolean opt_all;
static gboolean opt_new;

static GOptionEntry options[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &opt_all,
      "enable, disable: all domains that are defined now", NULL },
    { "new", 0, 0, G_OPTION_ARG_NONE, &opt_new,
      "enable --all: leave out what was enabled or disabled before", NULL },
    G_OPTION_ENTRY_NULL,
};

typedef bool (*Change)(FsnCycle *cycle,
                       const char *domain,
                       char **out_name,
                       GError **error);

static bool
run_start(FsnCliContext *context, FsnCycle *cycle, char **args, GError **error)
{
    bool started;

    if (!fsn_savefs_start(cycle, &started, error)) {
        return fsn_cli_fail(error, "start the server of managed saves", NULL);
    }
    json_object_set_boolean_member(context->document, "started", started);
    fsn_cli_say(context, started ? "managed saves are served"
                                 : "managed saves are served already");
    return true;
}

static bool
run_stop(FsnCliContext *context, FsnCycle *cycle, char **args, GError **error)
{
    g_autoptr(JsonArray) domains = NULL;
    bool stopped;

    if (!fsn_savefs_stop(cycle, &stopped, error) ||
        !fsn_savefs_status(cycle, &domains, error)) {
        return fsn_cli_fail(error, "end the server of managed saves", NULL);
    }
    json_object_set_boolean_member(context->document, "stopped", stopped);
    fsn_cli_say(context, stopped ? "managed saves are served no more"
                                 : "there was no server of managed saves");
    if (json_array_get_length(domains) > 0) {
        fsn_cli_warn(context,
                     "libvirt can neither save nor restore the domains of 'foresnap "
                     "savefs status' until 'foresnap savefs start'");
    }
    return true;
}

static bool
change_one(FsnCliContext *context,
           FsnCycle *cycle,
           const char *domain,
           bool enable,
           GError **error)
{
    g_autofree char *name = NULL;
    Change change = enable ? fsn_savefs_enable : fsn_savefs_disable;

    if (!change(cycle, domain, &name, error)) {
        return fsn_cli_fail(
            error, enable ? "serve the managed save of" : "leave the managed save of",
            domain);
    }
    json_array_add_string_element(
        json_object_get_array_member(context->document, "domains"), name);
    fsn_cli_say(context,
                enable ? "'%s' is saved into the repository by libvirt"
                       : "the next save of '%s' is libvirt's own",
                name);
    return true;
}

/* One that cannot be, for it has a save of libvirt's own, is tried again the next time. */
static void
enable_new(FsnCliContext *context, FsnCycle *cycle, FsnVirtDomain *domain)
{
    g_autoptr(GError) error = NULL;

    if (fsn_savefs_is_new(fsn_cycle_state_dir(cycle), domain) &&
        !change_one(context, cycle, fsn_virt_domain_name(domain), true, &error)) {
        fsn_cli_warn(context, "%s", error->message);
    }
}

static bool
change_all(FsnCliContext *context, FsnCycle *cycle, bool enable, GError **error)
{
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autoptr(GPtrArray) domains = NULL;

    if (!virt || !fsn_virt_list(virt, &domains, error)) {
        return false;
    }
    for (guint i = 0; i < domains->len; i++) {
        if (opt_new) {
            enable_new(context, cycle, domains->pdata[i]);
        } else if (!change_one(context, cycle, fsn_virt_domain_name(domains->pdata[i]),
                               enable, error)) {
            return false;
        }
    }
    return true;
}

static bool
change(FsnCliContext *context, FsnCycle *cycle, char **args, bool enable, GError **error)
{
    if (opt_all == (args[0] != NULL)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "name domains, or say --all");
        return false;
    }
    if (opt_new && !(opt_all && enable)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "--new goes with 'savefs enable --all'");
        return false;
    }
    json_object_set_array_member(context->document, "domains", json_array_new());
    if (opt_all) {
        return change_all(context, cycle, enable, error);
    }
    for (char **domain = args; *domain; domain++) {
        if (!change_one(context, cycle, *domain, enable, error)) {
            return false;
        }
    }
    return true;
}

/* A link without a server would make libvirt's saves fail. */
static bool
run_enable(FsnCliContext *context, FsnCycle *cycle, char **args, GError **error)
{
    bool started;

    if (!fsn_savefs_start(cycle, &started, error)) {
        return fsn_cli_fail(error, "start the server of managed saves", NULL);
    }
    return change(context, cycle, args, true, error);
}

static bool
run_disable(FsnCliContext *context, FsnCycle *cycle, char **args, GError **error)
{
    return change(context, cycle, args, false, error);
}

static bool
run_status(FsnCliContext *context, FsnCycle *cycle, char **args, GError **error)
{
    g_autoptr(JsonArray) domains = NULL;
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lll");
    g_autofree char *text = NULL;
    int pid = fsn_savefs_running(fsn_cycle_state_dir(cycle));

    if (!fsn_savefs_status(cycle, &domains, error)) {
        return false;
    }
    fsn_cli_table_add(table, "DOMAIN", "STATE", "SNAPSHOT");
    for (guint i = 0; i < json_array_get_length(domains); i++) {
        JsonObject *o = json_array_get_object_element(domains, i);
        g_autofree char *id =
            g_strndup(fsn_json_peek_string(o, "snapshot", "-"), ID_SHOWN);

        fsn_cli_table_add(table, fsn_json_peek_string(o, "domain", ""),
                          fsn_json_peek_string(o, "state", ""), id);
    }
    text = fsn_cli_table_text(table);
    fsn_cli_print(context, "server: %s\n", pid ? "serves" : "none");
    if (json_array_get_length(domains) > 0) {
        fsn_cli_print(context, "%s", text);
    }
    json_object_set_boolean_member(context->document, "running", pid != 0);
    json_object_set_array_member(context->document, "domains", g_steal_pointer(&domains));
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    static const struct {
        const char *name;
        bool (*run)(FsnCliContext *context, FsnCycle *cycle, char **args, GError **error);
        bool domains;
    } actions[] = {
        { "start", run_start, false },    { "stop", run_stop, false },
        { "status", run_status, false },  { "enable", run_enable, true },
        { "disable", run_disable, true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (strcmp(args[0], actions[i].name) == 0) {
            g_autoptr(FsnCycle) cycle = NULL;

            if (!actions[i].domains && (args[1] || opt_all)) {
                g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                            "'savefs %s' takes no domains", args[0]);
                return false;
            }
            cycle = fsn_cli_open_cycle(context, NULL, error);
            return cycle && actions[i].run(context, cycle, args + 1, error);
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'savefs %s' is not known", args[0]);
    return false;
}

const FsnCliCommand fsn_cmd_savefs = {
    .name = "savefs",
    .arguments = "start|stop|status|enable|disable [DOMAIN...]",
    .summary = "let libvirt's own managed save go into the repository",
    .options = options,
    .min_args = 1,
    .max_args = FSN_CLI_ANY,
    .run = run,
};
