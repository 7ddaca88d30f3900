/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view: what was found, and the questions that are asked of it. It is made by gather.c.
 */
#include "config.h"

#include "view/view-private.h"

#include <string.h>

void
fsn_view_domain_free(FsnViewDomain *domain)
{
    g_free(domain->uuid);
    g_free(domain->name);
    g_free(domain->title);
    g_free(domain->profile);
    g_strfreev(domain->tags);
    g_free(domain);
}

FsnView *
fsn_view_new(int64_t made_us)
{
    FsnView *view = g_new0(FsnView, 1);

    g_atomic_ref_count_init(&view->refs);
    view->made_us = made_us;
    view->domains = g_ptr_array_new_with_free_func((GDestroyNotify)fsn_view_domain_free);
    view->by_uuid = g_hash_table_new(g_str_hash, g_str_equal);
    view->problems = g_ptr_array_new_with_free_func(g_free);
    return view;
}

FsnView *
fsn_view_ref(FsnView *view)
{
    g_atomic_ref_count_inc(&view->refs);
    return view;
}

void
fsn_view_unref(FsnView *view)
{
    if (!view || !g_atomic_ref_count_dec(&view->refs)) {
        return;
    }
    g_hash_table_unref(view->by_uuid);
    g_ptr_array_unref(view->domains);
    g_clear_pointer(&view->snapshots, g_ptr_array_unref);
    g_clear_pointer(&view->marks, g_hash_table_unref);
    g_ptr_array_unref(view->problems);
    g_free(view);
}

const FsnViewDomain *
fsn_view_find(const FsnView *view, const char *who)
{
    g_autofree char *lower = g_ascii_strdown(who, -1);
    const FsnViewDomain *found = g_hash_table_lookup(view->by_uuid, lower);

    for (guint i = 0; !found && i < view->domains->len; i++) {
        const FsnViewDomain *domain = view->domains->pdata[i];

        found = domain->defined && strcmp(domain->name, who) == 0 ? domain : NULL;
    }
    for (guint i = 0; !found && i < view->domains->len; i++) {
        const FsnViewDomain *domain = view->domains->pdata[i];

        found = strcmp(domain->name, who) == 0 ? domain : NULL;
    }
    return found;
}

const FsnCatalogueEntry *
fsn_view_find_snapshot(const FsnView *view, const char *id)
{
    for (guint i = 0; view->snapshots && i < view->snapshots->len; i++) {
        const FsnCatalogueEntry *entry = view->snapshots->pdata[i];

        if (g_strcmp0(entry->id, id) == 0) {
            return entry;
        }
    }
    return NULL;
}

static bool
has_mark(const FsnView *view, const char *id, const char *mark)
{
    g_autofree char *name = g_strconcat(id, ".", mark, NULL);

    return view->marks && g_hash_table_contains(view->marks, name);
}

/* Lazy restores have a mark each, named after the domain that reads. */
static bool
is_read(const FsnView *view, const char *id)
{
    g_autofree char *prefix = g_strconcat(id, "." FSN_FILL_MARK, NULL);
    GHashTableIter iter;
    gpointer name;

    if (!view->marks) {
        return false;
    }
    g_hash_table_iter_init(&iter, view->marks);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (g_str_has_prefix(name, prefix)) {
            return true;
        }
    }
    return false;
}

const char *
fsn_view_snapshot_state(const FsnView *view, const char *id)
{
    if (has_mark(view, id, "consumed") || has_mark(view, id, "ran")) {
        return "used";
    }
    if (has_mark(view, id, "claim")) {
        return "resuming";
    }
    return is_read(view, id) ? "in use" : "ready";
}

const char *
fsn_view_domain_state(const FsnViewDomain *domain)
{
    if (!domain->defined) {
        return "removed";
    }
    if (domain->status.state == FSN_VIRT_OFF && domain->suspend) {
        return domain->resuming ? "resuming" : "suspended";
    }
    return fsn_virt_state_name(domain->status.state);
}
