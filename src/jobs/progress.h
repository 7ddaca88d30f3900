/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* How far a job is: one line of fixed length in a file, written over in one piece. It is for
 * people: a line that is garbled is as good as none. */

/* The variable that names the file to a job. */
#define FSN_JOB_PROGRESS "FORESNAP_JOB_PROGRESS"
#define FSN_JOB_LINE     128 /* bytes, of which the last is a newline */

typedef struct {
    char phase[65];
    bool bytes; /* else things */
    uint64_t done;
    uint64_t total; /* 0: not known */
} FsnJobProgress;

/* Pure. A phase that is too long is cut. */
void fsn_job_progress_format(const FsnJobProgress *progress,
                             char out_line[FSN_JOB_LINE + 1]);
bool fsn_job_progress_parse(const char *line, size_t len, FsnJobProgress *out_progress)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
