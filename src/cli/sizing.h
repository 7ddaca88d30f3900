/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"
#include "cycle/context.h"
#include "scale/advise.h"

G_BEGIN_DECLS

/* What the commands that size a domain share. */

/* The size for @domain by its policy and its history, which need not exist. */
bool fsn_cli_advise(FsnCliContext *context,
                    FsnVirtDomain *domain,
                    FsnAdvice *out_advice,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Keeps what was decided on @domain by the command @by, if it was by what is known of its use;
 * that it could not be kept is a warning. */
void fsn_cli_keep_decision(FsnCliContext *context,
                           FsnVirtDomain *domain,
                           const char *by,
                           const FsnAdvice *advice);

/* Sizes a domain that comes back, if its policy wants that and anything is known of its use: a
 * guest whose memory may still be being loaded, once that is done; or, before its start, a new
 * domain by the history of @source_uuid. What goes wrong is a warning: the guest is there. */
void fsn_cli_size_resumed(FsnCliContext *context, FsnCycle *cycle, const char *name);
void fsn_cli_size_restored(FsnCliContext *context,
                           FsnVirtDomain *domain,
                           const char *source_uuid);

/* The documented JSON form. */
JsonObject *fsn_cli_advice_json(const FsnAdvice *advice);

void fsn_cli_print_limits(FsnCliContext *context, const FsnAdvice *advice);

G_END_DECLS
