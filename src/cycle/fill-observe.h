/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/workingset.h"

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* One read that a server of a lazily restored disk has answered; times are of the monotonic
 * clock, which all processes of a host share. The server writes them to a pipe in this form. */
typedef struct {
    uint64_t offset;
    uint64_t at_us;
    uint32_t len;
    uint32_t reserved;
} FsnDiskRead;

/* A range that was asked for by the filling, or in advance. */
typedef struct {
    uint64_t offset;
    uint64_t len;
    uint64_t at_us;
} FsnFillAsked;

/* How long reads count as the guest's first, from the first of them on. */
#define FSN_FILL_WINDOW_US (30 * (uint64_t)G_USEC_PER_SEC)

typedef struct {
    GArray *granules;   /* uint32_t: what the guest itself read, in order, each once */
    GArray *at_us;      /* uint32_t: when, since its first read */
    uint32_t window_us; /* until the filling began: every read before was seen */
} FsnFillSeen;

void fsn_fill_seen_clear(FsnFillSeen *seen);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnFillSeen, fsn_fill_seen_clear)

/*
 * Tells the guest's own reads of a disk (in the order of their times, but for small swaps)
 * from those by which it is filled: a range is the filling's from the moment on at which it asked for it. At
 * most FSN_WORKING_SET_MAX granules. Pure; the caller clears @out_seen.
 */
void fsn_fill_observe(const FsnDiskRead *reads,
                      size_t n_reads,
                      const FsnFillAsked *asked,
                      size_t n_asked,
                      FsnFillSeen *out_seen);

G_END_DECLS
