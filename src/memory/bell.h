/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Wakes one waiter in another process: an eventfd, and a word in shared memory that says
 * whether anybody waits, so that ringing costs no system call while both sides are busy. */
typedef struct {
    int fd;            /* eventfd, non-blocking; not owned */
    uint32_t *waiting; /* in shared memory */
} FsnBell;

/* After making something available. */
void fsn_bell_ring(const FsnBell *bell);

/* The waiter: arm, look again whether there is something to do, then wait (or put fd into
 * a poll of its own), then disarm. */
void fsn_bell_arm(const FsnBell *bell);
void fsn_bell_wait(const FsnBell *bell, int timeout_ms);
void fsn_bell_disarm(const FsnBell *bell);

G_END_DECLS
