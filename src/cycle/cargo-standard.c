/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What snapshots carry besides the state of the domain: the one list of it. */
#include "config.h"

#include "cycle/cargo-standard.h"

#include "cycle/cargo.h"
#include "history/carry.h"
#include "history/models-store.h"

/* What is left of the small window's bytes for anything else. */
#define SMALL_MODELS (FSN_CARRY_SMALL_BYTES * 3 / 4)

static GBytes *
collect_models(gpointer path, const char *uuid, const FsnCargoAsk *ask, GError **error)
{
    GBytes *bytes = fsn_models_carry(path, uuid, error);

    if (bytes && ask->level == FSN_LEVEL_MINIMAL &&
        g_bytes_get_size(bytes) > SMALL_MODELS) {
        g_clear_pointer(&bytes, g_bytes_unref); /* they can be fitted again */
    }
    return bytes;
}

/* At level minimal window and models share their bytes. */
static GBytes *
collect_history(gpointer path, const char *uuid, const FsnCargoAsk *ask, GError **error)
{
    g_autoptr(GBytes) models = NULL;

    if (ask->level != FSN_LEVEL_MINIMAL) {
        return fsn_history_carry(path, uuid, error);
    }
    models = collect_models(path, uuid, ask, NULL);
    return fsn_history_carry_small(
        path, uuid, FSN_CARRY_SMALL_BYTES - (models ? g_bytes_get_size(models) : 0),
        error);
}

static GBytes *
collect_samples(gpointer path, const char *uuid, const FsnCargoAsk *ask, GError **error)
{
    return ask->level >= FSN_LEVEL_DETAILED
               ? fsn_samples_carry(path, uuid, ask->since_us, error)
               : NULL;
}

void
fsn_cargo_add_standard(FsnCycle *cycle)
{
    const FsnCargo history = { .member = "history",
                               .collect = collect_history,
                               .absorb = fsn_history_absorb,
                               .user = fsn_history_default_path(),
                               .free_user = g_free };
    const FsnCargo models = { .member = "models",
                              .collect = collect_models,
                              .absorb = fsn_models_absorb,
                              .user = fsn_history_default_path(),
                              .free_user = g_free };
    const FsnCargo samples = { .member = "samples",
                               .collect = collect_samples,
                               .user = fsn_history_default_path(),
                               .free_user = g_free };

    fsn_cycle_add_cargo(cycle, &history);
    fsn_cycle_add_cargo(cycle, &models);
    fsn_cycle_add_cargo(cycle, &samples);
}
