/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/* Limits a stream to so many bytes per second: a bucket that may run ahead by
 * FSN_PACE_BURST_US after a pause. Pure. All zero but the rate is a new one. */
#define FSN_PACE_BURST_US 20000

typedef struct {
    uint64_t bytes_per_s; /* 0: no limit */
    int64_t next_us;      /* when all that was taken has been paid for */
} FsnPace;

/* Takes @bytes at the instant @now_us (monotonic); how long to wait before going on. */
static inline int64_t
fsn_pace_take(FsnPace *pace, int64_t now_us, uint64_t bytes)
{
    if (pace->bytes_per_s == 0) {
        return 0;
    }
    if (pace->next_us < now_us - FSN_PACE_BURST_US) {
        pace->next_us = now_us - FSN_PACE_BURST_US;
    }
    pace->next_us += (int64_t)((double)bytes / (double)pace->bytes_per_s * 1e6);
    return pace->next_us > now_us ? pace->next_us - now_us : 0;
}
