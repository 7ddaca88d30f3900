/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/profile-set.h"

G_BEGIN_DECLS

/* Whether the values of a merged profile fit each other; what does not is added to @problems,
 * of FsnProfileProblem, with the places of the values. */
void fsn_profile_check(const FsnProfile *profile, GPtrArray *problems);

G_END_DECLS
