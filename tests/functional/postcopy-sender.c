/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A postcopy source for tests, as simple as one can be: takes a saved stream apart, sends
 * the devices, and answers page requests; the other pages follow only when the file RELEASE
 * exists. So a load lasts as long as a test wants. With --recover it goes on with a load
 * whose source was lost. The file RELEASE.sending exists once the destination accepts pages.
 * Ends when the destination has all, and fails if that hangs up.
 *
 * Usage: postcopy-sender STREAM SOCKET RELEASE [--recover]
 */
#include "config.h"

#include "base/bytes.h"
#include "base/files.h"
#include "stream/reader.h"
#include "stream/return-path.h"
#include "stream/writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TIME_LIMIT 120 /* seconds for everything */
#define LOOK_MS    20  /* how often to look for the file */

typedef struct {
    FsnStreamReader *reader;
    const FsnRamLayout *layout;
    uint8_t *ram; /* all granules */
    FsnPageMap *sent;
    FsnReturnPath *rp;
    GByteArray *out;
    GArray *wanted; /* granules that were asked for */
    int fd;
    int64_t last_block;
    guint bitmaps;
    bool shut;
    bool resumed;
} Sender;

static bool
on_start(gpointer user, const FsnRamLayout *layout, GError **error)
{
    Sender *s = user;

    s->layout = layout;
    s->ram = g_malloc0(fsn_ram_layout_length(layout));
    return true;
}

static bool
on_page(gpointer user, uint32_t block, uint64_t page, const uint8_t *data, GError **error)
{
    Sender *s = user;
    uint8_t *to = s->ram + (fsn_page_map_base(s->layout, block) + page) * FSN_PAGE_SIZE;

    if (data) {
        memcpy(to, data, FSN_PAGE_SIZE);
    } else {
        memset(to, 0, FSN_PAGE_SIZE);
    }
    return true;
}

static bool
read_stream(Sender *s, const char *path, GError **error)
{
    static const FsnStreamHandlers handlers = { .ram_start = on_start, .page = on_page };
    g_autofree uint8_t *buffer = g_malloc(1 << 16);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    s->reader = fsn_stream_reader_new(&handlers, s);
    while ((n = read(fd, buffer, 1 << 16)) > 0) {
        if (!fsn_stream_reader_push(s->reader, buffer, (size_t)n, error)) {
            return false;
        }
    }
    (void)close(fd); /* only read from */
    return fsn_stream_reader_end(s->reader, error);
}

static bool
on_request(gpointer user, uint32_t block, uint64_t start, uint32_t len, GError **error)
{
    Sender *s = user;
    uint64_t first = fsn_page_map_base(s->layout, block) + start / FSN_PAGE_SIZE;

    for (uint64_t i = 0; i < len / FSN_PAGE_SIZE; i++) {
        uint64_t granule = first + i;

        g_array_append_val(s->wanted, granule);
    }
    return true;
}

static bool
on_shut(gpointer user, uint32_t err, GError **error)
{
    g_assert_cmpuint(err, ==, 0);
    ((Sender *)user)->shut = true;
    return true;
}

static bool
on_bitmap(
    gpointer user, uint32_t block, const uint8_t *bits, uint64_t n_bits, GError **error)
{
    Sender *s = user;

    fsn_page_map_load(s->sent, fsn_page_map_base(s->layout, block), bits, n_bits);
    s->bitmaps++;
    return true;
}

static bool
on_resume_ack(gpointer user, GError **error)
{
    ((Sender *)user)->resumed = true;
    return true;
}

/* Takes what the destination says, waiting up to @timeout_ms for @events too. */
static void
listen_to(Sender *s, short events, int timeout_ms)
{
    struct pollfd p = { .fd = s->fd, .events = POLLIN | events };
    g_autoptr(GError) error = NULL;
    uint8_t buffer[4096];
    ssize_t n;

    if (poll(&p, 1, timeout_ms) <= 0 || !(p.revents & (POLLIN | POLLHUP))) {
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

static void
flush(Sender *s)
{
    for (guint done = 0; done < s->out->len;) {
        ssize_t n = send(s->fd, s->out->data + done, s->out->len - done,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0) {
            listen_to(s, POLLOUT, -1);
        } else {
            done += (guint)n;
        }
    }
    g_byte_array_set_size(s->out, 0);
}

static void
send_granule(Sender *s, uint64_t granule)
{
    const uint8_t *data = s->ram + granule * FSN_PAGE_SIZE;
    bool zero = fsn_is_zero(data, FSN_PAGE_SIZE);
    uint8_t header[FSN_STREAM_PAGE_HEADER_MAX];
    uint32_t block;
    uint64_t page;
    size_t len;

    if (!fsn_page_map_set(s->sent, granule)) {
        return;
    }
    g_assert_true(fsn_page_map_locate(s->layout, granule, &block, &page));
    len = fsn_stream_page_header(header, s->layout, block, page, zero,
                                 s->last_block == block);
    g_byte_array_append(s->out, header, (guint)len);
    if (!zero) {
        g_byte_array_append(s->out, data, FSN_PAGE_SIZE);
    }
    s->last_block = block;
    flush(s);
}

static void
answer_requests(Sender *s)
{
    while (s->wanted->len > 0) {
        uint64_t granule = g_array_index(s->wanted, uint64_t, 0);

        g_array_remove_index(s->wanted, 0);
        send_granule(s, granule);
    }
}

static void
begin_load(Sender *s)
{
    fsn_stream_write_head(s->out, fsn_stream_reader_head(s->reader));
    fsn_stream_write_postcopy_advise(s->out);
    fsn_stream_write_ram_start(s->out, s->layout);
    fsn_stream_write_discard_all(s->out, s->layout);
    fsn_stream_write_package(s->out, fsn_stream_reader_device_state(s->reader));
}

static void
begin_recovery(Sender *s)
{
    fsn_stream_write_recover_begin(s->out);
    for (size_t i = 0; i < s->layout->n_blocks; i++) {
        fsn_stream_write_recv_bitmap_request(s->out, s->layout->blocks[i].name);
    }
    flush(s);
    while (s->bitmaps < s->layout->n_blocks) {
        listen_to(s, 0, -1);
    }
    fsn_stream_write_postcopy_resume(s->out);
    flush(s);
    while (!s->resumed) {
        listen_to(s, 0, -1);
    }
}

static void
send_pages(Sender *s, const char *release)
{
    g_autofree char *sending = g_strconcat(release, ".sending", NULL);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(sending, "", 0, &error);
    g_assert_no_error(error);
    fsn_stream_write_part_begin(s->out, s->layout);
    flush(s);
    while (!g_file_test(release, G_FILE_TEST_EXISTS)) {
        listen_to(s, 0, LOOK_MS);
        answer_requests(s);
    }
    for (uint64_t g = 0; g < fsn_page_map_length(s->sent); g++) {
        send_granule(s, g);
        answer_requests(s);
    }
    fsn_stream_write_ram_section_end(s->out, s->layout);
    fsn_stream_write_ram_end(s->out, s->layout);
    fsn_stream_write_eof(s->out);
    flush(s);
    while (!s->shut) {
        listen_to(s, 0, -1);
    }
}

static void
connect_to(Sender *s, const char *path)
{
    static const FsnReturnPathHandlers handlers = { .request = on_request,
                                                    .shut = on_shut,
                                                    .recv_bitmap = on_bitmap,
                                                    .resume_ack = on_resume_ack };
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(s->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        g_error("cannot connect to '%s'", path);
    }
    s->rp = fsn_return_path_new(s->layout, &handlers, s);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    Sender s = { .last_block = -1 };

    if (argc != 4 && !(argc == 5 && g_str_equal(argv[4], "--recover"))) {
        g_printerr("usage: postcopy-sender STREAM SOCKET RELEASE [--recover]\n");
        return 2;
    }
    (void)alarm(TIME_LIMIT); /* no alarm was set before */
    if (!read_stream(&s, argv[1], &error)) {
        g_error("%s", error->message);
    }
    s.out = g_byte_array_new();
    s.wanted = g_array_new(false, false, sizeof(uint64_t));
    s.sent = fsn_page_map_new(fsn_page_map_pages(s.layout));
    connect_to(&s, argv[2]);
    if (argc == 5) {
        begin_recovery(&s);
    } else {
        begin_load(&s);
    }
    send_pages(&s, argv[3]);
    fsn_return_path_free(s.rp);
    fsn_stream_reader_free(s.reader);
    fsn_page_map_free(s.sent);
    g_byte_array_unref(s.out);
    g_array_unref(s.wanted);
    g_free(s.ram);
    return 0;
}
