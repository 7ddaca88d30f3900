/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that blocks, in a few threads. A request waits for its work as long as the limit allows and
 * is then answered; the thread goes on until what it waits for lets it, and its result is thrown
 * away. So a libvirt that hangs costs threads, of which there are few, and never the main loop.
 */
#include "config.h"

#include "api/private.h"

#include <string.h>

#define THREADS     4
/* More than that do not wait: they are told to come back. */
#define WAITING_MAX 128

/* Shared by the main context and a thread; the last one frees it. */
typedef struct {
    gatomicrefcount refs;
    FsnApiWork *work;
    FsnApiRequest *request; /* NULL: none, or it was answered without the result */
    FsnApiWorkFunc func;
    gpointer data;
    GDestroyNotify data_free;
    FsnApiThenFunc then;
    FsnApiDoneFunc done;
    GSource *limit;
    JsonObject *document;
    GError *error;
} Task;

struct FsnApiWork {
    gatomicrefcount refs; /* the API's own, and each task's */
    FsnApi *api;          /* NULL once it has stopped */
    GMainContext *context;
    GThreadPool *pool;
    GPtrArray *pending; /* Task, not yet done */
};

static void
work_unref(FsnApiWork *work)
{
    if (g_atomic_ref_count_dec(&work->refs)) {
        g_ptr_array_unref(work->pending);
        g_main_context_unref(work->context);
        g_free(work);
    }
}

static void
task_unref(Task *task)
{
    if (!g_atomic_ref_count_dec(&task->refs)) {
        return;
    }
    if (task->data_free) {
        task->data_free(task->data);
    }
    g_clear_pointer(&task->document, json_object_unref);
    g_clear_error(&task->error);
    work_unref(task->work);
    g_free(task);
}

static void
stop_limit(Task *task)
{
    if (task->limit) {
        g_source_destroy(task->limit);
        g_clear_pointer(&task->limit, g_source_unref);
    }
}

/* In the main context: the thread has done it. */
static gboolean
on_done(gpointer data)
{
    Task *task = data;
    FsnApiRequest *request = g_steal_pointer(&task->request);

    stop_limit(task);
    if (!task->work->api) {
        return G_SOURCE_REMOVE;
    }
    g_ptr_array_remove_fast(task->work->pending, task);
    if (request) {
        task->then(request, g_steal_pointer(&task->document),
                   g_steal_pointer(&task->error));
    } else if (task->done) {
        task->done(task->work->api, task->document, task->error);
    }
    return G_SOURCE_REMOVE;
}

static void
run(gpointer data, gpointer user)
{
    Task *task = data;

    task->document = task->func(task->data, &task->error);
    g_main_context_invoke_full(task->work->context, G_PRIORITY_DEFAULT, on_done, task,
                               (GDestroyNotify)task_unref);
}

static gboolean
on_limit(gpointer data)
{
    Task *task = data;
    FsnApiRequest *request = g_steal_pointer(&task->request);

    g_clear_pointer(&task->limit, g_source_unref);
    fsn_api_reply_error(request, SOUP_STATUS_GATEWAY_TIMEOUT, "timeout",
                        "it takes longer than %u s", request->api->work_s);
    return G_SOURCE_REMOVE;
}

FsnApiWork *
fsn_api_work_new(FsnApi *api)
{
    FsnApiWork *work = g_new0(FsnApiWork, 1);

    g_atomic_ref_count_init(&work->refs);
    work->api = api;
    work->context = g_main_context_ref(api->context);
    work->pending = g_ptr_array_new();
    work->pool = g_thread_pool_new(run, NULL, THREADS, FALSE, NULL);
    return work;
}

void
fsn_api_work_free(FsnApiWork *work)
{
    if (!work) {
        return;
    }
    work->api = NULL;
    for (guint i = 0; i < work->pending->len; i++) {
        Task *task = work->pending->pdata[i];
        FsnApiRequest *request = g_steal_pointer(&task->request);

        stop_limit(task);
        if (request) {
            request->gone = true;
            fsn_api_reply_empty(request, SOUP_STATUS_SERVICE_UNAVAILABLE);
        }
    }
    g_ptr_array_set_size(work->pending, 0);
    /* What hangs in libvirt is not waited for: it has a reference of its own. */
    g_thread_pool_free(work->pool, FALSE, FALSE);
    work_unref(work);
}

static Task *
task_new(FsnApi *api, FsnApiWorkFunc func, gpointer data, GDestroyNotify data_free)
{
    Task *task = g_new0(Task, 1);

    g_atomic_ref_count_init(&task->refs);
    task->work = api->work;
    g_atomic_ref_count_inc(&task->work->refs);
    task->func = func;
    task->data = data;
    task->data_free = data_free;
    return task;
}

static void
push(Task *task)
{
    g_ptr_array_add(task->work->pending, task);
    (void)g_thread_pool_push(task->work->pool, task,
                             NULL); /* it has its threads or waits */
}

void
fsn_api_work_then(FsnApiRequest *request,
                  FsnApiWorkFunc func,
                  gpointer data,
                  GDestroyNotify data_free,
                  FsnApiThenFunc then)
{
    FsnApi *api = request->api;
    Task *task;

    if (api->work->pending->len >= WAITING_MAX) {
        if (data_free) {
            data_free(data);
        }
        fsn_api_reply_error(request, SOUP_STATUS_SERVICE_UNAVAILABLE, "busy",
                            "too much is under way: try again");
        return;
    }
    task = task_new(api, func, data, data_free);
    task->request = request;
    task->then = then;
    task->limit = g_timeout_source_new_seconds(api->work_s);
    g_source_set_callback(task->limit, on_limit, task, NULL);
    g_source_attach(task->limit, api->context);
    push(task);
}

static void
reply(FsnApiRequest *request, JsonObject *document, GError *error)
{
    g_autoptr(JsonObject) owned = document;

    if (error) {
        fsn_api_reply_gerror(request, error);
    } else {
        fsn_api_reply_json(request, SOUP_STATUS_OK, owned);
    }
}

void
fsn_api_work(FsnApiRequest *request,
             FsnApiWorkFunc func,
             gpointer data,
             GDestroyNotify data_free)
{
    fsn_api_work_then(request, func, data, data_free, reply);
}

void
fsn_api_background(FsnApi *api,
                   FsnApiWorkFunc func,
                   gpointer data,
                   GDestroyNotify data_free,
                   FsnApiDoneFunc done)
{
    Task *task = task_new(api, func, data, data_free);

    task->done = done;
    push(task);
}
