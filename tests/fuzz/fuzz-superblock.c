/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A superblock, as it is and with a right SHA-256. */
#include "config.h"

#include "repofmt/frame.h"
#include "repofmt/superblock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) sealed = g_byte_array_new();
    FsnSuperblock sb;

    (void)!fsn_superblock_parse(data, size, "superblock", &sb, NULL);
    if (size < FSN_SHA256_SIZE || size > FSN_SUPERBLOCK_SIZE) {
        return 0;
    }
    g_byte_array_append(sealed, data, (guint)(size - FSN_SHA256_SIZE));
    fsn_object_seal(sealed);
    if (fsn_superblock_parse(sealed->data, sealed->len, "superblock", &sb, NULL)) {
        g_assert_cmpint(sb.frame_granules, <=, FSN_FRAME_MAX_GRANULES);
    }
    return 0;
}
