/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/domxml/edit.c: edits change what they name and nothing else. */
#include "config.h"

#include "base/error.h"
#include "domxml/edit.h"

static void
test_rename(void)
{
    g_autofree char *text = NULL;
    g_autofree char *same = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_domain_xml_rename(
        "<domain a=\"1\"><name>old</name><uuid>u</uuid><x:keep xmlns:x=\"urn:x\"/></domain>",
        "a<b>&c;", NULL, &text, NULL));
    g_assert_cmpstr(text, ==,
                    "<domain a=\"1\"><name>a&lt;b&gt;&amp;c;</name><uuid>u</uuid>"
                    "<x:keep xmlns:x=\"urn:x\"/></domain>");
    g_assert_true(
        fsn_domain_xml_rename("<domain><uuid>u</uuid></domain>", NULL, "v", &same, NULL));
    g_assert_cmpstr(same, ==, "<domain><uuid>v</uuid></domain>");
    g_assert_false(fsn_domain_xml_rename("<domain/>", "n", NULL, &text, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

static void
test_emulator(void)
{
    g_autofree char *changed = NULL;
    g_autofree char *added = NULL;

    g_assert_true(fsn_domain_xml_set_emulator(
        "<domain><devices><emulator>/q</emulator></devices></domain>", "/it's 'n' & off",
        &changed, NULL));
    g_assert_cmpstr(changed, ==,
                    "<domain><devices><emulator>/it's 'n' &amp; off</emulator></devices>"
                    "</domain>");
    g_assert_true(
        fsn_domain_xml_set_emulator("<domain><devices/></domain>", "/q", &added, NULL));
    g_assert_cmpstr(added, ==,
                    "<domain><devices><emulator>/q</emulator></devices></domain>");
    g_assert_false(fsn_domain_xml_set_emulator("<domain/>", "/q", &added, NULL));
}

static void
test_cpu(void)
{
    g_autofree char *changed = NULL;
    g_autofree char *added = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_domain_xml_set_cpu(
        "<domain><cpu mode=\"host-model\"><model>old</model></cpu><devices/></domain>",
        "<cpu mode='custom'><feature name='x'/></cpu>", &changed, NULL));
    g_assert_cmpstr(changed, ==,
                    "<domain><cpu mode=\"custom\"><feature name=\"x\"/></cpu><devices/>"
                    "</domain>");
    g_assert_true(fsn_domain_xml_set_cpu("<domain><name>n</name></domain>", "<cpu/>",
                                         &added, NULL));
    g_assert_cmpstr(added, ==, "<domain><name>n</name><cpu/></domain>");
    g_assert_false(fsn_domain_xml_set_cpu("<domain/>", "<cpu/><cpu/>", &added, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

/* What was added is taken out again, arguments of the user stay. */
static void
test_arguments(void)
{
    static const char *const ours[] = { "-incoming", "defer", NULL };
    static const char *const none[] = { NULL };
    static const char *const cases[] = {
        "<domain><name>n</name></domain>",
        "<domain xmlns:qemu=\"http://libvirt.org/schemas/domain/qemu/1.0\">"
        "<qemu:commandline><qemu:arg value=\"-S\"/></qemu:commandline></domain>",
        "<domain xmlns:q=\"http://libvirt.org/schemas/domain/qemu/1.0\">"
        "<q:commandline><q:arg value=\"-incoming\"/><q:arg value=\"x\"/>"
        "<q:env name=\"A\"/></q:commandline></domain>",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *added = NULL;
        g_autofree char *dropped = NULL;
        g_autofree char *again = NULL;
        g_autofree char *same = NULL;

        g_assert_true(fsn_domain_xml_add_arguments(cases[i], ours, &added, NULL));
        g_assert_nonnull(strstr(added, "arg value=\"-incoming\"/>"));
        g_assert_nonnull(strstr(added, "arg value=\"defer\"/>"));
        g_assert_true(fsn_domain_xml_drop_arguments(added, ours, &dropped, NULL));
        g_assert_null(strstr(dropped, "defer"));
        g_assert_true(fsn_domain_xml_drop_arguments(dropped, ours, &again, NULL));
        g_assert_cmpstr(again, ==, dropped);
        if (i > 0) {
            g_assert_cmpstr(dropped, ==, cases[i]);
        }
        g_assert_true(fsn_domain_xml_drop_arguments(cases[i], none, &same, NULL));
        g_assert_cmpstr(same, ==, cases[i]);
    }
}

static void
test_one_element(void)
{
    g_autofree char *text = NULL;

    g_assert_true(
        fsn_xml_one_element(" <cpu a='1'><b/></cpu> <!-- c -->", "cpu", &text, NULL));
    g_assert_cmpstr(text, ==, "<cpu a=\"1\"><b/></cpu>");
    g_assert_false(fsn_xml_one_element("<cpu/><cpu/>", "cpu", &text, NULL));
    g_assert_false(fsn_xml_one_element("<domain/>", "cpu", &text, NULL));
    g_assert_false(fsn_xml_one_element("<!DOCTYPE cpu><cpu/>", "cpu", &text, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-edit/rename", test_rename);
    g_test_add_func("/domain-edit/emulator", test_emulator);
    g_test_add_func("/domain-edit/cpu", test_cpu);
    g_test_add_func("/domain-edit/arguments", test_arguments);
    g_test_add_func("/domain-edit/one-element", test_one_element);
    return g_test_run();
}
