/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A postcopy source for tests that can be held up: takes a saved stream apart, sends the
 * devices, and answers page requests; the other pages follow only when the file RELEASE
 * exists. So a load lasts as long as a test wants. With --recover it goes on with a load
 * whose source was lost. The file RELEASE.sending exists once the destination accepts pages.
 * Ends when the destination has all, and fails if that hangs up.
 *
 * Usage: postcopy-sender STREAM SOCKET RELEASE [--recover]
 */
#include "config.h"

#include "saved-stream.h"
#include "stream-source.h"

#include "stream/writer.h"

#include <fcntl.h>
#include <unistd.h>

#define TIME_LIMIT 120 /* seconds for everything */
#define LOOK_MS    20  /* how often to look for the file */

static SavedStream *
read_stream(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    SavedStream *saved;

    if (fd < 0) {
        g_error("cannot open '%s'", path);
    }
    saved = saved_stream_read(fd);
    (void)close(fd); /* only read from */
    return saved;
}

static void
answer_requests(StreamSource *s)
{
    while (s->wanted->len > 0) {
        uint64_t granule = g_array_index(s->wanted, uint64_t, 0);

        g_array_remove_index(s->wanted, 0);
        stream_source_send_page(s, granule);
    }
}

static void
send_pages(StreamSource *s, const char *release)
{
    g_autofree char *sending = g_strconcat(release, ".sending", NULL);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(sending, "", 0, &error);
    g_assert_no_error(error);
    fsn_stream_write_part_begin(s->out, s->saved->layout);
    stream_source_flush(s);
    while (!g_file_test(release, G_FILE_TEST_EXISTS)) {
        stream_source_listen(s, LOOK_MS);
        answer_requests(s);
    }
    for (uint64_t g = 0; g < fsn_page_map_length(s->sent); g++) {
        stream_source_send_page(s, g);
        answer_requests(s);
    }
    stream_source_finish_postcopy(s);
}

int
main(int argc, char **argv)
{
    g_autoptr(SavedStream) saved = NULL;
    g_autoptr(StreamSource) s = NULL;

    if (argc != 4 && !(argc == 5 && g_str_equal(argv[4], "--recover"))) {
        g_printerr("usage: postcopy-sender STREAM SOCKET RELEASE [--recover]\n");
        return 2;
    }
    (void)alarm(TIME_LIMIT); /* no alarm was set before */
    saved = read_stream(argv[1]);
    s = stream_source_new(saved);
    stream_source_connect(s, argv[2]);
    if (argc == 5) {
        stream_source_recover(s);
    } else {
        stream_source_begin_postcopy(s, 0);
    }
    send_pages(s, argv[3]);
    return 0;
}
