/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the settings of this run to the services that do the work, for the commands on domains.
 */
#include "config.h"

#include "cli/service.h"

#include "cycle/cargo.h"
#include "history/carry.h"
#include "history/models-store.h"

/* What snapshots carry besides the state of the domain. The holder does the same. */
static void
add_cargo(FsnCycle *cycle)
{
    const FsnCargo history = { .member = "history",
                               .collect = fsn_history_carry,
                               .absorb = fsn_history_absorb,
                               .user = fsn_history_default_path(),
                               .free_user = g_free };
    const FsnCargo models = { .member = "models",
                              .collect = fsn_models_carry,
                              .absorb = fsn_models_absorb,
                              .user = fsn_history_default_path(),
                              .free_user = g_free };

    fsn_cycle_add_cargo(cycle, &history);
    fsn_cycle_add_cargo(cycle, &models);
}

FsnCycle *
fsn_cli_open_cycle(FsnCliContext *context, FsnCliProgress *progress, GError **error)
{
    g_autoptr(FsnCycle) cycle =
        fsn_cycle_new(context->uri, context->repo_location, NULL, error);

    if (!cycle) {
        return NULL;
    }
    add_cargo(cycle);
    if (progress) {
        fsn_cycle_set_progress(cycle, fsn_cli_progress_update, progress);
    }
    return g_steal_pointer(&cycle);
}

bool
fsn_cli_fail(GError **error, const char *verb, const char *name)
{
    g_autofree char *begin = g_strconcat("cannot ", verb, NULL);

    if (!g_str_has_prefix((*error)->message, begin)) {
        if (name) {
            g_prefix_error(error, "%s '%s': ", begin, name);
        } else {
            g_prefix_error(error, "%s: ", begin);
        }
    }
    return false;
}

bool
fsn_cli_parse_codec(const char *text, FsnCodec *out_codec, GError **error)
{
    if (!text) {
        *out_codec = FSN_CODEC_ZSTD;
        return true;
    }
    return fsn_codec_from_string(text, out_codec, error);
}
