/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* One process, not the next one that gets its number: the start tells them apart. */
typedef struct {
    int64_t pid;   /* 0: none */
    int64_t start; /* clock ticks after the boot */
} FsnProcessId;

/* The process @pid, which must be there; all zero if it is not. */
FsnProcessId fsn_process_id(int64_t pid);

/* Pure: the start in the text of /proc/PID/stat; 0 if there is none. */
int64_t fsn_process_start_of(const char *stat_text);

/* True if it still runs; one that has ended and waits for its parent does not. */
bool fsn_process_lives(const FsnProcessId *id);

/* A descriptor that becomes readable when it ends, -1 if it has; the caller closes. Signals go
 * through it, so that they hit nobody else. */
int fsn_process_open(const FsnProcessId *id);

/* False if it has ended. */
bool fsn_process_signal(const FsnProcessId *id, int signum);

G_END_DECLS
