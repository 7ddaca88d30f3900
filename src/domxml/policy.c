/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain's policy as XML. It may have been written by hand, and comes from whoever may edit
 * the domain: nothing in it is passed over.
 */
#include "config.h"

#include "domxml/policy.h"

#include "base/error.h"
#include "domxml/document-private.h"

#include <string.h>

#define MAX_SETTINGS 256

static void
setting_free(gpointer data)
{
    FsnPolicySetting *setting = data;

    g_free(setting->key);
    g_free(setting->value);
    g_free(setting);
}

FsnPolicyXml *
fsn_policy_xml_new(void)
{
    FsnPolicyXml *policy = g_new0(FsnPolicyXml, 1);

    policy->settings = g_ptr_array_new_with_free_func(setting_free);
    return policy;
}

void
fsn_policy_xml_free(FsnPolicyXml *policy)
{
    if (policy) {
        g_free(policy->profile);
        g_ptr_array_unref(policy->settings);
        g_free(policy);
    }
}

static FsnPolicySetting *
find(const FsnPolicyXml *policy, const char *key)
{
    for (guint i = 0; i < policy->settings->len; i++) {
        FsnPolicySetting *setting = policy->settings->pdata[i];

        if (strcmp(setting->key, key) == 0) {
            return setting;
        }
    }
    return NULL;
}

void
fsn_policy_xml_set(FsnPolicyXml *policy, const char *key, const char *value)
{
    FsnPolicySetting *setting = find(policy, key);

    if (!value) {
        (void)g_ptr_array_remove(policy->settings, setting); /* false if not there */
        return;
    }
    if (!setting) {
        setting = g_new0(FsnPolicySetting, 1);
        setting->key = g_strdup(key);
        g_ptr_array_add(policy->settings, setting);
    }
    g_free(setting->value);
    setting->value = g_strdup(value);
}

static bool G_GNUC_PRINTF(2, 3) refuse(GError **error, const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list args;

    va_start(args, format);
    why = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "the policy's XML is refused: %s",
                why);
    return false;
}

/* True if @node has no attributes but those of @allowed. */
static bool
check_attributes(const xmlNode *node, const char *const *allowed, GError **error)
{
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        if (!g_strv_contains(allowed, (const char *)a->name)) {
            return refuse(error, "<%s> has an attribute '%s'", node->name, a->name);
        }
    }
    return true;
}

static bool
is_blank(const xmlNode *node)
{
    return node->type == XML_COMMENT_NODE ||
           (node->type == XML_TEXT_NODE && xmlIsBlankNode(node));
}

static bool
add_setting(FsnPolicyXml *policy, const xmlNode *node, GError **error)
{
    static const char *const allowed[] = { "key", "value", NULL };
    g_autofree char *key = NULL;
    g_autofree char *value = NULL;

    if (node->type != XML_ELEMENT_NODE) {
        return refuse(error, "there is text in it");
    }
    if (strcmp((const char *)node->name, "set") != 0) {
        return refuse(error, "there is a <%s>, and only <set> has a meaning", node->name);
    }
    if (!check_attributes(node, allowed, error)) {
        return false;
    }
    key = fsn_node_attribute(node, "key");
    value = fsn_node_attribute(node, "value");
    if (!key || !value || node->children) {
        return refuse(error, "a <set> needs a key and a value, and nothing else");
    }
    if (find(policy, key)) {
        return refuse(error, "the key '%s' is there twice", key);
    }
    if (policy->settings->len >= MAX_SETTINGS) {
        return refuse(error, "there are more than %d settings", MAX_SETTINGS);
    }
    fsn_policy_xml_set(policy, key, value);
    return true;
}

bool
fsn_policy_xml_parse(const char *xml, FsnPolicyXml **out_policy, GError **error)
{
    static const char *const allowed[] = { "profile", NULL };
    g_autoptr(FsnPolicyXml) policy = fsn_policy_xml_new();
    g_autoptr(xmlDoc) document = NULL;
    const xmlNode *root;

    if (!fsn_document_parse(xml, "policy", "the policy's XML", &document, error)) {
        return false;
    }
    root = xmlDocGetRootElement(document);
    if (!check_attributes(root, allowed, error)) {
        return false;
    }
    policy->profile = fsn_node_attribute(root, "profile");
    for (const xmlNode *node = root->children; node; node = node->next) {
        if (!is_blank(node) && !add_setting(policy, node, error)) {
            return false;
        }
    }
    *out_policy = g_steal_pointer(&policy);
    return true;
}

char *
fsn_policy_xml_text(const FsnPolicyXml *policy)
{
    GString *text = g_string_new("<policy");

    if (policy->profile) {
        g_autofree char *attribute =
            g_markup_printf_escaped(" profile=\"%s\"", policy->profile);

        g_string_append(text, attribute);
    }
    g_string_append(text, ">");
    for (guint i = 0; i < policy->settings->len; i++) {
        const FsnPolicySetting *setting = policy->settings->pdata[i];
        g_autofree char *element = g_markup_printf_escaped(
            "<set key=\"%s\" value=\"%s\"/>", setting->key, setting->value);

        g_string_append(text, element);
    }
    g_string_append(text, "</policy>");
    return g_string_free(text, FALSE);
}
