/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/domxml/dependencies.c: what a domain names is found, once and in order; two definitions
 * are compared without what changes by itself. */
#include "config.h"

#include "base/error.h"
#include "domxml/dependencies.h"

#include <string.h>

static char *
joined(GPtrArray *strings)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < strings->len; i++) {
        g_string_append_printf(text, "%s%s", i ? "," : "", (char *)strings->pdata[i]);
    }
    return g_string_free(text, FALSE);
}

static void
expect(GPtrArray *strings, const char *want)
{
    g_autofree char *text = joined(strings);

    g_assert_cmpstr(text, ==, want);
}

static void
test_find(void)
{
    static const char xml[] =
        "<domain><devices>"
        "<interface type='network'><source network='a'/><target dev='vnet0'/>"
        "<filterref filter='f'><parameter name='IP' value='x'/></filterref></interface>"
        "<interface type='network'><source network='b'/><target dev='vnet1'/></interface>"
        "<interface type='network'><source network='a'/></interface>"
        "<interface type='bridge'><source bridge='br0'/><filterref filter='g'/></interface>"
        "<disk type='volume'><source pool='p' volume='v'/></disk>"
        "<disk type='file'><source file='/srv/one/a.qcow2'/></disk>"
        "<disk type='file'><source file='/srv/one/b.qcow2'/></disk>"
        "<disk type='file' device='cdrom'/>"
        "</devices></domain>";
    g_auto(FsnDependencies) d = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_dependencies_find(xml, &d, &error));
    g_assert_no_error(error);
    expect(d.names[FSN_DEPENDENCY_NETWORK], "a,b");
    expect(d.names[FSN_DEPENDENCY_FILTER], "f,g");
    expect(d.names[FSN_DEPENDENCY_POOL], "p");
    expect(d.folders, "/srv/one");
    expect(d.ports, "vnet0,vnet1");
}

static void
test_bounded(void)
{
    GString *xml = g_string_new("<domain><devices>");
    g_auto(FsnDependencies) d = { 0 };
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 1000; i++) {
        g_string_append_printf(
            xml, "<interface type='network'><source network='n%d'/></interface>", i);
    }
    g_string_append(xml, "</devices></domain>");
    g_assert_true(fsn_dependencies_find(xml->str, &d, &error));
    g_assert_cmpuint(d.names[FSN_DEPENDENCY_NETWORK]->len, ==, FSN_DEPENDENCIES_MAX);
    g_string_free(xml, TRUE);
}

static void
test_refused(void)
{
    g_auto(FsnDependencies) d = { 0 };
    g_autoptr(GError) error = NULL;

    g_assert_false(fsn_dependencies_find("<network/>", &d, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_clear_error(&error);
    g_assert_false(fsn_dependency_check(FSN_DEPENDENCY_POOL, "p", "<pool/>", &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

static void
compare(FsnDependencyKind kind, const char *here, const char *was, const char *want)
{
    g_autoptr(GPtrArray) lines = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_dependency_compare(kind, here, was, &lines, &error));
    g_assert_no_error(error);
    expect(lines, want);
}

static void
test_compare(void)
{
    compare(FSN_DEPENDENCY_POOL,
            "<pool>\n  <name>p</name>\n  <capacity unit='bytes'>9</capacity>\n</pool>",
            "<pool>\n<name>p</name>\n<available>1</available>\n</pool>", "");
    compare(FSN_DEPENDENCY_NETWORK, "<network connections='2'>\n<a/>\n</network>",
            "<network>\n<a/>\n</network>", "");
    compare(FSN_DEPENDENCY_NETWORK, "<network>\n<a/>\n<b/>\n<a/>\n</network>",
            "<network>\n<a/>\n<c/>\n</network>", "-<c/>,+<b/>,+<a/>");
    compare(FSN_DEPENDENCY_FILTER, "<filter name='a'/>", "<filter name='b'/>",
            "-<filter name=\"b\"/>,+<filter name=\"a\"/>");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dependencies/find", test_find);
    g_test_add_func("/dependencies/bounded", test_bounded);
    g_test_add_func("/dependencies/refused", test_refused);
    g_test_add_func("/dependencies/compare", test_compare);
    return g_test_run();
}
