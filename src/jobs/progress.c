/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line of progress: "bytes 123 4567 memory", padded with blanks. Pure. */
#include "config.h"

#include "jobs/progress.h"

#include <string.h>

static const char *const units[] = { "things", "bytes" };

void
fsn_job_progress_format(const FsnJobProgress *progress, char out_line[FSN_JOB_LINE + 1])
{
    int n = g_snprintf(
        out_line, FSN_JOB_LINE, "%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s",
        units[progress->bytes], progress->done, progress->total, progress->phase);

    memset(out_line + n, ' ', (size_t)(FSN_JOB_LINE - 1 - n));
    out_line[FSN_JOB_LINE - 1] = '\n';
    out_line[FSN_JOB_LINE] = 0;
}

bool
fsn_job_progress_parse(const char *line, size_t len, FsnJobProgress *out_progress)
{
    g_autofree char *text = g_strndup(line, len);
    g_auto(GStrv) words = NULL;
    FsnJobProgress p = { 0 };

    if (len != FSN_JOB_LINE || strlen(text) != len || text[len - 1] != '\n' ||
        !g_utf8_validate(text, -1, NULL)) {
        return false;
    }
    words = g_strsplit(g_strchomp(text), " ", 4);
    if (g_strv_length(words) != 4 || !*words[3] || strlen(words[3]) >= sizeof p.phase ||
        !g_ascii_string_to_unsigned(words[1], 10, 0, G_MAXUINT64, &p.done, NULL) ||
        !g_ascii_string_to_unsigned(words[2], 10, 0, G_MAXUINT64, &p.total, NULL)) {
        return false;
    }
    p.bytes = strcmp(words[0], units[true]) == 0;
    if (!p.bytes && strcmp(words[0], units[false]) != 0) {
        return false;
    }
    g_strlcpy(p.phase, words[3], sizeof p.phase);
    *out_progress = p;
    return true;
}
