/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks libvirt and the repository about every domain; decides nothing. */
#include "config.h"

#include "batch/domains.h"

#include "base/error.h"
#include "batch/select.h"
#include "cycle/find-state.h"
#include "cycle/policy.h"
#include "cycle/profile-store.h"
#include "domxml/domain-facts.h"
#include "repo/catalogue.h"
#include "virt/domain.h"

#include <string.h>

static bool
ask_state(FsnVirtDomain *handle, FsnBatchDomain *domain, char **out_xml, GError **error)
{
    FsnVirtStatus status;

    if (!fsn_virt_domain_status(handle, &status, error)) {
        return false;
    }
    domain->running = status.state != FSN_VIRT_OFF && status.state != FSN_VIRT_CRASHED;
    domain->persistent = status.persistent;
    return fsn_virt_domain_xml(
        handle, domain->running ? FSN_VIRT_XML_RUNNING : FSN_VIRT_XML_INACTIVE, out_xml,
        error);
}

/* One whose policy cannot be used has that of the default, as everywhere. */
static bool
ask_policy(FsnVirtDomain *handle,
           const FsnProfileSet *set,
           FsnBatchDomain *domain,
           GError **error)
{
    g_autoptr(FsnPolicy) policy = fsn_policy_load(handle, set, error);

    if (!policy) {
        return false;
    }
    domain->profile = g_strdup(policy->profile->name);
    domain->order = (int)fsn_profile_number(policy->profile, FSN_KEY_BATCH_ORDER);
    domain->after =
        fsn_value_list(fsn_profile_text(policy->profile, FSN_KEY_BATCH_AFTER));
    domain->tags = fsn_value_list(fsn_profile_text(policy->profile, FSN_KEY_BATCH_TAGS));
    return true;
}

static void
take_facts(FsnBatchDomain *domain, const FsnDomainFacts *facts)
{
    domain->title = g_strdup(facts->title);
    domain->memory = facts->memory_bytes;
    if (facts->refusals->len > 0) {
        domain->refusal = g_strdup(facts->refusals->pdata[0]);
    }
}

/* What the last suspend stored is the best guess of what the next one will; twice that, and a
 * tenth of the memory for one whose use has changed, never more than all of it. */
static uint64_t
estimate(GPtrArray *catalogue, const char *uuid, uint64_t memory)
{
    for (guint i = 0; i < catalogue->len; i++) {
        const FsnCatalogueEntry *entry = catalogue->pdata[i];

        if (g_strcmp0(entry->uuid, uuid) == 0 && entry->has_memory &&
            entry->bytes_stored >= 0) {
            return MIN(memory, 2 * (uint64_t)entry->bytes_stored + memory / 10);
        }
    }
    return memory;
}

static FsnBatchDomain *
ask(FsnCycle *cycle,
    FsnVirtDomain *handle,
    const FsnBatchRecord *record,
    const FsnProfileSet *profiles,
    GPtrArray *catalogue,
    GError **error)
{
    g_autoptr(FsnBatchDomain) domain = g_new0(FsnBatchDomain, 1);
    g_autoptr(FsnDomainFacts) facts = NULL;
    g_autofree char *xml = NULL;
    FsnRepo *repo = fsn_cycle_repo(cycle, error);

    domain->name = g_strdup(fsn_virt_domain_name(handle));
    domain->uuid = g_strdup(fsn_virt_domain_uuid(handle));
    domain->recorded =
        g_strdup(record ? fsn_batch_record_get(record, domain->uuid) : NULL);
    if (!repo || !ask_state(handle, domain, &xml, error) ||
        !ask_policy(handle, profiles, domain, error) ||
        !fsn_domain_facts_parse(xml, &facts, error) ||
        (domain->running &&
         !fsn_virt_domain_block_job(handle, &domain->block_job, error))) {
        return NULL;
    }
    take_facts(domain, facts);
    domain->memory = estimate(catalogue, domain->uuid, domain->memory);
    if (!domain->running) {
        /* That there is none is no failure. */
        (void)!fsn_find_suspend_state(repo, domain->uuid, &domain->suspended, NULL);
    }
    return g_steal_pointer(&domain);
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    const FsnBatchDomain *const *first = a;
    const FsnBatchDomain *const *second = b;

    return strcmp((*first)->name, (*second)->name);
}

bool
fsn_batch_list_domains(FsnCycle *cycle,
                       const FsnBatchRecord *record,
                       GPtrArray **out_domains,
                       GError **error)
{
    g_autoptr(GPtrArray) domains =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_batch_domain_free);
    g_autoptr(GPtrArray) handles = NULL;
    g_autoptr(GPtrArray) catalogue = NULL;
    g_autoptr(GPtrArray) damaged = NULL;
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    FsnRepo *repo = virt ? fsn_cycle_repo(cycle, error) : NULL;
    g_autoptr(FsnProfileSet) profiles = repo ? fsn_profiles_load(error) : NULL;

    if (!profiles || !fsn_repo_catalogue(repo, &catalogue, &damaged, error) ||
        !fsn_virt_list(virt, &handles, error)) {
        return false;
    }
    for (guint i = 0; i < handles->len; i++) {
        g_autoptr(GError) local = NULL;
        FsnBatchDomain *domain =
            ask(cycle, handles->pdata[i], record, profiles, catalogue, &local);

        if (domain) {
            g_ptr_array_add(domains, domain);
        } else if (!g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
    g_ptr_array_sort(domains, by_name);
    *out_domains = g_steal_pointer(&domains);
    return true;
}
