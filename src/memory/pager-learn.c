/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the page requests of one resume to the working set of the next. */
#include "config.h"

#include "memory/pager-worker.h"

static uint32_t
since(int64_t at_us, int64_t start_us)
{
    return at_us > start_us ? (uint32_t)MIN(at_us - start_us, UINT32_MAX) : 0;
}

/* The entries that were held back, as every process of this resume chose them. */
static GArray *
probes_of(FsnArena *arena, const FsnWorkingSet *set)
{
    GArray *probes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    const FsnWorkingEntry *e = fsn_working_set_entries(set);

    for (uint32_t i = 0; i < fsn_working_set_length(set); i++) {
        if (fsn_working_set_is_probe(arena->shared->seed, e[i].granule)) {
            g_array_append_val(probes, e[i].granule);
        }
    }
    return probes;
}

void
fsn_worker_learn(FsnArena *arena,
                 FsnPagerMode mode,
                 int64_t realtime_us,
                 FsnWorkingSet *set)
{
    uint32_t n = MIN(fsn_arena_get(arena, n_faults), FSN_ARENA_MAX_FAULTS);
    int64_t running = fsn_arena_get(arena, running_us);
    g_autofree uint32_t *granules = g_new(uint32_t, n + 1);
    g_autofree uint32_t *at_us = g_new(uint32_t, n + 1);
    g_autoptr(GArray) probes = NULL;
    FsnResumeObservation seen = { granules, at_us, n, NULL, 0, false, 0, realtime_us };

    if (mode == FSN_MODE_EAGER) {
        return; /* nobody asked for anything */
    }
    for (uint32_t i = 0; i < n; i++) {
        granules[i] = (uint32_t)arena->faults[i].granule;
        at_us[i] = since(arena->faults[i].at_us, running);
    }
    seen.predicted = mode == FSN_MODE_PREDICTED && arena->shared->list_pages > 0;
    seen.window_us = since(fsn_arena_get(arena, background_us), running);
    if (seen.predicted) {
        probes = probes_of(arena, set);
        seen.probes = (const uint32_t *)(void *)probes->data;
        seen.n_probes = probes->len;
    }
    fsn_working_set_merge(set, &seen);
}
