/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random 128-bit ids of packs, segments and snapshots. Random rather than derived from
 * the contents, so that a name exists before the contents do.
 */
#include "config.h"

#include "base/id.h"

#include "base/hash.h"

#include <string.h>

FsnId
fsn_id_new(void)
{
    FsnId id;

    fsn_random_bytes(id.bytes, sizeof(id.bytes));
    return id;
}

bool
fsn_id_equal(const FsnId *a, const FsnId *b)
{
    return memcmp(a->bytes, b->bytes, FSN_ID_SIZE) == 0;
}

char *
fsn_id_to_string(const FsnId *id)
{
    return fsn_hex(id->bytes, FSN_ID_SIZE);
}

bool
fsn_id_parse(const char *text, FsnId *out_id)
{
    FsnId id;

    if (!text || strlen(text) != FSN_ID_HEX || !fsn_unhex(text, id.bytes, FSN_ID_SIZE)) {
        return false;
    }
    *out_id = id;
    return true;
}
