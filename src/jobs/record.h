/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "jobs/jobs.h"
#include "jobs/process-id.h"

G_BEGIN_DECLS

/* The file of a job, which only its keeper (foresnap-job) writes. */
typedef struct {
    FsnJob *job; /* its progress is not in the file */
    char *boot_id;
    FsnProcessId keeper;
    FsnProcessId process; /* the command */
    unsigned parallel;
    unsigned grace_s;
} FsnJobRecord;

#define FSN_JOB_MAX_RECORD   ((size_t)1 << 20)
#define FSN_JOB_MAX_OUTPUT   ((size_t)64 << 20)
#define FSN_JOB_MAX_PARALLEL 256
#define FSN_JOB_GRACE_S      30
/* Names the file that the command may write its progress to. */
#define FSN_JOB_PROGRESS     "FORESNAP_JOB_PROGRESS"

FsnJobRecord *fsn_job_record_new(void);
void fsn_job_record_free(FsnJobRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnJobRecord, fsn_job_record_free)

/* Text form, pure: bounded and total. */
char *fsn_job_record_to_text(const FsnJobRecord *record);
bool fsn_job_record_parse(const char *text,
                          size_t len,
                          FsnJobRecord **out_record,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Pure: what a job is, given what its file says and who of its two processes lives. */
FsnJobState fsn_job_judge(FsnJobState written, bool keeper_lives, bool process_lives);

/* STATE_DIR/jobs, and the file of a job in it with @suffix ("json", "out", "err", "progress").
 * The caller frees. */
char *fsn_jobs_folder(const char *state_dir);
char *fsn_job_file(const char *state_dir, const char *id, const char *suffix);

/* Durable. */
bool fsn_job_record_write(const FsnJobRecord *record,
                          const char *state_dir,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Of the whole @id; names the file in its errors. The state is judged, the progress read. */
bool fsn_job_record_read(const char *state_dir,
                         const char *id,
                         FsnJobRecord **out_record,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The whole id of what @text, an id or the beginning of one, names; errors as of
 * fsn_job_find(). */
bool fsn_job_resolve(const char *state_dir,
                     const char *text,
                     char **out_id,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
