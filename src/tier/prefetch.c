/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries out the plan of a prefetch, one object after the other in the order in which a
 * resume needs them: ended early, the tier has the most useful part. The kernel reads the
 * next object ahead while one is written. Nothing is synced: a tier owes nobody anything.
 */
#include "config.h"

#include "tier/prefetch.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/pace.h"
#include "repo/repo-private.h"
#include "tier/copy.h"
#include "tier/source.h"

#include <string.h>

/* What is left free in the file system: this part of it. */
#define SPARE_PART    32
/* Less than this says nothing about a tier's throughput. */
#define TELLING_BYTES ((uint64_t)8 << 20)

struct FsnPrefetch {
    FsnTierFolder *folder;
    FsnTierSource *source;
    FsnTierSpeed speed;
    GPtrArray *parts;
    GPtrArray *waste; /* keys of copies that are good for nothing */
    FsnTierPlan *plan;
};

/* Is the copy of @key good for nothing? One that is wanted is if it is not whole, as after a
 * power cut; another if the repository has no such object any more. */
static bool
is_waste(FsnPrefetch *self, FsnRepo *repo, const char *key, bool wanted)
{
    g_autofree char *aside = g_strconcat(FSN_DIR_ASIDE "/", key, NULL);
    g_autoptr(FsnTierCopy) copy = NULL;
    g_autoptr(GError) local = NULL;
    uint64_t size;

    if (wanted) {
        copy = fsn_tier_copy_open(self->folder, key, NULL);
        return copy == NULL;
    }
    return !fsn_blob_size(fsn_repo_store(repo), key, &size, &local) &&
           g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND) &&
           !fsn_blob_size(fsn_repo_store(repo), aside, &size, NULL);
}

/* Moves what is waste from @entries to self->waste. */
static void
set_waste_aside(FsnPrefetch *self, FsnRepo *repo, GPtrArray *entries)
{
    g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < self->parts->len; i++) {
        g_hash_table_add(wanted, ((FsnTierPart *)g_ptr_array_index(self->parts, i))->key);
    }
    for (guint i = entries->len; i > 0; i--) {
        const FsnTierEntry *entry = g_ptr_array_index(entries, i - 1);

        if (is_waste(self, repo, entry->key, g_hash_table_contains(wanted, entry->key))) {
            g_ptr_array_add(self->waste, g_strdup(entry->key));
            g_ptr_array_remove_index_fast(entries, i - 1);
        }
    }
}

static bool
make_plan(FsnPrefetch *self, FsnRepo *repo, const FsnTier *tier, bool all, GError **error)
{
    g_autoptr(GPtrArray) entries = NULL;
    uint64_t used, room, limit;

    if (!fsn_tier_folder_list(self->folder, &entries, &used, error) ||
        !fsn_tier_folder_space(self->folder, &room, error)) {
        return false;
    }
    set_waste_aside(self, repo, entries);
    limit = used + room - room / SPARE_PART;
    if (tier->max_bytes && tier->max_bytes < limit) {
        limit = tier->max_bytes;
    }
    self->plan = fsn_tier_plan_new(self->parts, entries, limit, all);
    return true;
}

FsnPrefetch *
fsn_prefetch_new(FsnRepo *repo,
                 JsonObject *manifest,
                 const FsnTier *tier,
                 const FsnTierWeight *weights,
                 size_t n,
                 bool all,
                 GError **error)
{
    g_autoptr(FsnPrefetch) self = g_new0(FsnPrefetch, 1);

    self->speed = tier->speed;
    self->waste = g_ptr_array_new_with_free_func(g_free);
    self->folder = fsn_tier_open(repo, tier, error);
    if (!self->folder) {
        g_prefix_error(error, "tier '%s' is not there: ", tier->name);
        return NULL;
    }
    self->source = fsn_tier_source_new(repo, manifest, error);
    if (!self->source ||
        !fsn_tier_parts_collect(repo, manifest, weights, n, &self->parts, error) ||
        !make_plan(self, repo, tier, all, error)) {
        return NULL;
    }
    return g_steal_pointer(&self);
}

void
fsn_prefetch_free(FsnPrefetch *self)
{
    if (self) {
        fsn_tier_plan_free(self->plan);
        g_clear_pointer(&self->waste, g_ptr_array_unref);
        g_clear_pointer(&self->parts, g_ptr_array_unref);
        fsn_tier_source_free(self->source);
        fsn_tier_folder_free(self->folder);
        g_free(self);
    }
}

const FsnTierPlan *
fsn_prefetch_plan(FsnPrefetch *self)
{
    return self->plan;
}

void
fsn_prefetch_result_clear(FsnPrefetchResult *result)
{
    g_clear_pointer(&result->problems, g_ptr_array_unref);
}

typedef struct {
    FsnPrefetch *self;
    const FsnPrefetchOptions *options;
    FsnPrefetchResult *result;
    FsnPace pace;
    FsnTierCopyWriter *copy; /* of the object under way */
    uint64_t done;           /* bytes of this run, also of the object under way */
    int64_t started_us;
    int64_t waited_us; /* for the limit */
} Run;

/* Waits, or returns at once if it is cancelled. */
static void
wait_us(Run *run, int64_t us)
{
    GPollFD fd = { .fd = -1, .events = G_IO_IN };
    GCancellable *cancellable = run->options->cancellable;
    bool made = cancellable && g_cancellable_make_pollfd(cancellable, &fd);
    int64_t before = fsn_monotonic_us();
    int64_t left = us;

    while (left > 0 && !g_cancellable_is_cancelled(cancellable)) {
        (void)g_poll(&fd, made ? 1 : 0, (int)MIN(left / 1000 + 1, 1000)); /* a wait */
        left = us - (fsn_monotonic_us() - before);
    }
    run->waited_us += fsn_monotonic_us() - before;
    if (made) {
        g_cancellable_release_fd(cancellable);
    }
}

static bool
check_cancelled(Run *run, GError **error)
{
    if (g_cancellable_is_cancelled(run->options->cancellable)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CANCELLED,
                    "cancelled; what was copied by then stays");
        return false;
    }
    return true;
}

/* Bytes per second so far, waiting left out; 0: cannot tell. */
static uint64_t
throughput(const Run *run)
{
    int64_t us = fsn_monotonic_us() - run->started_us - run->waited_us;

    return run->done < TELLING_BYTES || us <= 0
               ? 0
               : (uint64_t)((double)run->done / (double)us * G_USEC_PER_SEC);
}

static void
report(Run *run)
{
    const FsnTierPlan *plan = run->self->plan;
    uint64_t rate = throughput(run);
    uint64_t left = plan->bytes_copy - MIN(run->done, plan->bytes_copy);

    if (run->options->progress) {
        run->options->progress(
            run->options->user, run->done, plan->bytes_copy,
            fsn_tier_estimate_us(left, 0,
                                 rate ? rate : run->self->speed.write_bytes_per_s, 0,
                                 run->options->max_bytes_per_s));
    }
}

static bool
take_chunk(gpointer user, const void *data, size_t len, GError **error)
{
    Run *run = user;

    if (!fsn_tier_copy_append(run->copy, data, len, error)) {
        return false;
    }
    run->done += len;
    report(run);
    wait_us(run, fsn_pace_take(&run->pace, fsn_monotonic_us(), len));
    return check_cancelled(run, error);
}

/* An error is the tier's; what is wrong with the repository goes to the problems. */
static bool
copy_part(Run *run, const FsnTierPart *part, GError **error)
{
    g_autoptr(FsnTierCopyWriter) copy = NULL;
    g_autoptr(GError) local = NULL;

    if (!fsn_tier_source_verify(run->self->source, part, &local)) {
        g_ptr_array_add(run->result->problems, g_strdup(local->message));
        return true;
    }
    copy = run->copy = fsn_tier_copy_create(run->self->folder, part->key, error);
    if (!copy || !fsn_tier_source_read(run->self->source, part, take_chunk, run, error) ||
        !fsn_tier_copy_commit(copy, error)) {
        return false;
    }
    run->result->bytes_copied += part->length;
    run->result->objects_copied++;
    return true;
}

static bool
remove_all(FsnPrefetch *self, GPtrArray *keys, GError **error)
{
    for (guint i = 0; i < keys->len; i++) {
        if (!fsn_tier_folder_remove(self->folder, g_ptr_array_index(keys, i), error)) {
            return false;
        }
    }
    return true;
}

/* All parts are of use still: what was there already must not look old. */
static void
touch_present(FsnPrefetch *self)
{
    for (guint i = 0; i < self->parts->len; i++) {
        const FsnTierPart *part = g_ptr_array_index(self->parts, i);

        fsn_tier_folder_touch(self->folder, part->key);
    }
}

static bool
copy_parts(Run *run, GError **error)
{
    GPtrArray *parts = run->self->plan->copy;

    for (guint i = 0; i < parts->len; i++) {
        if (i + 1 < parts->len) {
            fsn_tier_source_will_need(run->self->source, g_ptr_array_index(parts, i + 1));
        }
        if (!check_cancelled(run, error) ||
            !copy_part(run, g_ptr_array_index(parts, i), error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_prefetch_run(FsnPrefetch *self,
                 const FsnPrefetchOptions *options,
                 FsnPrefetchResult *out_result,
                 GError **error)
{
    Run run = { .self = self,
                .options = options,
                .result = out_result,
                .pace = { .bytes_per_s = options->max_bytes_per_s },
                .started_us = fsn_monotonic_us() };
    bool ok;

    *out_result =
        (FsnPrefetchResult){ .problems = g_ptr_array_new_with_free_func(g_free) };
    touch_present(self);
    ok = fsn_tier_folder_clean(self->folder, error) &&
         remove_all(self, self->waste, error) &&
         remove_all(self, self->plan->evict, error) && copy_parts(&run, error);
    out_result->bytes_per_s = throughput(&run);
    out_result->duration_us = fsn_monotonic_us() - run.started_us;
    return ok;
}
