/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream of QEMU's, taken apart and kept in memory, so that it can be compared or sent
 * again. Where the bytes come from is the caller's matter. For guests of some MiB: the RAM
 * is kept as a whole. There is nothing to handle here: whatever is wrong ends the test.
 */
#include "config.h"

#include "saved-stream.h"

#include "stream/page-map.h"

#include <string.h>
#include <unistd.h>

static bool
on_start(gpointer user, const FsnRamLayout *layout, GError **error)
{
    SavedStream *saved = user;

    saved->layout = layout;
    saved->ram = g_malloc0(fsn_ram_layout_length(layout));
    return true;
}

static bool
on_page(gpointer user, uint32_t block, uint64_t page, const uint8_t *data, GError **error)
{
    SavedStream *saved = user;
    uint64_t granule = fsn_page_map_base(saved->layout, block) + page;
    uint8_t *to = saved->ram + granule * FSN_PAGE_SIZE;

    if (data) {
        memcpy(to, data, FSN_PAGE_SIZE);
    } else {
        memset(to, 0, FSN_PAGE_SIZE);
    }
    return true;
}

SavedStream *
saved_stream_read(int fd)
{
    static const FsnStreamHandlers handlers = { .ram_start = on_start, .page = on_page };
    SavedStream *saved = g_new0(SavedStream, 1);
    g_autoptr(GError) error = NULL;
    uint8_t buffer[65536];
    ssize_t n;

    saved->reader = fsn_stream_reader_new(&handlers, saved);
    while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
        if (!fsn_stream_reader_push(saved->reader, buffer, (size_t)n, &error)) {
            g_error("%s", error->message);
        }
    }
    if (!fsn_stream_reader_end(saved->reader, &error)) {
        g_error("%s", error->message);
    }
    return saved;
}

void
saved_stream_free(SavedStream *saved)
{
    if (saved) {
        fsn_stream_reader_free(saved->reader);
        g_free(saved->ram);
        g_free(saved);
    }
}

const uint8_t *
saved_stream_page(const SavedStream *saved, uint64_t granule)
{
    return saved->ram + granule * FSN_PAGE_SIZE;
}
