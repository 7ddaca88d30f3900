/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"
#include "policies/retention.h"

#include <glib.h>

G_BEGIN_DECLS

/* What the profile of a domain says of its snapshots. */
typedef struct {
    FsnRetentionRules rules;
    char *keep_all; /* why all of them stay, a phrase; NULL: they go by the rules */
    char *source;   /* whose rules: "profile 'web'" */
} FsnPruneProfile;

/* Of all domains that libvirt knows: UUID → FsnPruneProfile; the caller unrefs. A policy that
 * cannot be used is warned about, and keeps everything: the default's rules are not what was
 * meant. */
GHashTable *fsn_prune_profiles(FsnCliContext *context, GError **error);

G_END_DECLS
