/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"
#include "cli/progress.h"
#include "cycle/context.h"
#include "repofmt/codec.h"

G_BEGIN_DECLS

/* What the commands on domains share. */

/* The services for this run of the program, which report to @progress (borrowed; may be NULL). */
FsnCycle *fsn_cli_open_cycle(FsnCliContext *context,
                             FsnCliProgress *progress,
                             GError **error);

/* Puts "cannot <verb> '<name>': " (without name: "cannot <verb>: ") before the message of
 * *@error, unless the service has begun like that itself. Always returns false. */
bool fsn_cli_fail(GError **error, const char *verb, const char *name);

/* The codec called @text; NULL is the default. */
bool fsn_cli_parse_codec(const char *text, FsnCodec *out_codec, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
