/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap check-host: says item by item what this host has and lacks, and how to mend it;
 * on request it permits userfaultfd. It changes nothing unless told.
 */
#include "config.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/host-report.h"
#include "cli/host-uffd.h"
#include "cli/output.h"

static gboolean opt_fix;
static gboolean opt_persist;

static GOptionEntry options[] = {
    { "fix", 0, 0, G_OPTION_ARG_NONE, &opt_fix,
      "permit userfaultfd until the next boot (needs root)", NULL },
    { "persist", 0, 0, G_OPTION_ARG_NONE, &opt_persist,
      "with --fix: also at each boot, by " FSN_HOST_UFFD_PERSIST, NULL },
    G_OPTION_ENTRY_NULL,
};

static void
show_items(FsnCliContext *context, GPtrArray *items)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < items->len; i++) {
        const FsnHostItem *item = items->pdata[i];
        JsonObject *object = json_object_new();

        fsn_cli_print(context, "%-5s %s: %s\n", fsn_host_state_word(item->state),
                      item->name, item->message);
        json_object_set_string_member(object, "name", item->name);
        json_object_set_string_member(object, "state", fsn_host_state_word(item->state));
        json_object_set_string_member(object, "message", item->message);
        if (item->remedy) {
            fsn_cli_print_wrapped(context, 6, item->remedy);
            json_object_set_string_member(object, "remedy", item->remedy);
        } else {
            json_object_set_null_member(object, "remedy");
        }
        json_array_add_object_element(array, object);
    }
    json_object_set_array_member(context->document, "items", array);
    json_object_set_string_member(context->document, "state",
                                  fsn_host_state_word(fsn_host_worst(items)));
}

static bool
permit(FsnCliContext *context, GError **error)
{
    const char *persist = opt_persist ? FSN_HOST_UFFD_PERSIST : NULL;

    if (!fsn_host_uffd_permit(FSN_HOST_UFFD_SYSCTL, persist, error)) {
        g_prefix_error(error, "cannot permit userfaultfd: ");
        return false;
    }
    fsn_cli_say(context, "set vm.unprivileged_userfaultfd to 1%s",
                persist ? ", now and at each boot (" FSN_HOST_UFFD_PERSIST ")"
                        : " until the next boot");
    return true;
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnHostFacts) facts = NULL;
    g_autoptr(GPtrArray) items = NULL;

    if (opt_persist && !opt_fix) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "--persist goes with --fix");
        return false;
    }
    if (opt_fix && !permit(context, error)) {
        return false;
    }
    facts = fsn_host_facts_collect(context);
    items = fsn_host_report(facts);
    show_items(context, items);
    if (fsn_host_worst(items) == FSN_HOST_FAIL) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "this host lacks what foresnap needs: see the items marked 'fail'");
        return false;
    }
    return true;
}

const FsnCliCommand fsn_cmd_check_host = {
    .name = "check-host",
    .arguments = "",
    .summary = "say what this host lacks, and how to mend it",
    .options = options,
    .run = run,
};
