/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An index segment: where it parses, every entry must be usable. */
#include "config.h"

#include "repofmt/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FsnSegment segment;
    FsnEntry entry;
    uint64_t first = size >= 24 ? fsn_get_le64(data + 8) : 0;
    uint32_t count = size >= 24 ? fsn_get_le32(data + 16) : 0;

    if (fsn_segment_parse(data, size, first, count, "segment", &segment, NULL)) {
        for (uint32_t i = 0; i < segment.count; i++) {
            g_assert_true(fsn_entry_get(segment.entries + (size_t)i * FSN_ENTRY_SIZE,
                                        segment.n_packs, &entry));
        }
    }
    return 0;
}
