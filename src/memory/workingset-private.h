/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "memory/workingset.h"

/* For workingset*.c only. */
struct FsnWorkingSet {
    GArray *entries; /* FsnWorkingEntry, by at_us, then granule; each granule once */
    uint32_t resumes;
    uint32_t n_history;
    FsnResumeRecord history[FSN_WORKING_SET_HISTORY];
};
