/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waking the other side of a ring. A ring is never lost: the waiter announces itself before
 * it looks for the last time, the other side publishes before it looks for waiters, and a
 * full barrier on each side puts these in order. A waiter that was killed leaves its word
 * set, which costs its successor one needless wake-up.
 */
#include "config.h"

#include "memory/bell.h"

#include <poll.h>
#include <unistd.h>

void
fsn_bell_ring(const FsnBell *bell)
{
    const uint64_t one = 1;
    ssize_t n;

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(bell->waiting, __ATOMIC_RELAXED) != 0) {
        n = write(bell->fd, &one, sizeof(one));
        (void)n; /* full means: rung already */
    }
}

void
fsn_bell_arm(const FsnBell *bell)
{
    __atomic_store_n(bell->waiting, 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void
fsn_bell_wait(const FsnBell *bell, int timeout_ms)
{
    struct pollfd pfd = { .fd = bell->fd, .events = POLLIN };

    (void)poll(&pfd, 1, timeout_ms); /* the caller looks again, whatever woke it */
}

void
fsn_bell_disarm(const FsnBell *bell)
{
    uint64_t count;
    ssize_t n;

    __atomic_store_n(bell->waiting, 0, __ATOMIC_RELAXED);
    n = read(bell->fd, &count, sizeof(count));
    (void)n; /* empty means: nobody rang */
}
