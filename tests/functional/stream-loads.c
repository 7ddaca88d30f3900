/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU itself as the judge of src/stream: the stream of one QEMU is taken apart by the
 * reader, put together again by the writer (precopy, postcopy, or postcopy that breaks in
 * the middle and is recovered) and loaded by a second QEMU, whose memory must then be equal
 * page by page, and which must run.
 *
 * Usage: stream-loads precopy|postcopy|recovery QEMU FOLDER. The folder is for sockets and
 * data; the caller removes it. Exit 77: this host permits QEMU no userfaultfd.
 */
#include "config.h"

#include "saved-stream.h"
#include "stdio-qemu.h"
#include "stream-source.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "stream/writer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TIME_LIMIT 120 /* seconds for everything */
#define DATA_LEN   (8u << 20)

static const char *folder;

static char *
in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/* Switches postcopy-ram; exits 77 if the host does not permit it. */
static void
set_postcopy(StdioQemu *q, bool on)
{
    g_autofree char *line = g_strdup_printf(
        "{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":"
        "[{\"capability\":\"postcopy-ram\",\"state\":%s}]}}",
        on ? "true" : "false");
    g_autoptr(JsonObject) reply = stdio_qemu_execute(q, line);

    if (json_object_has_member(reply, "error")) {
        g_print("SKIP: QEMU may not use userfaultfd here: be root or set "
                "vm.unprivileged_userfaultfd\n");
        stdio_qemu_quit(q);
        exit(77);
    }
}

/* ---- out of QEMU ---- */

static SavedStream *
save(StdioQemu *q, const char *name)
{
    g_autofree char *path = in_folder(name);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SavedStream *saved;
    int fd;

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    stdio_qemu_wait_idle(q);
    stdio_qemu_command_uri(q, "migrate", path);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    saved = saved_stream_read(fd);
    close(fd);
    close(listener);
    stdio_qemu_wait_status(q, "query-migrate", "completed");
    return saved;
}

/* ---- into QEMU ---- */

/* Sends all missing pages from the last one down to @stop. */
static void
send_pages(StreamSource *s, uint64_t stop)
{
    for (uint64_t g = fsn_page_map_length(s->sent); g-- > stop;) {
        stream_source_send_page(s, g);
    }
}

static void
load_precopy(StreamSource *s)
{
    FsnStreamReader *reader = s->saved->reader;
    const FsnRamLayout *layout = s->saved->layout;

    fsn_stream_write_head(s->out, fsn_stream_reader_head(reader));
    fsn_stream_write_ram_start(s->out, layout);
    fsn_stream_write_part_begin(s->out, layout);
    send_pages(s, 0);
    fsn_stream_write_ram_section_end(s->out, layout);
    fsn_stream_write_ram_end(s->out, layout);
    fsn_stream_write_precopy_tail(s->out, fsn_stream_reader_device_state(reader),
                                  fsn_stream_reader_description(reader));
    stream_source_flush(s);
}

/* Up to the part that pages may be sent in; the first @early pages are precopied. */
static void
begin_postcopy(StreamSource *s, uint64_t early)
{
    stream_source_begin_postcopy(s, early);
    fsn_stream_write_part_begin(s->out, s->saved->layout);
    stream_source_flush(s);
}

static void
finish_postcopy(StreamSource *s)
{
    send_pages(s, 0);
    stream_source_finish_postcopy(s);
}

/* Breaks the connection when half of the pages are sent, and goes on over another one. */
static void
break_and_recover(StreamSource *s, StdioQemu *q)
{
    uint64_t n_pages = fsn_page_map_length(s->sent);
    g_autofree char *again = in_folder("again");

    send_pages(s, n_pages / 2);
    while (s->pongs < 4) { /* the package is loaded */
        stream_source_listen(s, -1);
    }
    stream_source_disconnect(s);
    stdio_qemu_wait_status(q, "query-migrate", "postcopy-paused");
    stdio_qemu_command_uri(q, "migrate-recover", again);
    stream_source_connect(s, again);
    stream_source_recover(s);
    g_assert_cmpuint(fsn_page_map_count(s->sent), >, 0);
    g_assert_cmpuint(fsn_page_map_count(s->sent), <=, n_pages - n_pages / 2);
    fsn_stream_write_part_begin(s->out, s->saved->layout);
    stream_source_flush(s);
}

static void
load(const SavedStream *saved, StdioQemu *q, const char *mode)
{
    g_autoptr(StreamSource) s = stream_source_new(saved);
    g_autofree char *in = in_folder("in");

    if (strcmp(mode, "precopy") != 0) {
        set_postcopy(q, true);
    }
    stdio_qemu_command_uri(q, "migrate-incoming", in);
    stream_source_connect(s, in);
    if (strcmp(mode, "precopy") == 0) {
        load_precopy(s);
    } else if (strcmp(mode, "postcopy") == 0) {
        begin_postcopy(s, 20);
        finish_postcopy(s);
        g_assert_cmpuint(s->pongs, ==, 4);
    } else {
        begin_postcopy(s, 0);
        break_and_recover(s, q);
        finish_postcopy(s);
    }
    stdio_qemu_wait_status(q, "query-migrate", "completed");
}

/* ---- the judgement ---- */

static void
assert_same(const SavedStream *a, const SavedStream *b)
{
    uint64_t n_pages = fsn_page_map_pages(a->layout);
    uint64_t zero = 0;

    g_assert_true(fsn_ram_layout_equal(a->layout, b->layout));
    for (uint64_t g = 0; g < n_pages; g++) {
        if (memcmp(saved_stream_page(a, g), saved_stream_page(b, g), FSN_PAGE_SIZE)) {
            g_error("page %" G_GUINT64_FORMAT " differs", g);
        }
        zero += fsn_is_zero(saved_stream_page(a, g), FSN_PAGE_SIZE);
    }
    g_assert_cmpuint(n_pages - zero, >=, DATA_LEN / FSN_PAGE_SIZE);
    g_assert_cmpuint(g_bytes_get_size(fsn_stream_reader_device_state(a->reader)), ==,
                     g_bytes_get_size(fsn_stream_reader_device_state(b->reader)));
    g_print("%" G_GUINT64_FORMAT " pages are equal, %" G_GUINT64_FORMAT " of them zero\n",
            n_pages, zero);
}

/* Puts random bytes into a file of the folder; returns the device that loads it. */
static char *
make_data(void)
{
    g_autofree uint8_t *data = g_malloc(DATA_LEN);
    g_autofree char *path = in_folder("data");
    g_autoptr(GError) error = NULL;

    fsn_random_bytes(data, DATA_LEN);
    g_file_set_contents(path, (const char *)data, DATA_LEN, &error);
    g_assert_no_error(error);
    return g_strdup_printf("loader,file=%s,addr=0x100000,force-raw=on", path);
}

static void
judge(const char *mode, const char *binary)
{
    g_autofree char *loader = make_data();
    StdioQemu *first = stdio_qemu_start(binary, "-device", loader);
    g_autoptr(SavedStream) before = save(first, "first");
    g_autoptr(SavedStream) after = NULL;
    g_autofree char *status = NULL;
    StdioQemu *second;

    stdio_qemu_quit(first);
    second = stdio_qemu_start(binary, "-incoming", "defer");
    load(before, second, mode);
    status = stdio_qemu_status(second, "query-status");
    g_print("%s: loaded, status '%s'\n", mode, status);
    g_assert_cmpstr(status, !=, "inmigrate");
    if (strcmp(mode, "precopy") != 0) {
        set_postcopy(second, false);
    }
    after = save(second, "second");
    assert_same(before, after);
    stdio_qemu_command(second, "{\"execute\":\"cont\"}");
    stdio_qemu_wait_status(second, "query-status", "running");
    stdio_qemu_quit(second);
}

int
main(int argc, char **argv)
{
    if (argc != 4) {
        g_printerr("usage: stream-loads precopy|postcopy|recovery QEMU FOLDER\n");
        return 2;
    }
    (void)alarm(TIME_LIMIT); /* no alarm was set before */
    folder = argv[3];
    judge(argv[1], argv[2]);
    return 0;
}
