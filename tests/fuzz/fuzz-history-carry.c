/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history window of a snapshot, from bytes; what is read can be written and read again. */
#include "history/carry-format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(FsnCarry) carry = fsn_carry_parse(data, size, NULL);

    if (carry) {
        g_autoptr(GBytes) bytes = fsn_carry_build(carry, carry->metrics->len, carry->n);
        g_autoptr(FsnCarry) again =
            fsn_carry_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);

        g_assert(again && again->n == carry->n && again->start_us == carry->start_us &&
                 again->metrics->len == carry->metrics->len);
    }
    return 0;
}
