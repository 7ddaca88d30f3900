/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress for a person at a terminal: what is being done, how much of it, how fast and how
 * long still. Redrawn ten times a second at most, so that reporting costs the work nothing.
 */
#include "config.h"

#include "cli/progress.h"

#include "base/clock.h"
#include "cli/units.h"
#include "jobs/progress.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REDRAW_US         100000
/* An estimate from less than this is a guess. */
#define ESTIMATE_AFTER_US 500000

struct FsnCliProgress {
    bool terminal;
    bool lines; /* one line per phase */
    bool drawn;
    char *phase;
    int64_t phase_us;
    int64_t drawn_us;
    int job_fd; /* of the file of a job; -1: none */
    int64_t told_us;
};

FsnCliProgress *
fsn_cli_progress_new(FsnCliContext *context)
{
    FsnCliProgress *progress = g_new0(FsnCliProgress, 1);

    progress->terminal = !context->quiet && isatty(STDERR_FILENO);
    progress->lines = context->verbose && !progress->terminal;
    progress->job_fd = -1;
    if (context->progress_file) {
        /* without it the job is only less well seen */
        progress->job_fd = open(context->progress_file,
                                O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    return progress;
}

void
fsn_cli_progress_wipe(FsnCliProgress *progress)
{
    if (progress->drawn) {
        fputs("\r\033[K", stderr);
        progress->drawn = false;
    }
}

void
fsn_cli_progress_free(FsnCliProgress *progress)
{
    if (!progress) {
        return;
    }
    fsn_cli_progress_wipe(progress);
    if (progress->job_fd >= 0) {
        close(progress->job_fd);
    }
    g_free(progress->phase);
    g_free(progress);
}

char *
fsn_cli_progress_text(const char *phase,
                      uint64_t done,
                      uint64_t total,
                      int64_t elapsed_us)
{
    GString *text = g_string_new(phase);
    uint64_t shown = total > 0 ? MIN(done, total) : done;
    g_autofree char *done_text = fsn_cli_size_text(shown);

    if (total > 0) {
        g_autofree char *total_text = fsn_cli_size_text(total);

        g_string_append_printf(text, "  %d %%  %s of %s",
                               (int)((double)shown * 100 / (double)total), done_text,
                               total_text);
    } else if (done > 0) {
        g_string_append_printf(text, "  %s", done_text);
    }
    if (done > 0 && elapsed_us >= ESTIMATE_AFTER_US) {
        double rate = (double)done * G_USEC_PER_SEC / (double)elapsed_us;
        g_autofree char *rate_text = fsn_cli_size_text((uint64_t)rate);

        g_string_append_printf(text, "  %s/s", rate_text);
        if (total > done) {
            g_string_append_printf(text, "  %.0f s left",
                                   (double)(total - done) / rate + 0.5);
        }
    }
    return g_string_free(text, FALSE);
}

/* Tells those who look at the job; a new phase, and the end of one, at once. */
static void
tell_job(FsnCliProgress *progress,
         const char *phase,
         bool bytes,
         uint64_t done,
         uint64_t total,
         int64_t now)
{
    FsnJobProgress p = { .bytes = bytes, .done = done, .total = total };
    char line[FSN_JOB_LINE + 1];

    if (progress->job_fd < 0 || (now - progress->told_us < REDRAW_US && done != total &&
                                 g_strcmp0(phase, progress->phase) == 0)) {
        return;
    }
    progress->told_us = now;
    g_strlcpy(p.phase, phase, sizeof p.phase);
    fsn_job_progress_format(&p, line);
    (void)!pwrite(progress->job_fd, line, FSN_JOB_LINE, 0); /* the next one may succeed */
}

/* Notes the phase; true if the line is to be drawn again now. */
static bool
is_due(FsnCliProgress *progress, const char *phase, int64_t now)
{
    bool new_phase = g_strcmp0(phase, progress->phase) != 0;

    if (new_phase) {
        g_free(progress->phase);
        progress->phase = g_strdup(phase);
        progress->phase_us = now;
        if (progress->lines) {
            fprintf(stderr, "foresnap: %s\n", phase);
        }
    }
    return progress->terminal && (new_phase || now - progress->drawn_us >= REDRAW_US);
}

static void
draw(FsnCliProgress *progress, const char *text, int64_t now)
{
    fprintf(stderr, "\r%s\033[K", text);
    fflush(stderr);
    progress->drawn = true;
    progress->drawn_us = now;
}

void
fsn_cli_progress_update(const char *phase, uint64_t done, uint64_t total, gpointer user)
{
    FsnCliProgress *progress = user;
    int64_t now = fsn_monotonic_us();

    tell_job(progress, phase, true, done, total, now);
    if (is_due(progress, phase, now)) {
        g_autofree char *text =
            fsn_cli_progress_text(phase, done, total, now - progress->phase_us);

        draw(progress, text, now);
    }
}

void
fsn_cli_progress_count(const char *phase, uint64_t done, uint64_t total, gpointer user)
{
    FsnCliProgress *progress = user;
    int64_t now = fsn_monotonic_us();

    tell_job(progress, phase, false, done, total, now);
    if (is_due(progress, phase, now)) {
        g_autofree char *text = g_strdup_printf(
            "%s  %d %%  %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT, phase,
            total > 0 ? (int)(done * 100 / total) : 0, done, total);

        draw(progress, text, now);
    }
}
