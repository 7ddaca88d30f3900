/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source of migrations for tests, as simple as one can be: it writes what the writer of
 * src/stream makes of a saved stream, and takes the answers of the return path. It knows the
 * parts of a postcopy load and of its recovery; in which order pages go, and what is made of
 * requests for them, is the caller's matter. One thread, one connection at a time, no time
 * limits: the caller sets an alarm.
 */
#include "config.h"

#include "stream-source.h"

#include "base/bytes.h"
#include "stream/writer.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool
on_request(gpointer user, uint32_t block, uint64_t start, uint32_t len, GError **error)
{
    StreamSource *s = user;
    uint64_t first = fsn_page_map_base(s->saved->layout, block) + start / FSN_PAGE_SIZE;

    for (uint64_t i = 0; i < len / FSN_PAGE_SIZE; i++) {
        uint64_t granule = first + i;

        g_array_append_val(s->wanted, granule);
    }
    return true;
}

static bool
on_pong(gpointer user, uint32_t value, GError **error)
{
    ((StreamSource *)user)->pongs++;
    return true;
}

static bool
on_shut(gpointer user, uint32_t err, GError **error)
{
    g_assert_cmpuint(err, ==, 0);
    ((StreamSource *)user)->shut = true;
    return true;
}

static bool
on_bitmap(
    gpointer user, uint32_t block, const uint8_t *bits, uint64_t n_bits, GError **error)
{
    StreamSource *s = user;

    fsn_page_map_load(s->sent, fsn_page_map_base(s->saved->layout, block), bits, n_bits);
    s->bitmaps++;
    return true;
}

static bool
on_resume_ack(gpointer user, GError **error)
{
    ((StreamSource *)user)->resumed = true;
    return true;
}

StreamSource *
stream_source_new(const SavedStream *saved)
{
    StreamSource *s = g_new0(StreamSource, 1);

    s->saved = saved;
    s->sent = fsn_page_map_new(fsn_page_map_pages(saved->layout));
    s->wanted = g_array_new(false, false, sizeof(uint64_t));
    s->out = g_byte_array_new();
    s->fd = -1;
    return s;
}

void
stream_source_free(StreamSource *s)
{
    if (!s) {
        return;
    }
    stream_source_disconnect(s);
    g_byte_array_unref(s->out);
    g_array_unref(s->wanted);
    fsn_page_map_free(s->sent);
    g_free(s);
}

void
stream_source_connect(StreamSource *s, const char *path)
{
    static const FsnReturnPathHandlers handlers = { .request = on_request,
                                                    .pong = on_pong,
                                                    .shut = on_shut,
                                                    .recv_bitmap = on_bitmap,
                                                    .resume_ack = on_resume_ack };
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    g_assert_cmpint(s->fd, ==, -1);
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(s->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        g_error("cannot connect to '%s'", path);
    }
    s->rp = fsn_return_path_new(s->saved->layout, &handlers, s);
    s->last_block = -1;
}

void
stream_source_disconnect(StreamSource *s)
{
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    g_clear_pointer(&s->rp, fsn_return_path_free);
}

/* Waits for @events too. */
static void
wait_for(StreamSource *s, short events, int timeout_ms)
{
    struct pollfd p = { .fd = s->fd, .events = POLLIN | events };
    int n_ready = poll(&p, 1, timeout_ms);
    g_autoptr(GError) error = NULL;
    uint8_t buffer[4096];
    ssize_t n;

    g_assert_cmpint(n_ready, >=, 0);
    if (n_ready == 0 || !(p.revents & (POLLIN | POLLHUP))) {
        return;
    }
    n = read(s->fd, buffer, sizeof(buffer));
    if (n <= 0) {
        g_error("the destination hung up");
    }
    if (!fsn_return_path_push(s->rp, buffer, (size_t)n, &error)) {
        g_error("%s", error->message);
    }
}

void
stream_source_listen(StreamSource *s, int timeout_ms)
{
    wait_for(s, 0, timeout_ms);
}

void
stream_source_flush(StreamSource *s)
{
    for (guint done = 0; done < s->out->len;) {
        ssize_t n = send(s->fd, s->out->data + done, s->out->len - done,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0) {
            wait_for(s, POLLOUT, -1);
        } else {
            done += (guint)n;
        }
    }
    g_byte_array_set_size(s->out, 0);
}

static void
append_page(StreamSource *s, uint64_t granule)
{
    const FsnRamLayout *layout = s->saved->layout;
    const uint8_t *data = saved_stream_page(s->saved, granule);
    bool zero = fsn_is_zero(data, FSN_PAGE_SIZE);
    uint8_t header[FSN_STREAM_PAGE_HEADER_MAX];
    uint32_t block;
    uint64_t page;
    size_t len;

    if (!fsn_page_map_set(s->sent, granule)) {
        return;
    }
    g_assert_true(fsn_page_map_locate(layout, granule, &block, &page));
    len =
        fsn_stream_page_header(header, layout, block, page, zero, s->last_block == block);
    g_byte_array_append(s->out, header, (guint)len);
    if (!zero) {
        g_byte_array_append(s->out, data, FSN_PAGE_SIZE);
    }
    s->last_block = block;
}

void
stream_source_send_page(StreamSource *s, uint64_t granule)
{
    append_page(s, granule);
    stream_source_flush(s);
}

void
stream_source_begin_postcopy(StreamSource *s, uint64_t early)
{
    const FsnRamLayout *layout = s->saved->layout;

    fsn_stream_write_head(s->out, fsn_stream_reader_head(s->saved->reader));
    fsn_stream_write_postcopy_advise(s->out);
    fsn_stream_write_ram_start(s->out, layout);
    if (early > 0) {
        fsn_stream_write_part_begin(s->out, layout);
        for (uint64_t g = 0; g < early; g++) {
            append_page(s, g);
        }
        fsn_stream_write_ram_section_end(s->out, layout);
        fsn_stream_write_discard_unsent(s->out, layout, s->sent);
    } else {
        fsn_stream_write_discard_all(s->out, layout);
    }
    fsn_stream_write_package(s->out, fsn_stream_reader_device_state(s->saved->reader));
}

void
stream_source_recover(StreamSource *s)
{
    const FsnRamLayout *layout = s->saved->layout;

    fsn_stream_write_recover_begin(s->out);
    for (size_t i = 0; i < layout->n_blocks; i++) {
        fsn_stream_write_recv_bitmap_request(s->out, layout->blocks[i].name);
    }
    stream_source_flush(s);
    while (s->bitmaps < layout->n_blocks) {
        stream_source_listen(s, -1);
    }
    fsn_stream_write_postcopy_resume(s->out);
    stream_source_flush(s);
    while (!s->resumed) {
        stream_source_listen(s, -1);
    }
}

void
stream_source_finish_postcopy(StreamSource *s)
{
    fsn_stream_write_ram_section_end(s->out, s->saved->layout);
    fsn_stream_write_ram_end(s->out, s->saved->layout);
    fsn_stream_write_eof(s->out);
    stream_source_flush(s);
    while (!s->shut) {
        stream_source_listen(s, -1);
    }
}
