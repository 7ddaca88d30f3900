/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the catalogue to what prune does: the snapshots of each domain with what protects
 * them are given to the retention policy. Nothing is deleted here.
 */
#include "config.h"

#include "cli/prune-plan.h"

#include "cli/snapshots.h"

static void
clear_item(gpointer data)
{
    g_clear_pointer(&((FsnPruneItem *)data)->reasons, g_ptr_array_unref);
}

/* All items, none decided. */
static GArray *
new_items(GPtrArray *entries, FsnPruneState state, gpointer user)
{
    GArray *items = g_array_sized_new(FALSE, TRUE, sizeof(FsnPruneItem), entries->len);

    g_array_set_clear_func(items, clear_item);
    for (guint i = 0; i < entries->len; i++) {
        const FsnCatalogueEntry *entry = entries->pdata[i];
        FsnPruneItem item = { .entry = entry, .state = state(user, entry->id) };

        g_array_append_val(items, item);
    }
    return items;
}

/* The numbers of the items of each domain, in the order of the items. */
static GHashTable *
group_by_domain(GArray *items)
{
    GHashTable *groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                               (GDestroyNotify)g_array_unref);

    for (guint i = 0; i < items->len; i++) {
        const FsnPruneItem *item = &g_array_index(items, FsnPruneItem, i);
        g_autofree char *uuid = g_ascii_strdown(item->entry->uuid, -1);
        GArray *group = g_hash_table_lookup(groups, uuid);

        if (!group) {
            group = g_array_new(FALSE, FALSE, sizeof(guint));
            g_hash_table_insert(groups, g_steal_pointer(&uuid), group);
        }
        g_array_append_val(group, i);
    }
    return groups;
}

static FsnRetentionSnapshot
describe(const FsnPruneItem *item, bool *memory_seen)
{
    const FsnCatalogueEntry *entry = item->entry;
    FsnRetentionSnapshot snapshot = { .id = entry->id,
                                      .kind = entry->kind,
                                      .created_us = entry->created_us };

    if (fsn_cli_is_suspended(entry->kind, item->state)) {
        snapshot.flags |= FSN_RETENTION_SUSPENDED;
    }
    if (item->state == FSN_SNAPSHOT_READ) {
        snapshot.flags |= FSN_RETENTION_READ;
    }
    /* Memory is compared with the newest one there is, of whatever kind. */
    if (entry->has_memory && !*memory_seen) {
        *memory_seen = true;
        snapshot.flags |= FSN_RETENTION_BASE;
    }
    return snapshot;
}

static bool
decide_group(GArray *items,
             GArray *group,
             const FsnRetentionRules *rules,
             GTimeZone *zone,
             int64_t now_us,
             GError **error)
{
    g_autofree FsnRetentionSnapshot *snapshots =
        g_new(FsnRetentionSnapshot, group->len + 1);
    g_autoptr(GArray) decisions = NULL;
    bool memory_seen = false;

    for (guint i = 0; i < group->len; i++) {
        guint n = g_array_index(group, guint, i);

        snapshots[i] = describe(&g_array_index(items, FsnPruneItem, n), &memory_seen);
    }
    decisions = fsn_retention_decide(rules, snapshots, group->len, zone, now_us, error);
    for (guint i = 0; decisions && i < group->len; i++) {
        guint n = g_array_index(group, guint, i);
        FsnRetentionDecision *decision =
            &g_array_index(decisions, FsnRetentionDecision, i);
        FsnPruneItem *item = &g_array_index(items, FsnPruneItem, n);

        item->keep = decision->keep;
        item->reasons = g_steal_pointer(&decision->reasons);
    }
    return decisions != NULL;
}

GArray *
fsn_prune_plan(GPtrArray *entries,
               FsnPruneState state,
               gpointer user,
               const FsnRetentionRules *rules,
               GTimeZone *zone,
               int64_t now_us,
               GError **error)
{
    g_autoptr(GArray) items = new_items(entries, state, user);
    g_autoptr(GHashTable) groups = group_by_domain(items);
    g_autoptr(GArray) none = NULL;
    GHashTableIter iter;
    gpointer group;

    /* Rules that make no sense are refused also where there is nothing to apply them to. */
    none = fsn_retention_decide(rules, NULL, 0, zone, now_us, error);
    if (!none) {
        return NULL;
    }
    g_hash_table_iter_init(&iter, groups);
    while (g_hash_table_iter_next(&iter, NULL, &group)) {
        if (!decide_group(items, group, rules, zone, now_us, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&items);
}

static void
keep_group(GArray *items, GArray *group, const char *reason)
{
    for (guint i = 0; i < group->len; i++) {
        FsnPruneItem *item =
            &g_array_index(items, FsnPruneItem, g_array_index(group, guint, i));

        item->keep = true;
        item->reasons = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(item->reasons, g_strdup(reason));
    }
}

/* Whose rules it was, at the reasons of those that go. */
static void
name_source(GArray *items, GArray *group, const char *source)
{
    for (guint i = 0; i < group->len; i++) {
        FsnPruneItem *item =
            &g_array_index(items, FsnPruneItem, g_array_index(group, guint, i));

        if (!item->keep) {
            g_ptr_array_add(item->reasons, g_strdup(source));
        }
    }
}

GArray *
fsn_prune_plan_profiles(GPtrArray *entries,
                        FsnPruneState state,
                        gpointer user,
                        GHashTable *profiles,
                        GTimeZone *zone,
                        int64_t now_us,
                        GError **error)
{
    g_autoptr(GArray) items = new_items(entries, state, user);
    g_autoptr(GHashTable) groups = group_by_domain(items);
    GHashTableIter iter;
    gpointer uuid;
    gpointer group;

    g_hash_table_iter_init(&iter, groups);
    while (g_hash_table_iter_next(&iter, &uuid, &group)) {
        const FsnPruneProfile *profile = g_hash_table_lookup(profiles, uuid);

        if (!profile || profile->keep_all) {
            keep_group(items, group,
                       profile ? profile->keep_all : "its domain is not there any more");
            continue;
        }
        if (!decide_group(items, group, &profile->rules, zone, now_us, error)) {
            return NULL;
        }
        name_source(items, group, profile->source);
    }
    return g_steal_pointer(&items);
}
