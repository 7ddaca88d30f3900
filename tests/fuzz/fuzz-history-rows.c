/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows and packs of the history's database; the first byte chooses. */
#include "history/packbytes.h"
#include "history/rowbytes.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
parse_row(const uint8_t *data, size_t size)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(FsnRowWindow));
    g_autoptr(GByteArray) again = g_byte_array_new();

    if (fsn_row_parse(data, size, rows)) {
        fsn_row_append(again, (const FsnRowWindow *)(void *)rows->data, rows->len);
        g_array_set_size(rows, 0);
        g_assert(fsn_row_parse(again->data, again->len, rows));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(FsnSampleValue));
    g_autoptr(FsnCodecContext) codec = fsn_codec_context_new();
    FsnWindow windows[FSN_PACKED_SLOTS];
    int64_t span_us;

    if (size == 0) {
        return 0;
    }
    switch (data[0] % 3) {
    case 0:
        parse_row(data + 1, size - 1);
        break;
    case 1:
        if (fsn_sample_parse(data + 1, size - 1, &span_us, values)) {
            g_assert(span_us >= 0);
        }
        break;
    case 2:
        (void)!fsn_packed_parse(data + 1, size - 1, codec, windows);
        break;
    }
    return 0;
}
