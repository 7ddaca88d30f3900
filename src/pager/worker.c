/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker's process: opens what the plan names and reads until all is loaded. Whatever
 * goes wrong is written into the arena, where the supervisor finds it. */
#include "config.h"

#include "base/error.h"
#include "memory/pager-session.h"
#include "memory/pager-worker.h"
#include "pager/repo-source.h"
#include "pager/roles.h"
#include "tier/store.h"

static bool
save(gpointer user, FsnWorkingSet *set, GError **error)
{
    const FsnPagerPlan *plan = user;
    g_autoptr(FsnRepo) repo = NULL;
    g_autoptr(GBytes) bytes = NULL;
    size_t len;
    const void *data;

    if (!plan->working_set) {
        return true;
    }
    repo = fsn_repo_open(plan->repository, 0, error); /* without tiers: it is written */
    if (!repo) {
        return false;
    }
    bytes = fsn_working_set_write(set);
    data = g_bytes_get_data(bytes, &len);
    return fsn_repo_put_ref(repo, plan->working_set, data, len, error);
}

/* What earlier resumes taught; nothing, if that is not there or damaged: it only helps. */
static FsnWorkingSet *
load_working_set(FsnRepo *repo, const FsnPagerPlan *plan)
{
    g_autoptr(GBytes) bytes = NULL;
    FsnWorkingSet *set = NULL;

    if (plan->working_set &&
        fsn_repo_get_ref(repo, plan->working_set, FSN_WORKING_SET_BYTES, &bytes, NULL) &&
        fsn_working_set_parse(bytes, &set, NULL)) {
        return set;
    }
    return fsn_working_set_new();
}

static bool
work(FsnArena *arena, GError **error)
{
    g_autoptr(GBytes) text = fsn_arena_blob(arena, FSN_BLOB_PLAN);
    g_autoptr(FsnPagerPlan) plan = NULL;
    g_autoptr(FsnRepo) repo = NULL;
    g_autoptr(FsnPageSource) source = NULL;
    g_autoptr(FsnWorkingSet) set = NULL;
    size_t len;
    const char *data = g_bytes_get_data(text, &len);

    if (!fsn_pager_plan_parse(data, len, &plan, error)) {
        return false;
    }
    repo = fsn_tier_open_repo(plan->repository, (const char *const *)plan->tiers,
                              FSN_REPO_READ_ONLY, error);
    source = repo ? fsn_repo_source_new(repo, plan, error) : NULL;
    if (!source) {
        return false;
    }
    set = load_working_set(repo, plan);
    if (plan->mode == FSN_MODE_PREDICTED && fsn_working_set_length(set) == 0) {
        plan->mode = FSN_MODE_LAZY; /* nothing to predict from: learn */
    }
    {
        FsnWorkerOptions options = { plan->mode, source, set, save, plan };

        return fsn_worker_run(arena, &options, error);
    }
}

int
fsn_role_worker(unsigned n_arena_fds, pid_t parent)
{
    g_autoptr(FsnArena) arena = NULL;
    g_autoptr(GError) error = NULL;

    if (!fsn_pager_bind_worker(parent)) {
        return 1;
    }
    arena = fsn_arena_attach(FSN_SESSION_FIRST_FD + 1, n_arena_fds, &error);
    if (!arena) {
        g_printerr("foresnap-pager: worker: %s\n", error->message);
        return 1;
    }
    if (!work(arena, &error)) {
        g_printerr("foresnap-pager: worker: %s\n", error->message);
        fsn_arena_set_error(arena, error->message);
        fsn_arena_set(arena, worker_state, (uint32_t)FSN_WORKER_FAILED);
        return 3;
    }
    return 0;
}
