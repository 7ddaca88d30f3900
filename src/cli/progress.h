/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/context.h"

#include <stdint.h>

G_BEGIN_DECLS

/* A line on stderr that is written over as work goes on. Shown only when stderr is a terminal,
 * and not with --quiet; with --verbose and no terminal each phase gets one line. */
typedef struct FsnCliProgress FsnCliProgress;

/* @context is borrowed. */
FsnCliProgress *fsn_cli_progress_new(FsnCliContext *context);
/* Wipes the line. */
void fsn_cli_progress_free(FsnCliProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnCliProgress, fsn_cli_progress_free)

/* Wipes the line, for other output to take its place. */
void fsn_cli_progress_wipe(FsnCliProgress *progress);

/* Bytes @done of @total (0 = unknown) in @phase; @user is the FsnCliProgress. Has the shape of
 * the progress callbacks of the services. May be called as often as one likes. */
void fsn_cli_progress_update(const char *phase,
                             uint64_t done,
                             uint64_t total,
                             gpointer user);

/* The same for things that are counted: "looking at snapshots  5 %  17 of 340". */
void fsn_cli_progress_count(const char *phase,
                            uint64_t done,
                            uint64_t total,
                            gpointer user);

/* The text of the line: "reading  45 %  1.2 GiB of 2.7 GiB  1.1 GiB/s  2 s left"; @elapsed_us
 * since the phase began. Pure; the caller frees. */
char *fsn_cli_progress_text(const char *phase,
                            uint64_t done,
                            uint64_t total,
                            int64_t elapsed_us);

G_END_DECLS
