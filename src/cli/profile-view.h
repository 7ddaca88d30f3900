/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"
#include "policies/profile-set.h"

G_BEGIN_DECLS

/* Profiles for people and as JSON; the documents are in foresnap-json(5). */

/* An element of "profiles" as `profile list` has it. */
JsonObject *fsn_cli_profile_json(const FsnProfileSet *set, const FsnProfileFile *file);

/* The settings that a profile or domain has made; all of them if @all. */
void fsn_cli_print_profile(FsnCliContext *context, const FsnProfile *profile, bool all);

/* The problems, one to a line, and as JSON. */
void fsn_cli_print_problems(FsnCliContext *context, const GPtrArray *problems);
JsonArray *fsn_cli_problems_json(const GPtrArray *problems);

/* The keys that there are, those that begin with @prefix; also into the document. */
void fsn_cli_show_profile_keys(FsnCliContext *context, const char *prefix);

G_END_DECLS
