/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cargo of snapshots: objects that others make and understand. */
#include "config.h"

#include "cycle/cargo.h"

#include "base/json.h"
#include "cycle/context-private.h"

static void
cargo_free(gpointer data)
{
    FsnCargo *cargo = data;

    if (cargo->free_user) {
        cargo->free_user(cargo->user);
    }
    g_free(cargo);
}

void
fsn_cycle_add_cargo(FsnCycle *cycle, const FsnCargo *cargo)
{
    GPtrArray **all = fsn_cycle_cargo(cycle);

    if (!*all) {
        *all = g_ptr_array_new_with_free_func(cargo_free);
    }
    g_ptr_array_add(*all, g_memdup2(cargo, sizeof *cargo));
}

/* The object of one kind; NULL if there is none, or with @error set. */
static char *
store_one(const FsnCargo *cargo,
          FsnRepo *repo,
          const char *uuid,
          const FsnCargoAsk *ask,
          GError **error)
{
    g_autoptr(GBytes) bytes = cargo->collect(cargo->user, uuid, ask, error);
    char *object = NULL;

    if (!bytes || !fsn_repo_put_object(repo, g_bytes_get_data(bytes, NULL),
                                       g_bytes_get_size(bytes), &object, error)) {
        return NULL;
    }
    return object;
}

GHashTable *
fsn_cargo_store(FsnCycle *cycle,
                FsnRepo *repo,
                const char *uuid,
                const FsnCargoAsk *ask,
                char **warning)
{
    GHashTable *stored = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    GPtrArray *all = *fsn_cycle_cargo(cycle);

    for (guint i = 0; all && i < all->len; i++) {
        const FsnCargo *cargo = all->pdata[i];
        g_autoptr(GError) error = NULL;
        char *object = store_one(cargo, repo, uuid, ask, &error);

        if (object) {
            g_hash_table_insert(stored, (gpointer)cargo->member, object);
        } else if (error && !*warning) {
            *warning = g_strdup_printf("the %s is not carried along: %s", cargo->member,
                                       error->message);
        }
    }
    return stored;
}

void
fsn_cargo_name(GHashTable *stored, JsonObject *manifest)
{
    GHashTableIter iter;
    gpointer member;
    gpointer object;

    if (!stored) {
        return;
    }
    g_hash_table_iter_init(&iter, stored);
    while (g_hash_table_iter_next(&iter, &member, &object)) {
        JsonObject *ref = json_object_new();

        json_object_set_string_member(ref, "object", object);
        json_object_set_object_member(manifest, member, ref);
    }
}

static bool
take_one(const FsnCargo *cargo,
         FsnRepo *repo,
         JsonObject *manifest,
         const char *uuid,
         const char *name,
         GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    JsonObject *ref;
    const char *object;

    return fsn_json_get_object(manifest, cargo->member, &ref, error) &&
           fsn_json_get_string(ref, "object", &object, error) &&
           fsn_repo_get_object(repo, object, FSN_CARGO_MAX, &bytes, error) &&
           cargo->absorb(cargo->user, uuid, name, bytes, error);
}

void
fsn_cargo_take(FsnCycle *cycle,
               FsnRepo *repo,
               JsonObject *manifest,
               const char *uuid,
               const char *name,
               GPtrArray *warnings)
{
    GPtrArray *all = *fsn_cycle_cargo(cycle);

    for (guint i = 0; all && i < all->len; i++) {
        const FsnCargo *cargo = all->pdata[i];
        g_autoptr(GError) error = NULL;

        if (cargo->absorb && json_object_has_member(manifest, cargo->member) &&
            !take_one(cargo, repo, manifest, uuid, name, &error)) {
            g_ptr_array_add(warnings,
                            g_strdup_printf("the %s in the snapshot is not used: %s",
                                            cargo->member, error->message));
        }
    }
}
