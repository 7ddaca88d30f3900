/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two phases take turns. FILL: the pipe was empty when it began, one write() puts bytes of
 * the portion into it. DRAIN: splice() moves them on until the pipe is empty. The phase and
 * the count change in one store, so that a successor finds one of two cases: killed in FILL,
 * the pipe holds just what that write() has put into it; killed in DRAIN, the count is right
 * and the pipe holds what is left. Either way no byte is lost or written twice.
 */
#include "config.h"

#include "memory/outbox.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRAIN    (UINT64_C(1) << 32)
#define COUNT(s) ((uint32_t)(s))

struct FsnOutbox {
    FsnOutboxShared *shared;
    int pipe[2];
    int socket;
};

static uint64_t
get_step(const FsnOutbox *o)
{
    return __atomic_load_n(&o->shared->step, __ATOMIC_ACQUIRE);
}

static void
set_step(FsnOutbox *o, uint64_t step)
{
    __atomic_store_n(&o->shared->step, step, __ATOMIC_RELEASE);
}

static bool
bytes_in_pipe(const FsnOutbox *o, uint32_t *out_n, GError **error)
{
    int n;

    if (ioctl(o->pipe[0], FIONREAD, &n) < 0) {
        return fsn_set_errno(error, errno, "cannot look into the pipe of the pager");
    }
    *out_n = (uint32_t)n;
    return true;
}

/* What a killed predecessor has left becomes a state between two calls. */
static bool
settle(FsnOutbox *o, GError **error)
{
    uint64_t step = get_step(o);
    uint32_t done = MIN(COUNT(step), o->shared->length);
    uint32_t n = 0;

    if (!bytes_in_pipe(o, &n, error)) {
        return false;
    }
    if (n > (step & DRAIN ? done : o->shared->length - done)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "the pipe of the pager holds more than was put into it");
        return false;
    }
    if (o->shared->length == 0) {
        set_step(o, 0);
    } else if (!(step & DRAIN)) {
        set_step(o, DRAIN | (done + n));
    }
    return true;
}

FsnOutbox *
fsn_outbox_new(FsnOutboxShared *shared, const int pipe[2], int socket, GError **error)
{
    g_autoptr(FsnOutbox) o = g_new0(FsnOutbox, 1);

    o->shared = shared;
    o->pipe[0] = pipe[0];
    o->pipe[1] = pipe[1];
    o->socket = socket;
    return settle(o, error) ? g_steal_pointer(&o) : NULL;
}

void
fsn_outbox_free(FsnOutbox *o)
{
    g_free(o);
}

bool
fsn_outbox_is_empty(const FsnOutbox *o)
{
    uint32_t length = __atomic_load_n(&o->shared->length, __ATOMIC_ACQUIRE);

    return length == 0 || (o->shared->last && get_step(o) == length);
}

bool
fsn_outbox_is_last(const FsnOutbox *o)
{
    return __atomic_load_n(&o->shared->length, __ATOMIC_ACQUIRE) > 0 &&
           o->shared->last != 0;
}

uint8_t *
fsn_outbox_space(FsnOutbox *o)
{
    g_assert(fsn_outbox_is_empty(o));
    return o->shared->bytes;
}

void
fsn_outbox_commit(FsnOutbox *o, size_t len, bool last)
{
    g_assert(fsn_outbox_is_empty(o) && len > 0 && len <= FSN_OUTBOX_BYTES);
    o->shared->last = last;
    __atomic_store_n(&o->shared->length, (uint32_t)len, __ATOMIC_RELEASE);
}

/* The pipe is empty: the next bytes into it, or the end of the portion. That of the last one
 * stays as it is, or a successor would not know that it was there. */
static bool
fill(FsnOutbox *o, uint32_t done, GError **error)
{
    ssize_t n;

    if (done == o->shared->length) {
        __atomic_store_n(&o->shared->length, 0u, __ATOMIC_RELEASE);
        set_step(o, 0);
        return true;
    }
    n = write(o->pipe[1], o->shared->bytes + done, o->shared->length - done);
    if (n < 0 && errno != EINTR) {
        return fsn_set_errno(error, errno, "cannot write to the pipe of the pager");
    }
    set_step(o, DRAIN | (done + (uint32_t)MAX(n, 0)));
    return true;
}

static bool
drain(FsnOutbox *o, uint32_t done, bool *out_blocked, GError **error)
{
    ssize_t n = splice(o->pipe[0], NULL, o->socket, NULL, FSN_OUTBOX_BYTES,
                       SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    uint32_t left = 0;

    if (n > 0 || (n < 0 && errno == EINTR)) {
        return true;
    }
    if (n < 0 && errno != EAGAIN) {
        return fsn_set_errno(error, errno, "cannot write to QEMU");
    }
    /* one of the two ends is not ready */
    if (!bytes_in_pipe(o, &left, error)) {
        return false;
    }
    if (left == 0) {
        set_step(o, done);
    } else {
        *out_blocked = true;
    }
    return true;
}

bool
fsn_outbox_push(FsnOutbox *o, bool *out_blocked, GError **error)
{
    *out_blocked = false;
    while (!fsn_outbox_is_empty(o) && !*out_blocked) {
        uint64_t step = get_step(o);

        if (step & DRAIN ? !drain(o, COUNT(step), out_blocked, error)
                         : !fill(o, COUNT(step), error)) {
            return false;
        }
    }
    return true;
}
