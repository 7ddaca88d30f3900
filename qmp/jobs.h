/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

G_BEGIN_DECLS

/* QEMU's jobs, libvirt's among them. Errors of all: as for fsn_qmp_execute(),
 * FSN_ERROR_FORMAT; FSN_ERROR_NOT_FOUND if there is no such job. */

typedef struct {
    char *id;
    char *type;   /* "backup", "mirror", "commit", … */
    char *status; /* "running", "paused", "aborting", "concluded", … */
    char *error;  /* why it has failed; NULL if it has not */
} FsnQmpJob;

/* The array (of FsnQmpJob) frees its elements. */
bool fsn_qmp_query_jobs(FsnQmp *qmp, GPtrArray **out_jobs, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The one of @jobs called @id, NULL if there is none; belongs to @jobs. */
FsnQmpJob *fsn_qmp_job_find(const GPtrArray *jobs, const char *id);

/* Asks it to end; it is there until it has. FSN_ERROR_STATE if it has ended already. */
bool fsn_qmp_job_cancel(FsnQmp *qmp, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Forgets a job that is "concluded"; FSN_ERROR_STATE for any other. */
bool fsn_qmp_job_dismiss(FsnQmp *qmp, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Cancels job @id if it has not ended, waits until it has, and dismisses it. Its nodes are
 * free then. *@out_failure (may be NULL) says why the job had failed, for the caller to
 * free; NULL if it had not: being cancelled is no failure. FSN_ERROR_TIMEOUT if it is still
 * there after @timeout_us. */
bool fsn_qmp_job_end(FsnQmp *qmp,
                     const char *id,
                     int64_t timeout_us,
                     char **out_failure,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
