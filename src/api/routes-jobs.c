/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /v1/jobs: long work, started as a process of its own, which neither the request nor the daemon
 * has to wait for. Who may see a job may see its domain.
 */
#include "config.h"

#include "api/job-arguments.h"
#include "api/private.h"

#include "base/error.h"
#include "base/json.h"
#include "jobs/jobs.h"

#include <string.h>

/* How many jobs that were asked for here run at once; the others are queued. */
#define PARALLEL 4

/* What a thread does with jobs. */
typedef struct {
    char *state_dir;
    char *id;
    char *program;
    char **arguments;
    char *operation;
    char *domain;
    char *owner;
} Task;

static void
task_free(gpointer data)
{
    Task *task = data;

    g_free(task->state_dir);
    g_free(task->id);
    g_free(task->program);
    g_strfreev(task->arguments);
    g_free(task->operation);
    g_free(task->domain);
    g_free(task->owner);
    g_free(task);
}

static Task *
task_new(FsnApiRequest *request)
{
    Task *task = g_new0(Task, 1);

    task->state_dir = g_strdup(request->api->state_dir);
    task->id = g_strdup(request->parameters[0]);
    return task;
}

/* One of a domain that is gone is that of whoever asked for it. */
static bool
may_see_job(FsnApiRequest *request, FsnView *view, JsonObject *job)
{
    const char *name = fsn_json_peek_string(job, "domain", NULL);
    const FsnViewDomain *domain = view && name ? fsn_view_find(view, name) : NULL;

    if (!fsn_tenant_is_limited(&request->principal.tenant)) {
        return true;
    }
    return domain ? fsn_api_may_see(&request->principal, domain)
                  : g_strcmp0(fsn_json_peek_string(job, "owner", NULL),
                              request->principal.name) == 0;
}

/* In a thread. */
static JsonObject *
list_jobs(gpointer data, GError **error)
{
    const Task *task = data;
    g_autoptr(GPtrArray) jobs = NULL;
    JsonObject *document;
    JsonArray *array;

    if (!fsn_jobs_list(task->state_dir, &jobs, NULL, error)) {
        return NULL;
    }
    document = json_object_new();
    array = json_array_new();
    /* The newest first, as snapshots are. */
    for (guint i = jobs->len; i > 0; i--) {
        json_array_add_object_element(array, fsn_job_to_json(jobs->pdata[i - 1]));
    }
    json_object_set_array_member(document, "jobs", array);
    return document;
}

static void
reply_list(FsnApiRequest *request, JsonObject *document, GError *error)
{
    g_autoptr(JsonObject) owned = document;
    g_autoptr(JsonObject) visible = NULL;
    FsnView *view = fsn_api_views_last(request->api->views);
    JsonArray *all, *array;

    if (error) {
        fsn_api_reply_gerror(request, error);
        return;
    }
    visible = json_object_new();
    array = json_array_new();
    all = json_object_get_array_member(owned, "jobs");
    for (guint i = 0; i < json_array_get_length(all); i++) {
        JsonObject *job = json_array_get_object_element(all, i);

        if (may_see_job(request, view, job)) {
            json_array_add_object_element(array, json_object_ref(job));
        }
    }
    json_object_set_array_member(visible, "jobs", array);
    fsn_api_reply_json(request, SOUP_STATUS_OK, visible);
}

static void
list_with_view(FsnApiRequest *request, FsnView *view)
{
    fsn_api_work_then(request, list_jobs, task_new(request), task_free, reply_list);
}

void
fsn_api_get_jobs(FsnApiRequest *request)
{
    fsn_api_with_view(request, list_with_view);
}

/* The whole job with what it has printed. In a thread. */
static JsonObject *
find_job(gpointer data, GError **error)
{
    const Task *task = data;
    g_autoptr(FsnJob) job = NULL;
    g_autofree char *complaint = NULL;
    JsonObject *document, *result;

    if (!fsn_job_find(task->state_dir, task->id, &job, error)) {
        return NULL;
    }
    document = fsn_job_to_json(job);
    if (fsn_job_has_ended(job)) {
        if (fsn_job_result(task->state_dir, job, &result, NULL)) {
            json_object_set_object_member(document, "result", result);
        }
        complaint = fsn_job_complaint(task->state_dir, job);
        if (complaint) {
            json_object_set_string_member(document, "complaint", complaint);
        }
    }
    return document;
}

static bool
refuse_job(FsnApiRequest *request, JsonObject *job, GError *error)
{
    if (error) {
        fsn_api_reply_gerror(request, error);
        return true;
    }
    if (!may_see_job(request, fsn_api_views_last(request->api->views), job)) {
        fsn_api_reply_error(request, SOUP_STATUS_NOT_FOUND, "not-found",
                            "there is no job '%s'", request->parameters[0]);
        return true;
    }
    return false;
}

static void
reply_job(FsnApiRequest *request, JsonObject *document, GError *error)
{
    g_autoptr(JsonObject) job = document;

    if (!refuse_job(request, job, error)) {
        fsn_api_reply_json(request, SOUP_STATUS_OK, job);
    }
}

static void
job_with_view(FsnApiRequest *request, FsnView *view)
{
    fsn_api_work_then(request, find_job, task_new(request), task_free, reply_job);
}

void
fsn_api_get_job(FsnApiRequest *request)
{
    fsn_api_with_view(request, job_with_view);
}

/* In a thread: asks a job to stop, or forgets one that has ended. */
static JsonObject *
cancel_job(gpointer data, GError **error)
{
    const Task *task = data;
    g_autoptr(FsnJob) job = NULL;
    JsonObject *document;
    bool ended;

    if (!fsn_job_find(task->state_dir, task->id, &job, error)) {
        return NULL;
    }
    ended = fsn_job_has_ended(job);
    if (ended ? !fsn_job_remove(task->state_dir, job->id, error)
              : !fsn_job_cancel(task->state_dir, job->id, error)) {
        return NULL;
    }
    document = json_object_new();
    json_object_set_string_member(document, "job", job->id);
    json_object_set_string_member(document, "action", ended ? "removed" : "cancelled");
    return document;
}

static void
reply_cancelled(FsnApiRequest *request, JsonObject *document, GError *error)
{
    g_autoptr(JsonObject) owned = document;

    fsn_api_news_wake(request->api->news);
    if (error) {
        fsn_api_reply_gerror(request, error);
    } else {
        fsn_api_reply_json(request, SOUP_STATUS_ACCEPTED, owned);
    }
}

/* Whose job it is was looked at: now it is cancelled. */
static void
cancel_found(FsnApiRequest *request, JsonObject *document, GError *error)
{
    g_autoptr(JsonObject) job = document;
    Task *task;

    if (refuse_job(request, job, error)) {
        return;
    }
    task = task_new(request);
    g_free(task->id);
    task->id = g_strdup(fsn_json_peek_string(job, "job", ""));
    fsn_api_work_then(request, cancel_job, task, task_free, reply_cancelled);
}

static void
cancel_with_view(FsnApiRequest *request, FsnView *view)
{
    fsn_api_work_then(request, find_job, task_new(request), task_free, cancel_found);
}

void
fsn_api_delete_job(FsnApiRequest *request)
{
    fsn_api_with_view(request, cancel_with_view);
}

/* In a thread. */
static JsonObject *
start_job(gpointer data, GError **error)
{
    const Task *task = data;
    FsnJobRequest what = { .arguments = (const char *const *)task->arguments,
                           .program = task->program,
                           .operation = task->operation,
                           .domain = task->domain,
                           .origin = "api",
                           .owner = task->owner,
                           .parallel = PARALLEL };
    g_autofree char *id = NULL;
    g_autoptr(FsnJob) job = NULL;

    if (!fsn_job_start(task->state_dir, &what, &id, error) ||
        !fsn_job_find(task->state_dir, id, &job, error)) {
        return NULL;
    }
    return fsn_job_to_json(job);
}

static void
reply_started(FsnApiRequest *request, JsonObject *document, GError *error)
{
    g_autoptr(JsonObject) job = document;
    g_autofree char *location = NULL;

    if (error) {
        fsn_api_reply_gerror(request, error);
        return;
    }
    location = g_strdup_printf("/v1/jobs/%s", fsn_json_peek_string(job, "job", ""));
    fsn_api_set_header(request, "Location", location);
    fsn_api_news_wake(request->api->news);
    fsn_api_reply_json(request, SOUP_STATUS_ACCEPTED, job);
}

/* The domain that the job is about, and the object of the command; false after a reply. */
static bool
find_object(FsnApiRequest *request,
            FsnView *view,
            const FsnJobKind *kind,
            const FsnViewDomain **out_domain,
            const char **out_object)
{
    const char *who = fsn_json_peek_string(request->body, "domain", NULL);
    const char *id = fsn_json_peek_string(request->body, "snapshot", NULL);
    bool by_snapshot = kind->object == FSN_JOB_OF_SNAPSHOT ||
                       (kind->object == FSN_JOB_OF_EITHER && !who);
    const FsnCatalogueEntry *entry = id ? fsn_view_find_snapshot(view, id) : NULL;
    const FsnViewDomain *domain = NULL;

    if (by_snapshot ? !id || who : !who || id) {
        fsn_api_reply_error(
            request, SOUP_STATUS_BAD_REQUEST, "usage", "'%s' takes %s", kind->operation,
            kind->object == FSN_JOB_OF_SNAPSHOT ? "a snapshot"
            : kind->object == FSN_JOB_OF_DOMAIN ? "a domain"
                                                : "either a domain or a snapshot");
        return false;
    }
    if (by_snapshot && entry && entry->uuid) {
        domain = g_hash_table_lookup(view->by_uuid, entry->uuid);
    } else if (!by_snapshot) {
        domain = fsn_view_find(view, who);
    }
    if (!domain || !fsn_api_may_see(&request->principal, domain)) {
        fsn_api_reply_error(request, SOUP_STATUS_NOT_FOUND, "not-found",
                            "there is no %s '%s'", by_snapshot ? "snapshot" : "domain",
                            by_snapshot ? id : who);
        return false;
    }
    *out_domain = domain;
    *out_object = by_snapshot ? entry->id : domain->uuid;
    return true;
}

/* Whether who asks may do this; false after a reply. */
static bool
permitted(FsnApiRequest *request, const FsnJobKind *kind)
{
    const FsnTenant *tenant = &request->principal.tenant;
    const char *as = fsn_json_peek_string(request->body, "as", NULL);

    if (request->principal.scope < kind->scope ||
        (kind->object == FSN_JOB_OF_ALL && fsn_tenant_is_limited(tenant))) {
        fsn_api_reply_error(request, SOUP_STATUS_FORBIDDEN, "usage",
                            "'%s' may not do this: '%s' takes the scope '%s'",
                            request->principal.name, kind->operation,
                            fsn_scope_name(kind->scope));
        return false;
    }
    /* A new domain must be one of theirs. */
    if (as && tenant->prefix && !g_str_has_prefix(as, tenant->prefix)) {
        fsn_api_reply_error(request, SOUP_STATUS_FORBIDDEN, "usage",
                            "the new name must begin with '%s'", tenant->prefix);
        return false;
    }
    return true;
}

static char **
whole_arguments(FsnApi *api, char **arguments)
{
    GPtrArray *argv = g_ptr_array_new();

    if (api->uri) {
        g_ptr_array_add(argv, g_strdup("-c"));
        g_ptr_array_add(argv, g_strdup(api->uri));
    }
    g_ptr_array_add(argv, g_strdup("-r"));
    g_ptr_array_add(argv, g_strdup(api->repo));
    for (char **argument = arguments; *argument; argument++) {
        g_ptr_array_add(argv, g_strdup(*argument));
    }
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

static void
post_with_view(FsnApiRequest *request, FsnView *view)
{
    const char *operation = fsn_json_peek_string(request->body, "operation", "");
    const FsnJobKind *kind = fsn_api_job_kind(operation);
    const FsnViewDomain *domain = NULL;
    const char *object = NULL;
    g_auto(GStrv) arguments = NULL;
    GError *error = NULL;
    Task *task;

    if (!kind) {
        fsn_api_reply_error(request, SOUP_STATUS_BAD_REQUEST, "usage",
                            "there is no operation '%s'", operation);
        return;
    }
    if (!permitted(request, kind) ||
        (kind->object != FSN_JOB_OF_ALL &&
         !find_object(request, view, kind, &domain, &object))) {
        return;
    }
    arguments = fsn_api_job_arguments(kind, object, request->body, &error);
    if (!arguments) {
        fsn_api_reply_gerror(request, error);
        return;
    }
    task = task_new(request);
    task->program = g_strdup(request->api->program);
    task->arguments = whole_arguments(request->api, arguments);
    task->operation = g_strdup(kind->command);
    task->domain = domain ? g_strdup(domain->name) : NULL;
    task->owner = g_strdup(request->principal.name);
    fsn_api_work_then(request, start_job, task, task_free, reply_started);
}

void
fsn_api_post_jobs(FsnApiRequest *request)
{
    fsn_api_with_view(request, post_with_view);
}
