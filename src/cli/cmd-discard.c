/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap discard: gives the saved memory of a suspended domain up, on purpose, so that its
 * next start boots it.
 */
#include "config.h"

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cycle/discard.h"

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCycle) cycle = fsn_cli_open_cycle(context, NULL, error);

    if (!cycle || !fsn_cycle_discard(cycle, args[0], error)) {
        return fsn_cli_fail(error, "discard", args[0]);
    }
    json_object_set_string_member(context->document, "domain", args[0]);
    fsn_cli_say(context, "discarded the saved memory of '%s': its next start boots it",
                args[0]);
    return true;
}

const FsnCliCommand fsn_cmd_discard = {
    .name = "discard",
    .arguments = "DOMAIN",
    .summary = "give the saved memory of a suspended domain up",
    .min_args = 1,
    .max_args = 1,
    .run = run,
    .detachable = true,
};
