/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What snapshots carry besides the state of the domain: the one list of it. */
#include "config.h"

#include "cycle/cargo-standard.h"

#include "cycle/cargo.h"
#include "history/carry.h"
#include "history/models-store.h"

void
fsn_cargo_add_standard(FsnCycle *cycle)
{
    const FsnCargo history = { .member = "history",
                               .collect = fsn_history_carry,
                               .absorb = fsn_history_absorb,
                               .user = fsn_history_default_path(),
                               .free_user = g_free };
    const FsnCargo models = { .member = "models",
                              .collect = fsn_models_carry,
                              .absorb = fsn_models_absorb,
                              .user = fsn_history_default_path(),
                              .free_user = g_free };

    fsn_cycle_add_cargo(cycle, &history);
    fsn_cycle_add_cargo(cycle, &models);
}
