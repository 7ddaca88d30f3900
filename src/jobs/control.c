/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking at a job, waiting for it, stopping and forgetting it. */
#include "config.h"

#include "jobs/jobs.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "jobs/record.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MAX_COMPLAINT ((size_t)64 << 10)

static bool
find(const char *state_dir, const char *text, FsnJobRecord **out_record, GError **error)
{
    g_autofree char *id = NULL;

    return fsn_job_resolve(state_dir, text, &id, error) &&
           fsn_job_record_read(state_dir, id, out_record, error);
}

bool
fsn_job_find(const char *state_dir, const char *id, FsnJob **out_job, GError **error)
{
    g_autoptr(FsnJobRecord) record = NULL;

    if (!find(state_dir, id, &record, error)) {
        return false;
    }
    *out_job = g_steal_pointer(&record->job);
    return true;
}

bool
fsn_job_result(const char *state_dir,
               const FsnJob *job,
               JsonObject **out_result,
               GError **error)
{
    g_autofree char *path = fsn_job_file(state_dir, job->id, "out");
    g_autoptr(GBytes) bytes = NULL;
    const char *text;
    size_t len;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "job %.8s has printed nothing yet", job->id);
        return false;
    }
    if (!fsn_file_read(path, FSN_JOB_MAX_OUTPUT, &bytes, error)) {
        return false;
    }
    text = g_bytes_get_data(bytes, &len);
    if (len == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "job %.8s has printed nothing%s", job->id,
                    fsn_job_has_ended(job) ? "" : " yet");
        return false;
    }
    return fsn_json_parse_object(text, len, FSN_JOB_MAX_OUTPUT,
                                 "what the job has printed", out_result, error);
}

/* The first line on its standard error. */
static char *
first_complaint(const char *state_dir, const FsnJob *job)
{
    g_autofree char *path = fsn_job_file(state_dir, job->id, "err");
    g_autoptr(GBytes) bytes = NULL;
    g_autofree char *text = NULL;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR) ||
        !fsn_file_read(path, MAX_COMPLAINT, &bytes, NULL)) {
        return NULL;
    }
    text = g_utf8_make_valid(g_bytes_get_data(bytes, NULL) ? g_bytes_get_data(bytes, NULL)
                                                           : "",
                             (gssize)g_bytes_get_size(bytes));
    text[strcspn(text, "\n")] = 0;
    return *text ? g_steal_pointer(&text) : NULL;
}

char *
fsn_job_complaint(const char *state_dir, const FsnJob *job)
{
    g_autoptr(JsonObject) result = NULL;
    JsonObject *complaint;

    if (job->state == FSN_JOB_LOST) {
        return g_strdup("its process is gone and has not said how it ended; 'foresnap "
                        "recover' finishes what it had begun");
    }
    if (job->state != FSN_JOB_FAILED && job->state != FSN_JOB_CANCELLED) {
        return NULL;
    }
    if (fsn_job_result(state_dir, job, &result, NULL) &&
        fsn_json_get_object(result, "error", &complaint, NULL)) {
        return g_strdup(fsn_json_peek_string(complaint, "message", "failed"));
    }
    if (job->signal > 0) {
        return g_strdup_printf("was ended by signal %d", job->signal);
    }
    return first_complaint(state_dir, job);
}

bool
fsn_job_cancel(const char *state_dir, const char *id, GError **error)
{
    g_autoptr(FsnJobRecord) record = NULL;

    if (!find(state_dir, id, &record, error)) {
        return false;
    }
    /* The keeper passes it on and sees to the rest; without it the command is asked itself. */
    if (fsn_job_has_ended(record->job) ||
        (!fsn_process_signal(&record->keeper, SIGTERM) &&
         !fsn_process_signal(&record->process, SIGTERM))) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "job %.8s has ended",
                    record->job->id);
        return false;
    }
    return true;
}

/* Until one of @fds can be read, or @deadline_us (negative: none). */
static bool
poll_until(GPollFD *fds, guint n, int64_t deadline_us, GError **error)
{
    int64_t left_us = deadline_us < 0 ? -1 : deadline_us - fsn_monotonic_us();
    gint left_ms = deadline_us < 0 ? -1 : (gint)CLAMP(left_us / 1000 + 1, 0, G_MAXINT);

    if (deadline_us >= 0 && left_us <= 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT, "the job has not ended in time");
        return false;
    }
    if (g_poll(fds, n, left_ms) < 0 && errno != EINTR) {
        return fsn_set_errno(error, errno, "cannot wait for a job");
    }
    return true;
}

/* Waits for something to happen to it: the end of the keeper, or of what it left behind. */
static bool
wait_a_while(const FsnJobRecord *record,
             int64_t deadline_us,
             GCancellable *cancellable,
             GError **error)
{
    int fd = fsn_process_open(&record->keeper);
    GPollFD fds[2] = { { .events = G_IO_IN } };
    guint n = 1;
    bool ok;

    if (fd < 0) {
        fd = fsn_process_open(&record->process);
    }
    if (fd < 0) {
        return true; /* both have ended: look again */
    }
    fds[0].fd = fd;
    if (g_cancellable_make_pollfd(cancellable, &fds[1])) {
        n = 2;
    }
    ok = poll_until(fds, n, deadline_us, error);
    if (n == 2) {
        g_cancellable_release_fd(cancellable);
    }
    close(fd);
    return ok;
}

bool
fsn_job_wait(const char *state_dir,
             const char *id,
             int64_t timeout_us,
             GCancellable *cancellable,
             FsnJob **out_job,
             GError **error)
{
    int64_t deadline_us = timeout_us < 0 ? -1 : fsn_monotonic_us() + timeout_us;
    g_autofree char *whole = NULL;

    if (!fsn_job_resolve(state_dir, id, &whole, error)) {
        return false;
    }
    while (true) {
        g_autoptr(FsnJobRecord) record = NULL;

        if (!fsn_job_record_read(state_dir, whole, &record, error)) {
            return false;
        }
        if (fsn_job_has_ended(record->job)) {
            *out_job = g_steal_pointer(&record->job);
            return true;
        }
        if (g_cancellable_is_cancelled(cancellable)) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_CANCELLED, "the job goes on");
            return false;
        }
        if (!wait_a_while(record, deadline_us, cancellable, error)) {
            return false;
        }
    }
}

/* The record goes last: as long as it is there the rest can be removed with it. */
static bool
remove_files(const char *state_dir, const char *id, GError **error)
{
    static const char *const suffixes[] = { "out", "err", "progress" };
    g_autofree char *record = fsn_job_file(state_dir, id, "json");

    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *path = fsn_job_file(state_dir, id, suffixes[i]);

        if (g_unlink(path) != 0 && errno != ENOENT) {
            return fsn_set_errno(error, errno, "cannot remove '%s'", path);
        }
    }
    return fsn_file_remove_durable(record, error);
}

bool
fsn_job_remove(const char *state_dir, const char *id, GError **error)
{
    g_autoptr(FsnJob) job = NULL;

    if (!fsn_job_find(state_dir, id, &job, error)) {
        return false;
    }
    if (!fsn_job_has_ended(job)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "job %.8s is %s: 'foresnap jobs cancel' stops it", job->id,
                    fsn_job_state_name(job->state));
        return false;
    }
    return remove_files(state_dir, job->id, error);
}

/* When it came to its end; of one that was lost only the last that is known. */
static int64_t
end_of(const FsnJob *job)
{
    return MAX(job->ended_us, MAX(job->started_us, job->created_us));
}

bool
fsn_jobs_forget(const char *state_dir,
                int64_t before_us,
                guint *out_count,
                GError **error)
{
    g_autoptr(GPtrArray) jobs = NULL;
    guint count = 0;

    if (!fsn_jobs_list(state_dir, &jobs, NULL, error)) {
        return false;
    }
    for (guint i = 0; i < jobs->len; i++) {
        const FsnJob *job = jobs->pdata[i];

        if (fsn_job_has_ended(job) && end_of(job) < before_us) {
            if (!remove_files(state_dir, job->id, error)) {
                return false;
            }
            count++;
        }
    }
    if (out_count) {
        *out_count = count;
    }
    return true;
}
