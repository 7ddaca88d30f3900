/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a command to the hook folders. Where there are no hooks nothing is asked and nothing
 * done. The commands are what batches, schedules and daemons start, so hooks run whoever has
 * asked; never in a hook of libvirt, which runs foresnap-hook and nothing else.
 */
#include "config.h"

#include "cli/around.h"

#include "cli/output.h"
#include "hookdir/hookdir.h"
#include "virt/domain.h"

#include <stdlib.h>

#define LIMIT_S 60

struct FsnCliAround {
    FsnCliContext *context;
    char *folder; /* NULL: there are no hooks */
    char *operation;
    char *target;
    char *domain;
    char *uuid;
    char *repo;
};

static void
around_free(FsnCliAround *around)
{
    g_free(around->folder);
    g_free(around->operation);
    g_free(around->target);
    g_free(around->domain);
    g_free(around->uuid);
    g_free(around->repo);
    g_free(around);
}

static int64_t
limit_us(void)
{
    const char *text = g_getenv("FORESNAP_HOOK_TIMEOUT");
    int64_t seconds = text ? g_ascii_strtoll(text, NULL, 10) : 0;

    return (seconds > 0 && seconds <= 86400 ? seconds : LIMIT_S) * G_USEC_PER_SEC;
}

static FsnHookEvent
event_of(const FsnCliAround *around)
{
    return (FsnHookEvent){ .operation = around->operation,
                           .target = around->target,
                           .domain = around->domain,
                           .uuid = around->uuid,
                           .repo = around->repo,
                           .uri = around->context->uri };
}

static void
say(FsnCliContext *context, GPtrArray *lines)
{
    for (guint i = 0; context->verbose && i < lines->len; i++) {
        fsn_cli_say(context, "%s", (const char *)lines->pdata[i]);
    }
}

/* A target that is no domain is a snapshot: its domain is known when it is done. */
static void
find_domain(FsnCliAround *around, FsnCycle *cycle)
{
    FsnVirt *virt = fsn_cycle_virt(cycle, NULL);
    g_autoptr(FsnVirtDomain) domain = NULL;

    if (virt && fsn_virt_lookup(virt, around->target, &domain, NULL)) {
        around->domain = g_strdup(fsn_virt_domain_name(domain));
        around->uuid = g_strdup(fsn_virt_domain_uuid(domain));
    }
}

FsnCliAround *
fsn_cli_around_begin(FsnCliContext *context,
                     FsnCycle *cycle,
                     const char *operation,
                     const char *target,
                     GError **error)
{
    FsnCliAround *around = g_new0(FsnCliAround, 1);
    g_autofree char *folder = fsn_hookdir_default();
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) local = NULL;
    FsnHookEvent event;

    around->context = context;
    if (g_getenv(FSN_HOOKS_GUARD) || !fsn_hookdir_any(folder, operation)) {
        return around;
    }
    around->folder = g_steal_pointer(&folder);
    around->operation = g_strdup(operation);
    around->target = g_strdup(target);
    around->repo = g_strdup(fsn_cycle_repo_location(cycle));
    find_domain(around, cycle);
    event = event_of(around);
    if (fsn_hookdir_pre(around->folder, &event, limit_us(), lines, &local)) {
        say(context, lines);
        return around;
    }
    say(context, lines);
    fsn_cli_around_end(around, NULL, NULL, local);
    g_propagate_error(error, g_steal_pointer(&local));
    return NULL;
}

void
fsn_cli_around_end(FsnCliAround *around,
                   const char *domain,
                   const char *snapshot,
                   const GError *error)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    const FsnHookEnd end = { .done = error == NULL,
                             .snapshot = snapshot && *snapshot ? snapshot : NULL,
                             .error = error ? error->message : NULL };

    if (around->folder) {
        FsnHookEvent event = event_of(around);

        event.domain = event.domain ? event.domain : domain;
        fsn_hookdir_post(around->folder, &event, &end, limit_us(), lines, warnings);
    }
    say(around->context, lines);
    for (guint i = 0; i < warnings->len; i++) {
        fsn_cli_warn(around->context, "%s", (const char *)warnings->pdata[i]);
    }
    around_free(around);
}
