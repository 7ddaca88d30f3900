/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes views. The states of all domains and the list of snapshots are asked each time; what is
 * slow to ask and seldom changes (descriptions, usage, forecasts, the sizes in the repository)
 * is kept for a while. What cannot be asked is left as it was known, and said.
 */
#include "config.h"

#include "view/view-private.h"

#include "base/clock.h"
#include "base/error.h"
#include "cycle/policy.h"
#include "cycle/profile-store.h"
#include "domxml/domain-facts.h"
#include "repo/marks.h"
#include "repo/stats.h"

#include <math.h>
#include <string.h>

/* How long each is kept. */
#define DESCRIBED_US ((int64_t)60 * G_USEC_PER_SEC)
#define USED_US      ((int64_t)30 * G_USEC_PER_SEC)
#define FORETOLD_US  ((int64_t)600 * G_USEC_PER_SEC)

struct FsnViewSource {
    char *uri;
    char *history;
    char *repo;
    FsnVirt *virt;    /* NULL: not connected */
    GHashTable *kept; /* UUID → FsnViewKept */
    GPtrArray *
        last_known; /* FsnViewKept of the last list, borrowed; for when libvirt is away */
    GMutex lock;    /* of what follows */
    GHashTable *forgotten; /* UUIDs; "" is all of them */
    GHashTable *own;       /* UUID → int64_t: bytes */
    FsnViewRepo counted;
};

static void
kept_free(FsnViewKept *kept)
{
    g_free(kept->known.uuid);
    g_free(kept->known.name);
    g_free(kept->known.title);
    g_free(kept->known.profile);
    g_strfreev(kept->known.tags);
    g_free(kept);
}

FsnViewSource *
fsn_view_source_new(const FsnViewPlaces *places)
{
    FsnViewSource *source = g_new0(FsnViewSource, 1);

    source->uri = g_strdup(places->uri);
    source->history =
        places->history ? g_strdup(places->history) : fsn_history_default_path();
    source->repo = g_strdup(places->repo);
    source->kept =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)kept_free);
    source->last_known = g_ptr_array_new();
    g_mutex_init(&source->lock);
    source->forgotten = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    source->own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    source->counted = (FsnViewRepo){ -1, -1, -1, -1, 0, 0 };
    return source;
}

void
fsn_view_source_free(FsnViewSource *source)
{
    if (!source) {
        return;
    }
    g_free(source->uri);
    g_free(source->history);
    g_free(source->repo);
    fsn_virt_free(source->virt);
    g_ptr_array_unref(source->last_known);
    g_hash_table_unref(source->kept);
    g_hash_table_unref(source->forgotten);
    g_hash_table_unref(source->own);
    g_mutex_clear(&source->lock);
    g_free(source);
}

void
fsn_view_forget(FsnViewSource *source, const char *uuid)
{
    g_mutex_lock(&source->lock);
    g_hash_table_add(source->forgotten, g_strdup(uuid ? uuid : ""));
    g_mutex_unlock(&source->lock);
}

static void
problem(FsnView *view, const char *what, const GError *error)
{
    g_ptr_array_add(view->problems, g_strdup_printf("%s: %s", what, error->message));
}

/* Descriptions that somebody says have changed. */
static void
drop_forgotten(FsnViewSource *source)
{
    GHashTableIter iter;
    gpointer uuid, kept;
    bool all;

    g_mutex_lock(&source->lock);
    all = g_hash_table_contains(source->forgotten, "");
    g_hash_table_iter_init(&iter, source->kept);
    while (g_hash_table_iter_next(&iter, &uuid, &kept)) {
        if (all || g_hash_table_contains(source->forgotten, uuid)) {
            ((FsnViewKept *)kept)->described_us = 0;
            ((FsnViewKept *)kept)->used_us = 0;
            ((FsnViewKept *)kept)->foretold_us = 0;
        }
    }
    g_hash_table_remove_all(source->forgotten);
    g_mutex_unlock(&source->lock);
}

static FsnViewKept *
keep(FsnViewSource *source, const char *uuid, const char *name)
{
    FsnViewKept *kept = g_hash_table_lookup(source->kept, uuid);

    if (!kept) {
        kept = g_new0(FsnViewKept, 1);
        kept->known.uuid = g_strdup(uuid);
        for (size_t i = 0; i < FSN_VIEW_STEPS; i++) {
            kept->known.cpu[i] = NAN;
        }
        kept->known.cpu_now = kept->known.memory_now = NAN;
        kept->known.tags = g_new0(char *, 1);
        g_hash_table_insert(source->kept, g_strdup(uuid), kept);
    }
    if (g_strcmp0(kept->known.name, name) != 0) {
        g_free(kept->known.name);
        kept->known.name = g_strdup(name);
        kept->described_us = 0;
    }
    return kept;
}

/* Title, size, profile and tags; what libvirt does not say just now stays as it was. */
static void
describe(FsnViewKept *kept, FsnVirtDomain *handle, const FsnProfileSet *profiles)
{
    FsnViewDomain *known = &kept->known;
    g_autoptr(FsnDomainFacts) facts = NULL;
    g_autoptr(FsnPolicy) policy = NULL;
    g_autofree char *xml = NULL;

    if (fsn_virt_domain_xml(handle, FSN_VIRT_XML_INACTIVE, &xml, NULL) &&
        fsn_domain_facts_parse(xml, &facts, NULL)) {
        g_free(known->title);
        known->title = g_strdup(facts->title);
        known->memory_bytes = facts->memory_bytes;
        known->vcpus = facts->vcpus;
    }
    policy = profiles ? fsn_policy_load(handle, profiles, NULL) : NULL;
    if (policy) {
        g_free(known->profile);
        g_strfreev(known->tags);
        known->profile = g_strdup(policy->profile->name);
        known->tags =
            fsn_value_list(fsn_profile_text(policy->profile, FSN_KEY_BATCH_TAGS));
    }
}

static void
ask_domain(FsnViewSource *source, FsnVirtDomain *handle, const FsnProfileSet *profiles)
{
    FsnViewKept *kept =
        keep(source, fsn_virt_domain_uuid(handle), fsn_virt_domain_name(handle));
    int64_t now_us = fsn_monotonic_us();
    FsnVirtStatus status;

    if (!fsn_virt_domain_status(handle, &status, NULL)) {
        return; /* it has gone meanwhile */
    }
    kept->known.defined = true;
    kept->known.status = status;
    if (kept->described_us == 0 || now_us - kept->described_us > DESCRIBED_US) {
        describe(kept, handle, profiles);
        kept->described_us = now_us;
    }
    g_ptr_array_add(source->last_known, kept);
}

static void
ask_libvirt(FsnViewSource *source, FsnView *view)
{
    g_autoptr(GPtrArray) handles = NULL;
    g_autoptr(FsnProfileSet) profiles = NULL;
    g_autoptr(GError) error = NULL;

    if ((!source->virt && !fsn_virt_open(source->uri, &source->virt, &error)) ||
        !fsn_virt_list(source->virt, &handles, &error)) {
        problem(view, "libvirt does not answer", error);
        g_clear_pointer(&source->virt, fsn_virt_free);
        return;
    }
    profiles = fsn_profiles_load(&error);
    if (!profiles) {
        problem(view, "the profiles cannot be read", error);
    }
    view->libvirt = true;
    g_ptr_array_set_size(source->last_known, 0);
    for (guint i = 0; i < handles->len; i++) {
        ask_domain(source, handles->pdata[i], profiles);
    }
}

/* What has been used; a history that is not there is that of a host that is new. */
static void
ask_history(FsnViewSource *source, FsnView *view, int64_t now_us)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnHistory) history =
        fsn_history_open(source->history, FSN_HISTORY_READ_ONLY, &error);
    int64_t monotonic_us = fsn_monotonic_us();

    if (!history) {
        if (!g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            problem(view, "the history cannot be read", error);
        }
        return;
    }
    view->history_there = true;
    for (guint i = 0; i < source->last_known->len; i++) {
        FsnViewKept *kept = source->last_known->pdata[i];

        if (kept->used_us == 0 || monotonic_us - kept->used_us > USED_US) {
            fsn_view_usage(history, &kept->known, now_us);
            kept->used_us = monotonic_us;
        }
        if (kept->foretold_us == 0 || monotonic_us - kept->foretold_us > FORETOLD_US) {
            fsn_view_foretell(source->history, &kept->known, now_us);
            kept->foretold_us = monotonic_us;
        }
    }
}

static void
ask_repo(FsnViewSource *source, FsnView *view)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnRepo) repo = fsn_repo_open(source->repo, FSN_REPO_READ_ONLY, &error);
    g_autoptr(GPtrArray) damaged = NULL;
    uint64_t space;

    if (!repo && g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        return;
    }
    if (!repo || !fsn_repo_catalogue(repo, &view->snapshots, &damaged, &error) ||
        !fsn_repo_mark_list(repo, &view->marks, &error)) {
        problem(view, "the repository cannot be read", error);
        return;
    }
    view->repo_there = true;
    for (guint i = 0; i < damaged->len; i++) {
        g_ptr_array_add(view->problems, g_strdup(damaged->pdata[i]));
    }
    g_mutex_lock(&source->lock);
    view->repo = source->counted;
    g_mutex_unlock(&source->lock);
    view->repo.bytes_free = fsn_repo_space(repo, &space, NULL) ? (int64_t)space : -1;
}

static void
add_domains(FsnViewSource *source, FsnView *view)
{
    for (guint i = 0; i < source->last_known->len; i++) {
        const FsnViewKept *kept = source->last_known->pdata[i];
        FsnViewDomain *domain = g_new(FsnViewDomain, 1);

        *domain = kept->known;
        domain->uuid = g_strdup(kept->known.uuid);
        domain->name = g_strdup(kept->known.name);
        domain->title = g_strdup(kept->known.title);
        domain->profile = g_strdup(kept->known.profile);
        domain->tags = g_strdupv(kept->known.tags);
        g_ptr_array_add(view->domains, domain);
        g_hash_table_insert(view->by_uuid, domain->uuid, domain);
    }
}

static void
add_sizes(FsnViewSource *source, FsnView *view)
{
    g_mutex_lock(&source->lock);
    for (guint i = 0; i < view->domains->len; i++) {
        FsnViewDomain *domain = view->domains->pdata[i];
        const int64_t *own = g_hash_table_lookup(source->own, domain->uuid);

        domain->bytes_own = own ? *own : view->repo.counted_us > 0 ? 0 : -1;
    }
    g_mutex_unlock(&source->lock);
}

FsnView *
fsn_view_gather(FsnViewSource *source)
{
    int64_t begun_us = fsn_monotonic_us();
    FsnView *view = fsn_view_new(fsn_realtime_us());

    drop_forgotten(source);
    ask_libvirt(source, view);
    ask_history(source, view, view->made_us);
    ask_repo(source, view);
    add_domains(source, view);
    fsn_view_add_snapshots(view);
    add_sizes(source, view);
    view->took_us = fsn_monotonic_us() - begun_us;
    return view;
}

bool
fsn_view_count(FsnViewSource *source, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_repo_open(source->repo, FSN_REPO_READ_ONLY, error);
    g_auto(FsnRepoStats) stats = { 0 };

    if (!repo || !fsn_repo_stats(repo, &stats, error)) {
        return false;
    }
    g_mutex_lock(&source->lock);
    source->counted.bytes_logical = (int64_t)stats.logical;
    source->counted.bytes_stored = (int64_t)stats.stored;
    source->counted.bytes_needed = (int64_t)stats.needed;
    source->counted.damaged = (int64_t)stats.damaged;
    source->counted.counted_us = fsn_realtime_us();
    g_hash_table_remove_all(source->own);
    for (guint i = 0; i < stats.domains->len; i++) {
        const FsnDomainStats *domain = stats.domains->pdata[i];
        int64_t *own = g_new(int64_t, 1);

        *own = (int64_t)domain->exclusive;
        g_hash_table_replace(source->own, g_strdup(domain->uuid), own);
    }
    g_mutex_unlock(&source->lock);
    return true;
}
