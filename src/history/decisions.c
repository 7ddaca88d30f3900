/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decisions on disk: JSON {"version", "decisions": [{"time_us", "by", "vcpus", "vcpus_was",
 * "memory", "memory_was", "reason"}]}, replaced as a whole, so that a kill leaves the former
 * ones. What is damaged or of a newer version counts as absent, and the next one begins anew.
 */
#include "config.h"

#include "history/decisions.h"

#include "base/files.h"
#include "base/json.h"

#include <string.h>

#define MAX_TEXT   ((size_t)1 << 20)
#define MAX_REASON 1024 /* bytes */
#define MAX_VCPUS  UINT16_MAX
#define MAX_MEMORY (INT64_C(1) << 50)
#define TIME_MAX   (INT64_C(1) << 53)

static char *
path_of(const char *history_path, const char *uuid)
{
    return g_strdup_printf("%s.sizes/%s.json", history_path, uuid);
}

static void
decision_free(void *data)
{
    FsnDecision *decision = data;

    g_free((char *)decision->by);
    g_free((char *)decision->reason);
    g_free(decision);
}

/* One line for a terminal, of a length that is bounded; the caller frees. */
static char *
plain(const char *text)
{
    char *line = g_utf8_make_valid(text, (gssize)strnlen(text, MAX_REASON));

    for (char *p = line; *p; p++) {
        *p = g_ascii_iscntrl(*p) ? ' ' : *p;
    }
    return line;
}

static FsnDecision *
decision_copy(const FsnDecision *decision)
{
    FsnDecision *copy = g_memdup2(decision, sizeof *decision);

    copy->by = plain(decision->by);
    copy->reason = plain(decision->reason);
    return copy;
}

/* NULL where it is none. */
static FsnDecision *
decision_parse(JsonObject *object)
{
    FsnDecision decision = { 0 };
    int64_t vcpus;
    int64_t vcpus_was;
    int64_t memory;
    int64_t memory_was;

    if (!fsn_json_get_int(object, "time_us", 0, TIME_MAX, &decision.time_us, NULL) ||
        !fsn_json_get_string(object, "by", &decision.by, NULL) ||
        !fsn_json_get_int(object, "vcpus", 0, MAX_VCPUS, &vcpus, NULL) ||
        !fsn_json_get_int(object, "vcpus_was", 0, MAX_VCPUS, &vcpus_was, NULL) ||
        !fsn_json_get_int(object, "memory", 0, MAX_MEMORY, &memory, NULL) ||
        !fsn_json_get_int(object, "memory_was", 0, MAX_MEMORY, &memory_was, NULL) ||
        !fsn_json_get_string(object, "reason", &decision.reason, NULL)) {
        return NULL;
    }
    decision.vcpus = (unsigned)vcpus;
    decision.vcpus_was = (unsigned)vcpus_was;
    decision.memory = (uint64_t)memory;
    decision.memory_was = (uint64_t)memory_was;
    return decision_copy(&decision);
}

static void
parse_all(GBytes *bytes, GPtrArray *found)
{
    g_autoptr(JsonObject) object = NULL;
    JsonArray *array;
    int64_t version;
    size_t len;
    const char *text = g_bytes_get_data(bytes, &len);

    if (!fsn_json_parse_object(text, len, MAX_TEXT, "sizes", &object, NULL) ||
        !fsn_json_get_int(object, "version", 1, 1, &version, NULL) ||
        !fsn_json_get_array(object, "decisions", &array, NULL)) {
        return;
    }
    for (guint i = 0; i < json_array_get_length(array) && found->len < FSN_DECISIONS_KEPT;
         i++) {
        JsonObject *element;
        FsnDecision *decision = NULL;

        if (fsn_json_get_element(array, i, &element, NULL)) {
            decision = decision_parse(element);
        }
        if (decision) {
            g_ptr_array_add(found, decision);
        }
    }
}

GPtrArray *
fsn_decisions_load(const char *history_path, const char *uuid)
{
    g_autofree char *path = path_of(history_path, uuid);
    GPtrArray *found = g_ptr_array_new_with_free_func(decision_free);
    g_autoptr(GBytes) bytes = NULL;

    if (fsn_file_read(path, MAX_TEXT, &bytes, NULL)) {
        parse_all(bytes, found);
    }
    return found;
}

static JsonObject *
decision_json(const FsnDecision *decision)
{
    JsonObject *object = json_object_new();

    json_object_set_int_member(object, "time_us", decision->time_us);
    json_object_set_string_member(object, "by", decision->by);
    json_object_set_int_member(object, "vcpus", decision->vcpus);
    json_object_set_int_member(object, "vcpus_was", decision->vcpus_was);
    json_object_set_int_member(object, "memory", (int64_t)decision->memory);
    json_object_set_int_member(object, "memory_was", (int64_t)decision->memory_was);
    json_object_set_string_member(object, "reason", decision->reason);
    return object;
}

bool
fsn_decisions_add(const char *history_path,
                  const char *uuid,
                  const FsnDecision *decision,
                  GError **error)
{
    g_autoptr(GPtrArray) all = fsn_decisions_load(history_path, uuid);
    g_autofree char *path = path_of(history_path, uuid);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(JsonObject) object = json_object_new();
    JsonArray *array = json_array_new();
    g_autofree char *text = NULL;

    g_ptr_array_add(all, decision_copy(decision));
    for (guint i = all->len > FSN_DECISIONS_KEPT ? all->len - FSN_DECISIONS_KEPT : 0;
         i < all->len; i++) {
        json_array_add_object_element(array, decision_json(all->pdata[i]));
    }
    json_object_set_int_member(object, "version", 1);
    json_object_set_array_member(object, "decisions", array);
    text = fsn_json_to_text(object, false);
    return fsn_mkdirs(folder, 0700, error) &&
           fsn_file_replace(path, text, strlen(text), 0600, error);
}
