/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap recover: brings every interrupted operation to a safe end. May be run at any time
 * and as often as one likes.
 */
#include "config.h"

#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cycle/recover.h"

static void
show(FsnCliContext *context, JsonArray *actions)
{
    for (guint i = 0; i < json_array_get_length(actions); i++) {
        JsonObject *action = json_array_get_object_element(actions, i);

        fsn_cli_say(context, "%s: %s was interrupted (%s): %s",
                    fsn_json_peek_string(action, "domain", "?"),
                    fsn_json_peek_string(action, "operation", "?"),
                    fsn_json_peek_string(action, "step", "?"),
                    fsn_json_peek_string(action, "outcome", "?"));
    }
    if (json_array_get_length(actions) == 0) {
        fsn_cli_say(context, "nothing to recover");
    }
    json_object_set_array_member(context->document, "actions", json_array_ref(actions));
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCycle) cycle = fsn_cli_open_cycle(context, NULL, error);
    g_autoptr(JsonArray) actions = NULL;
    bool recovered = cycle && fsn_cycle_recover(cycle, &actions, error);

    /* Set also when only some could be recovered. */
    if (actions) {
        show(context, actions);
    }
    if (!recovered) {
        g_prefix_error(error, "cannot recover: ");
    }
    return recovered;
}

const FsnCliCommand fsn_cmd_recover = {
    .name = "recover",
    .arguments = "",
    .summary = "bring interrupted operations to a safe end",
    .run = run,
    .detachable = true,
};
