/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap size: the vCPUs and the memory that a domain is forecast to need.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/sizing.h"
#include "cli/units.h"
#include "history/decisions.h"
#include "history/store.h"
#include "scale/resize.h"

static gboolean opt_dry_run;
static gboolean opt_history;

static GOptionEntry options[] = {
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &opt_dry_run, "only say what would be done",
      NULL },
    { "history", 0, 0, G_OPTION_ARG_NONE, &opt_history,
      "only show what was decided before, and why", NULL },
    G_OPTION_ENTRY_NULL,
};

static void
show(FsnCliContext *context, const FsnAdvice *advice)
{
    fsn_cli_print(context, "%s\n", advice->sizing.summary);
    for (guint i = 0; i < advice->sizing.notes->len; i++) {
        fsn_cli_print(context, "  %s\n", (const char *)advice->sizing.notes->pdata[i]);
    }
    for (guint i = 0; i < advice->plan.notes->len; i++) {
        fsn_cli_print(context, "  %s\n", (const char *)advice->plan.notes->pdata[i]);
    }
    for (guint i = 0; i < advice->plan.steps->len; i++) {
        g_autofree char *step =
            fsn_resize_step_text(&g_array_index(advice->plan.steps, FsnResizeStep, i));

        fsn_cli_print(context, "%s%s\n", opt_dry_run ? "would set " : "set ", step);
    }
    fsn_cli_print_limits(context, advice);
    if (context->verbose && advice->models) {
        fsn_cli_print(context, "%s\n", advice->models);
    }
}

/* The UUID of @who, which libvirt knows or else the history; the caller frees. */
static char *
find_uuid(FsnCliContext *context, const char *who, const char *path, GError **error)
{
    g_autoptr(FsnCycle) cycle = fsn_cli_open_cycle(context, NULL, error);
    FsnVirt *virt = cycle ? fsn_cycle_virt(cycle, error) : NULL;
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autoptr(FsnHistory) history = NULL;
    g_autoptr(GError) why = NULL;
    char *uuid = NULL;

    if (!virt) {
        return NULL;
    }
    if (fsn_virt_lookup(virt, who, &domain, &why)) {
        return g_strdup(fsn_virt_domain_uuid(domain));
    }
    history = g_error_matches(why, FSN_ERROR, FSN_ERROR_NOT_FOUND)
                  ? fsn_history_open(path, FSN_HISTORY_READ_ONLY, NULL)
                  : NULL;
    if (!history || !fsn_history_find(history, who, &uuid, NULL)) {
        g_propagate_error(error, g_steal_pointer(&why));
    }
    return uuid;
}

static JsonObject *
decision_json(const FsnDecision *decision)
{
    JsonObject *object = json_object_new();
    g_autofree char *time = fsn_rfc3339(decision->time_us);

    json_object_set_string_member(object, "time", time);
    json_object_set_string_member(object, "by", decision->by);
    json_object_set_int_member(object, "vcpus", decision->vcpus);
    json_object_set_int_member(object, "memory_bytes", (int64_t)decision->memory);
    json_object_set_int_member(object, "vcpus_was", decision->vcpus_was);
    json_object_set_int_member(object, "memory_bytes_was", (int64_t)decision->memory_was);
    json_object_set_string_member(object, "reason", decision->reason);
    return object;
}

static bool
show_history(FsnCliContext *context, const char *who, GError **error)
{
    g_autofree char *path = fsn_history_default_path();
    g_autofree char *uuid = find_uuid(context, who, path, error);
    g_autoptr(GPtrArray) decisions = uuid ? fsn_decisions_load(path, uuid) : NULL;
    JsonArray *array;

    if (!uuid) {
        return false;
    }
    array = json_array_new();
    for (guint i = 0; i < decisions->len; i++) {
        const FsnDecision *decision = decisions->pdata[i];
        g_autofree char *time = fsn_rfc3339(decision->time_us);
        g_autofree char *when = fsn_cli_instant_text(time);

        json_array_add_object_element(array, decision_json(decision));
        fsn_cli_print(context, "%s  %-7s  %s\n", when, decision->by, decision->reason);
    }
    if (decisions->len == 0) {
        fsn_cli_print(context, "nothing was decided yet\n");
    }
    json_object_set_string_member(context->document, "domain", who);
    json_object_set_array_member(context->document, "decisions", array);
    return true;
}

static bool
size_now(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCycle) cycle = fsn_cli_open_cycle(context, NULL, error);
    FsnVirt *virt = cycle ? fsn_cycle_virt(cycle, error) : NULL;
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_auto(FsnAdvice) advice = { 0 };

    if (!virt || !fsn_virt_lookup(virt, args[0], &domain, error)) {
        return false;
    }
    if (!fsn_cli_advise(context, domain, &advice, error) ||
        (!opt_dry_run &&
         !fsn_resize_carry_out(domain, &advice.now.facts, &advice.plan, error))) {
        return fsn_cli_fail(error, "size", args[0]);
    }
    if (!opt_dry_run) {
        fsn_cli_keep_decision(context, domain, "size", &advice);
    }
    json_object_set_string_member(context->document, "domain",
                                  fsn_virt_domain_name(domain));
    json_object_set_boolean_member(context->document, "dry_run", opt_dry_run);
    json_object_set_object_member(context->document, "sizing",
                                  fsn_cli_advice_json(&advice));
    show(context, &advice);
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    if (opt_history && opt_dry_run) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "--history and --dry-run exclude each other");
        return false;
    }
    return opt_history ? show_history(context, args[0], error)
                       : size_now(context, args, error);
}

const FsnCliCommand fsn_cmd_size = {
    .name = "size",
    .arguments = "DOMAIN",
    .summary = "give a domain the vCPUs and the memory that it will need",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
