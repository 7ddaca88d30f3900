/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings of one run of the program. Options win over the environment, the environment
 * over the defaults; nothing here looks at the repository or at libvirt.
 */
#include "config.h"

#include "cli/context.h"

#include "cycle/context.h"
#include "jobs/progress.h"

FsnCliContext *
fsn_cli_context_new(void)
{
    FsnCliContext *context = g_new0(FsnCliContext, 1);

    context->document = json_object_new();
    context->cancellable = g_cancellable_new();
    return context;
}

void
fsn_cli_context_free(FsnCliContext *context)
{
    if (!context) {
        return;
    }
    g_free(context->uri);
    g_free(context->repo_location);
    g_free(context->progress_file);
    json_object_unref(context->document);
    g_object_unref(context->cancellable);
    g_free(context);
}

/* An empty variable counts as unset. */
static char *
dup_environment(const char *name)
{
    const char *value = g_getenv(name);

    return value && *value ? g_strdup(value) : NULL;
}

void
fsn_cli_context_apply_environment(FsnCliContext *context)
{
    /* Not for the processes that this one starts: they are not the job. */
    context->progress_file = dup_environment(FSN_JOB_PROGRESS);
    g_unsetenv(FSN_JOB_PROGRESS);
    if (!context->uri) {
        context->uri = dup_environment("LIBVIRT_DEFAULT_URI");
    }
    if (!context->repo_location) {
        context->repo_location = fsn_cycle_default_repo();
    }
}
