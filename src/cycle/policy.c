/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a domain's metadata to its policy, and back. What the domain has of its own is treated
 * as one more profile, which inherits the one that it names.
 */
#include "config.h"

#include "cycle/policy.h"

#include "base/error.h"
#include "cycle/profile-store.h"
#include "domxml/policy.h"
#include "virt/metadata.h"

#include <string.h>

void
fsn_policy_free(FsnPolicy *policy)
{
    if (policy) {
        fsn_profile_free(policy->profile);
        g_free(policy->named);
        g_free(policy->warning);
        g_free(policy);
    }
}

/* NULL in *@out_xml if the domain has none. */
static bool
read_xml(FsnVirtDomain *domain, FsnPolicyXml **out_xml, GError **error)
{
    g_autofree char *text = NULL;

    *out_xml = NULL;
    return fsn_virt_domain_get_metadata(domain, FSN_POLICY_NAMESPACE, &text, error) &&
           (!text || fsn_policy_xml_parse(text, out_xml, error));
}

static FsnProfileFile *
file_of(FsnVirtDomain *domain, const FsnPolicyXml *xml)
{
    g_autofree char *path = g_strdup_printf("domain '%s'", fsn_virt_domain_name(domain));
    FsnProfileFile *file = fsn_profile_file_new(NULL, path, FSN_PROFILE_DOMAIN);

    fsn_profile_file_set(file, 0, "profile.inherit",
                         xml->profile ? xml->profile : FSN_PROFILE_DEFAULT);
    for (guint i = 0; i < xml->settings->len; i++) {
        const FsnPolicySetting *setting = xml->settings->pdata[i];

        fsn_profile_file_set(file, 0, setting->key, setting->value);
    }
    return file;
}

static FsnProfile *
resolve(FsnVirtDomain *domain,
        const FsnProfileSet *set,
        const FsnPolicyXml *xml,
        GError **error)
{
    g_autoptr(FsnProfileFile) file = file_of(domain, xml);

    return fsn_profile_set_resolve_file(set, file, error);
}

FsnPolicy *
fsn_policy_load(FsnVirtDomain *domain, const FsnProfileSet *set, GError **error)
{
    g_autoptr(FsnPolicy) policy = g_new0(FsnPolicy, 1);
    g_autoptr(FsnPolicyXml) xml = NULL;
    g_autoptr(GError) local = NULL;

    if (!read_xml(domain, &xml, &local) &&
        !g_error_matches(local, FSN_ERROR, FSN_ERROR_FORMAT)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
    }
    if (xml) {
        policy->named = g_strdup(xml->profile);
        policy->n_own = xml->settings->len;
        policy->profile = resolve(domain, set, xml, &local);
    }
    if (local) {
        policy->warning = g_strdup_printf(
            "the policy of domain '%s' cannot be used, so profile '" FSN_PROFILE_DEFAULT
            "' is: %s",
            fsn_virt_domain_name(domain), local->message);
    }
    if (!policy->profile) {
        policy->profile = fsn_profile_set_resolve(set, FSN_PROFILE_DEFAULT, error);
    }
    return policy->profile ? g_steal_pointer(&policy) : NULL;
}

static bool
change_profile(FsnPolicyXml *xml, const char *value)
{
    g_free(xml->profile);
    xml->profile = g_strdup(value);
    return true;
}

/* Keys are kept with their groups. */
static bool
change_key(FsnPolicyXml *xml, const char *key, const char *value, GError **error)
{
    g_autofree char *name = NULL;
    unsigned id;

    if (strcmp(key, "profile") == 0) {
        return change_profile(xml, value);
    }
    if (!fsn_profile_key_parse(key, &id, error)) {
        return false;
    }
    if (id == FSN_KEY_INHERIT) {
        return change_profile(xml, value);
    }
    name = fsn_profile_key_name(id);
    fsn_policy_xml_set(xml, name, value);
    return true;
}

static bool
change_all(FsnPolicyXml *xml,
           char *const *set_args,
           char *const *unset_args,
           GError **error)
{
    for (; set_args && *set_args; set_args++) {
        const char *equals = strchr(*set_args, '=');
        g_autofree char *key = NULL;

        if (!equals || equals == *set_args) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'%s' is not KEY=VALUE",
                        *set_args);
            return false;
        }
        key = g_strndup(*set_args, (gsize)(equals - *set_args));
        if (!change_key(xml, key, equals + 1, error)) {
            return false;
        }
    }
    for (; unset_args && *unset_args; unset_args++) {
        if (!change_key(xml, *unset_args, NULL, error)) {
            return false;
        }
    }
    return true;
}

static bool
write_xml(FsnVirtDomain *domain, const FsnPolicyXml *xml, GError **error)
{
    g_autofree char *text = NULL;

    if (!xml->profile && xml->settings->len == 0) {
        return fsn_policy_clear(domain, error);
    }
    text = fsn_policy_xml_text(xml);
    return fsn_virt_domain_set_metadata(domain, FSN_POLICY_NAMESPACE, FSN_POLICY_PREFIX,
                                        text, error);
}

bool
fsn_policy_change(FsnVirtDomain *domain,
                  const FsnProfileSet *set,
                  char *const *set_args,
                  char *const *unset_args,
                  GError **error)
{
    g_autoptr(FsnPolicyXml) xml = NULL;
    g_autoptr(FsnProfile) profile = NULL;

    if (!read_xml(domain, &xml, error)) {
        g_prefix_error(error, "what is there cannot be changed, but removed by 'foresnap "
                              "policy DOMAIN unset': ");
        return false;
    }
    if (!xml) {
        xml = fsn_policy_xml_new();
    }
    if (!change_all(xml, set_args, unset_args, error)) {
        return false;
    }
    profile = resolve(domain, set, xml, error);
    return profile && write_xml(domain, xml, error);
}

bool
fsn_policy_clear(FsnVirtDomain *domain, GError **error)
{
    return fsn_virt_domain_set_metadata(domain, FSN_POLICY_NAMESPACE, NULL, NULL, error);
}
