/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the beginning of a qcow2 file: an error, or names that are text. */
#include "config.h"

#include "disk/qcow2-header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *copy = g_memdup2(data, size);
    g_auto(FsnQcow2Header) header = { 0 };
    g_autoptr(GError) error = NULL;

    if (!fsn_qcow2_header_parse(copy, size, &header, &error)) {
        g_assert_nonnull(error);
        g_assert_null(header.backing);
        return 0;
    }
    g_assert_true(!header.backing ||
                  (*header.backing && g_utf8_validate(header.backing, -1, NULL)));
    g_assert_true(!header.backing_format ||
                  g_utf8_validate(header.backing_format, -1, NULL));
    return 0;
}
