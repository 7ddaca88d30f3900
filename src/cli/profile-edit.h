/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"

G_BEGIN_DECLS

/* The parts of `foresnap profile` that change a profile. @args are those behind the action. */
bool fsn_cli_profile_copy(FsnCliContext *context, char **args, GError **error);
bool fsn_cli_profile_set(FsnCliContext *context, char **args, GError **error);
bool fsn_cli_profile_unset(FsnCliContext *context, char **args, GError **error);
bool fsn_cli_profile_edit(FsnCliContext *context, char **args, GError **error);
bool fsn_cli_profile_delete(FsnCliContext *context, char **args, GError **error);

/* "KEY=VALUE" in two; FSN_ERROR_USAGE without '='. The caller frees. */
bool fsn_cli_split_setting(const char *text,
                           char **out_key,
                           const char **out_value,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
