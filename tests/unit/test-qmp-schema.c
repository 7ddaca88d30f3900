/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/schema.c: finds what a real QEMU has, and nothing in a schema that is not one. */
#include "config.h"

#include "base/error.h"
#include "qemu-process.h"
#include "qmp/schema.h"

static FsnQmpSchema *
schema_of(const char *text, GError **error)
{
    g_autoptr(JsonNode) value = json_from_string(text, NULL);
    FsnQmpSchema *schema = NULL;

    g_assert_nonnull(value);
    g_assert_cmpint(fsn_qmp_schema_new(value, &schema, error), ==, schema != NULL);
    return schema;
}

static void
test_refused(void)
{
    const char *bad[] = {
        "{}", "5", "[5]", "[{}]", "[{\"name\":1}]", "[{\"name\":\"a\"},{\"name\":\"a\"}]"
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(schema_of(bad[i], &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

/* Whatever is missing or of another kind on the way to the capabilities: not there. */
static void
test_broken_walk(void)
{
    const char *command = "{\"name\":\"migrate-set-capabilities\","
                          "\"meta-type\":\"command\",\"arg-type\":\"1\"}";
    const char *rest[] = {
        "",
        ",{\"name\":\"1\"}",
        ",{\"name\":\"1\",\"meta-type\":\"object\",\"members\":[5]}",
        ",{\"name\":\"1\",\"meta-type\":\"object\",\"members\":"
        "[{\"name\":\"capabilities\",\"type\":\"1\"}]}",
        ",{\"name\":\"1\",\"meta-type\":\"object\",\"members\":"
        "[{\"name\":\"capabilities\",\"type\":\"2\"}]},"
        "{\"name\":\"2\",\"meta-type\":\"array\",\"element-type\":\"2\"}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rest); i++) {
        g_autofree char *text = g_strdup_printf("[%s%s]", command, rest[i]);
        g_autoptr(FsnQmpSchema) schema = schema_of(text, NULL);

        g_assert_true(fsn_qmp_schema_has_command(schema, "migrate-set-capabilities"));
        g_assert_false(fsn_qmp_schema_has_capability(schema, "capabilities"));
    }
}

/* Enumerations have "members" and "values", or in older releases only the latter. */
static void
test_enum_forms(void)
{
    const char *forms[] = { "\"members\":[{\"name\":\"x\"}]", "\"values\":[1,\"x\"]" };

    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autofree char *text = g_strdup_printf(
            "[{\"name\":\"migrate-set-capabilities\",\"meta-type\":\"command\","
            "\"arg-type\":\"1\"},"
            "{\"name\":\"1\",\"meta-type\":\"object\",\"members\":"
            "[{\"name\":\"capabilities\",\"type\":\"[2]\"}]},"
            "{\"name\":\"[2]\",\"meta-type\":\"array\",\"element-type\":\"2\"},"
            "{\"name\":\"2\",\"meta-type\":\"object\",\"members\":"
            "[{\"name\":\"capability\",\"type\":\"3\"}]},"
            "{\"name\":\"3\",\"meta-type\":\"enum\",%s}]",
            forms[i]);
        g_autoptr(FsnQmpSchema) schema = schema_of(text, NULL);

        g_assert_true(fsn_qmp_schema_has_capability(schema, "x"));
        g_assert_false(fsn_qmp_schema_has_capability(schema, "y"));
    }
}

static void
test_real(void)
{
    g_autoptr(TestQemu) qemu =
        test_qemu_new((const char *[]){ "-machine", "none", NULL });
    g_autoptr(FsnQmp) qmp = NULL;
    g_autoptr(FsnQmpSchema) schema = NULL;
    g_autoptr(GError) error = NULL;
    const char *present[] = { "background-snapshot", "postcopy-ram", "return-path" };
    bool ok;

    if (!qemu) {
        return;
    }
    qmp = test_qemu_session(qemu);
    ok = fsn_qmp_schema_query(qmp, &schema, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    for (size_t i = 0; i < G_N_ELEMENTS(present); i++) {
        g_assert_true(fsn_qmp_schema_has_capability(schema, present[i]));
    }
    g_assert_false(fsn_qmp_schema_has_capability(schema, "nonsense"));
    g_assert_false(fsn_qmp_schema_has_capability(schema, "migrate"));
    g_assert_true(fsn_qmp_schema_has_command(schema, "migrate"));
    g_assert_false(fsn_qmp_schema_has_command(schema, "nonsense"));
    /* A name of another kind of entry is not one of this kind. */
    g_assert_false(fsn_qmp_schema_has_command(schema, "MIGRATION"));
    g_assert_true(fsn_qmp_schema_has_event(schema, "MIGRATION"));
    g_assert_false(fsn_qmp_schema_has_event(schema, "migrate"));
    g_assert_true(fsn_qmp_schema_has_argument(schema, "migrate", "uri"));
    g_assert_false(fsn_qmp_schema_has_argument(schema, "migrate", "nonsense"));
    g_assert_false(fsn_qmp_schema_has_argument(schema, "nonsense", "uri"));
    g_assert_true(
        fsn_qmp_schema_has_argument(schema, "migrate-set-parameters", "max-bandwidth"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/schema/refused", test_refused);
    g_test_add_func("/qmp/schema/broken-walk", test_broken_walk);
    g_test_add_func("/qmp/schema/enum-forms", test_enum_forms);
    g_test_add_func("/qmp/schema/real", test_real);
    return g_test_run();
}
