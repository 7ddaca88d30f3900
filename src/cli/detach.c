/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --detach: the same command line as a process of its own. Its options have been read here, so
 * that what makes no sense is said at once. */
#include "config.h"

#include "cli/detach.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/output.h"
#include "cycle/context.h"
#include "jobs/jobs.h"

#include <string.h>

/* Jobs that ended so long ago are forgotten when another is started. */
#define KEEP_US (30 * 24 * 3600 * (int64_t)G_USEC_PER_SEC)

/* Borrows from @argv; behind "--" there are no options. */
static GPtrArray *
without_detach(char **argv)
{
    GPtrArray *rest = g_ptr_array_new();
    bool options = true;

    for (char **arg = argv + 1; *arg; arg++) {
        if (options && strcmp(*arg, "--detach") == 0) {
            continue;
        }
        options = options && strcmp(*arg, "--") != 0;
        g_ptr_array_add(rest, *arg);
    }
    g_ptr_array_add(rest, NULL);
    return rest;
}

bool
fsn_cli_detach(FsnCliContext *context,
               const FsnCliCommand *command,
               char **argv,
               char **args,
               GError **error)
{
    g_autofree char *state_dir = fsn_cycle_default_state_dir();
    g_autoptr(GPtrArray) rest = without_detach(argv);
    bool of_domain = g_str_has_prefix(command->arguments, "DOMAIN");
    FsnJobRequest request = { .arguments = (const char *const *)rest->pdata,
                              .operation = command->name,
                              .domain = of_domain ? args[0] : NULL };
    g_autofree char *id = NULL;

    if (!command->detachable) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' is no long work: it goes without --detach", command->name);
        return false;
    }
    /* Room for what is new; old ones that cannot be removed do no harm. */
    (void)!fsn_jobs_forget(state_dir, fsn_realtime_us() - KEEP_US, NULL, NULL);
    if (!fsn_job_start(state_dir, &request, &id, error)) {
        return false;
    }
    json_object_set_string_member(context->document, "job", id);
    if (!context->json) {
        fsn_cli_print(context, "%s\n", id);
    }
    return true;
}
