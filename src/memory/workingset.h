/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* The pages that a guest touches first when it is resumed, in the order in which it does,
 * as far as earlier resumes tell. Granules number all pages of RAM, blocks concatenated. */
#define FSN_WORKING_SET_MAX     262144u /* entries: 1 GiB of RAM */
#define FSN_WORKING_SET_HISTORY 16u     /* resumes that are remembered */
#define FSN_WORKING_SET_BYTES   (16u * FSN_WORKING_SET_MAX + 4096u)

typedef struct {
    uint32_t granule;
    uint32_t at_us;      /* first touch, since the guest ran; smoothed over resumes */
    uint16_t score;      /* confidence that the next resume touches it, 1…1000 */
    uint16_t seen;       /* resumes in which it was touched, saturating */
    uint16_t first_seen; /* number of the resume that first saw it, and of the last one */
    uint16_t last_seen;
} FsnWorkingEntry;

typedef struct {
    int64_t realtime_us; /* of the resume */
    bool predicted;      /* a list was pushed; else every touch was seen */
    uint32_t list_pages; /* pages in the list at the start */
    uint32_t faults;     /* page requests of the guest that had to wait */
    uint32_t probes;     /* pages of the list held back to see whether they are touched */
    uint32_t hits;       /* of these, touched */
} FsnResumeRecord;

/* What one resume showed. */
typedef struct {
    const uint32_t *granules; /* page requests in order, each granule once */
    const uint32_t *at_us;    /* their times since the guest ran */
    uint32_t n_faults;
    const uint32_t *probes; /* granules of the list that were held back */
    uint32_t n_probes;
    bool predicted;
    uint32_t window_us; /* lazy: every touch before this instant was seen */
    int64_t realtime_us;
} FsnResumeObservation;

typedef struct FsnWorkingSet FsnWorkingSet;

FsnWorkingSet *fsn_working_set_new(void);
void fsn_working_set_free(FsnWorkingSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnWorkingSet, fsn_working_set_free)

/* Entries in predicted order; borrowed until the next merge. */
uint32_t fsn_working_set_length(const FsnWorkingSet *set);
const FsnWorkingEntry *fsn_working_set_entries(const FsnWorkingSet *set);

/* Number of resumes merged, and the last of them, newest last; borrowed. */
uint32_t fsn_working_set_resumes(const FsnWorkingSet *set);
const FsnResumeRecord *fsn_working_set_history(const FsnWorkingSet *set, uint32_t *out_n);

/* Share of touched probes in the remembered resumes, 0…1; -1 if there were no probes. */
double fsn_working_set_hit_rate(const FsnWorkingSet *set);

/* Takes in one resume: touched pages gain confidence and move towards their time, new ones
 * enter there; pages that could have been seen and were not lose it, and drop out. */
void fsn_working_set_merge(FsnWorkingSet *set, const FsnResumeObservation *seen);

/* Is granule one of the about 2 % of the list that are held back, given this resume's
 * random @seed? The same answer in every process. */
bool fsn_working_set_is_probe(uint64_t seed, uint64_t granule);

/* Bytes as in workingset-format.c; parsing checks everything: FSN_ERROR_FORMAT, _CORRUPT. */
GBytes *fsn_working_set_write(const FsnWorkingSet *set);
bool fsn_working_set_parse(GBytes *bytes, FsnWorkingSet **out_set, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
