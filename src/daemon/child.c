/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A subprocess, its limit of time, and the document that it prints. */
#include "config.h"

#include "daemon/child.h"

#include "base/json.h"
#include "base/programs.h"
#include "daemon/source.h"

#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAX_DOCUMENT ((size_t)64 << 20)
#define NICE         10

struct FsnChild {
    GSubprocess *process;
    GCancellable *cancellable;
    GSource *limit;    /* NULL: none, or it is over */
    bool late;         /* … which it is */
    FsnChildFunc func; /* NULL: abandoned */
    gpointer user;
};

static void
child_free(FsnChild *child)
{
    fsn_source_clear(&child->limit);
    g_clear_object(&child->process);
    g_clear_object(&child->cancellable);
    g_free(child);
}

static gboolean
on_limit(gpointer user)
{
    FsnChild *child = user;

    fsn_source_clear(&child->limit);
    child->late = true;
    g_subprocess_force_exit(child->process);
    return G_SOURCE_REMOVE;
}

static char *
complaint_of(FsnChild *child, JsonObject *document)
{
    JsonObject *error;

    if (g_subprocess_get_successful(child->process)) {
        return document ? NULL : g_strdup("it has printed no document");
    }
    if (document && fsn_json_get_object(document, "error", &error, NULL)) {
        return g_strdup(fsn_json_peek_string(error, "message", "failed"));
    }
    return g_strdup(child->late ? "it took too long and was ended"
                                : "it ended without a word");
}

static void
on_end(GObject *source, GAsyncResult *result, gpointer user)
{
    FsnChild *child = user;
    g_autofree char *output = NULL;
    g_autoptr(JsonObject) document = NULL;
    g_autofree char *complaint = NULL;

    if (g_subprocess_communicate_utf8_finish(child->process, result, &output, NULL,
                                             NULL) &&
        child->func) {
        if (!output || !fsn_json_parse_object(output, strlen(output), MAX_DOCUMENT,
                                              "document", &document, NULL)) {
            document = NULL;
        }
        complaint = complaint_of(child, document);
        child->func(document, complaint, child->user);
    } else if (child->func) {
        child->func(NULL, "its output cannot be read", child->user);
    }
    child_free(child);
}

/* It works without. */
static void
be_nice(GSubprocess *process)
{
    const char *pid = g_subprocess_get_identifier(process);

    if (pid) {
        (void)setpriority(PRIO_PROCESS, (id_t)g_ascii_strtoull(pid, NULL, 10), NICE);
    }
}

/* Between fork and exec: it ends with the daemon, however that ends. */
static void
end_with_parent(gpointer user)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != (pid_t)GPOINTER_TO_INT(user)) {
        _exit(1); /* it has ended already */
    }
}

FsnChild *
fsn_child_start(
    char **arguments, unsigned time_s, FsnChildFunc func, gpointer user, GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autofree char *program = fsn_main_program();
    g_autoptr(GSubprocessLauncher) launcher = NULL;
    FsnChild *child;
    GSubprocess *process;

    g_ptr_array_add(argv, program);
    g_ptr_array_add(argv, (gpointer) "--json");
    for (char **arg = arguments; *arg; arg++) {
        g_ptr_array_add(argv, *arg);
    }
    g_ptr_array_add(argv, NULL);
    launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                         G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    g_subprocess_launcher_set_child_setup(launcher, end_with_parent,
                                          GINT_TO_POINTER(getpid()), NULL);
    process =
        g_subprocess_launcher_spawnv(launcher, (const char *const *)argv->pdata, error);
    if (!process) {
        return NULL;
    }
    be_nice(process);
    child = g_new0(FsnChild, 1);
    child->process = process;
    child->cancellable = g_cancellable_new();
    child->func = func;
    child->user = user;
    if (time_s > 0) {
        child->limit =
            fsn_source_attach(g_timeout_source_new_seconds(time_s), on_limit, child);
    }
    g_subprocess_communicate_utf8_async(process, NULL, child->cancellable, on_end, child);
    return child;
}

void
fsn_child_ask_to_end(FsnChild *child)
{
    g_subprocess_send_signal(child->process, SIGTERM);
}

void
fsn_child_dismiss(FsnChild *child)
{
    child->func = NULL;
    fsn_child_ask_to_end(child);
    g_cancellable_cancel(child->cancellable);
}

void
fsn_child_abandon(FsnChild *child)
{
    if (child) {
        child->func = NULL;
        g_subprocess_force_exit(child->process);
        g_cancellable_cancel(child->cancellable);
    }
}
