/* SPDX-License-Identifier: GPL-2.0-or-later */
/* domxml/policy.c: what is read, what is refused, and that it is read as it was written. */
#include "config.h"

#include "base/error.h"
#include "domxml/policy.h"

#include <string.h>

static void
test_read(void)
{
    static const char xml[] =
        "<?xml version='1.0'?>\n<f:policy xmlns:f='urn:foresnap:policy:1' "
        "profile='standard'>\n <!-- why -->\n <f:set key='disk.base' value='raw'/>"
        "<set key='a' value='&lt;&quot;'></set></f:policy>";
    g_autoptr(FsnPolicyXml) policy = NULL;
    g_autoptr(GError) error = NULL;
    const FsnPolicySetting *setting;

    g_assert_true(fsn_policy_xml_parse(xml, &policy, &error));
    g_assert_cmpstr(policy->profile, ==, "standard");
    g_assert_cmpuint(policy->settings->len, ==, 2);
    setting = policy->settings->pdata[1];
    g_assert_cmpstr(setting->key, ==, "a");
    g_assert_cmpstr(setting->value, ==, "<\"");
}

static void
test_refused(void)
{
    static const struct {
        const char *xml;
        const char *why;
    } cases[] = {
        { "", "refused" },
        { "<policy", "refused" },
        { "<domain/>", "root is not <policy>" },
        { "<!DOCTYPE policy [<!ENTITY e 'x'>]><policy profile='&e;'/>", "document type" },
        { "<policy name='x'/>", "attribute 'name'" },
        { "<policy>disk.base=raw</policy>", "text in it" },
        { "<policy><![CDATA[ ]]></policy>", "text in it" },
        { "<policy><get key='a' value='b'/></policy>", "a <get>" },
        { "<policy><set key='a'/></policy>", "needs a key and a value" },
        { "<policy><set value='a'/></policy>", "needs a key and a value" },
        { "<policy><set key='a' value='b'>c</set></policy>", "nothing else" },
        { "<policy><set key='a' value='b' x='c'/></policy>", "attribute 'x'" },
        { "<policy><set key='a' value='b'/><set key='a' value='b'/></policy>", "twice" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FsnPolicyXml) policy = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_policy_xml_parse(cases[i].xml, &policy, &error));
        g_test_message("%s", error->message);
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_nonnull(strstr(error->message, cases[i].why));
    }
}

static void
test_many(void)
{
    g_autoptr(FsnPolicyXml) policy = fsn_policy_xml_new();
    g_autoptr(FsnPolicyXml) again = NULL;
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < 257; i++) {
        g_autofree char *key = g_strdup_printf("k%u", i);
        g_autofree char *text = NULL;

        fsn_policy_xml_set(policy, key, "v");
        text = fsn_policy_xml_text(policy);
        g_clear_pointer(&again, fsn_policy_xml_free);
        g_assert_true(fsn_policy_xml_parse(text, &again, &error) == (i < 256));
    }
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

static void
test_write(void)
{
    g_autoptr(FsnPolicyXml) policy = fsn_policy_xml_new();
    g_autoptr(FsnPolicyXml) again = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    policy->profile = g_strdup("a&b");
    fsn_policy_xml_set(policy, "x", "1");
    fsn_policy_xml_set(policy, "partition.exclude", "size:<1M; label:\"'>&");
    fsn_policy_xml_set(policy, "x", NULL);
    fsn_policy_xml_set(policy, "y", NULL);
    text = fsn_policy_xml_text(policy);
    g_assert_true(fsn_policy_xml_parse(text, &again, &error));
    g_assert_cmpstr(again->profile, ==, "a&b");
    g_assert_cmpuint(again->settings->len, ==, 1);
    g_assert_cmpstr(((FsnPolicySetting *)again->settings->pdata[0])->value, ==,
                    "size:<1M; label:\"'>&");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy-xml/read", test_read);
    g_test_add_func("/policy-xml/refused", test_refused);
    g_test_add_func("/policy-xml/many", test_many);
    g_test_add_func("/policy-xml/write", test_write);
    return g_test_run();
}
