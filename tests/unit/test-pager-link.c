/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/memory/pager-link.c, pager-requests.c: each page once, requested ones first, whole
 * records however little the socket takes, and whoever is killed; requests outlive a worker
 * and a supervisor. */
#include "config.h"

#include "base/bytes.h"
#include "base/error.h"
#include "memory/pager-link.h"
#include "memory/pager-requests.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 256u
#define MANY  20000u

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

    uint64_t pages = data ? MANY : PAGES;

    f->block = (FsnRamBlock){ (char *)"ram", pages * FSN_PAGE_SIZE };
    f->layout = (FsnRamLayout){ 2, 0, 4, &f->block, 1 };
    f->arena = fsn_arena_new(pages, 1, blobs, NULL);
    g_assert_nonnull(f->arena);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    signal(SIGPIPE, SIG_IGN);
    f->link = fsn_pager_link_new(f->arena, &f->layout, pair[0], NULL);
    g_assert_nonnull(f->link);
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

/* What a supervisor does, until it is killed. */
static pid_t
start_sender(Fixture *f)
{
    pid_t child = fork();

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        g_autoptr(GError) error = NULL;
        int fd = fsn_pager_link_fd(f->link);
        FsnPagerLink *link = fsn_pager_link_new(f->arena, &f->layout, fd, &error);
        FsnLinkProgress progress;

        g_assert_no_error(error);
        for (;;) {
            struct pollfd p = { .fd = fd, .events = POLLOUT };

            if (!fsn_pager_link_write(link, true, &progress, &error)) {
                g_error("%s", error->message);
            }
            if (progress == FSN_LINK_BLOCKED) {
                (void)poll(&p, 1, 10);
            }
        }
    }
    return child;
}

static bool
is_zero(uint64_t granule)
{
    return granule % 5 == 0;
}

/* The worker: pages in a wild order, some of them twice. */
static void
offer_some(Fixture *f, uint64_t *next)
{
    FsnRing *ring = f->arena->bulk[0];

    for (; *next < 2 * MANY && fsn_ring_has_room(ring); (*next)++) {
        uint64_t granule = *next < MANY ? *next * 7919 % MANY : *next - MANY;

        memset(fsn_ring_claim(ring), (int)granule, FSN_PAGE_SIZE);
        fsn_ring_publish(ring, granule << 1 | (is_zero(granule) ? 1 : 0));
    }
}

/* QEMU: takes whole records off the front of @got; each granule comes once, and right. */
static void
take_records(GByteArray *got, GHashTable *seen)
{
    guint at = 0;

    while (got->len - at >= 8 + 1 + 3 + FSN_PAGE_SIZE) {
        const uint8_t *p = got->data + at;
        uint64_t head = fsn_get_be64(p);
        uint64_t granule = head / FSN_PAGE_SIZE;
        bool zero = head & 2;

        p += 8;
        if (!(head & 0x20)) {
            g_assert_cmpint(memcmp(p, "\3ram", 4), ==, 0);
            p += 4;
        }
        g_assert_cmpint(zero, ==, is_zero(granule));
        g_assert_cmpuint(p[0], ==, zero ? 0 : (uint8_t)granule);
        g_assert_cmpuint(p[zero ? 0 : FSN_PAGE_SIZE - 1], ==,
                         zero ? 0 : (uint8_t)granule);
        g_assert_true(g_hash_table_add(seen, GUINT_TO_POINTER(granule + 1)));
        p += zero ? 1 : FSN_PAGE_SIZE;
        at = (guint)(p - got->data);
    }
    g_byte_array_remove_range(got, 0, at);
}

static void
read_for(Fixture *f, GByteArray *got, GHashTable *seen, uint64_t *next, int64_t us)
{
    static uint8_t buffer[30000];
    int64_t deadline = g_get_monotonic_time() + us;

    while (g_get_monotonic_time() < deadline) {
        ssize_t n = recv(f->qemu, buffer, sizeof(buffer), MSG_DONTWAIT);

        offer_some(f, next);
        if (n > 0) {
            g_byte_array_append(got, buffer, (guint)n);
            take_records(got, seen);
        }
    }
}

static void
test_killed_senders(Fixture *f, gconstpointer data)
{
    g_autoptr(GByteArray) got = g_byte_array_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    uint64_t next = 0;
    unsigned killed = 0;
    pid_t sender = start_sender(f);
    FsnLinkProgress progress = FSN_LINK_MORE;
    g_autoptr(FsnPagerLink) link = NULL;
    uint8_t padding[FSN_PAGE_SIZE] = { 0 };

    while (next < 2 * MANY) {
        read_for(f, got, seen, &next, g_random_int_range(1, 2000));
        kill(sender, SIGKILL);
        g_assert_cmpint(waitpid(sender, NULL, 0), ==, sender);
        killed++;
        sender = start_sender(f);
    }
    kill(sender, SIGKILL);
    g_assert_cmpint(waitpid(sender, NULL, 0), ==, sender);
    /* the rest in this process */
    link =
        fsn_pager_link_new(f->arena, &f->layout, dup(fsn_pager_link_fd(f->link)), NULL);
    while (progress != FSN_LINK_IDLE) {
        g_assert_true(fsn_pager_link_write(link, true, &progress, NULL));
        read_for(f, got, seen, &next, 10);
    }
    read_for(f, got, seen, &next, 10000);
    g_byte_array_append(got, padding, sizeof(padding)); /* to see the last record whole */
    if (g_hash_table_size(seen) < MANY) {
        take_records(got, seen);
    }
    g_assert_cmpuint(g_hash_table_size(seen), ==, MANY);
    g_assert_cmpuint(f->arena->shared->pages_sent, ==, MANY);
    g_assert_cmpuint(killed, >, 20);
    g_test_message("%u senders were killed", killed);
}

static void
test_requests_outlive_a_supervisor(Fixture *f, gconstpointer data)
{
    FsnRequestBook *dead = fsn_request_book_new(f->arena);
    FsnRequestBook *book;

    fsn_request_book_add(dead, 9, 100);
    fsn_request_book_add(dead, 8, 200);
    g_assert_true(fsn_page_map_set(f->arena->sent, 9));
    fsn_arena_set(f->arena, opened, 1u);
    book = fsn_request_book_new(f->arena);
    fsn_request_book_push(book);
    g_assert_cmpuint(fsn_ring_ready(f->arena->requests), ==, 1);
    g_assert_cmpuint(fsn_ring_tag(f->arena->requests, 0), ==, 8);
    fsn_request_book_add(book, 8, 300); /* heard twice: noted once */
    g_assert_cmpuint(f->arena->shared->n_faults, ==, 2);
    fsn_request_book_free(book);
    fsn_request_book_free(dead);
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
    g_test_add("/pager-link/killed-senders", Fixture, "many", set_up, test_killed_senders,
               tear_down);
    g_test_add("/pager-requests/outlive-a-supervisor", Fixture, NULL, set_up,
               test_requests_outlive_a_supervisor, tear_down);
    g_test_add("/pager-requests/outlive-a-worker", Fixture, NULL, set_up,
               test_requests_outlive_a_worker, tear_down);
    return g_test_run();
}
