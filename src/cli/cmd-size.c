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
#include "scale/resize.h"

static gboolean opt_dry_run;

static GOptionEntry options[] = {
    { "dry-run", 0, 0, G_OPTION_ARG_NONE, &opt_dry_run, "only say what would be done",
      NULL },
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

static bool
run(FsnCliContext *context, char **args, GError **error)
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
    json_object_set_string_member(context->document, "domain",
                                  fsn_virt_domain_name(domain));
    json_object_set_boolean_member(context->document, "dry_run", opt_dry_run);
    json_object_set_object_member(context->document, "sizing",
                                  fsn_cli_advice_json(&advice));
    show(context, &advice);
    return true;
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
