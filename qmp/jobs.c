/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's jobs: asking for them and ending them. Which job is whose is told by its id; nothing
 * is decided here but what ending one takes.
 */
#include "config.h"

#include "qmp/jobs.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "qmp/words.h"

#define POLL_US 5000

static void
job_free(gpointer data)
{
    FsnQmpJob *job = data;

    g_free(job->id);
    g_free(job->type);
    g_free(job->status);
    g_free(job->error);
    g_free(job);
}

static bool
read_job(JsonObject *object, GPtrArray *jobs, GError **error)
{
    const char *id, *type, *status;
    FsnQmpJob *job;

    if (!fsn_json_get_string(object, "id", &id, error) ||
        !fsn_json_get_string(object, "type", &type, error) ||
        !fsn_json_get_string(object, "status", &status, error)) {
        return false;
    }
    job = g_new0(FsnQmpJob, 1);
    job->id = g_strdup(id);
    job->type = g_strdup(type);
    job->status = g_strdup(status);
    job->error = g_strdup(fsn_json_peek_string(object, "error", NULL));
    g_ptr_array_add(jobs, job);
    return true;
}

bool
fsn_qmp_query_jobs(FsnQmp *qmp, GPtrArray **out_jobs, GError **error)
{
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func(job_free);
    g_autoptr(JsonNode) value = NULL;
    JsonArray *array;

    if (!fsn_qmp_execute(qmp, "query-jobs", NULL, &value, error)) {
        return false;
    }
    if (!JSON_NODE_HOLDS_ARRAY(value)) {
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_FORMAT,
                            "the answer to 'query-jobs': not an array");
        return false;
    }
    array = json_node_get_array(value);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *object;

        if (!fsn_json_get_element(array, i, &object, error) ||
            !read_job(object, jobs, error)) {
            g_prefix_error(error, "the answer to 'query-jobs': ");
            return false;
        }
    }
    *out_jobs = g_steal_pointer(&jobs);
    return true;
}

FsnQmpJob *
fsn_qmp_job_find(const GPtrArray *jobs, const char *id)
{
    for (guint i = 0; i < jobs->len; i++) {
        FsnQmpJob *job = jobs->pdata[i];

        if (g_str_equal(job->id, id)) {
            return job;
        }
    }
    return NULL;
}

static bool
execute_with_id(FsnQmp *qmp, const char *command, const char *id, GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();

    json_object_set_string_member(arguments, "id", id);
    return fsn_qmp_execute_judged(qmp, command, arguments, error);
}

bool
fsn_qmp_job_cancel(FsnQmp *qmp, const char *id, GError **error)
{
    return execute_with_id(qmp, "job-cancel", id, error);
}

bool
fsn_qmp_job_dismiss(FsnQmp *qmp, const char *id, GError **error)
{
    return execute_with_id(qmp, "job-dismiss", id, error);
}

/* Failures that only say that the job has gone further meanwhile are none. */
static bool
unless_overtaken(bool ok, GError **local, GError **error)
{
    if (ok || g_error_matches(*local, FSN_ERROR, FSN_ERROR_NOT_FOUND) ||
        (g_error_matches(*local, FSN_ERROR, FSN_ERROR_STATE) &&
         g_str_has_prefix((*local)->message, "QEMU: "))) {
        g_clear_error(local);
        return true;
    }
    g_propagate_error(error, g_steal_pointer(local));
    return false;
}

/* One look: *@out_job is the job as it was, NULL once it is gone; a concluded one is
 * dismissed. */
static bool
look(FsnQmp *qmp,
     const char *id,
     GPtrArray **out_jobs,
     FsnQmpJob **out_job,
     GError **error)
{
    g_autoptr(GPtrArray) jobs = NULL;
    g_autoptr(GError) local = NULL;
    FsnQmpJob *job;

    if (!fsn_qmp_query_jobs(qmp, &jobs, error)) {
        return false;
    }
    job = fsn_qmp_job_find(jobs, id);
    if (job && g_str_equal(job->status, "concluded") &&
        !unless_overtaken(fsn_qmp_job_dismiss(qmp, id, &local), &local, error)) {
        return false;
    }
    *out_job = job;
    *out_jobs = g_steal_pointer(&jobs);
    return true;
}

/* QEMU gives a cancelled job this "error" as well. */
static char *
failure_of(const FsnQmpJob *job, bool cancelled)
{
    if (!job->error || cancelled) {
        return NULL;
    }
    return g_strdup(job->error);
}

static bool
wait_end(FsnQmp *qmp,
         const char *id,
         int64_t timeout_us,
         bool cancelled,
         char **out_failure,
         GError **error)
{
    int64_t end_us = fsn_monotonic_us() + timeout_us;
    g_autofree char *failure = NULL;

    /* Asked again and again: no event reaches us through libvirt's monitor. */
    for (;;) {
        g_autoptr(GPtrArray) jobs = NULL;
        FsnQmpJob *job;

        if (!look(qmp, id, &jobs, &job, error)) {
            return false;
        }
        if (!job) {
            break;
        }
        g_free(failure);
        failure = failure_of(job, cancelled);
        if (fsn_monotonic_us() >= end_us) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                        "job '%s' is still %s after %.1f s", id, job->status,
                        (double)timeout_us / 1e6);
            return false;
        }
        if (!g_str_equal(job->status, "concluded")) {
            g_usleep(POLL_US);
        }
    }
    if (out_failure) {
        *out_failure = g_steal_pointer(&failure);
    }
    return true;
}

bool
fsn_qmp_job_end(
    FsnQmp *qmp, const char *id, int64_t timeout_us, char **out_failure, GError **error)
{
    g_autoptr(GError) local = NULL;
    bool cancelled = fsn_qmp_job_cancel(qmp, id, &local);

    if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return unless_overtaken(cancelled, &local, error) &&
           wait_end(qmp, id, timeout_us, cancelled, out_failure, error);
}
