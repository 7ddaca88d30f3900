/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a repository holds and what each snapshot costs. Only roots are read, no data.
 */
#include "config.h"

#include "repo/stats.h"

#include "base/json.h"
#include "repo/image.h"
#include "repo/manifests.h"
#include "repo/needs.h"
#include "repo/repo-private.h"
#include "repo/thinned.h"

#include <string.h>

/* An object that snapshots need. */
typedef struct {
    uint64_t size;
    unsigned users;
    unsigned domains;
} Need;

typedef struct {
    FsnRepo *repo;
    GHashTable *needs;   /* key -> Need, over all snapshots */
    GHashTable *own;     /* keys that the current snapshot needs */
    GHashTable *thinned; /* keys of packs -> bytes that they lack */
    uint64_t logical;
} Count;

static void
snapshot_free(gpointer data)
{
    FsnSnapshotStats *s = data;

    g_free(s->id);
    g_free(s->domain);
    g_free(s->uuid);
    g_free(s);
}

static void
domain_free(gpointer data)
{
    FsnDomainStats *d = data;

    g_free(d->name);
    g_free(d->uuid);
    g_free(d);
}

void
fsn_repo_stats_clear(FsnRepoStats *stats)
{
    g_clear_pointer(&stats->snapshots, g_ptr_array_unref);
    g_clear_pointer(&stats->domains, g_ptr_array_unref);
}

/* Bytes that pack @key lacks. */
static uint64_t
lacks(GHashTable *thinned, const char *key)
{
    const uint64_t *removed = g_hash_table_lookup(thinned, key);

    return removed ? *removed : 0;
}

static bool
count_need(gpointer user, const char *key, uint64_t size, GError **error)
{
    Count *count = user;
    Need *need = g_hash_table_lookup(count->needs, key);

    if (!g_hash_table_add(count->own, g_strdup(key))) {
        return true;
    }
    if (!need) {
        need = g_new0(Need, 1);
        need->size = size;
        if (size == UINT64_MAX &&
            !fsn_blob_size(fsn_repo_store(count->repo), key, &need->size, NULL)) {
            need->size = 0;
        }
        need->size -= MIN(need->size, lacks(count->thinned, key));
        g_hash_table_insert(count->needs, g_strdup(key), need);
    }
    need->users++;
    return true;
}

static bool
count_logical(gpointer user, const char *folder, const char *hex, GError **error)
{
    Count *count = user;
    g_autoptr(FsnImage) image = NULL;

    if (strcmp(folder, FSN_DIR_ROOTS) == 0) {
        image = fsn_image_open(count->repo, hex, error);
        if (!image) {
            return false;
        }
        count->logical += fsn_image_n_granules(image) * FSN_GRANULE_SIZE;
    }
    return true;
}

/* Counts one snapshot; keeps its keys in @out_own for the second round. */
static FsnSnapshotStats *
count_snapshot(Count *count, JsonObject *manifest, GHashTable **out_own)
{
    FsnSnapshotStats *s;
    JsonObject *domain;

    count->own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    count->logical = 0;
    if (!fsn_json_get_object(manifest, "domain", &domain, NULL) ||
        !fsn_manifest_references(manifest, count_logical, count, NULL) ||
        !fsn_repo_needs_of_manifest(count->repo, manifest, count_need, count, NULL)) {
        g_clear_pointer(&count->own, g_hash_table_unref);
        return NULL;
    }
    s = g_new0(FsnSnapshotStats, 1);
    s->id = g_strdup(fsn_json_peek_string(manifest, "id", ""));
    s->domain = g_strdup(fsn_json_peek_string(domain, "name", ""));
    s->uuid = g_strdup(fsn_json_peek_string(domain, "uuid", ""));
    s->logical = count->logical;
    *out_own = g_steal_pointer(&count->own);
    return s;
}

/* Second round: now it is known what others need too. */
static void
count_own(Count *count, FsnSnapshotStats *s, GHashTable *own)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, own);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const Need *need = g_hash_table_lookup(count->needs, key);

        s->needed += need->size;
        if (need->users == 1) {
            s->own += need->size;
        }
    }
}

/* Adds what snapshot @s needs (the keys of @own) to its domain. */
static void
add_to_domain(FsnDomainStats *d,
              const FsnSnapshotStats *s,
              GHashTable *own,
              GHashTable *keys,
              GHashTable *needs)
{
    GHashTableIter iter;
    gpointer key;

    d->snapshots++;
    d->logical += s->logical;
    d->own += s->own;
    g_hash_table_iter_init(&iter, own);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        Need *need = g_hash_table_lookup(needs, key);

        if (g_hash_table_add(keys, key)) {
            d->needed += need->size;
            need->domains++;
        }
    }
}

/* Once all domains are known: what each needs alone. */
static uint64_t
count_exclusive(GHashTable *keys, GHashTable *needs)
{
    GHashTableIter iter;
    uint64_t sum = 0;
    gpointer key;

    g_hash_table_iter_init(&iter, keys);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const Need *need = g_hash_table_lookup(needs, key);

        sum += need->domains == 1 ? need->size : 0;
    }
    return sum;
}

/* @owns has the keys that each snapshot needs. */
static void
count_domains(FsnRepoStats *stats, GPtrArray *owns, GHashTable *needs)
{
    g_autoptr(GHashTable) by_uuid = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) keys =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_hash_table_unref);

    for (guint i = 0; i < stats->snapshots->len; i++) {
        const FsnSnapshotStats *s = stats->snapshots->pdata[i];
        gpointer number;

        if (!g_hash_table_lookup_extended(by_uuid, s->uuid, NULL, &number)) {
            FsnDomainStats *d = g_new0(FsnDomainStats, 1);

            d->name = g_strdup(s->domain);
            d->uuid = g_strdup(s->uuid);
            number = GUINT_TO_POINTER(keys->len);
            g_hash_table_insert(by_uuid, d->uuid, number);
            g_ptr_array_add(stats->domains, d);
            g_ptr_array_add(keys, g_hash_table_new(g_str_hash, g_str_equal));
        }
        add_to_domain(stats->domains->pdata[GPOINTER_TO_UINT(number)], s, owns->pdata[i],
                      keys->pdata[GPOINTER_TO_UINT(number)], needs);
    }
    for (guint i = 0; i < keys->len; i++) {
        ((FsnDomainStats *)stats->domains->pdata[i])->exclusive =
            count_exclusive(keys->pdata[i], needs);
    }
}

static bool
count_stored(FsnRepo *repo, GHashTable *thinned, FsnRepoStats *stats, GError **error)
{
    const char *folders[] = { FSN_DIR_PACKS, FSN_DIR_BUNDLES, FSN_DIR_ROOTS,
                              FSN_DIR_OBJECTS };

    for (size_t f = 0; f < G_N_ELEMENTS(folders); f++) {
        g_autoptr(GPtrArray) keys = NULL;

        if (!fsn_blob_list(fsn_repo_store(repo), folders[f], &keys, error)) {
            return false;
        }
        for (guint i = 0; i < keys->len; i++) {
            const char *key = g_ptr_array_index(keys, i);
            uint64_t size;

            if (fsn_blob_size(fsn_repo_store(repo), key, &size, NULL)) {
                size -= MIN(size, lacks(thinned, key));
                stats->stored += size;
                stats->packs += f == 0 ? size : 0;
                stats->index += f == 1 || f == 2 ? size : 0;
            }
        }
    }
    return true;
}

static void
count_manifests(FsnRepo *repo,
                GPtrArray *manifests,
                GHashTable *thinned,
                FsnRepoStats *stats)
{
    g_autoptr(GHashTable) needs =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) owns =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_hash_table_unref);
    Count count = { .repo = repo, .needs = needs, .thinned = thinned };
    GHashTableIter iter;
    gpointer need;

    for (guint i = 0; i < manifests->len; i++) {
        GHashTable *own = NULL;
        FsnSnapshotStats *s =
            count_snapshot(&count, g_ptr_array_index(manifests, i), &own);

        if (s) {
            g_ptr_array_add(stats->snapshots, s);
            g_ptr_array_add(owns, own);
            stats->logical += s->logical;
        } else {
            stats->damaged++;
        }
    }
    for (guint i = 0; i < stats->snapshots->len; i++) {
        count_own(&count, g_ptr_array_index(stats->snapshots, i),
                  g_ptr_array_index(owns, i));
    }
    count_domains(stats, owns, needs);
    g_hash_table_iter_init(&iter, needs);
    while (g_hash_table_iter_next(&iter, NULL, &need)) {
        stats->needed += ((Need *)need)->size;
    }
}

bool
fsn_repo_stats(FsnRepo *repo, FsnRepoStats *out_stats, GError **error)
{
    g_autoptr(GPtrArray) manifests = NULL;
    g_autoptr(GPtrArray) damaged = NULL;
    g_autoptr(GHashTable) thinned = NULL;
    g_auto(FsnRepoStats) stats = { 0 };

    if (!fsn_repo_list_manifests(repo, &manifests, &damaged, error) ||
        !fsn_repo_list_thinned(repo, &thinned, error) ||
        !count_stored(repo, thinned, &stats, error)) {
        return false;
    }
    stats.snapshots = g_ptr_array_new_with_free_func(snapshot_free);
    stats.domains = g_ptr_array_new_with_free_func(domain_free);
    stats.damaged = damaged->len;
    count_manifests(repo, manifests, thinned, &stats);
    *out_stats = stats;
    stats.snapshots = NULL;
    stats.domains = NULL;
    return true;
}
