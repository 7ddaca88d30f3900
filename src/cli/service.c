/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the settings of this run to the services that do the work, for the commands on domains.
 */
#include "config.h"

#include "cli/service.h"

#include "cycle/cargo-standard.h"

FsnCycle *
fsn_cli_open_cycle(FsnCliContext *context, FsnCliProgress *progress, GError **error)
{
    g_autoptr(FsnCycle) cycle =
        fsn_cycle_new(context->uri, context->repo_location, NULL, error);

    if (!cycle) {
        return NULL;
    }
    fsn_cargo_add_standard(cycle);
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
