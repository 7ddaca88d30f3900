/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The composition of one process's operations: repository, libvirt connection and state
 * folder, each opened when first asked for. It decides nothing.
 */
#include "config.h"

#include "cycle/context-private.h"

#include "base/files.h"
#include "base/programs.h"
#include "tier/registry.h"

#include <unistd.h>

struct FsnCycle {
    char *uri;
    char *repo_location;
    char *state_dir;
    FsnVirt *virt;
    FsnRepo *repo;
    GPtrArray *cargo; /* NULL = none */
    FsnProgressFunc progress;
    gpointer progress_user;
};

char *
fsn_cycle_default_repo(void)
{
    const char *given = g_getenv("FORESNAP_REPO");

    if (given && *given) {
        return g_strdup(given);
    }
    return geteuid() == 0
               ? g_strdup("/var/lib/foresnap/repo")
               : g_build_filename(g_get_user_data_dir(), "foresnap", "repo", NULL);
}

char *
fsn_cycle_default_state_dir(void)
{
    const char *chosen = g_getenv("FORESNAP_STATE_DIR");

    if (chosen && *chosen) {
        return g_canonicalize_filename(chosen, NULL);
    }
    if (geteuid() == 0) {
        return g_strdup("/var/lib/foresnap/state");
    }
    return g_build_filename(g_get_user_state_dir(), "foresnap", NULL);
}

FsnCycle *
fsn_cycle_new(const char *uri,
              const char *repo_location,
              const char *state_dir,
              GError **error)
{
    g_autoptr(FsnCycle) cycle = g_new0(FsnCycle, 1);

    cycle->uri = g_strdup(uri);
    cycle->repo_location = g_canonicalize_filename(repo_location, NULL);
    cycle->state_dir = state_dir ? g_strdup(state_dir) : fsn_cycle_default_state_dir();
    if (!fsn_mkdirs(cycle->state_dir, 0700, error)) {
        return NULL;
    }
    return g_steal_pointer(&cycle);
}

void
fsn_cycle_free(FsnCycle *cycle)
{
    if (!cycle) {
        return;
    }
    g_clear_pointer(&cycle->repo, fsn_repo_free);
    g_clear_pointer(&cycle->virt, fsn_virt_free);
    g_clear_pointer(&cycle->cargo, g_ptr_array_unref);
    g_free(cycle->uri);
    g_free(cycle->repo_location);
    g_free(cycle->state_dir);
    g_free(cycle);
}

GPtrArray **
fsn_cycle_cargo(FsnCycle *cycle)
{
    return &cycle->cargo;
}

void
fsn_cycle_set_progress(FsnCycle *cycle, FsnProgressFunc func, gpointer user)
{
    cycle->progress = func;
    cycle->progress_user = user;
}

void
fsn_cycle_progress(FsnCycle *cycle, const char *phase, uint64_t done, uint64_t total)
{
    if (cycle->progress) {
        cycle->progress(phase, done, total, cycle->progress_user);
    }
}

FsnVirt *
fsn_cycle_virt(FsnCycle *cycle, GError **error)
{
    if (!cycle->virt) {
        (void)!fsn_virt_open(cycle->uri, &cycle->virt, error); /* stays NULL on error */
    }
    return cycle->virt;
}

FsnRepo *
fsn_cycle_repo(FsnCycle *cycle, GError **error)
{
    if (!cycle->repo) {
        cycle->repo = fsn_repo_open(cycle->repo_location, FSN_REPO_CREATE, error);
    }
    return cycle->repo;
}

FsnRepo *
fsn_cycle_storing_repo(FsnCycle *cycle, GError **error)
{
    if (!cycle->repo) {
        cycle->repo =
            fsn_tiers_open_storing(cycle->repo_location, FSN_REPO_CREATE, error);
    }
    return cycle->repo;
}

const char *
fsn_cycle_uri(FsnCycle *cycle)
{
    return cycle->uri;
}

const char *
fsn_cycle_repo_location(FsnCycle *cycle)
{
    return cycle->repo_location;
}

const char *
fsn_cycle_state_dir(FsnCycle *cycle)
{
    return cycle->state_dir;
}

char *
fsn_cycle_helper_path(const char *program)
{
    return fsn_helper_program(program);
}
