/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What jobs there are, and which options each has: two tables and their reader. Pure. */
#include "config.h"

#include "api/job-arguments.h"

#include "base/error.h"

#include <string.h>

#define TEXT_MAX 255

static const FsnJobKind kinds[] = {
    { "suspend", "suspend", FSN_JOB_OF_DOMAIN, FSN_SCOPE_OPERATE },
    { "prepare", "prepare", FSN_JOB_OF_DOMAIN, FSN_SCOPE_OPERATE },
    { "resume", "resume", FSN_JOB_OF_EITHER, FSN_SCOPE_OPERATE },
    { "snapshot", "snapshot", FSN_JOB_OF_DOMAIN, FSN_SCOPE_OPERATE },
    { "restore", "restore", FSN_JOB_OF_SNAPSHOT, FSN_SCOPE_OPERATE },
    { "prefetch", "prefetch", FSN_JOB_OF_EITHER, FSN_SCOPE_OPERATE },
    { "discard", "discard", FSN_JOB_OF_DOMAIN, FSN_SCOPE_ADMIN },
    { "delete", "delete", FSN_JOB_OF_SNAPSHOT, FSN_SCOPE_ADMIN },
    { "verify", "verify", FSN_JOB_OF_SNAPSHOT, FSN_SCOPE_OPERATE },
    { "gc", "gc", FSN_JOB_OF_ALL, FSN_SCOPE_ADMIN },
};

typedef enum { SWITCH, TEXT, NUMBER } Type;

static const struct {
    const char *operation;
    const char *member;
    Type type;
    const char *option;
    int64_t max; /* of numbers, which begin at 0 */
} options[] = {
    { "suspend", "ahead_s", NUMBER, "--ahead", 3600 },
    { "suspend", "paused", SWITCH, "--paused", 0 },
    { "prepare", "abort", SWITCH, "--abort", 0 },
    { "resume", "mode", TEXT, "--mode", 0 },
    { "resume", "paused", SWITCH, "--paused", 0 },
    { "resume", "wait", SWITCH, "--wait", 0 },
    { "resume", "no_resize", SWITCH, "--no-resize", 0 },
    { "snapshot", "name", TEXT, "--name", 0 },
    { "snapshot", "profile", TEXT, "--profile", 0 },
    { "snapshot", "quiesce", TEXT, "--quiesce", 0 },
    { "snapshot", "no_memory", SWITCH, "--no-memory", 0 },
    { "snapshot", "stop", SWITCH, "--stop", 0 },
    { "snapshot", "bandwidth", NUMBER, "--bandwidth", G_MAXINT64 },
    { "snapshot", "max_pause_ms", NUMBER, "--max-pause", 3600000 },
    { "restore", "as", TEXT, "--as", 0 },
    { "restore", "disks_only", SWITCH, "--disks-only", 0 },
    { "restore", "lazy", SWITCH, "--lazy", 0 },
    { "restore", "paused", SWITCH, "--paused", 0 },
    { "restore", "start", SWITCH, "--start", 0 },
    { "verify", "read_data", SWITCH, "--read-data", 0 },
    { "prefetch", "all", SWITCH, "--all", 0 },
};

const FsnJobKind *
fsn_api_job_kind(const char *operation)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].operation, operation) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

const FsnJobKind *
fsn_api_job_kinds(size_t *out_n)
{
    *out_n = G_N_ELEMENTS(kinds);
    return kinds;
}

static bool
wrong(const char *member, const char *what, GError **error)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'%s' %s", member, what);
    return false;
}

static bool
add_text(GPtrArray *arguments, size_t i, JsonNode *node, GError **error)
{
    const char *text = json_node_get_string(node);

    if (!text || !*text || strlen(text) > TEXT_MAX) {
        return wrong(options[i].member, "must be a text of 1 to 255 bytes", error);
    }
    for (const char *p = text; *p; p++) {
        if (g_ascii_iscntrl(*p)) {
            return wrong(options[i].member, "has control characters", error);
        }
    }
    g_ptr_array_add(arguments, g_strdup_printf("%s=%s", options[i].option, text));
    return true;
}

static bool
add_option(GPtrArray *arguments, size_t i, JsonNode *node, GError **error)
{
    GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : 0;
    int64_t number;

    switch (options[i].type) {
    case SWITCH:
        if (type != G_TYPE_BOOLEAN) {
            return wrong(options[i].member, "must be true or false", error);
        }
        if (json_node_get_boolean(node)) {
            g_ptr_array_add(arguments, g_strdup(options[i].option));
        }
        return true;
    case TEXT:
        return type == G_TYPE_STRING ? add_text(arguments, i, node, error)
                                     : wrong(options[i].member, "must be a text", error);
    case NUMBER:
        number = type == G_TYPE_INT64 ? json_node_get_int(node) : -1;
        if (number < 0 || number > options[i].max) {
            return wrong(options[i].member, "must be a number that makes sense", error);
        }
        g_ptr_array_add(arguments, g_strdup_printf("%s=%" G_GINT64_FORMAT,
                                                   options[i].option, number));
        break;
    }
    return true;
}

static bool
add_member(GPtrArray *arguments,
           const FsnJobKind *kind,
           const char *member,
           JsonNode *node,
           GError **error)
{
    if (strcmp(member, "operation") == 0 || strcmp(member, "domain") == 0 ||
        strcmp(member, "snapshot") == 0) {
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        if (strcmp(options[i].operation, kind->operation) == 0 &&
            strcmp(options[i].member, member) == 0) {
            return add_option(arguments, i, node, error);
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'%s' has no member '%s'",
                kind->operation, member);
    return false;
}

char **
fsn_api_job_arguments(const FsnJobKind *kind,
                      const char *object,
                      JsonObject *body,
                      GError **error)
{
    g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GList) members = json_object_get_members(body);

    g_ptr_array_add(arguments, g_strdup(kind->command));
    for (GList *member = members; member; member = member->next) {
        if (!add_member(arguments, kind, member->data,
                        json_object_get_member(body, member->data), error)) {
            return NULL;
        }
    }
    if (object) {
        g_ptr_array_add(arguments, g_strdup("--"));
        g_ptr_array_add(arguments, g_strdup(object));
    }
    g_ptr_array_add(arguments, NULL);
    return (char **)g_ptr_array_steal(arguments, NULL);
}
