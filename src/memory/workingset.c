/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Learning which pages a resume needs first. Pure.
 *
 * A lazy resume shows every first touch until its background transfer starts; what it does
 * not show before then was not touched. A predicted resume shows only what was not pushed,
 * so about 2 % of the list are held back as probes: their share of touches estimates that of
 * the whole list, by which all other entries age. Confidence moves half way towards
 * certainty with each touch and is halved by each proven miss.
 */
#include "config.h"

#include "memory/workingset-private.h"

#define SCORE_MAX    1000u
#define SCORE_NEW    500u
#define SCORE_DROP   60u
#define PROBE_ONE_IN 50u

FsnWorkingSet *
fsn_working_set_new(void)
{
    FsnWorkingSet *set = g_new0(FsnWorkingSet, 1);

    set->entries = g_array_new(FALSE, FALSE, sizeof(FsnWorkingEntry));
    return set;
}

void
fsn_working_set_free(FsnWorkingSet *set)
{
    if (set) {
        g_array_unref(set->entries);
        g_free(set);
    }
}

uint32_t
fsn_working_set_length(const FsnWorkingSet *set)
{
    return set->entries->len;
}

const FsnWorkingEntry *
fsn_working_set_entries(const FsnWorkingSet *set)
{
    return (const FsnWorkingEntry *)(void *)set->entries->data;
}

uint32_t
fsn_working_set_resumes(const FsnWorkingSet *set)
{
    return set->resumes;
}

const FsnResumeRecord *
fsn_working_set_history(const FsnWorkingSet *set, uint32_t *out_n)
{
    *out_n = set->n_history;
    return set->history;
}

double
fsn_working_set_hit_rate(const FsnWorkingSet *set)
{
    uint64_t probes = 0;
    uint64_t hits = 0;

    for (uint32_t i = 0; i < set->n_history; i++) {
        probes += set->history[i].probes;
        hits += set->history[i].hits;
    }
    return probes > 0 ? (double)hits / (double)probes : -1;
}

bool
fsn_working_set_is_probe(uint64_t seed, uint64_t granule)
{
    /* finaliser of SplitMix64 (Steele, Lea, Flood 2014) */
    uint64_t z = seed + granule * 0x9e3779b97f4a7c15ull;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (z ^ (z >> 31)) % PROBE_ONE_IN == 0;
}

static gpointer
key(uint32_t granule)
{
    return GUINT_TO_POINTER(granule);
}

/* granule → position in @granules + 1 */
static GHashTable *
index_of(const uint32_t *granules, uint32_t n)
{
    GHashTable *table = g_hash_table_new(NULL, NULL);

    for (uint32_t i = 0; i < n; i++) {
        if (!g_hash_table_contains(table, key(granules[i]))) {
            g_hash_table_insert(table, key(granules[i]), GUINT_TO_POINTER(i + 1));
        }
    }
    return table;
}

static void
touched(FsnWorkingEntry *e, uint32_t at_us, uint16_t resume)
{
    e->score = (uint16_t)(e->score + (SCORE_MAX - e->score + 1) / 2);
    e->at_us = e->at_us / 2 + at_us / 2;
    e->seen = e->seen < UINT16_MAX ? e->seen + 1 : e->seen;
    e->last_seen = resume;
}

/* The score of an entry that was not requested. @hit_rate is that of this resume's probes,
 * or negative if it had none. */
static uint32_t
aged(const FsnWorkingEntry *e,
     const FsnResumeObservation *seen,
     bool probe,
     double hit_rate)
{
    if (probe || (!seen->predicted && e->at_us < seen->window_us)) {
        return e->score / 2;
    }
    if (seen->predicted && hit_rate >= 0) {
        return (uint32_t)(e->score * (3 + hit_rate) / 4);
    }
    return e->score;
}

static gint
by_time(gconstpointer a, gconstpointer b)
{
    const FsnWorkingEntry *x = a;
    const FsnWorkingEntry *y = b;

    if (x->at_us != y->at_us) {
        return x->at_us < y->at_us ? -1 : 1;
    }
    return x->granule < y->granule ? -1 : x->granule > y->granule;
}

static gint
by_score(gconstpointer a, gconstpointer b)
{
    const FsnWorkingEntry *x = a;
    const FsnWorkingEntry *y = b;

    return x->score != y->score ? (x->score > y->score ? -1 : 1) : by_time(a, b);
}

static void
remember(FsnWorkingSet *set,
         const FsnResumeObservation *seen,
         uint32_t list,
         uint32_t hits)
{
    if (set->n_history == FSN_WORKING_SET_HISTORY) {
        memmove(set->history, set->history + 1,
                (FSN_WORKING_SET_HISTORY - 1) * sizeof(set->history[0]));
        set->n_history--;
    }
    set->history[set->n_history++] = (FsnResumeRecord){
        .realtime_us = seen->realtime_us,
        .predicted = seen->predicted,
        .list_pages = list,
        .faults = seen->n_faults,
        .probes = seen->n_probes,
        .hits = hits,
    };
}

/* Entries already known; requested ones are taken out of @faults. */
static void
merge_known(FsnWorkingSet *set,
            const FsnResumeObservation *seen,
            GHashTable *faults,
            GHashTable *probes,
            double hit_rate,
            uint16_t resume)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < set->entries->len; i++) {
        FsnWorkingEntry e = g_array_index(set->entries, FsnWorkingEntry, i);
        guint at = GPOINTER_TO_UINT(g_hash_table_lookup(faults, key(e.granule)));

        if (at > 0) {
            touched(&e, seen->at_us[at - 1], resume);
            g_hash_table_remove(faults, key(e.granule));
        } else {
            e.score = (uint16_t)aged(
                &e, seen, g_hash_table_contains(probes, key(e.granule)), hit_rate);
        }
        if (e.score >= SCORE_DROP) {
            g_array_index(set->entries, FsnWorkingEntry, kept++) = e;
        }
    }
    g_array_set_size(set->entries, kept);
}

void
fsn_working_set_merge(FsnWorkingSet *set, const FsnResumeObservation *seen)
{
    g_autoptr(GHashTable) faults = index_of(seen->granules, seen->n_faults);
    g_autoptr(GHashTable) probes = index_of(seen->probes, seen->n_probes);
    uint32_t list = set->entries->len;
    uint32_t hits = 0;
    uint16_t resume = (uint16_t)MIN(set->resumes + 1, UINT16_MAX);

    for (uint32_t i = 0; i < seen->n_probes; i++) {
        hits += g_hash_table_contains(faults, key(seen->probes[i]));
    }
    merge_known(set, seen, faults, probes,
                seen->n_probes > 0 ? (double)hits / seen->n_probes : -1, resume);
    for (uint32_t i = 0; i < seen->n_faults; i++) {
        if (g_hash_table_remove(faults, key(seen->granules[i]))) {
            FsnWorkingEntry e = { .granule = seen->granules[i],
                                  .at_us = seen->at_us[i],
                                  .score = SCORE_NEW,
                                  .seen = 1,
                                  .first_seen = resume,
                                  .last_seen = resume };

            g_array_append_val(set->entries, e);
        }
    }
    if (set->entries->len > FSN_WORKING_SET_MAX) {
        g_array_sort(set->entries, by_score);
        g_array_set_size(set->entries, FSN_WORKING_SET_MAX);
    }
    g_array_sort(set->entries, by_time);
    set->resumes = set->resumes < UINT32_MAX ? set->resumes + 1 : set->resumes;
    remember(set, seen, list, hits);
}
