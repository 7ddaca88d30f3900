/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of RAM blocks in JSON, which a manifest and a plan for the pager have in common;
 * the numbers of the RAM section stand under other names in each, and are their own matter.
 * Pure. Bounds the number of blocks and each length; whether the names and lengths make a
 * layout that can be written to a stream is not looked at (fsn_ram_layout_check() is for that).
 */
#include "config.h"

#include "cycle/ram-blocks-json.h"

#include "base/error.h"
#include "base/json.h"

JsonArray *
fsn_ram_blocks_to_json(const FsnRamLayout *layout)
{
    JsonArray *array = json_array_new();

    for (size_t i = 0; i < layout->n_blocks; i++) {
        JsonObject *b = json_object_new();

        json_object_set_string_member(b, "name", layout->blocks[i].name);
        json_object_set_int_member(b, "length", (int64_t)layout->blocks[i].length);
        json_array_add_object_element(array, b);
    }
    return array;
}

static bool
read_block(JsonArray *array, guint i, FsnRamLayout *layout, GError **error)
{
    JsonObject *b;
    const char *name;
    int64_t length;

    if (!fsn_json_get_element(array, i, &b, error) ||
        !fsn_json_get_string(b, "name", &name, error) ||
        !fsn_json_get_int(b, "length", FSN_PAGE_SIZE, FSN_STREAM_MAX_RAM, &length,
                          error)) {
        return false;
    }
    layout->blocks[i].name = g_strdup(name);
    layout->blocks[i].length = (uint64_t)length;
    layout->n_blocks = i + 1;
    return true;
}

bool
fsn_ram_blocks_from_json(JsonArray *array, FsnRamLayout *layout, GError **error)
{
    guint n = json_array_get_length(array);

    g_assert(!layout->blocks);
    if (n == 0 || n > FSN_STREAM_MAX_BLOCKS) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "manifest names %u RAM blocks",
                    n);
        return false;
    }
    layout->blocks = g_new0(FsnRamBlock, n);
    for (guint i = 0; i < n; i++) {
        if (!read_block(array, i, layout, error)) {
            return false;
        }
    }
    return true;
}
