/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/session.c: commands become text, replies become values or the right error. */
#include "config.h"

#include "base/error.h"
#include "qmp-script.h"
#include "qmp/session.h"

static void
assert_fails(const char *reply, FsnError code, const char *message)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(test_script_new(reply, NULL));
    g_autoptr(GError) error = NULL;
    JsonNode *value = NULL;

    g_assert_false(fsn_qmp_execute(qmp, "foo", NULL, &value, &error));
    g_assert_error(error, FSN_ERROR, (int)code);
    g_assert_null(value);
    if (message) {
        g_assert_cmpstr(error->message, ==, message);
    }
}

static void
test_replies(void)
{
    assert_fails("{\"error\":{\"class\":\"GenericError\",\"desc\":\"no room\"}}",
                 FSN_ERROR_FAILED, "QEMU: no room");
    assert_fails("{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"what?\"}}",
                 FSN_ERROR_UNSUPPORTED, "QEMU: what?");
    assert_fails("{\"error\":{\"class\":\"X%n\"}}", FSN_ERROR_FAILED, "QEMU: X%n");
    assert_fails(NULL, FSN_ERROR_TIMEOUT, "QMP command 'foo': no reply");
}

static void
test_malformed_replies(void)
{
    assert_fails("", FSN_ERROR_FORMAT, NULL);
    assert_fails("{", FSN_ERROR_FORMAT, NULL);
    assert_fails("[]", FSN_ERROR_FORMAT, NULL);
    assert_fails("{\"returns\":{}}", FSN_ERROR_FORMAT,
                 "QMP: the reply to 'foo' has neither 'return' nor 'error'");
    assert_fails("{\"error\":\"text\"}", FSN_ERROR_FORMAT, NULL);
    assert_fails("{\"error\":null}", FSN_ERROR_FORMAT, NULL);
    assert_fails("{\"return\":\"\xff\"}", FSN_ERROR_FORMAT, NULL);
}

static void
test_command_text(void)
{
    g_autoptr(GPtrArray) commands = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(test_script_new("{\"return\":{}}", commands));
    g_autoptr(JsonObject) arguments = json_object_new();

    json_object_set_string_member(arguments, "a", "line\n\"quote\"");
    g_assert_true(fsn_qmp_execute(qmp, "stop", NULL, NULL, NULL));
    g_assert_true(fsn_qmp_execute(qmp, "foo", arguments, NULL, NULL));
    g_assert_cmpuint(commands->len, ==, 2);
    g_assert_cmpstr(commands->pdata[0], ==, "{\"execute\":\"stop\"}");
    g_assert_cmpstr(
        commands->pdata[1], ==,
        "{\"execute\":\"foo\",\"arguments\":{\"a\":\"line\\n\\\"quote\\\"\"}}");
    /* Still the caller's, and unchanged. */
    g_assert_cmpstr(json_object_get_string_member(arguments, "a"), ==, "line\n\"quote\"");
}

static void
test_values(void)
{
    g_autoptr(FsnQmp) number = fsn_qmp_new(test_script_new("{\"return\":7}", NULL));
    g_autoptr(FsnQmp) object =
        fsn_qmp_new(test_script_new("{\"return\":{\"x\":1}}", NULL));
    g_autoptr(JsonNode) value = NULL;
    g_autoptr(JsonObject) members = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_qmp_execute(number, "foo", NULL, &value, NULL));
    g_assert_cmpint(json_node_get_int(value), ==, 7);
    g_assert_false(fsn_qmp_execute_object(number, "foo", NULL, &members, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    g_assert_null(members);
    g_assert_true(fsn_qmp_execute_object(object, "foo", NULL, &members, NULL));
    g_assert_cmpint(json_object_get_int_member(members, "x"), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmp/session/replies", test_replies);
    g_test_add_func("/qmp/session/malformed-replies", test_malformed_replies);
    g_test_add_func("/qmp/session/command-text", test_command_text);
    g_test_add_func("/qmp/session/values", test_values);
    return g_test_run();
}
