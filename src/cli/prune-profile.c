/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of retention from the profiles of domains; in doubt everything stays. */
#include "config.h"

#include "cli/prune-profile.h"

#include "base/error.h"
#include "cli/output.h"
#include "cli/service.h"
#include "cycle/policy.h"
#include "cycle/profile-store.h"
#include "policies/schedule.h"
#include "virt/domain.h"

static void
profile_free(gpointer data)
{
    FsnPruneProfile *profile = data;

    g_free(profile->keep_all);
    g_free(profile->source);
    g_free(profile);
}

static FsnPruneProfile *
ask(FsnCliContext *context,
    FsnVirtDomain *domain,
    const FsnProfileSet *set,
    GError **error)
{
    g_autoptr(FsnPolicy) policy = fsn_policy_load(domain, set, error);
    FsnPruneProfile *profile;

    if (!policy) {
        return NULL;
    }
    profile = g_new0(FsnPruneProfile, 1);
    profile->source = g_strdup_printf("profile '%s'", policy->profile->name);
    if (policy->warning) {
        fsn_cli_warn(context, "%s: all its snapshots stay: %s",
                     fsn_virt_domain_name(domain), policy->warning);
        profile->keep_all = g_strdup("its policy cannot be used");
    } else if (!fsn_retention_of_profile(policy->profile, &profile->rules)) {
        profile->keep_all = g_strdup_printf("%s keeps everything", profile->source);
    }
    return profile;
}

GHashTable *
fsn_prune_profiles(FsnCliContext *context, GError **error)
{
    g_autoptr(FsnCycle) cycle = fsn_cli_open_cycle(context, NULL, error);
    FsnVirt *virt = cycle ? fsn_cycle_virt(cycle, error) : NULL;
    g_autoptr(FsnProfileSet) set = virt ? fsn_profiles_load(error) : NULL;
    g_autoptr(GHashTable) profiles =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, profile_free);
    g_autoptr(GPtrArray) domains = NULL;

    if (!set || !fsn_virt_list(virt, &domains, error)) {
        return NULL;
    }
    for (guint i = 0; i < domains->len; i++) {
        g_autoptr(GError) local = NULL;
        FsnPruneProfile *profile = ask(context, domains->pdata[i], set, &local);

        if (profile) {
            g_hash_table_insert(
                profiles, g_strdup(fsn_virt_domain_uuid(domains->pdata[i])), profile);
        } else if (!g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return NULL;
        }
    }
    return g_steal_pointer(&profiles);
}
