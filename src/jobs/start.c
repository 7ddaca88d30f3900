/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting a job: the keeper gets its record on standard input, and says on standard output
 * when the job is listed. The keeper is nobody's child, so that nobody has to wait for it. */
#include "config.h"

#include "jobs/jobs.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/id.h"
#include "base/programs.h"
#include "jobs/record.h"

#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define KEEPER     "foresnap-job"
#define READY      "ready\n"
#define MAX_ANSWER 4096

static char **
command_line(const FsnJobRequest *request)
{
    GPtrArray *argv = g_ptr_array_new();

    g_ptr_array_add(argv,
                    request->program ? g_strdup(request->program) : fsn_main_program());
    g_ptr_array_add(argv, g_strdup("--json"));
    for (const char *const *arg = request->arguments; *arg; arg++) {
        g_ptr_array_add(argv, g_strdup(*arg));
    }
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

static FsnJobRecord *
make_record(const FsnJobRequest *request)
{
    FsnJobRecord *record = fsn_job_record_new();
    FsnJob *job = record->job;
    FsnId id = fsn_id_new();

    job->id = fsn_id_to_string(&id);
    job->state = FSN_JOB_QUEUED;
    job->argv = command_line(request);
    job->operation =
        g_strdup(request->operation ? request->operation : request->arguments[0]);
    job->domain = g_strdup(request->domain);
    job->origin = g_strdup(request->origin ? request->origin : "cli");
    job->owner = g_strdup(request->owner ? request->owner : g_get_user_name());
    job->uid = getuid();
    job->created_us = fsn_realtime_us();
    record->parallel = MIN(request->parallel, FSN_JOB_MAX_PARALLEL);
    record->grace_s = request->grace_s > 0 ? request->grace_s : FSN_JOB_GRACE_S;
    return record;
}

/* What the keeper says until it closes its end. */
static char *
read_answer(int fd)
{
    g_autofree char *answer = g_malloc0(MAX_ANSWER + 1);
    size_t len = 0;
    ssize_t n;

    do {
        n = TEMP_FAILURE_RETRY(read(fd, answer + len, MAX_ANSWER - len));
        len += n > 0 ? (size_t)n : 0;
    } while (n > 0 && len < MAX_ANSWER);
    return g_steal_pointer(&answer);
}

static bool
hand_over(const char *state_dir, const char *text, GError **error)
{
    g_autofree char *program = fsn_helper_program(KEEPER);
    char *argv[] = { program, (char *)state_dir, NULL };
    g_autofree char *answer = NULL;
    bool written;
    int in = -1;
    int out = -1;

    if (!g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
                                  &in, &out, NULL, error)) {
        return false;
    }
    /* One that ends early says why; the pipe holds more than a short record. */
    written = fsn_write_all(in, text, strlen(text), KEEPER, error);
    close(in);
    answer = written ? read_answer(out) : NULL;
    close(out);
    if (!written) {
        return false;
    }
    if (strcmp(answer, READY) != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "%s",
                    *answer ? g_strchomp(answer) : "its keeper ended without a word");
        return false;
    }
    return true;
}

bool
fsn_job_start(const char *state_dir,
              const FsnJobRequest *request,
              char **out_id,
              GError **error)
{
    g_autoptr(FsnJobRecord) record = NULL;
    g_autofree char *folder = fsn_jobs_folder(state_dir);
    g_autofree char *text = NULL;

    g_assert(request->arguments && request->arguments[0]);
    record = make_record(request);
    text = fsn_job_record_to_text(record);
    if (strlen(text) > FSN_JOB_MAX_RECORD) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "the command line is too long");
        return false;
    }
    if (!fsn_mkdirs(folder, 0700, error) || !hand_over(state_dir, text, error)) {
        g_prefix_error(error, "cannot start a job: ");
        return false;
    }
    *out_id = g_strdup(record->job->id);
    return true;
}
