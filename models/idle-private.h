/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "models/idle.h"
#include "models/logistic.h"

G_BEGIN_DECLS

/* The parts of a VM's model, for the files that make it up. */

#define FSN_IDLE_TARGETS       2                         /* within 15 and 60 minutes */
#define FSN_IDLE_EXTRA_COLUMNS (4 * FSN_IDLE_EXTRAS_MAX) /* two per series or kind */

extern const size_t fsn_idle_ahead[FSN_IDLE_TARGETS]; /* samples */

typedef struct {
    double weights[FSN_LOGISTIC_COLUMNS_MAX];
    double scale, offset; /* from score to calibrated score */
} FsnIdleTarget;

struct FsnIdle {
    size_t samples;  /* it was fitted to */
    size_t columns;  /* those of fsn_idle_prior, then this VM's own */
    size_t n_extras; /* of the latter */
    char *extra_names[FSN_IDLE_EXTRA_COLUMNS];
    FsnIdleTarget targets[FSN_IDLE_TARGETS];
};

/* Columns beside those of the CPU (idle-extras.c): names them after what @input has, and gives
 * their values; 0 for what it does not have. */
void fsn_idle_name_extras(FsnIdle *idle, const FsnIdleInput *input);
float fsn_idle_extra_value(const FsnIdleInput *input, const char *name, size_t i);

G_END_DECLS
