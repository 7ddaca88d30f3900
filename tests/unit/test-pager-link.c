/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/memory/pager-link.c, pager-requests.c: each page once, requested ones first, whole
 * records however little the socket takes; requests outlive a worker. */
#include "config.h"

#include "base/error.h"
#include "memory/pager-link.h"
#include "memory/pager-requests.h"

#include <sys/socket.h>
#include <unistd.h>

#define PAGES 256u

typedef struct {
    FsnRamBlock block;
    FsnRamLayout layout;
    FsnArena *arena;
    FsnPagerLink *link;
    int qemu; /* the other end */
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    GBytes *blobs[FSN_N_BLOBS] = { NULL };
    int pair[2];
    int small = 4096;

    f->block = (FsnRamBlock){ (char *)"ram", PAGES * FSN_PAGE_SIZE };
    f->layout = (FsnRamLayout){ 2, 0, 4, &f->block, 1 };
    f->arena = fsn_arena_new(PAGES, 1, blobs, NULL);
    g_assert_nonnull(f->arena);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    f->link = fsn_pager_link_new(f->arena, &f->layout, pair[0]);
    f->qemu = pair[1];
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    fsn_pager_link_free(f->link);
    fsn_arena_free(f->arena);
    close(f->qemu);
}

static void
offer(FsnRing *ring, uint64_t granule)
{
    memset(fsn_ring_claim(ring), (int)granule, FSN_PAGE_SIZE);
    fsn_ring_publish(ring, granule << 1);
}

/* Writes all there is, reading at the other end a little at a time. */
static GByteArray *
run(Fixture *f)
{
    GByteArray *got = g_byte_array_new();
    FsnLinkProgress progress = FSN_LINK_MORE;
    uint8_t buffer[1000];
    ssize_t n;

    while (progress != FSN_LINK_IDLE) {
        g_assert_true(fsn_pager_link_write(f->link, true, &progress, NULL));
        if (progress == FSN_LINK_BLOCKED) {
            n = read(f->qemu, buffer, sizeof(buffer));
            g_assert_cmpint(n, >, 0);
            g_byte_array_append(got, buffer, (guint)n);
        }
    }
    while ((n = recv(f->qemu, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
        g_byte_array_append(got, buffer, (guint)n);
    }
    return got;
}

static void
test_once_and_in_order(Fixture *f, gconstpointer data)
{
    const uint8_t expected[] = { 7, 1, 2, 3 };
    g_autoptr(GByteArray) got = NULL;
    size_t at = 0;

    offer(f->arena->bulk[0], 1);
    offer(f->arena->bulk[0], 2);
    offer(f->arena->bulk[0], 7); /* requested as well: comes once, and first */
    offer(f->arena->bulk[0], 3);
    offer(f->arena->bulk[0], 2);
    offer(f->arena->urgent, 7);
    got = run(f);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        at += i == 0 ? 8 + 1 + 3 : 8; /* offset and flags; the first names the block */
        g_assert_cmpuint(got->data[at], ==, expected[i]);
        g_assert_cmpuint(got->data[at + FSN_PAGE_SIZE - 1], ==, expected[i]);
        at += FSN_PAGE_SIZE;
    }
    g_assert_cmpuint(at, ==, got->len);
    g_assert_cmpuint(f->arena->shared->pages_sent, ==, 4);
    g_assert_true(fsn_ring_has_room(f->arena->urgent));
    g_assert_cmpuint(fsn_ring_ready(f->arena->bulk[0]), ==, 0);
    g_assert_true(fsn_pager_link_is_flushed(f->link));
}

static void
test_page_of_a_smaller_guest(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    FsnLinkProgress progress;

    offer(f->arena->bulk[0], PAGES);
    g_assert_false(fsn_pager_link_write(f->link, true, &progress, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
}

static void
test_requests_outlive_a_worker(Fixture *f, gconstpointer data)
{
    g_autoptr(FsnRequestBook) book = fsn_request_book_new(f->arena);

    fsn_request_book_add(book, 5, 100);
    fsn_request_book_add(book, 6, 200);
    fsn_request_book_add(book, 5, 300); /* again: noted once */
    fsn_request_book_push(book);
    g_assert_cmpuint(fsn_ring_ready(f->arena->requests), ==, 2);
    fsn_ring_release(f->arena->requests, 2); /* a worker took them, and dies */
    g_assert_true(fsn_page_map_set(f->arena->sent, 6));
    fsn_request_book_rewind(book);
    fsn_request_book_push(book);
    g_assert_cmpuint(fsn_ring_ready(f->arena->requests), ==, 1);
    g_assert_cmpuint(fsn_ring_tag(f->arena->requests, 0), ==, 5);
    fsn_request_book_add(book, 6, 400); /* on its way already */
    g_assert_cmpuint(f->arena->shared->n_faults, ==, 2);
    g_assert_cmpuint(f->arena->shared->late, ==, 1);
    g_assert_cmpint(f->arena->faults[1].at_us, ==, 200);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/pager-link/once-and-in-order", Fixture, NULL, set_up,
               test_once_and_in_order, tear_down);
    g_test_add("/pager-link/smaller-guest", Fixture, NULL, set_up,
               test_page_of_a_smaller_guest, tear_down);
    g_test_add("/pager-requests/outlive-a-worker", Fixture, NULL, set_up,
               test_requests_outlive_a_worker, tear_down);
    return g_test_run();
}
