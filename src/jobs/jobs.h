/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * Jobs: commands of foresnap that run on their own. Whoever starts one may end, be killed or be
 * upgraded: a small process (foresnap-job) stays with the command, keeps its output and writes
 * down how it ended, in the folder jobs/ of the state folder. No daemon is needed, and any
 * process of the same user may list, wait for, cancel and remove them. Safe from any thread;
 * calls block for the time of some small files, or as long as they say.
 */

typedef enum {
    FSN_JOB_QUEUED, /* waits until fewer are running */
    FSN_JOB_RUNNING,
    FSN_JOB_DONE,      /* exit status 0 */
    FSN_JOB_FAILED,    /* any other exit status, or a signal */
    FSN_JOB_CANCELLED, /* fsn_job_cancel() came before its end */
    FSN_JOB_LOST,      /* its process is gone and nobody knows how it ended */
} FsnJobState;

typedef struct {
    char *id; /* 32 hex digits */
    FsnJobState state;
    char **argv;        /* the command line; argv[0] is the program */
    char *operation;    /* the command of foresnap: "snapshot" */
    char *domain;       /* NULL: none, or many */
    char *origin;       /* who started it: "cli", "api", "schedule" … */
    char *owner;        /* on behalf of whom: name of a user or token */
    int64_t uid;        /* of the process that started it */
    int64_t created_us; /* real time */
    int64_t started_us; /* 0: not yet */
    int64_t ended_us;   /* 0: not yet, or not known */
    int exit_status; /* -1: none; foresnap's: 0 done, 1 failed, 2 usage, 3 partly, 75 busy */
    int signal;      /* that has ended it, else 0 */
    int64_t cancel_us; /* when it was asked to stop; 0: it was not */
    char *phase;       /* what it is doing ("memory"), NULL if it has not said */
    bool counts_bytes; /* … in bytes, else in things */
    uint64_t done;
    uint64_t total; /* 0: not known */
} FsnJob;

void fsn_job_free(FsnJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnJob, fsn_job_free)

/* "queued", "running", … */
const char *fsn_job_state_name(FsnJobState state);
/* True for all but queued and running. */
bool fsn_job_has_ended(const FsnJob *job);
/* For --json and the API; the caller unrefs. */
JsonObject *fsn_job_to_json(const FsnJob *job);

typedef struct {
    /* Arguments of foresnap without the program, NULL-terminated: {"snapshot", "vm1"}. --json is
     * added. The environment and the working folder are inherited. */
    const char *const *arguments;
    const char *program;   /* NULL: fsn_main_program() */
    const char *operation; /* NULL: arguments[0] */
    const char *domain;    /* may be NULL */
    const char *origin;    /* may be NULL: "cli" */
    const char *owner;     /* NULL: the user's name */
    unsigned
        parallel; /* begin only while fewer of the jobs with a limit run; 0: no limit */
    unsigned grace_s; /* from being asked to stop to being killed; 0: 30 */
} FsnJobRequest;

/* Starts a job; it is listed when this returns. The caller frees *@out_id. */
bool fsn_job_start(const char *state_dir,
                   const FsnJobRequest *request,
                   char **out_id,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* FsnJob, oldest first. Files that no writer of ours has made are left out; each gets a line
 * in *@out_refused (may be NULL; strings). The caller unrefs both. */
bool fsn_jobs_list(const char *state_dir,
                   GPtrArray **out_jobs,
                   GPtrArray **out_refused,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The job that @id, or a prefix of at least 4 digits, names. FSN_ERROR_NOT_FOUND if there is
 * none, FSN_ERROR_USAGE if there are several, FSN_ERROR_FORMAT if its file is damaged. */
bool fsn_job_find(const char *state_dir, const char *id, FsnJob **out_job, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The document that it has printed. FSN_ERROR_NOT_FOUND as long as there is none. */
bool fsn_job_result(const char *state_dir,
                    const FsnJob *job,
                    JsonObject **out_result,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Why it failed, in its own words; NULL if it did not or has not said. The caller frees. */
char *fsn_job_complaint(const char *state_dir, const FsnJob *job);

/* Asks it to stop and returns at once; it is killed when it has not ended after its grace. True
 * also if it was asked before; FSN_ERROR_STATE if it has ended. */
bool fsn_job_cancel(const char *state_dir, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Waits for its end: FSN_ERROR_TIMEOUT after @timeout_us (negative: no limit),
 * FSN_ERROR_CANCELLED when @cancellable (may be NULL) is. *@out_job is as it ended. */
bool fsn_job_wait(const char *state_dir,
                  const char *id,
                  int64_t timeout_us,
                  GCancellable *cancellable,
                  FsnJob **out_job,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Forgets one that has ended (FSN_ERROR_STATE otherwise) with its output. */
bool fsn_job_remove(const char *state_dir, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Forgets all that ended, or were lost and begun, before @before_us (real time); *@out_count
 * may be NULL. */
bool fsn_jobs_forget(const char *state_dir,
                     int64_t before_us,
                     guint *out_count,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
