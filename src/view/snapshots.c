/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which snapshots a domain has, and by which it can be resumed. Pure. */
#include "config.h"

#include "view/view-private.h"

#include <math.h>
#include <string.h>

/* One that only its snapshots know: removed, or of another host. */
static FsnViewDomain *
add_removed(FsnView *view, const FsnCatalogueEntry *entry)
{
    FsnViewDomain *domain = g_new0(FsnViewDomain, 1);

    domain->uuid = g_strdup(entry->uuid);
    domain->name = g_strdup(entry->domain ? entry->domain : entry->uuid);
    domain->tags = g_new0(char *, 1);
    domain->cpu_now = domain->memory_now = NAN;
    for (size_t i = 0; i < FSN_VIEW_STEPS; i++) {
        domain->cpu[i] = NAN;
    }
    g_ptr_array_add(view->domains, domain);
    g_hash_table_insert(view->by_uuid, domain->uuid, domain);
    return domain;
}

/* Entries come newest first. */
static void
add(FsnView *view, FsnViewDomain *domain, const FsnCatalogueEntry *entry)
{
    const char *state = fsn_view_snapshot_state(view, entry->id);

    if (!domain->last) {
        domain->last = entry;
    }
    if (g_strcmp0(entry->kind, "suspend") != 0) {
        domain->snapshots++;
        return;
    }
    domain->suspends++;
    if (!domain->suspend && strcmp(state, "used") != 0) {
        domain->suspend = entry;
        domain->resuming = strcmp(state, "resuming") == 0;
    }
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    const FsnViewDomain *first = *(const FsnViewDomain *const *)a;
    const FsnViewDomain *second = *(const FsnViewDomain *const *)b;
    int order = strcmp(first->name, second->name);

    return order != 0 ? order : strcmp(first->uuid, second->uuid);
}

void
fsn_view_add_snapshots(FsnView *view)
{
    for (guint i = 0; view->snapshots && i < view->snapshots->len; i++) {
        const FsnCatalogueEntry *entry = view->snapshots->pdata[i];
        FsnViewDomain *domain =
            entry->uuid ? g_hash_table_lookup(view->by_uuid, entry->uuid) : NULL;

        if (entry->uuid) {
            add(view, domain ? domain : add_removed(view, entry), entry);
        }
    }
    g_ptr_array_sort(view->domains, by_name);
}
