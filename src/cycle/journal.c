/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading and writing journals. A journal is advice, not truth: recovery looks at the
 * manifest, the marks and the domain before it acts.
 */
#include "config.h"

#include "cycle/journal.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/faults.h"
#include "base/files.h"
#include "base/json.h"

#include <string.h>
#include <unistd.h>

#define MAX_SIZE         (8u << 20) /* has domain XML in it */
#define SUFFIX           ".journal"
#define MAX_CAPABILITIES 256u

static const char *const operation_names[] = {
    [FSN_OP_SUSPEND] = "suspend",
    [FSN_OP_RESUME] = "resume",
    [FSN_OP_IMPORT] = "import",
    [FSN_OP_DISCARD] = "discard",
    [FSN_OP_SNAPSHOT] = "snapshot",
    [FSN_OP_RESTORE] = "restore",
    [FSN_OP_FILL] = "fill",
    [FSN_OP_SAVE] = "managed-save",
    [FSN_OP_LOAD] = "managed-restore",
};

static const char *const step_names[] = {
    [FSN_STEP_BEGUN] = "begun",         [FSN_STEP_MIGRATING] = "migrating",
    [FSN_STEP_HELD] = "held",           [FSN_STEP_STOPPING] = "stopping",
    [FSN_STEP_STORING] = "storing",     [FSN_STEP_DURABLE] = "durable",
    [FSN_STEP_GUARDED] = "guarded",     [FSN_STEP_ENDED] = "ended",
    [FSN_STEP_CLAIMED] = "claimed",     [FSN_STEP_LOADING] = "loading",
    [FSN_STEP_CONSUMED] = "consumed",   [FSN_STEP_UNGUARDED] = "unguarded",
    [FSN_STEP_PREPARING] = "preparing", [FSN_STEP_READING] = "reading",
    [FSN_STEP_WRITING] = "writing",     [FSN_STEP_REPLACING] = "replacing",
    [FSN_STEP_DEFINING] = "defining",   [FSN_STEP_FILLING] = "filling",
};

FsnJournal *
fsn_journal_new(FsnOperation operation,
                const char *domain,
                const char *uuid,
                const char *uri,
                const char *repo,
                const char *snapshot)
{
    FsnJournal *j = g_new0(FsnJournal, 1);

    j->operation = operation;
    j->domain = g_strdup(domain);
    j->uuid = g_strdup(uuid);
    j->uri = g_strdup(uri);
    j->repo = g_strdup(repo);
    j->snapshot = g_strdup(snapshot);
    j->max_bandwidth = -1;
    j->downtime_limit_ms = -1;
    j->pid = getpid();
    j->started_us = fsn_realtime_us();
    return j;
}

void
fsn_journal_free(FsnJournal *j)
{
    if (!j) {
        return;
    }
    g_free(j->domain);
    g_free(j->uuid);
    g_free(j->uri);
    g_free(j->repo);
    g_free(j->snapshot);
    g_strfreev(j->capabilities);
    g_clear_pointer(&j->files, json_array_unref);
    g_clear_pointer(&j->databases, json_array_unref);
    g_free(j->xml);
    g_free(j->marks);
    g_free(j);
}

const char *
fsn_operation_name(FsnOperation operation)
{
    return operation_names[operation];
}

const char *
fsn_step_name(FsnStep step)
{
    return step_names[step];
}

static int
find_name(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (g_str_equal(names[i], name)) {
            return (int)i;
        }
    }
    return -1;
}

static JsonArray *
capabilities_to_json(char **names)
{
    JsonArray *array = json_array_new();

    for (char **name = names; name && *name; name++) {
        json_array_add_string_element(array, *name);
    }
    return array;
}

/* Journals from before they were noted have none. */
static bool
read_capabilities(JsonObject *o, char ***out_names, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    JsonArray *array;

    if (!json_object_has_member(o, "capabilities")) {
        return true;
    }
    if (!fsn_json_get_array(o, "capabilities", &array, error)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);

        if (i == MAX_CAPABILITIES || json_node_get_value_type(node) != G_TYPE_STRING) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                        "the journal's capabilities are not a list of some names");
            return false;
        }
        g_ptr_array_add(names, json_node_dup_string(node));
    }
    if (names->len > 0) {
        g_ptr_array_add(names, NULL);
        *out_names = (char **)g_ptr_array_steal(names, NULL);
    }
    return true;
}

/* What need not be there. */
static bool
read_array(JsonObject *o, const char *name, JsonArray **out_array, GError **error)
{
    JsonArray *array;

    if (!json_object_has_member(o, name)) {
        return true;
    }
    if (!fsn_json_get_array(o, name, &array, error)) {
        return false;
    }
    *out_array = json_array_ref(array);
    return true;
}

char *
fsn_journal_to_text(const FsnJournal *j)
{
    g_autoptr(JsonObject) o = json_object_new();

    json_object_set_int_member(o, "version", 1);
    json_object_set_string_member(o, "operation", fsn_operation_name(j->operation));
    json_object_set_string_member(o, "step", fsn_step_name(j->step));
    json_object_set_string_member(o, "domain", j->domain);
    json_object_set_string_member(o, "uuid", j->uuid);
    if (j->uri) {
        json_object_set_string_member(o, "uri", j->uri);
    }
    json_object_set_string_member(o, "repo", j->repo);
    json_object_set_string_member(o, "snapshot", j->snapshot);
    json_object_set_boolean_member(o, "was_running", j->was_running);
    json_object_set_boolean_member(o, "own_pause", j->own_pause);
    json_object_set_boolean_member(o, "sync_time", j->sync_time);
    json_object_set_boolean_member(o, "monitor", j->monitor);
    json_object_set_boolean_member(o, "frozen", j->frozen);
    json_object_set_boolean_member(o, "nbd", j->nbd);
    json_object_set_boolean_member(o, "background", j->background);
    json_object_set_int_member(o, "max_bandwidth", j->max_bandwidth);
    json_object_set_int_member(o, "downtime_limit_ms", j->downtime_limit_ms);
    json_object_set_array_member(o, "capabilities",
                                 capabilities_to_json(j->capabilities));
    if (j->files) {
        json_object_set_array_member(o, "files", json_array_ref(j->files));
    }
    if (j->databases) {
        json_object_set_array_member(o, "databases", json_array_ref(j->databases));
    }
    if (j->xml) {
        json_object_set_string_member(o, "xml", j->xml);
    }
    if (j->marks) {
        json_object_set_string_member(o, "marks", j->marks);
    }
    json_object_set_int_member(o, "attempts", j->attempts);
    json_object_set_int_member(o, "pid", j->pid);
    json_object_set_int_member(o, "started_us", j->started_us);
    return fsn_json_to_text(o, true);
}

bool
fsn_journal_parse(const char *text, size_t len, FsnJournal **out_journal, GError **error)
{
    g_autoptr(JsonObject) o = NULL;
    g_autoptr(FsnJournal) j = NULL;
    const char *operation;
    const char *step;
    const char *domain;
    const char *uuid;
    const char *repo;
    const char *snapshot;
    int64_t version;
    int op_index;
    int step_index;

    if (!fsn_json_parse_object(text, len, MAX_SIZE, "journal", &o, error) ||
        !fsn_json_get_int(o, "version", 1, 1, &version, error) ||
        !fsn_json_get_string(o, "operation", &operation, error) ||
        !fsn_json_get_string(o, "step", &step, error) ||
        !fsn_json_get_string(o, "domain", &domain, error) ||
        !fsn_json_get_string(o, "uuid", &uuid, error) ||
        !fsn_json_get_string(o, "repo", &repo, error) ||
        !fsn_json_get_string(o, "snapshot", &snapshot, error)) {
        return false;
    }
    op_index = find_name(operation_names, G_N_ELEMENTS(operation_names), operation);
    step_index = find_name(step_names, G_N_ELEMENTS(step_names), step);
    if (op_index < 0 || step_index < 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "journal names an unknown operation or step");
        return false;
    }
    j = fsn_journal_new((FsnOperation)op_index, domain, uuid,
                        fsn_json_peek_string(o, "uri", NULL), repo, snapshot);
    j->step = (FsnStep)step_index;
    j->was_running = fsn_json_peek_bool(o, "was_running", false);
    j->own_pause = fsn_json_peek_bool(o, "own_pause", false);
    j->sync_time = fsn_json_peek_bool(o, "sync_time", false);
    j->monitor = fsn_json_peek_bool(o, "monitor", false);
    j->frozen = fsn_json_peek_bool(o, "frozen", false);
    j->nbd = fsn_json_peek_bool(o, "nbd", false);
    j->background = fsn_json_peek_bool(o, "background", false);
    j->max_bandwidth = fsn_json_peek_int(o, "max_bandwidth", -1);
    j->downtime_limit_ms = fsn_json_peek_int(o, "downtime_limit_ms", -1);
    j->attempts = fsn_json_peek_int(o, "attempts", 0);
    j->pid = fsn_json_peek_int(o, "pid", 0);
    j->started_us = fsn_json_peek_int(o, "started_us", 0);
    j->xml = g_strdup(fsn_json_peek_string(o, "xml", NULL));
    j->marks = g_strdup(fsn_json_peek_string(o, "marks", NULL));
    if (!read_capabilities(o, &j->capabilities, error) ||
        !read_array(o, "files", &j->files, error) ||
        !read_array(o, "databases", &j->databases, error)) {
        return false;
    }
    *out_journal = g_steal_pointer(&j);
    return true;
}

static char *
journal_path(const char *state_dir, const char *uuid)
{
    g_autofree char *name = g_strconcat(uuid, SUFFIX, NULL);

    return g_build_filename(state_dir, name, NULL);
}

bool
fsn_journal_write(FsnJournal *j, const char *state_dir, FsnStep step, GError **error)
{
    g_autofree char *path = journal_path(state_dir, j->uuid);
    g_autofree char *text = NULL;

    j->step = step;
    text = fsn_journal_to_text(j);
    if (fsn_fault_fails_at(step_names[step])) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "cannot write the journal: a test asked for it");
        return false;
    }
    if (!fsn_file_replace(path, text, strlen(text), 0600, error)) {
        g_prefix_error(error, "cannot write the journal: ");
        return false;
    }
    fsn_fault_kill_at(step_names[step]);
    return true;
}

bool
fsn_cycle_step(FsnCycle *cycle, FsnJournal *journal, FsnStep step, GError **error)
{
    return fsn_journal_write(journal, fsn_cycle_state_dir(cycle), step, error);
}

bool
fsn_journal_remove(const FsnJournal *j, const char *state_dir, GError **error)
{
    g_autofree char *path = journal_path(state_dir, j->uuid);

    return fsn_file_remove_durable(path, error);
}

bool
fsn_journal_read(const char *state_dir,
                 const char *uuid,
                 FsnJournal **out_journal,
                 GError **error)
{
    g_autofree char *path = journal_path(state_dir, uuid);
    g_autoptr(GBytes) bytes = NULL;

    if (!fsn_file_read(path, MAX_SIZE, &bytes, error)) {
        return false;
    }
    if (!fsn_journal_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                           out_journal, error)) {
        g_prefix_error(error, "'%s': ", path);
        return false;
    }
    return true;
}

bool
fsn_journal_exists(const char *state_dir, const char *uuid)
{
    g_autofree char *path = journal_path(state_dir, uuid);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

bool
fsn_journal_list(const char *state_dir, GPtrArray **out_uuids, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(state_dir, 0, error);
    g_autoptr(GPtrArray) uuids = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    if (!dir) {
        return false;
    }
    while ((name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, SUFFIX)) {
            g_ptr_array_add(uuids, g_strndup(name, strlen(name) - strlen(SUFFIX)));
        }
    }
    *out_uuids = g_steal_pointer(&uuids);
    return true;
}
