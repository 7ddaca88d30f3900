/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* What was decided on the size of each domain, and why: the last FSN_DECISIONS_KEPT, in a file
 * beside the history. */
#define FSN_DECISIONS_KEPT 200

typedef struct {
    int64_t time_us;
    const char *by; /* the command that decided, "resume" */
    unsigned vcpus, vcpus_was;
    uint64_t memory, memory_was;
    const char *reason; /* one line */
} FsnDecision;

/* Adds one; the oldest of too many goes. Of two processes that add to the same domain at once one
 * may be lost. */
bool fsn_decisions_add(const char *history_path,
                       const char *uuid,
                       const FsnDecision *decision,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Those that are kept, FsnDecision, oldest first; a file that cannot be read is none. The caller
 * unrefs. */
GPtrArray *fsn_decisions_load(const char *history_path, const char *uuid);

G_END_DECLS
