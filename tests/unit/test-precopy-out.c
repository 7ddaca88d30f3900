/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/memory/precopy-out.c: what it writes, our own reader takes for a whole stream with the
 * same pages; what it cannot write is an error. */
#include "config.h"

#include "memory/precopy-map.h"
#include "memory/precopy-out.h"
#include "repo-common.h"
#include "stream/reader.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define PAGES_A     300u
#define PAGES_B     1u
#define DESCRIPTION "{\"page_size\":4096,\"devices\":[]}"

static FsnRamBlock blocks[] = { { (char *)"pc.ram", PAGES_A *FSN_PAGE_SIZE },
                                { (char *)"pc.rom", PAGES_B *FSN_PAGE_SIZE } };
static const FsnRamLayout layout = {
    .section_id = 2, .version = 4, .blocks = blocks, .n_blocks = 2
};

/* Every third page is zero. */
static uint64_t
seed_of(uint64_t granule)
{
    return granule % 3 ? granule : 0;
}

static FsnImage *
make_image(FsnRepo *repo, uint64_t granules)
{
    const FsnImageWriterOptions options = { .n_granules = granules,
                                            .codec = FSN_CODEC_LZ4 };
    g_autoptr(FsnImageWriter) writer = fsn_image_writer_new(repo, &options, NULL);
    FsnImageStats stats;

    for (uint64_t i = 0; i < granules; i++) {
        put_seed(writer, i, seed_of(i));
    }
    g_assert_true(fsn_image_writer_commit(writer, &stats, NULL));
    return fsn_image_open(repo, stats.root, NULL);
}

/* What an outgoing stream of this machine begins with: magic, version, configuration. */
static GBytes *
make_head(void)
{
    static const uint8_t head[] = "QEVM\0\0\0\3\7\0\0\0\4test";

    return g_bytes_new(head, sizeof(head) - 1);
}

/* One section of another device, with its footer. */
static GBytes *
make_device_state(void)
{
    static const uint8_t state[] = "\4\0\0\0\7\3dev\0\0\0\0\0\0\0\1DATA\x7e\0\0\0\7";

    return g_bytes_new(state, sizeof(state) - 1);
}

static uint64_t pages_seen;

static bool
on_page(gpointer user, uint32_t block, uint64_t page, const uint8_t *data, GError **error)
{
    uint64_t granule = page + (block == 1 ? PAGES_A : 0);
    uint8_t wanted[FSN_PAGE_SIZE];

    g_assert_cmpuint(granule, ==, pages_seen);
    pages_seen++;
    if (seed_of(granule) == 0) {
        g_assert_null(data);
    } else {
        fill_granule(wanted, seed_of(granule));
        g_assert_cmpmem(data, FSN_PAGE_SIZE, wanted, FSN_PAGE_SIZE);
    }
    return true;
}

static void
read_back(const char *path, uint64_t expected_bytes, GBytes *device_state)
{
    const FsnStreamHandlers handlers = { .page = on_page };
    g_autoptr(FsnStreamReader) reader = fsn_stream_reader_new(&handlers, NULL);
    g_autofree char *bytes = NULL;
    g_autoptr(GError) error = NULL;
    gsize len;

    g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    g_assert_cmpuint(len, ==, expected_bytes);
    pages_seen = 0;
    g_assert_true(fsn_stream_reader_push(reader, (const uint8_t *)bytes, len, &error));
    g_assert_true(fsn_stream_reader_end(reader, &error));
    g_assert_cmpuint(pages_seen, ==, PAGES_A + PAGES_B);
    g_assert_true(g_bytes_equal(fsn_stream_reader_device_state(reader), device_state));
}

static void
test_round_trip(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autoptr(FsnImage) image = make_image(repo, PAGES_A + PAGES_B);
    g_autoptr(GBytes) head = make_head();
    g_autoptr(GBytes) device_state = make_device_state();
    g_autoptr(GBytes) description = g_bytes_new_static(DESCRIPTION, strlen(DESCRIPTION));
    const FsnPrecopySource source = { image, &layout, head, device_state, description };
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    int fd = g_file_open_tmp("fsn-precopy-XXXXXX", &path, NULL);
    uint64_t bytes = 0;

    g_assert_true(fsn_precopy_write(&source, fd, path, NULL, NULL, &bytes, &error));
    read_back(path, bytes, device_state);
    close(fd);
    g_unlink(path);
}

/* Read in whatever pieces, the map is the prefix and the file that is written in one go. */
static void
check_pieces(FsnPrecopyMap *map, const char *wanted, size_t len, size_t piece)
{
    g_autofree char *got = g_malloc(piece);

    for (size_t i = 0; i < (len + piece - 1) / piece; i++) {
        /* from both ends in turn */
        size_t n = i % 2 ? (len - 1) / piece - i / 2 : i / 2;
        size_t done;

        g_assert_true(
            fsn_precopy_map_pread(map, got, piece, (uint64_t)n * piece, &done, NULL));
        g_assert_cmpmem(got, done, wanted + n * piece, MIN(piece, len - n * piece));
    }
}

static void
test_map(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autoptr(FsnImage) image = make_image(repo, PAGES_A + PAGES_B);
    g_autoptr(GBytes) head = make_head();
    g_autoptr(GBytes) device_state = make_device_state();
    g_autoptr(GBytes) prefix = g_bytes_new_static("PREFIX", 6);
    const FsnPrecopySource source = { image, &layout, head, device_state, NULL };
    g_autoptr(FsnPrecopyMap) map = fsn_precopy_map_new(&source, prefix, NULL);
    g_autofree char *path = NULL;
    g_autofree char *bytes = NULL;
    int fd = g_file_open_tmp("fsn-precopy-XXXXXX", &path, NULL);
    uint64_t stream = 0;
    gsize len;
    size_t done;
    char beyond;

    g_assert_nonnull(map);
    g_assert_cmpint(write(fd, "PREFIX", 6), ==, 6);
    g_assert_true(fsn_precopy_write(&source, fd, path, NULL, NULL, &stream, NULL));
    g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    g_assert_cmpuint(fsn_precopy_map_size(map), ==, len);
    g_assert_cmpuint(fsn_precopy_map_tail(map), <, len - g_bytes_get_size(device_state));
    check_pieces(map, bytes, len, 1 << 20);
    check_pieces(map, bytes, len, 32768);
    check_pieces(map, bytes, len, 4099);
    g_assert_true(fsn_precopy_map_pread(map, &beyond, 1, len, &done, NULL));
    g_assert_cmpuint(done, ==, 0);
    close(fd);
    g_unlink(path);
}

/* An image that is not of this layout is refused before anything is written. */
static void
test_other_layout(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autoptr(FsnImage) image = make_image(repo, PAGES_A);
    g_autoptr(GBytes) head = make_head();
    g_autoptr(GBytes) device_state = make_device_state();
    g_autoptr(GBytes) description = g_bytes_new_static(DESCRIPTION, strlen(DESCRIPTION));
    const FsnPrecopySource source = { image, &layout, head, device_state, description };
    g_autoptr(GError) error = NULL;
    uint64_t bytes;

    g_assert_false(fsn_precopy_write(&source, -1, "nothing", NULL, NULL, &bytes, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_clear_error(&error);
    g_assert_null(fsn_precopy_map_new(&source, head, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

/* A file that takes no more is an error that names it. */
static void
test_full(void)
{
    g_autoptr(FsnRepo) repo = memory_repo();
    g_autoptr(FsnImage) image = make_image(repo, PAGES_A + PAGES_B);
    g_autoptr(GBytes) head = make_head();
    g_autoptr(GBytes) device_state = make_device_state();
    g_autoptr(GBytes) description = g_bytes_new_static(DESCRIPTION, strlen(DESCRIPTION));
    const FsnPrecopySource source = { image, &layout, head, device_state, description };
    g_autoptr(GError) error = NULL;
    int fd = g_open("/dev/full", O_WRONLY, 0);
    uint64_t bytes;

    g_assert_false(
        fsn_precopy_write(&source, fd, "the file", NULL, NULL, &bytes, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NO_SPACE);
    g_assert_nonnull(strstr(error->message, "the file"));
    close(fd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/precopy-out/round-trip", test_round_trip);
    g_test_add_func("/precopy-out/map", test_map);
    g_test_add_func("/precopy-out/other-layout", test_other_layout);
    g_test_add_func("/precopy-out/full", test_full);
    return g_test_run();
}
