/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of a job as JSON. What is in it may come from anywhere: every member is checked, and
 * limits come before memory. */
#include "config.h"

#include "jobs/record.h"

#include "base/error.h"
#include "base/id.h"
#include "base/json.h"

#include <string.h>

#define RECORD_VERSION 1
#define MAX_ARGS       4096

static const char *const state_names[] = {
    [FSN_JOB_QUEUED] = "queued",       [FSN_JOB_RUNNING] = "running",
    [FSN_JOB_DONE] = "done",           [FSN_JOB_FAILED] = "failed",
    [FSN_JOB_CANCELLED] = "cancelled", [FSN_JOB_LOST] = "lost",
};

const char *
fsn_job_state_name(FsnJobState state)
{
    return state_names[state];
}

bool
fsn_job_has_ended(const FsnJob *job)
{
    return job->state != FSN_JOB_QUEUED && job->state != FSN_JOB_RUNNING;
}

void
fsn_job_free(FsnJob *job)
{
    if (!job) {
        return;
    }
    g_free(job->id);
    g_strfreev(job->argv);
    g_free(job->operation);
    g_free(job->domain);
    g_free(job->origin);
    g_free(job->owner);
    g_free(job->phase);
    g_free(job);
}

FsnJobRecord *
fsn_job_record_new(void)
{
    FsnJobRecord *record = g_new0(FsnJobRecord, 1);

    record->job = g_new0(FsnJob, 1);
    record->job->exit_status = -1;
    record->grace_s = FSN_JOB_GRACE_S;
    return record;
}

void
fsn_job_record_free(FsnJobRecord *record)
{
    if (!record) {
        return;
    }
    fsn_job_free(record->job);
    g_free(record->boot_id);
    g_free(record);
}

FsnJobState
fsn_job_judge(FsnJobState written, bool keeper_lives, bool process_lives)
{
    switch (written) {
    case FSN_JOB_QUEUED:
        return keeper_lives ? FSN_JOB_QUEUED : FSN_JOB_LOST;
    case FSN_JOB_RUNNING:
        return keeper_lives || process_lives ? FSN_JOB_RUNNING : FSN_JOB_LOST;
    case FSN_JOB_DONE:
    case FSN_JOB_FAILED:
    case FSN_JOB_CANCELLED:
    case FSN_JOB_LOST:
        break;
    }
    return written;
}

static void
set_time(JsonObject *object, const char *name, int64_t value)
{
    if (value > 0) {
        json_object_set_int_member(object, name, value);
    }
}

static void
set_facts(JsonObject *object, const FsnJob *job)
{
    JsonArray *argv = json_array_new();

    for (char **arg = job->argv; arg && *arg; arg++) {
        json_array_add_string_element(argv, *arg);
    }
    json_object_set_array_member(object, "argv", argv);
    fsn_json_add_string(object, "operation", job->operation);
    fsn_json_add_string(object, "domain", job->domain);
    fsn_json_add_string(object, "origin", job->origin);
    fsn_json_add_string(object, "owner", job->owner);
    json_object_set_int_member(object, "uid", job->uid);
    json_object_set_string_member(object, "state", fsn_job_state_name(job->state));
    set_time(object, "created_us", job->created_us);
    set_time(object, "started_us", job->started_us);
    set_time(object, "ended_us", job->ended_us);
    set_time(object, "cancel_us", job->cancel_us);
    if (job->exit_status >= 0) {
        json_object_set_int_member(object, "exit_status", job->exit_status);
    }
    if (job->signal > 0) {
        json_object_set_int_member(object, "signal", job->signal);
    }
}

JsonObject *
fsn_job_to_json(const FsnJob *job)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "job", job->id);
    set_facts(object, job);
    if (job->phase) {
        JsonObject *progress = json_object_new();

        json_object_set_string_member(progress, "phase", job->phase);
        json_object_set_string_member(progress, "unit",
                                      job->counts_bytes ? "bytes" : "things");
        json_object_set_int_member(progress, "done", (int64_t)MIN(job->done, G_MAXINT64));
        json_object_set_int_member(progress, "total",
                                   (int64_t)MIN(job->total, G_MAXINT64));
        json_object_set_object_member(object, "progress", progress);
    }
    return object;
}

static void
set_process(JsonObject *object, const char *name, const FsnProcessId *id)
{
    JsonObject *process = json_object_new();

    json_object_set_int_member(process, "pid", id->pid);
    json_object_set_int_member(process, "start", id->start);
    json_object_set_object_member(object, name, process);
}

char *
fsn_job_record_to_text(const FsnJobRecord *record)
{
    g_autoptr(JsonObject) object = json_object_new();

    json_object_set_int_member(object, "version", RECORD_VERSION);
    json_object_set_string_member(object, "id", record->job->id);
    set_facts(object, record->job);
    fsn_json_add_string(object, "boot_id", record->boot_id);
    set_process(object, "keeper", &record->keeper);
    set_process(object, "process", &record->process);
    json_object_set_int_member(object, "parallel", record->parallel);
    json_object_set_int_member(object, "grace_s", record->grace_s);
    return fsn_json_to_text(object, true);
}

static bool
member_error(GError **error, const char *name)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "member '%s' cannot be used", name);
    return false;
}

static bool
parse_argv(JsonObject *object, FsnJob *job, GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    JsonArray *array;
    guint n;

    if (!fsn_json_get_array(object, "argv", &array, error)) {
        return false;
    }
    n = json_array_get_length(array);
    if (n == 0 || n > MAX_ARGS) {
        return member_error(error, "argv");
    }
    for (guint i = 0; i < n; i++) {
        JsonNode *node = json_array_get_element(array, i);

        if (!JSON_NODE_HOLDS_VALUE(node) ||
            json_node_get_value_type(node) != G_TYPE_STRING) {
            return member_error(error, "argv");
        }
        g_ptr_array_add(argv, json_node_dup_string(node));
    }
    g_ptr_array_add(argv, NULL);
    job->argv = (char **)g_ptr_array_free(g_steal_pointer(&argv), FALSE);
    return true;
}

static bool
parse_state(JsonObject *object, FsnJob *job, GError **error)
{
    const char *word;

    if (!fsn_json_get_string(object, "state", &word, error)) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(state_names); i++) {
        /* lost is never written */
        if (i != FSN_JOB_LOST && strcmp(word, state_names[i]) == 0) {
            job->state = (FsnJobState)i;
            return true;
        }
    }
    return member_error(error, "state");
}

/* An integer that may be missing. */
static bool
parse_int(JsonObject *object,
          const char *name,
          int64_t max,
          int64_t fallback,
          int64_t *out_value,
          GError **error)
{
    if (!json_object_has_member(object, name)) {
        *out_value = fallback;
        return true;
    }
    return fsn_json_get_int(object, name, 0, max, out_value, error);
}

static bool
parse_end(JsonObject *object, FsnJob *job, GError **error)
{
    int64_t exit_status;
    int64_t signum;

    if (!parse_int(object, "created_us", G_MAXINT64, 0, &job->created_us, error) ||
        !parse_int(object, "started_us", G_MAXINT64, 0, &job->started_us, error) ||
        !parse_int(object, "ended_us", G_MAXINT64, 0, &job->ended_us, error) ||
        !parse_int(object, "cancel_us", G_MAXINT64, 0, &job->cancel_us, error) ||
        !parse_int(object, "exit_status", 255, -1, &exit_status, error) ||
        !parse_int(object, "signal", 128, 0, &signum, error)) {
        return false;
    }
    job->exit_status = (int)exit_status;
    job->signal = (int)signum;
    return true;
}

static bool
parse_facts(JsonObject *object, FsnJob *job, GError **error)
{
    const char *id;
    const char *operation;
    FsnId checked;

    if (!fsn_json_get_string(object, "id", &id, error) ||
        !fsn_json_get_string(object, "operation", &operation, error) ||
        !parse_argv(object, job, error) || !parse_state(object, job, error) ||
        !fsn_json_get_int(object, "uid", 0, G_MAXUINT32, &job->uid, error) ||
        !parse_end(object, job, error)) {
        return false;
    }
    if (!fsn_id_parse(id, &checked)) {
        return member_error(error, "id");
    }
    job->id = fsn_id_to_string(&checked);
    job->operation = g_strdup(operation);
    job->domain = g_strdup(fsn_json_peek_string(object, "domain", NULL));
    job->origin = g_strdup(fsn_json_peek_string(object, "origin", NULL));
    job->owner = g_strdup(fsn_json_peek_string(object, "owner", NULL));
    return true;
}

static bool
parse_process(JsonObject *object, const char *name, FsnProcessId *out_id, GError **error)
{
    JsonObject *process;

    return fsn_json_get_object(object, name, &process, error) &&
           fsn_json_get_int(process, "pid", 0, G_MAXINT32, &out_id->pid, error) &&
           fsn_json_get_int(process, "start", 0, G_MAXINT64, &out_id->start, error);
}

bool
fsn_job_record_parse(const char *text,
                     size_t len,
                     FsnJobRecord **out_record,
                     GError **error)
{
    g_autoptr(FsnJobRecord) record = fsn_job_record_new();
    g_autoptr(JsonObject) object = NULL;
    int64_t version;
    int64_t parallel;
    int64_t grace_s;

    if (!fsn_json_parse_object(text, len, FSN_JOB_MAX_RECORD, "job", &object, error) ||
        !fsn_json_get_int(object, "version", RECORD_VERSION, RECORD_VERSION, &version,
                          error) ||
        !parse_facts(object, record->job, error) ||
        !parse_process(object, "keeper", &record->keeper, error) ||
        !parse_process(object, "process", &record->process, error) ||
        !parse_int(object, "parallel", FSN_JOB_MAX_PARALLEL, 0, &parallel, error) ||
        !parse_int(object, "grace_s", 86400, FSN_JOB_GRACE_S, &grace_s, error)) {
        return false;
    }
    record->boot_id = g_strdup(fsn_json_peek_string(object, "boot_id", NULL));
    record->parallel = (unsigned)parallel;
    record->grace_s = (unsigned)grace_s;
    *out_record = g_steal_pointer(&record);
    return true;
}
