/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes to the stream reader, once whole and once in chunks whose size the input gives:
 * both readings must agree on every event and on the outcome.
 */
#include "config.h"

#include "base/hash.h"
#include "stream/reader.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const FsnRamLayout *layout;
    uint64_t digest;
} Log;

static void
mix(Log *log, uint64_t a, uint64_t b)
{
    uint64_t words[3] = { log->digest, a, b };

    log->digest = fsn_hash64(words, sizeof(words));
}

static bool
on_command(
    gpointer user, uint16_t command, const uint8_t *payload, size_t len, GError **error)
{
    mix(user, command, fsn_hash64(payload, len));
    return true;
}

static bool
on_start(gpointer user, const FsnRamLayout *layout, GError **error)
{
    Log *log = user;

    g_assert_true(fsn_ram_layout_check(layout, NULL));
    log->layout = layout;
    return true;
}

static bool
on_page(gpointer user, uint32_t block, uint64_t page, const uint8_t *data, GError **error)
{
    Log *log = user;

    g_assert_nonnull(log->layout);
    g_assert_cmpuint(block, <, log->layout->n_blocks);
    g_assert_cmpuint(page, <, log->layout->blocks[block].length / FSN_PAGE_SIZE);
    mix(log, page << 8 | block, data ? fsn_hash64(data, FSN_PAGE_SIZE) : 0);
    return true;
}

static bool
on_end(gpointer user, GError **error)
{
    mix(user, 1, 2);
    return true;
}

static const FsnStreamHandlers handlers = {
    .command = on_command,
    .ram_start = on_start,
    .page = on_page,
    .ram_part = on_end,
    .ram_end = on_end,
};

/* Digest of all events and of the outcome. */
static uint64_t
run(const uint8_t *data, size_t size, size_t chunk)
{
    Log log = { 0 };
    g_autoptr(FsnStreamReader) r = fsn_stream_reader_new(&handlers, &log);
    g_autoptr(GError) error = NULL;
    bool ok = true;

    for (size_t at = 0; ok && at < size; at += chunk) {
        ok = fsn_stream_reader_push(r, data + at, MIN(chunk, size - at), &error);
    }
    if (ok && fsn_stream_reader_end(r, &error)) {
        g_assert_null(error);
        g_assert_nonnull(fsn_stream_reader_layout(r));
        mix(&log, g_bytes_get_size(fsn_stream_reader_head(r)),
            g_bytes_get_size(fsn_stream_reader_device_state(r)));
    } else {
        g_assert_nonnull(error);
        mix(&log, 3, fsn_hash64(error->message, strlen(error->message)));
    }
    return log.digest;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t chunk = size > 0 ? 1u + data[size - 1] * 17u : 1;

    g_assert_cmpuint(run(data, size, size + 1), ==, run(data, size, chunk));
    return 0;
}
