/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes to the parser of the return path, whole and byte by byte: both must agree, and
 * no handler may see a page that the layout has not.
 */
#include "config.h"

#include "base/hash.h"
#include "stream/return-path.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FsnRamBlock blocks[] = { { (char *)"pc.ram", 1 << 20 },
                                { (char *)"rom", 3 * 4096 } };
static const FsnRamLayout layout = { .blocks = blocks, .n_blocks = G_N_ELEMENTS(blocks) };

static void
mix(uint64_t *digest, uint64_t a, uint64_t b)
{
    uint64_t words[3] = { *digest, a, b };

    *digest = fsn_hash64(words, sizeof(words));
}

static bool
on_request(gpointer user, uint32_t block, uint64_t start, uint32_t len, GError **error)
{
    g_assert_cmpuint(block, <, layout.n_blocks);
    g_assert_cmpuint(len, >, 0);
    g_assert_cmpuint(start % FSN_PAGE_SIZE + len % FSN_PAGE_SIZE, ==, 0);
    g_assert_cmpuint(start + len, <=, blocks[block].length);
    mix(user, start, len);
    return true;
}

static bool
on_bitmap(
    gpointer user, uint32_t block, const uint8_t *bits, uint64_t n_bits, GError **error)
{
    g_assert_cmpuint(n_bits, ==, blocks[block].length / FSN_PAGE_SIZE);
    mix(user, block, fsn_hash64(bits, (n_bits + 7) / 8));
    return true;
}

static bool
on_value(gpointer user, uint32_t value, GError **error)
{
    mix(user, value, 1);
    return true;
}

static const FsnReturnPathHandlers handlers = {
    .request = on_request,
    .pong = on_value,
    .shut = on_value,
    .recv_bitmap = on_bitmap,
};

static uint64_t
run(const uint8_t *data, size_t size, size_t chunk)
{
    uint64_t digest = 0;
    g_autoptr(FsnReturnPath) rp = fsn_return_path_new(&layout, &handlers, &digest);

    for (size_t at = 0; at < size; at += chunk) {
        g_autoptr(GError) error = NULL;

        if (!fsn_return_path_push(rp, data + at, MIN(chunk, size - at), &error)) {
            mix(&digest, 2, fsn_hash64(error->message, strlen(error->message)));
            break;
        }
    }
    mix(&digest, 3, fsn_return_path_at_boundary(rp));
    return digest;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_assert_cmpuint(run(data, size, size + 1), ==, run(data, size, 1));
    return 0;
}
