/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "stream/types.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* The blocks of a layout in their order, as a manifest and a plan for the pager list them:
 * [{"name", "length" in bytes}, …]. The caller unrefs. */
JsonArray *fsn_ram_blocks_to_json(const FsnRamLayout *layout);

/* The list of a manifest, of 1 to FSN_STREAM_MAX_BLOCKS, back into @layout, which has no
 * blocks yet. FSN_ERROR_FORMAT for anything else; then some of the blocks may be set, and the
 * caller frees the layout as a whole. */
bool fsn_ram_blocks_from_json(JsonArray *array, FsnRamLayout *layout, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
