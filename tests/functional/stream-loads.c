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

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "stream/reader.h"
#include "stream/return-path.h"
#include "stream/writer.h"

#include <gio/gio.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TIME_LIMIT 120 /* seconds for everything */
#define DATA_LEN   (8u << 20)

/* What a reader took out of a stream. */
typedef struct {
    FsnStreamReader *reader;
    const FsnRamLayout *layout;
    uint8_t *ram; /* all granules */
} Saved;

/* A QEMU with QMP on its standard input and output. */
typedef struct {
    GSubprocess *process;
    GOutputStream *in;
    GDataInputStream *out;
} Qemu;

/* The source's end of a connection to a QEMU that loads. */
typedef struct {
    int fd;
    const Saved *saved;
    FsnReturnPath *rp;
    FsnPageMap *sent;
    int64_t last_block;
    bool shut;
    bool resumed;
    unsigned int pongs;
    unsigned int bitmaps;
} Source;

static char *folder;

/* ---- QEMU and QMP ---- */

static void
child_setup(gpointer unused)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* best effort: also if this test is killed */
}

static JsonObject *
qmp(Qemu *q, const char *line)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strconcat(line, "\n", NULL);

    g_output_stream_write_all(q->in, text, strlen(text), NULL, NULL, &error);
    g_assert_no_error(error);
    for (;;) {
        JsonObject *reply;
        gsize len;
        g_autofree char *answer =
            g_data_input_stream_read_line(q->out, &len, NULL, &error);

        g_assert_no_error(error);
        if (!answer) {
            g_error("QEMU ended at %s", line);
        }
        if (!fsn_json_parse_object(answer, len, 1 << 20, "QMP", &reply, &error)) {
            g_error("%s", error->message);
        }
        if (json_object_has_member(reply, "return") ||
            json_object_has_member(reply, "error")) {
            return reply;
        }
        json_object_unref(reply); /* greeting or event */
    }
}

static void
qmp_ok(Qemu *q, const char *line)
{
    g_autoptr(JsonObject) reply = qmp(q, line);

    if (json_object_has_member(reply, "error")) {
        g_error("%s: %s", line,
                fsn_json_peek_string(json_object_get_object_member(reply, "error"),
                                     "desc", "?"));
    }
}

/* QEMU 7.2 says "completed" of an incoming postcopy a moment before its thread has let go;
 * a command to migrate out in between fails, and leaves an outgoing migration that never
 * ends. The last thing that the thread lets go is its entry in this list. */
static void
wait_idle(Qemu *q)
{
    for (;;) {
        g_autoptr(JsonObject) reply = qmp(q, "{\"execute\":\"query-yank\"}");

        if (json_array_get_length(json_object_get_array_member(reply, "return")) == 0) {
            return;
        }
        g_usleep(5000); /* no event tells; alarm() bounds the loop */
    }
}

static char *
qmp_status(Qemu *q, const char *command)
{
    g_autofree char *line = g_strdup_printf("{\"execute\":\"%s\"}", command);
    g_autoptr(JsonObject) reply = qmp(q, line);

    return g_strdup(fsn_json_peek_string(json_object_get_object_member(reply, "return"),
                                         "status", "none"));
}

/* Waits until @command reports @status. */
static void
wait_status(Qemu *q, const char *command, const char *status)
{
    for (;;) {
        g_autofree char *now = qmp_status(q, command);

        if (strcmp(now, status) == 0) {
            return;
        }
        g_assert_cmpstr(now, !=, "failed");
        g_usleep(5000); /* QEMU gives no event for it; alarm() bounds the loop */
    }
}

static Qemu *
qemu_start(const char *binary, bool incoming)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
    g_autofree char *loader =
        g_strdup_printf("loader,file=%s/data,addr=0x100000,force-raw=on", folder);
    g_autoptr(GError) error = NULL;
    Qemu *q = g_new0(Qemu, 1);

    g_subprocess_launcher_set_child_setup(launcher, child_setup, NULL, NULL);
    q->process = g_subprocess_launcher_spawn(
        launcher, &error, binary, "-machine", "q35,accel=tcg", "-m", "32", "-display",
        "none", "-nodefaults", "-S", "-qmp", "stdio", incoming ? "-incoming" : "-device",
        incoming ? "defer" : loader, NULL);
    g_assert_no_error(error);
    q->in = g_subprocess_get_stdin_pipe(q->process);
    q->out = g_data_input_stream_new(g_subprocess_get_stdout_pipe(q->process));
    qmp_ok(q, "{\"execute\":\"qmp_capabilities\"}");
    return q;
}

static void
qemu_stop(Qemu *q)
{
    g_autoptr(GError) error = NULL;

    qmp_ok(q, "{\"execute\":\"quit\"}");
    g_subprocess_wait(q->process, NULL, &error);
    g_assert_no_error(error);
    g_object_unref(q->out);
    g_object_unref(q->process);
    g_free(q);
}

/* Switches postcopy-ram; exits 77 if the host does not permit it. */
static void
set_postcopy(Qemu *q, bool on)
{
    g_autofree char *line = g_strdup_printf(
        "{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":"
        "[{\"capability\":\"postcopy-ram\",\"state\":%s}]}}",
        on ? "true" : "false");
    g_autoptr(JsonObject) reply = qmp(q, line);

    if (json_object_has_member(reply, "error")) {
        g_print("SKIP: QEMU may not use userfaultfd here: be root or set "
                "vm.unprivileged_userfaultfd\n");
        qemu_stop(q);
        exit(77);
    }
}

/* ---- sockets ---- */

static struct sockaddr_un
socket_address(const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name);
    return address;
}

/* ---- out of QEMU ---- */

static bool
save_start(gpointer user, const FsnRamLayout *layout, GError **error)
{
    Saved *s = user;

    s->layout = layout;
    s->ram = g_malloc0(fsn_ram_layout_length(layout));
    return true;
}

static bool
save_page(
    gpointer user, uint32_t block, uint64_t page, const uint8_t *data, GError **error)
{
    Saved *s = user;
    uint8_t *to = s->ram + (fsn_page_map_base(s->layout, block) + page) * FSN_PAGE_SIZE;

    if (data) {
        memcpy(to, data, FSN_PAGE_SIZE);
    } else {
        memset(to, 0, FSN_PAGE_SIZE);
    }
    return true;
}

static Saved *
save(Qemu *q, const char *name)
{
    static const FsnStreamHandlers handlers = { .ram_start = save_start,
                                                .page = save_page };
    struct sockaddr_un address = socket_address(name);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_autofree char *line =
        g_strdup_printf("{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"unix:%s\"}}",
                        address.sun_path);
    g_autoptr(GError) error = NULL;
    Saved *s = g_new0(Saved, 1);
    uint8_t buffer[65536];
    ssize_t n;
    int fd;

    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    wait_idle(q);
    qmp_ok(q, line);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    s->reader = fsn_stream_reader_new(&handlers, s);
    while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
        if (!fsn_stream_reader_push(s->reader, buffer, (size_t)n, &error)) {
            g_error("%s", error->message);
        }
    }
    if (!fsn_stream_reader_end(s->reader, &error)) {
        g_error("%s", error->message);
    }
    close(fd);
    close(listener);
    wait_status(q, "query-migrate", "completed");
    return s;
}

static void
saved_free(Saved *s)
{
    fsn_stream_reader_free(s->reader);
    g_free(s->ram);
    g_free(s);
}

/* ---- into QEMU ---- */

static bool
on_pong(gpointer user, uint32_t value, GError **error)
{
    ((Source *)user)->pongs++;
    return true;
}

static bool
on_shut(gpointer user, uint32_t err, GError **error)
{
    g_assert_cmpuint(err, ==, 0);
    ((Source *)user)->shut = true;
    return true;
}

static bool
on_bitmap(
    gpointer user, uint32_t block, const uint8_t *bits, uint64_t n_bits, GError **error)
{
    Source *s = user;

    fsn_page_map_load(s->sent, fsn_page_map_base(s->saved->layout, block), bits, n_bits);
    s->bitmaps++;
    return true;
}

static bool
on_resume_ack(gpointer user, GError **error)
{
    ((Source *)user)->resumed = true;
    return true;
}

static const FsnReturnPathHandlers rp_handlers = {
    .pong = on_pong,
    .shut = on_shut,
    .recv_bitmap = on_bitmap,
    .resume_ack = on_resume_ack,
};

/* Connects and starts a new conversation; what was sent before stays known. */
static void
source_connect(Source *s, const char *name)
{
    struct sockaddr_un address = socket_address(name);

    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(s->fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    s->last_block = -1;
    g_clear_pointer(&s->rp, fsn_return_path_free);
    s->rp = fsn_return_path_new(s->saved->layout, &rp_handlers, s);
}

/* Waits for @events and takes what the destination says meanwhile. */
static void
source_poll(Source *s, short events)
{
    struct pollfd p = { .fd = s->fd, .events = POLLIN | events };
    g_autoptr(GError) error = NULL;
    uint8_t buffer[4096];
    ssize_t n;

    g_assert_cmpint(poll(&p, 1, -1), ==, 1);
    if (!(p.revents & (POLLIN | POLLHUP))) {
        return;
    }
    n = read(s->fd, buffer, sizeof(buffer));
    g_assert_cmpint(n, >, 0); /* QEMU must not hang up */
    if (!fsn_return_path_push(s->rp, buffer, (size_t)n, &error)) {
        g_error("%s", error->message);
    }
}

static void
source_send(Source *s, GByteArray *out)
{
    for (guint done = 0; done < out->len;) {
        ssize_t n =
            send(s->fd, out->data + done, out->len - done, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0) {
            source_poll(s, POLLOUT);
        } else {
            done += (guint)n;
        }
    }
    g_byte_array_set_size(out, 0);
}

/* Appends granule @g unless it was sent. */
static void
append_page(Source *s, GByteArray *out, uint64_t g)
{
    const uint8_t *data = s->saved->ram + g * FSN_PAGE_SIZE;
    uint8_t header[FSN_STREAM_PAGE_HEADER_MAX];
    bool zero = fsn_is_zero(data, FSN_PAGE_SIZE);
    uint32_t block;
    uint64_t page;
    size_t len;

    if (!fsn_page_map_set(s->sent, g)) {
        return;
    }
    g_assert_true(fsn_page_map_locate(s->saved->layout, g, &block, &page));
    len = fsn_stream_page_header(header, s->saved->layout, block, page, zero,
                                 s->last_block == block);
    g_byte_array_append(out, header, (guint)len);
    if (!zero) {
        g_byte_array_append(out, data, FSN_PAGE_SIZE);
    }
    s->last_block = block;
}

/* Sends all missing pages from the last one down to @stop. */
static void
send_pages(Source *s, GByteArray *out, uint64_t stop)
{
    for (uint64_t g = fsn_page_map_length(s->sent); g-- > stop;) {
        append_page(s, out, g);
        source_send(s, out);
    }
}

static void
finish_ram(Source *s, GByteArray *out)
{
    fsn_stream_write_ram_section_end(out, s->saved->layout);
    fsn_stream_write_ram_end(out, s->saved->layout);
}

static void
load_precopy(Source *s)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    fsn_stream_write_head(out, fsn_stream_reader_head(s->saved->reader));
    fsn_stream_write_ram_start(out, s->saved->layout);
    fsn_stream_write_part_begin(out, s->saved->layout);
    send_pages(s, out, 0);
    finish_ram(s, out);
    fsn_stream_write_precopy_tail(out, fsn_stream_reader_device_state(s->saved->reader),
                                  fsn_stream_reader_description(s->saved->reader));
    source_send(s, out);
}

/* Up to the part that pages may be sent in; the first @early pages are precopied. */
static void
begin_postcopy(Source *s, uint64_t early)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    fsn_stream_write_head(out, fsn_stream_reader_head(s->saved->reader));
    fsn_stream_write_postcopy_advise(out);
    fsn_stream_write_ram_start(out, s->saved->layout);
    if (early > 0) {
        fsn_stream_write_part_begin(out, s->saved->layout);
        for (uint64_t g = 0; g < early; g++) {
            append_page(s, out, g);
        }
        fsn_stream_write_ram_section_end(out, s->saved->layout);
        fsn_stream_write_discard_unsent(out, s->saved->layout, s->sent);
    } else {
        fsn_stream_write_discard_all(out, s->saved->layout);
    }
    fsn_stream_write_package(out, fsn_stream_reader_device_state(s->saved->reader));
    fsn_stream_write_part_begin(out, s->saved->layout);
    source_send(s, out);
}

static void
finish_postcopy(Source *s)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    send_pages(s, out, 0);
    finish_ram(s, out);
    fsn_stream_write_eof(out);
    source_send(s, out);
    while (!s->shut) {
        source_poll(s, 0);
    }
}

/* Breaks the connection when half of the pages are sent, and goes on over another one. */
static void
break_and_recover(Source *s, Qemu *q)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    const FsnRamLayout *layout = s->saved->layout;
    uint64_t n_pages = fsn_page_map_length(s->sent);
    g_autofree char *line = g_strdup_printf(
        "{\"execute\":\"migrate-recover\",\"arguments\":{\"uri\":\"unix:%s/again\"}}",
        folder);

    send_pages(s, out, n_pages / 2);
    while (s->pongs < 4) { /* the package is loaded */
        source_poll(s, 0);
    }
    close(s->fd);
    wait_status(q, "query-migrate", "postcopy-paused");
    qmp_ok(q, line);
    source_connect(s, "again");
    fsn_stream_write_recover_begin(out);
    for (size_t i = 0; i < layout->n_blocks; i++) {
        fsn_stream_write_recv_bitmap_request(out, layout->blocks[i].name);
    }
    source_send(s, out);
    while (s->bitmaps < layout->n_blocks) {
        source_poll(s, 0);
    }
    g_assert_cmpuint(fsn_page_map_count(s->sent), >, 0);
    g_assert_cmpuint(fsn_page_map_count(s->sent), <=, n_pages - n_pages / 2);
    fsn_stream_write_postcopy_resume(out);
    source_send(s, out);
    while (!s->resumed) {
        source_poll(s, 0);
    }
    fsn_stream_write_part_begin(out, layout);
    source_send(s, out);
}

static void
load(const Saved *saved, Qemu *q, const char *mode)
{
    Source s = { .saved = saved };
    g_autofree char *line = g_strdup_printf(
        "{\"execute\":\"migrate-incoming\",\"arguments\":{\"uri\":\"unix:%s/in\"}}",
        folder);

    s.sent = fsn_page_map_new(fsn_page_map_pages(saved->layout));
    if (strcmp(mode, "precopy") != 0) {
        set_postcopy(q, true);
    }
    qmp_ok(q, line);
    source_connect(&s, "in");
    if (strcmp(mode, "precopy") == 0) {
        load_precopy(&s);
    } else if (strcmp(mode, "postcopy") == 0) {
        begin_postcopy(&s, 20);
        finish_postcopy(&s);
        g_assert_cmpuint(s.pongs, ==, 4);
    } else {
        begin_postcopy(&s, 0);
        break_and_recover(&s, q);
        finish_postcopy(&s);
    }
    wait_status(q, "query-migrate", "completed");
    close(s.fd);
    fsn_return_path_free(s.rp);
    fsn_page_map_free(s.sent);
}

/* ---- the judgement ---- */

static void
assert_same(const Saved *a, const Saved *b)
{
    uint64_t n_pages = fsn_page_map_pages(a->layout);
    uint64_t zero = 0;

    g_assert_true(fsn_ram_layout_equal(a->layout, b->layout));
    for (uint64_t g = 0; g < n_pages; g++) {
        if (memcmp(a->ram + g * FSN_PAGE_SIZE, b->ram + g * FSN_PAGE_SIZE,
                   FSN_PAGE_SIZE)) {
            g_error("page %" G_GUINT64_FORMAT " differs", g);
        }
        zero += fsn_is_zero(a->ram + g * FSN_PAGE_SIZE, FSN_PAGE_SIZE);
    }
    g_assert_cmpuint(n_pages - zero, >=, DATA_LEN / FSN_PAGE_SIZE);
    g_assert_cmpuint(g_bytes_get_size(fsn_stream_reader_device_state(a->reader)), ==,
                     g_bytes_get_size(fsn_stream_reader_device_state(b->reader)));
    g_print("%" G_GUINT64_FORMAT " pages are equal, %" G_GUINT64_FORMAT " of them zero\n",
            n_pages, zero);
}

static void
judge(const char *mode, const char *binary)
{
    Qemu *first = qemu_start(binary, false);
    Saved *before = save(first, "first");
    Qemu *second;
    Saved *after;
    g_autofree char *status = NULL;

    qemu_stop(first);
    second = qemu_start(binary, true);
    load(before, second, mode);
    status = qmp_status(second, "query-status");
    g_print("%s: loaded, status '%s'\n", mode, status);
    g_assert_cmpstr(status, !=, "inmigrate");
    if (strcmp(mode, "precopy") != 0) {
        set_postcopy(second, false);
    }
    after = save(second, "second");
    assert_same(before, after);
    qmp_ok(second, "{\"execute\":\"cont\"}");
    wait_status(second, "query-status", "running");
    qemu_stop(second);
    saved_free(before);
    saved_free(after);
}

static void
write_data(void)
{
    g_autofree uint8_t *data = g_malloc(DATA_LEN);
    g_autofree char *path = g_build_filename(folder, "data", NULL);
    g_autoptr(GError) error = NULL;

    fsn_random_bytes(data, DATA_LEN);
    g_file_set_contents(path, (const char *)data, DATA_LEN, &error);
    g_assert_no_error(error);
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
    write_data();
    judge(argv[1], argv[2]);
    return 0;
}
