/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns a command into text, a reply into a value or an error. It knows no command and no
 * transport, keeps nothing between commands but the time limit, and does not retry: after
 * a time-out it is the caller who knows whether asking again is safe.
 */
#include "config.h"

#include "qmp/session.h"

#include "base/error.h"
#include "base/json.h"
#include "qmp/framing.h"

struct FsnQmp {
    FsnQmpTransport *transport;
    int64_t timeout_us;
};

FsnQmp *
fsn_qmp_new(FsnQmpTransport *transport)
{
    FsnQmp *qmp = g_new0(FsnQmp, 1);

    qmp->transport = transport;
    qmp->timeout_us = FSN_QMP_DEFAULT_TIMEOUT_US;
    return qmp;
}

void
fsn_qmp_free(FsnQmp *qmp)
{
    if (!qmp) {
        return;
    }
    fsn_qmp_transport_free(qmp->transport);
    g_free(qmp);
}

void
fsn_qmp_set_timeout(FsnQmp *qmp, int64_t timeout_us)
{
    qmp->timeout_us = timeout_us;
}

int64_t
fsn_qmp_get_timeout(FsnQmp *qmp)
{
    return qmp->timeout_us;
}

static char *
build_command(const char *name, JsonObject *arguments)
{
    g_autoptr(JsonObject) command = json_object_new();

    json_object_set_string_member(command, "execute", name);
    if (arguments) {
        json_object_set_object_member(command, "arguments", json_object_ref(arguments));
    }
    return fsn_json_to_text(command, false);
}

/* Always false. */
static bool
set_qemu_error(JsonObject *failure, GError **error)
{
    const char *class = fsn_json_peek_string(failure, "class", "GenericError");
    const char *text = fsn_json_peek_string(failure, "desc", class);
    bool unknown = g_str_equal(class, "CommandNotFound");

    g_set_error(error, FSN_ERROR, unknown ? FSN_ERROR_UNSUPPORTED : FSN_ERROR_FAILED,
                "QEMU: %s", text);
    return false;
}

static bool
read_reply(const char *name, const char *text, JsonNode **out_return, GError **error)
{
    g_autofree char *what = g_strdup_printf("QMP: the reply to '%s'", name);
    g_autoptr(JsonObject) reply = NULL;
    JsonObject *failure;
    JsonNode *value;

    if (!fsn_json_parse_object(text, strlen(text), FSN_QMP_MAX_MESSAGE, what, &reply,
                               error)) {
        return false;
    }
    if (json_object_has_member(reply, "error")) {
        if (!fsn_json_get_object(reply, "error", &failure, error)) {
            g_prefix_error(error, "%s: ", what);
            return false;
        }
        return set_qemu_error(failure, error);
    }
    value = json_object_get_member(reply, "return");
    if (!value) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "%s has neither 'return' nor 'error'", what);
        return false;
    }
    if (out_return) {
        *out_return = json_node_copy(value);
    }
    return true;
}

bool
fsn_qmp_execute_full(FsnQmp *qmp,
                     const char *name,
                     JsonObject *arguments,
                     const int *fds,
                     size_t n_fds,
                     int64_t timeout_us,
                     JsonNode **out_return,
                     GError **error)
{
    g_autofree char *command = build_command(name, arguments);
    g_autofree char *reply = NULL;

    if (!qmp->transport->ops->execute(qmp->transport, command, fds, n_fds, timeout_us,
                                      &reply, error)) {
        g_prefix_error(error, "QMP command '%s': ", name);
        return false;
    }
    return read_reply(name, reply, out_return, error);
}

bool
fsn_qmp_execute(FsnQmp *qmp,
                const char *name,
                JsonObject *arguments,
                JsonNode **out_return,
                GError **error)
{
    return fsn_qmp_execute_full(qmp, name, arguments, NULL, 0, qmp->timeout_us,
                                out_return, error);
}

bool
fsn_qmp_execute_object(FsnQmp *qmp,
                       const char *name,
                       JsonObject *arguments,
                       JsonObject **out_return,
                       GError **error)
{
    g_autoptr(JsonNode) value = NULL;

    if (!fsn_qmp_execute(qmp, name, arguments, &value, error)) {
        return false;
    }
    if (!JSON_NODE_HOLDS_OBJECT(value)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "QMP command '%s': the value returned is not an object", name);
        return false;
    }
    *out_return = json_node_dup_object(value);
    return true;
}
