/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Documents that a command of foresnap makes: what is asked for seldom, or takes seconds, has a
 * process of its own, which can be ended when it takes too long and takes nothing with it.
 * Nobody's text is an option there: arguments come from fixed words and from ids that were
 * looked up.
 */
#include "config.h"

#include "api/private.h"

#include "base/error.h"
#include "base/json.h"

#include <string.h>

/* At once; more wait. */
#define PARALLEL    3
#define WAITING_MAX 64
#define OUTPUT_MAX  ((size_t)32 << 20)

typedef struct {
    FsnApiRequest *request; /* NULL: was answered */
    char **argv;
    char *folder;
    FsnApiThenFunc then;
    GSubprocess *process;
    GSource *limit;
} Run;

/* All runs of this process: there is one API in it, or tests. */
static GQueue waiting = G_QUEUE_INIT;
static unsigned running;

static void begin_next(void);

static void
run_free(Run *run)
{
    if (run->limit) {
        g_source_destroy(run->limit);
        g_source_unref(run->limit);
    }
    g_clear_object(&run->process);
    g_strfreev(run->argv);
    g_free(run->folder);
    g_free(run);
}

/* The document says itself what went wrong; "error" in it becomes the error. */
static JsonObject *
document_of(GBytes *bytes, GError **error)
{
    static const char *const codes[] = {
        "failed",    "usage",   "partial", "busy",        "not-found",
        "exists",    "corrupt", "format",  "unsupported", "no-space",
        "cancelled", "timeout", "state",
    };
    size_t len = bytes ? g_bytes_get_size(bytes) : 0;
    g_autoptr(JsonObject) document = NULL;
    JsonObject *failure;

    if (!fsn_json_parse_object(len > 0 ? g_bytes_get_data(bytes, NULL) : "", len,
                               OUTPUT_MAX, "what the command prints", &document, error)) {
        return NULL;
    }
    if (json_object_has_member(document, "error") &&
        fsn_json_get_object(document, "error", &failure, NULL)) {
        const char *code = fsn_json_peek_string(failure, "code", "failed");

        for (int i = 0; i < (int)G_N_ELEMENTS(codes); i++) {
            if (strcmp(code, codes[i]) == 0) {
                g_set_error_literal(
                    error, FSN_ERROR, i,
                    fsn_json_peek_string(failure, "message", "it failed"));
                return NULL;
            }
        }
    }
    return g_steal_pointer(&document);
}

static void
on_output(GObject *object, GAsyncResult *result, gpointer data)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) local = NULL;
    Run *run = data;
    FsnApiRequest *request = g_steal_pointer(&run->request);
    JsonObject *document = NULL;
    GError *error = NULL;

    running--;
    if (g_subprocess_communicate_finish(G_SUBPROCESS(object), result, &bytes, NULL,
                                        &local)) {
        document = document_of(bytes, &error);
    } else {
        error = g_steal_pointer(&local);
    }
    if (request) {
        run->then(request, document, error);
    } else {
        g_clear_pointer(&document, json_object_unref);
        g_clear_error(&error);
    }
    run_free(run);
    begin_next();
}

static gboolean
on_limit(gpointer data)
{
    Run *run = data;
    FsnApiRequest *request = g_steal_pointer(&run->request);

    g_clear_pointer(&run->limit, g_source_unref);
    if (run->process) {
        g_subprocess_force_exit(run->process);
    }
    fsn_api_reply_error(request, SOUP_STATUS_GATEWAY_TIMEOUT, "timeout",
                        "it takes longer than %u s", request->api->work_s);
    return G_SOURCE_REMOVE;
}

static void
begin(Run *run)
{
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    GError *error = NULL;

    if (run->folder) {
        g_subprocess_launcher_setenv(launcher, "FORESNAP_CONFIG_DIR", run->folder, TRUE);
        g_subprocess_launcher_setenv(launcher, "XDG_CONFIG_HOME", run->folder, TRUE);
    }
    run->process =
        g_subprocess_launcher_spawnv(launcher, (const char *const *)run->argv, &error);
    if (!run->process) {
        FsnApiRequest *request = g_steal_pointer(&run->request);

        fsn_api_reply_gerror(request, error);
        run_free(run);
        return;
    }
    running++;
    g_subprocess_communicate_async(run->process, NULL, NULL, on_output, run);
}

static void
begin_next(void)
{
    while (running < PARALLEL && !g_queue_is_empty(&waiting)) {
        Run *run = g_queue_pop_head(&waiting);

        if (run->request) {
            begin(run);
        } else {
            run_free(run); /* it has waited too long */
        }
    }
}

void
fsn_api_run(FsnApiRequest *request,
            const char *const *arguments,
            const char *folder,
            FsnApiThenFunc then)
{
    FsnApi *api = request->api;
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    Run *run;

    if (g_queue_get_length(&waiting) >= WAITING_MAX) {
        fsn_api_reply_error(request, SOUP_STATUS_SERVICE_UNAVAILABLE, "busy",
                            "too much is under way: try again");
        return;
    }
    g_ptr_array_add(argv, g_strdup(api->program));
    if (api->uri) {
        g_ptr_array_add(argv, g_strdup("-c"));
        g_ptr_array_add(argv, g_strdup(api->uri));
    }
    g_ptr_array_add(argv, g_strdup("-r"));
    g_ptr_array_add(argv, g_strdup(api->repo));
    g_ptr_array_add(argv, g_strdup("--json"));
    for (; *arguments; arguments++) {
        g_ptr_array_add(argv, g_strdup(*arguments));
    }
    g_ptr_array_add(argv, NULL);
    run = g_new0(Run, 1);
    run->request = request;
    run->argv = (char **)g_ptr_array_steal(argv, NULL);
    run->folder = g_strdup(folder);
    run->then = then;
    run->limit = g_timeout_source_new_seconds(api->work_s);
    g_source_set_callback(run->limit, on_limit, run, NULL);
    g_source_attach(run->limit, api->context);
    g_queue_push_tail(&waiting, run);
    begin_next();
}
