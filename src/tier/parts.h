/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* How likely the next resume touches a page, times how often it was: any unit. */
typedef struct {
    uint64_t granule;
    double weight;
} FsnTierWeight;

/* Everything (FsnTierPart) that resuming the memory of @manifest needs: the index of its
 * image, all objects it names, its sequence if it has one, and all packs, weighed by the
 * @n granules at @weights. Granules outside the image do not count. The caller unrefs;
 * @repo is the repository itself, not one with tiers. */
bool fsn_tier_parts_collect(FsnRepo *repo,
                            JsonObject *manifest,
                            const FsnTierWeight *weights,
                            size_t n,
                            GPtrArray **out_parts,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
