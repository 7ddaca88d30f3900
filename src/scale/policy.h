/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/profile-set.h"
#include "scale/sizing.h"

G_BEGIN_DECLS

/* What @profile says of sizes, in its group "sizing". */
FsnSizingPolicy fsn_sizing_policy_of(const FsnProfile *profile);
/* Whether a domain with it is sized when it comes back. */
bool fsn_sizing_is_enabled(const FsnProfile *profile);
/* Whether limits are to be proposed as well. */
bool fsn_sizing_wants_limits(const FsnProfile *profile);

G_END_DECLS
