/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From libvirt, repository, history and records to plans. What cannot be found out of a domain
 * is noted, and the rest is planned: a broken record or history stops no schedule.
 */
#include "config.h"

#include "schedule/look.h"

#include "base/error.h"
#include "cycle/policy.h"
#include "cycle/profile-store.h"
#include "repo/catalogue.h"
#include "schedule/busy.h"
#include "schedule/look-private.h"

#include <string.h>

/* What all domains share. */
typedef struct {
    FsnCycle *cycle;
    const FsnScheduleRequest *request;
    FsnProfileSet *profiles;
    GHashTable *taken;   /* UUID → the newest snapshot's time (int64_t) */
    FsnHistory *history; /* NULL: there is none */
} Look;

static void
look_clear(Look *look)
{
    g_clear_pointer(&look->profiles, fsn_profile_set_free);
    g_clear_pointer(&look->taken, g_hash_table_unref);
    g_clear_pointer(&look->history, fsn_history_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

void
fsn_schedule_domain_free(FsnScheduleDomain *domain)
{
    g_free(domain->name);
    g_free(domain->uuid);
    g_free(domain->profile);
    fsn_schedule_clear(&domain->schedule);
    fsn_schedule_record_clear(&domain->record);
    g_clear_pointer(&domain->input.zone, g_time_zone_unref);
    g_free(domain->busy_reason);
    g_clear_pointer(&domain->items, g_array_unref);
    g_clear_pointer(&domain->notes, g_ptr_array_unref);
    g_free(domain);
}

void
fsn_schedule_note(FsnScheduleDomain *domain, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(domain->notes, g_strdup_vprintf(format, args));
    va_end(args);
}

static bool
load_taken(Look *look, GError **error)
{
    FsnRepo *repo = fsn_cycle_repo(look->cycle, error);
    g_autoptr(GPtrArray) entries = NULL;
    g_autoptr(GPtrArray) damaged = NULL;

    if (!repo || !fsn_repo_catalogue(repo, &entries, &damaged, error)) {
        return false;
    }
    look->taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < entries->len; i++) { /* newest first */
        const FsnCatalogueEntry *entry = entries->pdata[i];
        g_autofree char *uuid = g_ascii_strdown(entry->uuid ? entry->uuid : "", -1);

        /* One that says no time says nothing, and so does one of the future, which was taken
         * before the clock was put back; a suspend holds no disks. */
        if (g_strcmp0(entry->kind, "snapshot") == 0 &&
            entry->created_us <= look->request->now_us + FSN_PLAN_STEP_US &&
            !g_hash_table_contains(look->taken, uuid)) {
            g_hash_table_insert(look->taken, g_steal_pointer(&uuid),
                                g_memdup2(&entry->created_us, sizeof(int64_t)));
        }
    }
    return true;
}

static void
open_history(Look *look)
{
    g_autofree char *usual = fsn_history_default_path();
    const char *path = look->request->history ? look->request->history : usual;

    /* That there is none is told where it is missed. */
    look->history = fsn_history_open(path, FSN_HISTORY_READ_ONLY, NULL);
}

static void
look_busy(const Look *look, FsnScheduleDomain *domain)
{
    g_autoptr(GError) error = NULL;
    int64_t start_us = 0;

    if (!domain->schedule.before_busy) {
        return;
    }
    /* One that begins soon after has its snapshot before the end. */
    if (look->history &&
        !fsn_schedule_next_wake(look->history, domain->uuid, domain->name,
                                look->request->now_us,
                                look->request->until_us + (int64_t)3600 * G_USEC_PER_SEC,
                                &start_us, &domain->busy_reason, &error)) {
        fsn_schedule_note(domain, "no busy time can be foretold: %s", error->message);
        return;
    }
    if (!look->history) {
        fsn_schedule_note(domain, "no busy time can be foretold: there is no history "
                                  "('foresnap sample' records one)");
    }
    if (start_us > 0) {
        domain->busy =
            (FsnPlanBusy){ .start_us = start_us, .reason = domain->busy_reason };
        domain->input.busy = &domain->busy;
        domain->input.n_busy = 1;
    }
}

static void
look_record(const Look *look, FsnScheduleDomain *domain)
{
    g_autoptr(GError) error = NULL;

    if (!fsn_schedule_record_load(fsn_cycle_state_dir(look->cycle), domain->uuid,
                                  &domain->record, &error)) {
        fsn_schedule_note(domain,
                          "what was done before cannot be read, the schedule "
                          "begins anew: %s",
                          error->message);
    }
    domain->adopted = fsn_schedule_record_adopt(&domain->record, &domain->schedule,
                                                look->request->now_us);
    fsn_schedule_record_fill(&domain->record, &domain->input);
}

/* What nobody looks at and what is not due may stay as if the domain had changed. */
static void
make_plan(const Look *look, FsnVirtDomain *handle, FsnScheduleDomain *domain)
{
    domain->items = fsn_plan(&domain->schedule, &domain->input);
    if (domain->items->len > 0 &&
        (!look->request->only_due || fsn_plan_due(domain->items)) &&
        fsn_schedule_is_unchanged(look->cycle, handle, domain)) {
        domain->input.unchanged = true;
        g_array_unref(domain->items);
        domain->items = fsn_plan(&domain->schedule, &domain->input);
    }
}

/* NULL without @error if it has no schedule and was not asked for. */
static FsnScheduleDomain *
look_at(const Look *look, FsnVirtDomain *handle, GError **error)
{
    g_autoptr(FsnScheduleDomain) domain = g_new0(FsnScheduleDomain, 1);
    g_autoptr(FsnPolicy) policy = fsn_policy_load(handle, look->profiles, error);
    const int64_t *taken_us;
    FsnVirtStatus status;

    if (!policy || !fsn_virt_domain_status(handle, &status, error)) {
        return NULL;
    }
    domain->notes = g_ptr_array_new_with_free_func(g_free);
    domain->name = g_strdup(fsn_virt_domain_name(handle));
    domain->uuid = g_strdup(fsn_virt_domain_uuid(handle));
    domain->profile = g_strdup(policy->profile->name);
    domain->running = status.state != FSN_VIRT_OFF && status.state != FSN_VIRT_CRASHED;
    fsn_schedule_of_profile(policy->profile, &domain->schedule);
    if (!fsn_schedule_is_set(&domain->schedule) && !look->request->domains) {
        return NULL;
    }
    if (policy->warning) {
        fsn_schedule_note(domain, "%s", policy->warning);
    }
    taken_us = g_hash_table_lookup(look->taken, domain->uuid);
    domain->input = (FsnPlanInput){ .now_us = look->request->now_us,
                                    .until_us = look->request->until_us,
                                    .zone = g_time_zone_new_local(),
                                    .taken_us = taken_us ? *taken_us : 0 };
    look_record(look, domain);
    fsn_schedule_look_changes(look->cycle, look->history, domain);
    look_busy(look, domain);
    make_plan(look, handle, domain);
    return g_steal_pointer(&domain);
}

static bool
has_handle(GPtrArray *handles, FsnVirtDomain *handle)
{
    for (guint i = 0; i < handles->len; i++) {
        if (strcmp(fsn_virt_domain_uuid(handles->pdata[i]),
                   fsn_virt_domain_uuid(handle)) == 0) {
            return true;
        }
    }
    return false;
}

/* All domains, or each of those asked for once. */
static bool
find_handles(const Look *look, GPtrArray **out_handles, GError **error)
{
    g_autoptr(GPtrArray) handles =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_virt_domain_free);
    FsnVirt *virt = fsn_cycle_virt(look->cycle, error);

    if (!virt) {
        return false;
    }
    if (!look->request->domains) {
        return fsn_virt_list(virt, out_handles, error);
    }
    for (const char *const *who = look->request->domains; *who; who++) {
        g_autoptr(FsnVirtDomain) handle = NULL;

        if (!fsn_virt_lookup(virt, *who, &handle, error)) {
            return false;
        }
        if (!has_handle(handles, handle)) {
            g_ptr_array_add(handles, g_steal_pointer(&handle));
        }
    }
    *out_handles = g_steal_pointer(&handles);
    return true;
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    const FsnScheduleDomain *const *first = a;
    const FsnScheduleDomain *const *second = b;

    return strcmp((*first)->name, (*second)->name);
}

bool
fsn_schedule_look(FsnCycle *cycle,
                  const FsnScheduleRequest *request,
                  GPtrArray **out_domains,
                  guint *out_without,
                  GError **error)
{
    g_auto(Look) look = { .cycle = cycle, .request = request };
    g_autoptr(GPtrArray) domains =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_schedule_domain_free);
    g_autoptr(GPtrArray) handles = NULL;

    *out_without = 0;
    look.profiles = fsn_profiles_load(error);
    if (!look.profiles || !find_handles(&look, &handles, error) ||
        !load_taken(&look, error)) {
        return false;
    }
    open_history(&look);
    for (guint i = 0; i < handles->len; i++) {
        g_autoptr(GError) local = NULL;
        FsnScheduleDomain *domain = look_at(&look, handles->pdata[i], &local);

        if (domain) {
            g_ptr_array_add(domains, domain);
        } else if (!local) {
            ++*out_without;
        } else if (request->domains ||
                   !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
    g_ptr_array_sort(domains, by_name);
    *out_domains = g_steal_pointer(&domains);
    return true;
}
