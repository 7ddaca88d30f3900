/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a domain's policy: refused, or the same after it is written and read again. */
#include "config.h"

#include "domxml/policy.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_same(const FsnPolicyXml *a, const FsnPolicyXml *b)
{
    if (g_strcmp0(a->profile, b->profile) != 0 || a->settings->len != b->settings->len) {
        return false;
    }
    for (guint i = 0; i < a->settings->len; i++) {
        const FsnPolicySetting *x = a->settings->pdata[i];
        const FsnPolicySetting *y = b->settings->pdata[i];

        if (strcmp(x->key, y->key) != 0 || strcmp(x->value, y->value) != 0) {
            return false;
        }
    }
    return true;
}

/* A tab or line break in an attribute is a blank when it is read: no value of a policy has
 * one. */
static bool
has_control(const char *text)
{
    for (; *text; text++) {
        if (g_ascii_iscntrl(*text)) {
            return true;
        }
    }
    return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *xml = g_strndup((const char *)data, size);
    g_autofree char *text = NULL;
    g_autoptr(FsnPolicyXml) policy = NULL;
    g_autoptr(FsnPolicyXml) again = NULL;

    if (!fsn_policy_xml_parse(xml, &policy, NULL)) {
        return 0;
    }
    for (guint i = 0; i < policy->settings->len; i++) {
        const FsnPolicySetting *setting = policy->settings->pdata[i];

        if (has_control(setting->key) || has_control(setting->value)) {
            return 0;
        }
    }
    if (policy->profile && has_control(policy->profile)) {
        return 0;
    }
    text = fsn_policy_xml_text(policy);
    if (!fsn_policy_xml_parse(text, &again, NULL) || !is_same(policy, again)) {
        g_error("'%s' was written as '%s'", xml, text);
    }
    return 0;
}
