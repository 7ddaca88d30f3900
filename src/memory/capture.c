/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads an outgoing migration and puts each page into an image writer. It guarantees that
 * nothing is called whole unless the stream was whole. It neither starts nor steers the
 * migration: that is the caller's business, who is told when only a reserve is unsent.
 */
#include "config.h"

#include "memory/capture.h"

#include "base/clock.h"
#include "base/error.h"
#include "stream/page-map.h"
#include "stream/reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE (1u << 20)

struct FsnCapture {
    FsnRepo *repo;
    int fd;
    FsnStreamReader *reader;
    FsnImageWriter *writer;
    FsnImage *parent;
    FsnRamLayout *parent_layout;
    FsnCodec codec;
    int level;
    uint64_t reserve_pages;
    FsnPageMap *seen;
    uint64_t base[FSN_STREAM_MAX_BLOCKS]; /* first granule of each block */
    char *machine;
    FsnCaptureProgress progress;
    uint8_t *buffer;
    bool ended;
};

static bool
on_config(gpointer user, const char *machine, GError **error)
{
    FsnCapture *c = user;

    g_free(c->machine);
    c->machine = g_strdup(machine);
    return true;
}

static bool
on_ram_start(gpointer user, const FsnRamLayout *layout, GError **error)
{
    FsnCapture *c = user;
    FsnImageWriterOptions options = { .codec = c->codec, .level = c->level };

    if (c->parent && !fsn_ram_layout_equal(c->parent_layout, layout)) {
        g_clear_pointer(&c->parent, fsn_image_free);
    }
    c->progress.pages_total = fsn_page_map_pages(layout);
    c->seen = fsn_page_map_new(c->progress.pages_total);
    for (uint32_t i = 0; i < layout->n_blocks; i++) {
        c->base[i] = fsn_page_map_base(layout, i);
    }
    options.n_granules = c->progress.pages_total;
    options.parent = c->parent;
    c->writer = fsn_image_writer_new(c->repo, &options, error);
    return c->writer != NULL;
}

static bool
on_page(gpointer user, uint32_t block, uint64_t page, const uint8_t *data, GError **error)
{
    FsnCapture *c = user;
    uint64_t granule = c->base[block] + page;

    c->progress.pages_read++;
    if (!fsn_page_map_test(c->seen, granule)) {
        (void)fsn_page_map_set(c->seen, granule); /* known to be new */
        c->progress.pages_seen++;
    }
    return fsn_image_writer_put(c->writer, granule, data, error);
}

static const FsnStreamHandlers handlers = {
    .config = on_config,
    .ram_start = on_ram_start,
    .page = on_page,
};

FsnCapture *
fsn_capture_new(FsnRepo *repo, int fd, const FsnCaptureOptions *options, GError **error)
{
    g_autoptr(FsnCapture) c = g_new0(FsnCapture, 1);

    c->repo = repo;
    c->fd = fd;
    c->codec = options->codec;
    c->level = options->level;
    c->reserve_pages = options->reserve_pages;
    c->reader = fsn_stream_reader_new(&handlers, c);
    c->buffer = g_malloc(BUFFER_SIZE);
    if (options->parent_root && options->parent_layout) {
        c->parent = fsn_image_open(repo, options->parent_root, error);
        if (!c->parent) {
            return NULL;
        }
        c->parent_layout = fsn_ram_layout_copy(options->parent_layout);
    }
    return g_steal_pointer(&c);
}

void
fsn_capture_free(FsnCapture *c)
{
    if (!c) {
        return;
    }
    if (c->fd >= 0) {
        close(c->fd);
    }
    fsn_stream_reader_free(c->reader);
    fsn_image_writer_free(c->writer);
    fsn_image_free(c->parent);
    fsn_ram_layout_free(c->parent_layout);
    fsn_page_map_free(c->seen);
    g_free(c->machine);
    g_free(c->buffer);
    g_free(c);
}

/* Reads once. Returns false on error; *@out_bytes is 0 at the end of file. */
static bool
read_some(FsnCapture *c, size_t *out_bytes, GError **error)
{
    ssize_t n;

    do {
        n = read(c->fd, c->buffer, BUFFER_SIZE);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return fsn_set_errno(error, errno, "cannot read the migration stream");
    }
    *out_bytes = (size_t)n;
    c->progress.bytes_read += (uint64_t)n;
    return true;
}

static bool
reserve_reached(FsnCapture *c)
{
    return c->reserve_pages > 0 && c->progress.pages_total > 0 &&
           c->progress.pages_total - c->progress.pages_seen <= c->reserve_pages;
}

static bool
take_end_of_file(FsnCapture *c, FsnCaptureEvent *out_event, GError **error)
{
    if (!fsn_stream_reader_end(c->reader, error)) {
        g_prefix_error(error, "the migration stream broke off: ");
        return false;
    }
    c->ended = true;
    *out_event = FSN_CAPTURE_END;
    return true;
}

bool
fsn_capture_step(FsnCapture *c,
                 int timeout_ms,
                 FsnCaptureEvent *out_event,
                 GError **error)
{
    int64_t deadline = fsn_monotonic_us() + (int64_t)timeout_ms * 1000;

    for (;;) {
        int64_t left = deadline - fsn_monotonic_us();
        struct pollfd p = { .fd = c->fd, .events = POLLIN };
        size_t n = 0;
        int rc = poll(&p, 1, left > 0 ? (int)(left / 1000) : 0);

        if (rc < 0 && errno != EINTR) {
            return fsn_set_errno(error, errno, "cannot wait for the migration stream");
        }
        if (rc <= 0) {
            break;
        }
        if (!read_some(c, &n, error)) {
            return false;
        }
        if (n == 0) {
            return take_end_of_file(c, out_event, error);
        }
        if (!fsn_stream_reader_push(c->reader, c->buffer, n, error)) {
            return false;
        }
        if (reserve_reached(c)) {
            c->reserve_pages = 0;
            *out_event = FSN_CAPTURE_RESERVE;
            return true;
        }
        if (left <= 0) {
            break;
        }
    }
    *out_event = FSN_CAPTURE_MORE;
    return true;
}

bool
fsn_capture_push(FsnCapture *c, const void *data, size_t len, GError **error)
{
    c->progress.bytes_read += len;
    return fsn_stream_reader_push(c->reader, data, len, error);
}

bool
fsn_capture_push_end(FsnCapture *c, GError **error)
{
    FsnCaptureEvent end;

    return take_end_of_file(c, &end, error);
}

FsnCaptureProgress
fsn_capture_progress(FsnCapture *c)
{
    return c->progress;
}

uint64_t
fsn_capture_bytes_stored(FsnCapture *c)
{
    FsnImageStats stats = { 0 };

    if (c->writer) {
        fsn_image_writer_peek_stats(c->writer, &stats);
    }
    return stats.bytes_stored;
}

bool
fsn_capture_settle(FsnCapture *c, GError **error)
{
    g_assert(c->writer);
    return fsn_image_writer_settle(c->writer, error);
}

void
fsn_capture_objects_clear(FsnCaptureObjects *objects)
{
    g_clear_pointer(&objects->head, g_free);
    g_clear_pointer(&objects->device_state, g_free);
    g_clear_pointer(&objects->description, g_free);
}

static bool
put_part(FsnCapture *c, GBytes *part, char **out_object, GError **error)
{
    gsize len;
    const void *data = g_bytes_get_data(part, &len);

    return fsn_repo_put_object(c->repo, data, len, out_object, error);
}

bool
fsn_capture_commit(FsnCapture *c,
                   FsnImageStats *out_stats,
                   FsnCaptureObjects *out_objects,
                   GError **error)
{
    g_auto(FsnCaptureObjects) objects = { 0 };
    GBytes *description;
    FsnImageStats stats;

    g_assert(c->ended);
    description = fsn_stream_reader_description(c->reader);
    /* Head and description hardly ever change: they cost a look-up, not a write. */
    if (!put_part(c, fsn_stream_reader_head(c->reader), &objects.head, error) ||
        !put_part(c, fsn_stream_reader_device_state(c->reader), &objects.device_state,
                  error) ||
        (description && !put_part(c, description, &objects.description, error))) {
        g_prefix_error(error, "cannot store the device state: ");
        return false;
    }
    if (!fsn_image_writer_commit(c->writer, &stats, error)) {
        g_prefix_error(error, "cannot store the memory: ");
        return false;
    }
    *out_stats = stats;
    *out_objects = objects;
    memset(&objects, 0, sizeof(objects));
    return true;
}

int
fsn_capture_fd(FsnCapture *c)
{
    return c->fd;
}

const FsnRamLayout *
fsn_capture_layout(FsnCapture *c)
{
    return c->progress.pages_total > 0 ? fsn_stream_reader_layout(c->reader) : NULL;
}

const char *
fsn_capture_machine(FsnCapture *c)
{
    return c->machine;
}
