/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor's process: descriptors in, the loop of memory/pager-supervisor.c, out. */
#include "config.h"

#include "base/clock.h"
#include "memory/pager-session.h"
#include "memory/pager-status.h"
#include "memory/pager-supervisor.h"
#include "pager/roles.h"

typedef struct {
    FsnArena *arena;
    FsnPagerStatus status;
} Context;

static bool
spawn_worker(gpointer user, pid_t *out_pid, int *out_lifeline, GError **error)
{
    Context *c = user;

    return fsn_pager_spawn_worker(c->arena, out_pid, out_lifeline, error);
}

/* In place of the peer, which is gone. */
static void
report(gpointer user, const char *phase, const char *error_text)
{
    Context *c = user;

    if (g_strcmp0(c->status.phase, phase) == 0) {
        fsn_pager_status_save(&c->status, c->arena);
    } else {
        c->status.begun_us = c->status.begun_us ? c->status.begun_us : fsn_monotonic_us();
        fsn_pager_status_enter(&c->status, c->arena, phase, error_text);
    }
}

int
fsn_role_supervisor(unsigned n_arena_fds, bool with_report, FsnPagerOpening opening)
{
    const int first = FSN_SESSION_FIRST_FD;
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnArena) arena = fsn_arena_attach(first + 1, n_arena_fds, &error);
    g_autoptr(GBytes) text = arena ? fsn_arena_blob(arena, FSN_BLOB_PLAN) : NULL;
    g_autoptr(FsnPagerPlan) plan = NULL;
    Context c = { .arena = arena };
    FsnSupervisorOptions options = { .opening = opening,
                                     .control = first,
                                     .spawn_worker = spawn_worker,
                                     .report = report,
                                     .user = &c };
    size_t len;

    fsn_pager_protect_supervisor();
    if (!arena || !fsn_pager_plan_parse(g_bytes_get_data(text, &len),
                                        g_bytes_get_size(text), &plan, &error)) {
        g_printerr("foresnap-pager: supervisor: %s\n", error->message);
        return 1;
    }
    c.status.plan = plan;
    c.status.fd = with_report ? first + 1 + (int)n_arena_fds : -1;
    options.mode = plan->mode;
    options.layout = plan->ram;
    if (!fsn_supervisor_run(arena, &options, &error)) {
        g_printerr("foresnap-pager: supervisor: %s\n", error->message);
        return 1;
    }
    return 0;
}
