/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/memory/ring.c, bell.c: whole slots, once, in order, also when the producer is killed. */
#include "config.h"

#include "memory/bell.h"
#include "memory/ring.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS 16u
#define PAGE  4096u

typedef struct {
    FsnRing *ring;
    uint8_t *memory;
    size_t size;
    FsnBell bell;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->size = fsn_ring_bytes(SLOTS, PAGE) + PAGE;
    f->memory =
        mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(f->memory != MAP_FAILED);
    f->ring = fsn_ring_open(f->memory, SLOTS, PAGE);
    f->bell.fd = eventfd(0, EFD_NONBLOCK);
    f->bell.waiting = (uint32_t *)(f->memory + f->size - PAGE);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    fsn_ring_free(f->ring);
    munmap(f->memory, f->size);
    close(f->bell.fd);
}

static void
test_full_and_empty(Fixture *f, gconstpointer data)
{
    g_assert_cmpuint(fsn_ring_ready(f->ring), ==, 0);
    for (uint64_t i = 0; i < 3 * SLOTS; i++) {
        for (uint32_t k = 0; k < SLOTS; k++) {
            memset(fsn_ring_claim(f->ring), (int)(i + k) & 0xff, PAGE);
            fsn_ring_publish(f->ring, i + k);
        }
        g_assert_false(fsn_ring_has_room(f->ring));
        g_assert_cmpuint(fsn_ring_ready(f->ring), ==, SLOTS);
        g_assert_cmpuint(fsn_ring_tag(f->ring, 0), ==, i);
        g_assert_cmpuint(fsn_ring_tag(f->ring, SLOTS - 1), ==, i + SLOTS - 1);
        g_assert_cmpuint(fsn_ring_payload(f->ring, 3)[4095], ==, (i + 3) & 0xff);
        fsn_ring_release(f->ring, SLOTS);
        g_assert_true(fsn_ring_has_room(f->ring));
    }
}

static void
test_unpublished_is_invisible(Fixture *f, gconstpointer data)
{
    g_autoptr(FsnRing) other = fsn_ring_open(f->memory, SLOTS, PAGE);

    memset(fsn_ring_claim(f->ring), 1, PAGE);
    g_assert_cmpuint(fsn_ring_ready(other), ==, 0);
    fsn_ring_publish(f->ring, 9);
    g_assert_cmpuint(fsn_ring_ready(other), ==, 1);
    g_assert_cmpuint(fsn_ring_tag(other, 0), ==, 9);
}

static void
test_nonsense_counter(Fixture *f, gconstpointer data)
{
    ((uint64_t *)f->memory)[0] = 1ull << 60; /* head */
    g_assert_false(fsn_ring_is_sane(f->ring));
    g_assert_cmpuint(fsn_ring_ready(f->ring), ==, 0);
    g_assert_false(fsn_ring_has_room(f->ring));
}

/* Publishes the numbers that follow the last one published, for ever. */
static void
produce(Fixture *f)
{
    uint64_t next = ((uint64_t *)f->memory)[0];

    for (;; next++) {
        uint64_t *page;

        while (!fsn_ring_has_room(f->ring)) {
            g_usleep(20);
        }
        page = (uint64_t *)(void *)fsn_ring_claim(f->ring);
        for (size_t i = 0; i < PAGE / 8; i++) {
            page[i] = next;
        }
        fsn_ring_publish(f->ring, next);
        fsn_bell_ring(&f->bell);
    }
}

/* Takes slots until @until_us; each must be whole and the successor of the last one. */
static void
consume(Fixture *f, gint64 until_us, uint64_t *next)
{
    while (g_get_monotonic_time() < until_us) {
        fsn_bell_arm(&f->bell);
        if (fsn_ring_ready(f->ring) == 0) {
            fsn_bell_wait(&f->bell, 1);
        }
        fsn_bell_disarm(&f->bell);
        while (fsn_ring_ready(f->ring) > 0) {
            const uint64_t *page = (const void *)fsn_ring_payload(f->ring, 0);

            g_assert_cmpuint(fsn_ring_tag(f->ring, 0), ==, *next);
            for (size_t i = 0; i < PAGE / 8; i++) {
                g_assert_cmpuint(page[i], ==, *next);
            }
            fsn_ring_release(f->ring, 1);
            (*next)++;
        }
    }
}

static void
test_killed_producer(Fixture *f, gconstpointer data)
{
    uint64_t next = 0;

    for (int round = 0; round < 60; round++) {
        pid_t pid = fork();

        if (pid == 0) {
            produce(f);
            _exit(1);
        }
        consume(f, g_get_monotonic_time() + g_random_int_range(1, 10000), &next);
        kill(pid, SIGKILL);
        g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
    }
    g_assert_cmpuint(next, >, 1000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/ring/full-and-empty", Fixture, NULL, set_up, test_full_and_empty,
               tear_down);
    g_test_add("/ring/unpublished", Fixture, NULL, set_up, test_unpublished_is_invisible,
               tear_down);
    g_test_add("/ring/nonsense", Fixture, NULL, set_up, test_nonsense_counter, tear_down);
    g_test_add("/ring/killed-producer", Fixture, NULL, set_up, test_killed_producer,
               tear_down);
    return g_test_run();
}
