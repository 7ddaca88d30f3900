/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest reads first of a disk: kept in the repository beside the working set of its
 * memory and in the same form, asked for first the next time, and learned from what the
 * server answers. As with memory, some of the list are held back, for what is there already
 * is never read again and would never be found to be of no use.
 */
#include "config.h"

#include "cycle/fill-private.h"

#include "base/clock.h"
#include "base/error.h"
#include "cycle/fill-observe.h"
#include "cycle/fill.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <unistd.h>

#define PIPE_BYTES (1 << 20)
#define MAX_READS  262144u
#define MAX_ASKED  1048576u

struct FsnFillLearner {
    FsnRepo *repo; /* borrowed */
    char *ref;
    int pipe[2];
    GArray *reads; /* FsnDiskRead */
    GArray *asked; /* FsnFillAsked */
    FsnWorkingSet *set;
    GArray *first;  /* uint32_t */
    GArray *probes; /* uint32_t: of the set, but not in first */
};

char *
fsn_diskset_ref(const char *uuid, const char *target)
{
    return g_strdup_printf("diskset/%s.%s", uuid, target);
}

/* One that is damaged is learned anew. */
static FsnWorkingSet *
read_set(FsnRepo *repo, const char *ref)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;
    FsnWorkingSet *set;

    if (fsn_repo_get_ref(repo, ref, FSN_WORKING_SET_BYTES, &bytes, &error) &&
        fsn_working_set_parse(bytes, &set, &error)) {
        return set;
    }
    if (!g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_message("%s", error->message);
    }
    return fsn_working_set_new();
}

static void
choose(FsnFillLearner *l, uint64_t seed)
{
    const FsnWorkingEntry *entries = fsn_working_set_entries(l->set);

    for (uint32_t i = 0; i < fsn_working_set_length(l->set); i++) {
        bool probe = fsn_working_set_is_probe(seed, entries[i].granule);

        g_array_append_val(probe ? l->probes : l->first, entries[i].granule);
    }
}

FsnFillLearner *
fsn_fill_learner_new(FsnRepo *repo, const char *uuid, const char *target, GError **error)
{
    g_autoptr(FsnFillLearner) l = g_new0(FsnFillLearner, 1);

    l->repo = repo;
    l->pipe[0] = l->pipe[1] = -1;
    l->ref = fsn_diskset_ref(uuid, target);
    l->reads = g_array_new(FALSE, FALSE, sizeof(FsnDiskRead));
    l->asked = g_array_new(FALSE, FALSE, sizeof(FsnFillAsked));
    l->first = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    l->probes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    l->set = read_set(repo, l->ref);
    choose(l, (uint64_t)fsn_realtime_us());
    if (!g_unix_open_pipe(l->pipe, FD_CLOEXEC, error) ||
        !g_unix_set_fd_nonblocking(l->pipe[0], TRUE, error) ||
        !g_unix_set_fd_nonblocking(l->pipe[1], TRUE, error)) {
        return NULL;
    }
    (void)fcntl(l->pipe[1], F_SETPIPE_SZ, PIPE_BYTES); /* a smaller one loses some */
    return g_steal_pointer(&l);
}

void
fsn_fill_learner_free(FsnFillLearner *l)
{
    if (!l) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        if (l->pipe[i] >= 0) {
            close(l->pipe[i]);
        }
    }
    g_clear_pointer(&l->reads, g_array_unref);
    g_clear_pointer(&l->asked, g_array_unref);
    g_clear_pointer(&l->first, g_array_unref);
    g_clear_pointer(&l->probes, g_array_unref);
    fsn_working_set_free(l->set);
    g_free(l->ref);
    g_free(l);
}

int
fsn_fill_learner_fd(const FsnFillLearner *l)
{
    return l->pipe[1];
}

const uint32_t *
fsn_fill_learner_first(const FsnFillLearner *l, size_t *out_n)
{
    *out_n = l->first->len;
    return (const uint32_t *)(void *)l->first->data;
}

void
fsn_fill_learner_asked(FsnFillLearner *l, uint64_t offset, uint64_t len)
{
    const FsnFillAsked asked = { offset, len, (uint64_t)fsn_monotonic_us() };

    if (l->asked->len < MAX_ASKED) {
        g_array_append_val(l->asked, asked);
    }
}

void
fsn_fill_learner_take(FsnFillLearner *l)
{
    FsnDiskRead reads[256];
    ssize_t n;

    /* The server writes whole records, so whole ones come. */
    while ((n = read(l->pipe[0], reads, sizeof reads)) > 0) {
        size_t got = (size_t)n / sizeof reads[0];

        got = MIN(got, MAX_READS - l->reads->len);
        g_array_append_vals(l->reads, reads, (guint)got);
    }
}

int64_t
fsn_fill_learner_first_read_us(const FsnFillLearner *l)
{
    return l->reads->len > 0 ? (int64_t)g_array_index(l->reads, FsnDiskRead, 0).at_us : 0;
}

void
fsn_fill_learner_store(FsnFillLearner *l)
{
    g_auto(FsnFillSeen) seen = { 0 };
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;
    FsnResumeObservation all = { .realtime_us = fsn_realtime_us() };

    fsn_fill_learner_take(l);
    if (l->reads->len == 0) {
        return; /* the guest has not run */
    }
    fsn_fill_observe((const FsnDiskRead *)(void *)l->reads->data, l->reads->len,
                     (const FsnFillAsked *)(void *)l->asked->data, l->asked->len, &seen);
    all.granules = (const uint32_t *)(void *)seen.granules->data;
    all.at_us = (const uint32_t *)(void *)seen.at_us->data;
    all.n_faults = seen.granules->len;
    all.probes = (const uint32_t *)(void *)l->probes->data;
    all.n_probes = l->probes->len;
    all.predicted = l->first->len + l->probes->len > 0;
    all.window_us = seen.window_us;
    fsn_working_set_merge(l->set, &all);
    bytes = fsn_working_set_write(l->set);
    if (!fsn_repo_put_ref(l->repo, l->ref, g_bytes_get_data(bytes, NULL),
                          g_bytes_get_size(bytes), &error)) {
        g_message("what was learned is lost: %s", error->message);
    }
    g_array_set_size(l->reads, 0); /* once is enough */
}
