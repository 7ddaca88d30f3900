/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What holds for VMs in general: how features spread, and what they say of activity within
 * 15 and 60 minutes. A VM's own weights start from these. One entry per feature of
 * models/idle-track.h, in its order; the last weights are the intercepts. */

typedef struct {
    const char *name;
    float mean, spread;
    float w_short, w_long;
} FsnIdlePrior;

extern const FsnIdlePrior fsn_idle_prior[];
extern const size_t fsn_idle_prior_count; /* features and the intercept */

G_END_DECLS
