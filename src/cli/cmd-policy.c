/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foresnap policy: which profile a domain has, and what it has of its own.
 */
#include "config.h"

#include "base/error.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/profile-view.h"
#include "cli/service.h"
#include "cycle/policy.h"
#include "cycle/profile-store.h"
#include "policies/profile-json.h"

#include <string.h>

static bool
change(FsnVirtDomain *domain, const FsnProfileSet *set, char **args, GError **error)
{
    if (!args[1]) {
        return true;
    }
    if (strcmp(args[1], "set") == 0 && args[2]) {
        return fsn_policy_change(domain, set, args + 2, NULL, error);
    }
    if (strcmp(args[1], "unset") == 0) {
        return args[2] ? fsn_policy_change(domain, set, NULL, args + 2, error)
                       : fsn_policy_clear(domain, error);
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                "'policy DOMAIN' takes 'set KEY=VALUE...' or 'unset [KEY...]'");
    return false;
}

static void
show(FsnCliContext *context, FsnVirtDomain *domain, const FsnPolicy *policy)
{
    JsonObject *document = context->document;

    if (policy->warning) {
        fsn_cli_warn(context, "%s", policy->warning);
    }
    json_object_set_string_member(document, "domain", fsn_virt_domain_name(domain));
    json_object_set_string_member(document, "uuid", fsn_virt_domain_uuid(domain));
    json_object_set_string_member(document, "profile", policy->profile->name);
    json_object_set_boolean_member(document, "named", policy->named != NULL);
    json_object_set_boolean_member(document, "usable", policy->warning == NULL);
    json_object_set_array_member(document, "settings",
                                 fsn_profile_settings_json(policy->profile));
    fsn_cli_say(context, "domain '%s' has profile '%s'%s, and %u key%s of its own:",
                fsn_virt_domain_name(domain), policy->profile->name,
                policy->named ? "" : " (it names none)", policy->n_own,
                policy->n_own == 1 ? "" : "s");
    fsn_cli_print_profile(context, policy->profile, context->verbose);
}

static bool
run(FsnCliContext *context, char **args, GError **error)
{
    g_autoptr(FsnCycle) cycle = fsn_cli_open_cycle(context, NULL, error);
    FsnVirt *virt = cycle ? fsn_cycle_virt(cycle, error) : NULL;
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autoptr(FsnProfileSet) set = NULL;
    g_autoptr(FsnPolicy) policy = NULL;

    if (!virt || !fsn_virt_lookup(virt, args[0], &domain, error)) {
        return false;
    }
    set = fsn_profiles_load(error);
    if (!set) {
        return false;
    }
    if (!change(domain, set, args, error)) {
        g_prefix_error(error, "cannot change the policy of '%s': ", args[0]);
        return false;
    }
    policy = fsn_policy_load(domain, set, error);
    if (!policy) {
        return false;
    }
    show(context, domain, policy);
    return true;
}

const FsnCliCommand fsn_cmd_policy = {
    .name = "policy",
    .arguments = "DOMAIN [set KEY=VALUE...|unset [KEY...]]",
    .summary = "show and change what snapshots of a domain capture",
    .options = NULL,
    .min_args = 1,
    .max_args = FSN_CLI_ANY,
    .run = run,
};
