/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap status: the domains that are suspended, or that an operation is under way on or
 * was interrupted on.
 */
#include "config.h"

#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cli/units.h"
#include "cycle/status.h"

/* A guest whose memory cannot be read stands still: whoever looks must learn why. */
static void
warn_if_stalled(FsnCliContext *context, JsonObject *domain)
{
    JsonObject *load;

    if (fsn_json_get_object(domain, "load", &load, NULL) &&
        g_str_equal(fsn_json_peek_string(load, "phase", ""), "stalled")) {
        fsn_cli_warn(context, "'%s' waits for its memory: %s",
                     fsn_json_peek_string(domain, "domain", "?"),
                     fsn_json_peek_string(load, "error", "it cannot be read"));
    }
}

/* The step, or how much of the disks is filled. */
static char *
step_text(JsonObject *domain)
{
    int64_t done = 0;
    int64_t total = 0;
    JsonArray *disks;
    JsonObject *fill;

    if (!fsn_json_get_object(domain, "fill", &fill, NULL) ||
        !fsn_json_get_array(fill, "disks", &disks, NULL)) {
        return g_strdup(fsn_json_peek_string(domain, "step", "-"));
    }
    for (guint i = 0; i < json_array_get_length(disks); i++) {
        JsonObject *disk;

        if (fsn_json_get_element(disks, i, &disk, NULL)) {
            done += fsn_json_peek_int(disk, "bytes_done", 0);
            total += fsn_json_peek_int(disk, "bytes_total", 0);
        }
    }
    return g_strdup_printf("%s, %.0f %%", fsn_json_peek_string(fill, "phase", "?"),
                           total > 0 ? 100.0 * (double)done / (double)total : 100.0);
}

/* What it tries again may be for somebody to mend. */
static void
warn_if_not_filled(FsnCliContext *context, JsonObject *domain)
{
    JsonObject *fill;

    if (fsn_json_get_object(domain, "fill", &fill, NULL) &&
        fsn_json_peek_string(fill, "error", NULL)) {
        fsn_cli_warn(context, "the disks of '%s' are not filled: %s",
                     fsn_json_peek_string(domain, "domain", "?"),
                     fsn_json_peek_string(fill, "error", "?"));
    }
}

static void
show(FsnCliContext *context, JsonArray *domains)
{
    g_autoptr(FsnCliTable) table = fsn_cli_table_new("lllll");
    g_autofree char *text = NULL;

    fsn_cli_table_add(table, "DOMAIN", "STATE", "SNAPSHOT", "SINCE", "STEP");
    for (guint i = 0; i < json_array_get_length(domains); i++) {
        JsonObject *domain = json_array_get_object_element(domains, i);
        g_autofree char *snapshot =
            g_strndup(fsn_json_peek_string(domain, "snapshot", "-"), 8);
        g_autofree char *since =
            fsn_cli_instant_text(fsn_json_peek_string(domain, "started", "-"));
        g_autofree char *step = step_text(domain);

        fsn_cli_table_add(table, fsn_json_peek_string(domain, "domain", "?"),
                          fsn_json_peek_string(domain, "state", "?"), snapshot, since,
                          step);
    }
    text = fsn_cli_table_text(table);
    if (json_array_get_length(domains) > 0) {
        fsn_cli_print(context, "%s", text);
    } else {
        fsn_cli_say(context, "no domain is suspended, and nothing is under way");
    }
    for (guint i = 0; i < json_array_get_length(domains); i++) {
        warn_if_stalled(context, json_array_get_object_element(domains, i));
        warn_if_not_filled(context, json_array_get_object_element(domains, i));
    }
    json_object_set_array_member(context->document, "domains", json_array_ref(domains));
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCycle) cycle = fsn_cli_open_cycle(context, NULL, error);
    g_autoptr(JsonArray) domains = NULL;

    if (!cycle || !fsn_cycle_status(cycle, &domains, error)) {
        g_prefix_error(error, "cannot tell the status: ");
        return false;
    }
    show(context, domains);
    return true;
}

const FsnCliCommand fsn_cmd_status = {
    .name = "status",
    .arguments = "",
    .summary = "show suspended domains and operations under way",
    .run = run,
};
