/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/memory/outbox.c: however often the writing process is killed, at whatever instruction,
 * the reader gets every byte once and in order.
 */
#include "config.h"

#include "memory/outbox.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOTAL       (24u << 20)
#define MAX_KILL_US 1500

/* What writers share: the stream is the bytes at() 0, at() 1, …, TOTAL - 1. */
typedef struct {
    uint64_t composed;    /* stream bytes that are committed */
    uint64_t portion_end; /* of the portion that is put together */
    FsnOutboxShared outbox;
} Shared;

typedef struct {
    Shared *shared;
    int pipe[2];
    int socket; /* writers' end */
    int reader;
} Fixture;

static uint8_t
at(uint64_t position)
{
    return (uint8_t)((position * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

static void
set_up(Fixture *f, gconstpointer small)
{
    int pair[2];
    int size = small ? 4096 : 1 << 20;

    f->shared = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(f->shared != MAP_FAILED);
    g_assert_cmpint(pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK), ==, 0);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), ==, 0);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    f->socket = pair[0];
    f->reader = pair[1];
    signal(SIGPIPE, SIG_IGN);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    munmap(f->shared, sizeof(Shared));
    close(f->pipe[0]);
    close(f->pipe[1]);
    close(f->socket);
    close(f->reader);
}

/* The next portion; a predecessor may have been killed anywhere in here. */
static void
compose(Shared *s, FsnOutbox *outbox)
{
    uint64_t from = s->composed;
    size_t len = 1 + (size_t)(at(from) * at(from + 1) * 7919u) % FSN_OUTBOX_BYTES;
    uint8_t *space = fsn_outbox_space(outbox);

    len = MIN(len, TOTAL - from);
    for (size_t i = 0; i < len; i++) {
        space[i] = at(from + i);
    }
    __atomic_store_n(&s->portion_end, from + len, __ATOMIC_RELEASE);
    fsn_outbox_commit(outbox, len, from + len == TOTAL);
    __atomic_store_n(&s->composed, from + len, __ATOMIC_RELEASE);
}

static void
write_all(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnOutbox) outbox =
        fsn_outbox_new(&f->shared->outbox, f->pipe, f->socket, &error);
    bool blocked = false;

    g_assert_no_error(error);
    if (!fsn_outbox_is_empty(outbox)) {
        f->shared->composed = f->shared->portion_end;
    }
    for (;;) {
        struct pollfd p = { .fd = f->socket, .events = POLLOUT };

        if (!fsn_outbox_push(outbox, &blocked, &error)) {
            g_error("%s", error->message);
        }
        if (blocked) {
            (void)poll(&p, 1, 100);
        } else if (f->shared->composed == TOTAL) {
            break;
        } else {
            compose(f->shared, outbox);
        }
    }
}

static pid_t
start_writer(Fixture *f)
{
    pid_t child = fork();

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        write_all(f);
        _exit(0);
    }
    return child;
}

/* Checks what comes within @wait_us. */
static uint64_t
read_some(Fixture *f, uint64_t position, int64_t wait_us)
{
    static uint8_t buffer[65536];
    int64_t deadline = g_get_monotonic_time() + wait_us;

    while (g_get_monotonic_time() < deadline) {
        ssize_t n = recv(f->reader, buffer, 1 + position % sizeof(buffer), MSG_DONTWAIT);

        for (ssize_t i = 0; i < n; i++) {
            if (buffer[i] != at(position)) {
                g_error("byte %" G_GUINT64_FORMAT " is not what was written", position);
            }
            position++;
        }
    }
    return position;
}

static void
test_killed_writers(Fixture *f, gconstpointer data)
{
    uint64_t position = 0;
    unsigned killed = 0;
    pid_t writer = start_writer(f);
    int status;

    while (position < TOTAL) {
        position = read_some(f, position, g_random_int_range(1, MAX_KILL_US));
        kill(writer, SIGKILL);
        g_assert_cmpint(waitpid(writer, &status, 0), ==, writer);
        g_assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
        killed += WIFSIGNALED(status);
        writer = start_writer(f);
    }
    g_assert_cmpint(waitpid(writer, &status, 0), ==, writer);
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpuint(position, ==, TOTAL);
    g_assert_cmpint(recv(f->reader, &status, 1, MSG_DONTWAIT), <, 0);
    g_assert_cmpuint(killed, >, 10);
    g_test_message("%u writers were killed", killed);
}

static void
test_reader_gone(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnOutbox) outbox =
        fsn_outbox_new(&f->shared->outbox, f->pipe, f->socket, &error);
    bool blocked;

    compose(f->shared, outbox);
    g_assert_false(fsn_outbox_is_last(outbox));
    shutdown(f->reader, SHUT_RDWR);
    g_assert_false(fsn_outbox_push(outbox, &blocked, &error));
    g_assert_nonnull(error);
}

/* Nothing that is in the pipe may be taken for something else. */
static void
test_foreign_bytes(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnOutbox) outbox =
        fsn_outbox_new(&f->shared->outbox, f->pipe, f->socket, &error);

    memset(fsn_outbox_space(outbox), 1, 3);
    fsn_outbox_commit(outbox, 3, true);
    g_assert_true(fsn_outbox_is_last(outbox));
    g_assert_cmpint(write(f->pipe[1], "four", 4), ==, 4);
    g_assert_null(fsn_outbox_new(&f->shared->outbox, f->pipe, f->socket, &error));
    g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/outbox/killed-writers", Fixture, NULL, set_up, test_killed_writers,
               tear_down);
    g_test_add("/outbox/killed-writers-small", Fixture, "small", set_up,
               test_killed_writers, tear_down);
    g_test_add("/outbox/reader-gone", Fixture, NULL, set_up, test_reader_gone, tear_down);
    g_test_add("/outbox/foreign-bytes", Fixture, NULL, set_up, test_foreign_bytes,
               tear_down);
    return g_test_run();
}
