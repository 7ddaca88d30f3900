/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* More of what a program prints is passed over. */
#define FSN_HOOK_OUTPUT_MAX ((size_t)16 << 10)

typedef struct {
    int code;       /* exit status; -1: it was ended by a signal */
    bool timed_out; /* … by us */
    char *output;   /* valid UTF-8, both streams, without the newline at the end */
} FsnHookProcess;

void fsn_hook_process_clear(FsnHookProcess *process);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnHookProcess, fsn_hook_process_clear)

/* Runs program @path without arguments in a process group of its own, with @input on its
 * standard input, and waits for it; what it leaves behind in the background is not waited for.
 * After @limit_us the whole group is asked to end, and killed two seconds later. It ends with
 * this process. FALSE if it cannot be run at all. */
bool fsn_hook_process_run(const char *path,
                          char *const *environment,
                          const char *input,
                          int64_t limit_us,
                          FsnHookProcess *out_process,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
