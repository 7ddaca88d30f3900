/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run state, version, identity and descriptors: each function is one QMP command, its arguments
 * and its result typed. Nothing is cached and nothing is decided here.
 */
#include "config.h"

#include "qmp/commands-status.h"

#include "base/json.h"

bool
fsn_qmp_query_status(FsnQmp *qmp, bool *out_running, char **out_status, GError **error)
{
    g_autoptr(JsonObject) value = NULL;
    const char *status;

    if (!fsn_qmp_execute_object(qmp, "query-status", NULL, &value, error) ||
        !fsn_json_get_string(value, "status", &status, error)) {
        return false;
    }
    if (out_running) {
        *out_running = fsn_json_peek_bool(value, "running", false);
    }
    if (out_status) {
        *out_status = g_strdup(status);
    }
    return true;
}

bool
fsn_qmp_stop(FsnQmp *qmp, GError **error)
{
    return fsn_qmp_execute(qmp, "stop", NULL, NULL, error);
}

bool
fsn_qmp_cont(FsnQmp *qmp, GError **error)
{
    return fsn_qmp_execute(qmp, "cont", NULL, NULL, error);
}

void
fsn_qmp_version_clear(FsnQmpVersion *version)
{
    g_clear_pointer(&version->package, g_free);
}

bool
fsn_qmp_query_version(FsnQmp *qmp, FsnQmpVersion *out_version, GError **error)
{
    g_autoptr(JsonObject) value = NULL;
    JsonObject *numbers;
    int64_t major, minor, micro;

    if (!fsn_qmp_execute_object(qmp, "query-version", NULL, &value, error) ||
        !fsn_json_get_object(value, "qemu", &numbers, error) ||
        !fsn_json_get_int(numbers, "major", 0, G_MAXINT, &major, error) ||
        !fsn_json_get_int(numbers, "minor", 0, G_MAXINT, &minor, error) ||
        !fsn_json_get_int(numbers, "micro", 0, G_MAXINT, &micro, error)) {
        return false;
    }
    out_version->major = (int)major;
    out_version->minor = (int)minor;
    out_version->micro = (int)micro;
    out_version->package = g_strdup(fsn_json_peek_string(value, "package", ""));
    return true;
}

bool
fsn_qmp_query_name(FsnQmp *qmp, char **out_name, GError **error)
{
    g_autoptr(JsonObject) value = NULL;

    if (!fsn_qmp_execute_object(qmp, "query-name", NULL, &value, error)) {
        return false;
    }
    *out_name = g_strdup(fsn_json_peek_string(value, "name", NULL));
    return true;
}

bool
fsn_qmp_query_uuid(FsnQmp *qmp, char **out_uuid, GError **error)
{
    g_autoptr(JsonObject) value = NULL;
    const char *uuid;

    if (!fsn_qmp_execute_object(qmp, "query-uuid", NULL, &value, error) ||
        !fsn_json_get_string(value, "UUID", &uuid, error)) {
        return false;
    }
    *out_uuid = g_strdup(uuid);
    return true;
}

static JsonObject *
fd_arguments(const char *name)
{
    JsonObject *arguments = json_object_new();

    json_object_set_string_member(arguments, "fdname", name);
    return arguments;
}

bool
fsn_qmp_getfd(FsnQmp *qmp, const char *name, int fd, GError **error)
{
    g_autoptr(JsonObject) arguments = fd_arguments(name);

    return fsn_qmp_execute_full(qmp, "getfd", arguments, &fd, 1, fsn_qmp_get_timeout(qmp),
                                NULL, error);
}

bool
fsn_qmp_closefd(FsnQmp *qmp, const char *name, GError **error)
{
    g_autoptr(JsonObject) arguments = fd_arguments(name);

    return fsn_qmp_execute(qmp, "closefd", arguments, NULL, error);
}
