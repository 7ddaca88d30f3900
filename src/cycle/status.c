/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is under way, interrupted or suspended, from journals and repository. Looks only. */
#include "config.h"

#include "cycle/status.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "cycle/arm.h"
#include "cycle/fill.h"
#include "cycle/journal.h"
#include "cycle/lock.h"
#include "cycle/pager-start.h"
#include "repo/manifests.h"

#define MAX_STATUS (64u << 10)

static const char *
state_of(const FsnJournal *j, bool owner)
{
    if (!owner) {
        return "interrupted";
    }
    if (j->operation == FSN_OP_RESUME) {
        return j->step == FSN_STEP_LOADING ? "loading" : "resuming";
    }
    if (j->operation == FSN_OP_IMPORT) {
        return "importing";
    }
    if (j->operation == FSN_OP_DISCARD) {
        return "discarding";
    }
    if (j->operation == FSN_OP_SNAPSHOT) {
        return "snapshotting";
    }
    if (j->operation == FSN_OP_FILL) {
        return "filling";
    }
    if (j->operation == FSN_OP_SAVE) {
        return "saving";
    }
    if (j->operation == FSN_OP_LOAD) {
        return "resuming";
    }
    if (j->operation == FSN_OP_RESTORE) {
        return j->step == FSN_STEP_LOADING ? "loading" : "restoring";
    }
    switch (j->step) {
    case FSN_STEP_BEGUN:
    case FSN_STEP_MIGRATING:
        return "preparing";
    case FSN_STEP_HELD:
        return "prepared";
    case FSN_STEP_STOPPING:
    case FSN_STEP_STORING:
    case FSN_STEP_DURABLE:
    case FSN_STEP_GUARDED:
    case FSN_STEP_ENDED:
    case FSN_STEP_CLAIMED:
    case FSN_STEP_LOADING:
    case FSN_STEP_CONSUMED:
    case FSN_STEP_UNGUARDED:
    case FSN_STEP_PREPARING:
    case FSN_STEP_READING:
    case FSN_STEP_WRITING:
    case FSN_STEP_REPLACING:
    case FSN_STEP_DEFINING:
    case FSN_STEP_FILLING:
        break;
    }
    return "suspending";
}

/* The own view of a pager, or of who fills disks, as it last wrote it. */
static void
add_status(JsonObject *o, const char *member, const char *state_dir, const char *uuid)
{
    g_autofree char *path = fsn_pager_status_path(state_dir, uuid);
    g_autoptr(GBytes) bytes = NULL;
    JsonObject *status;

    if (fsn_file_read(path, MAX_STATUS, &bytes, NULL) &&
        fsn_json_parse_object(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                              MAX_STATUS, "status", &status, NULL)) {
        json_object_set_object_member(o, member, status);
    }
}

static JsonObject *
describe_operation(const char *state_dir, const FsnJournal *j)
{
    bool owner = fsn_lock_is_held(state_dir, j->repo, j->uuid);
    JsonObject *o = json_object_new();
    g_autofree char *started = fsn_rfc3339(j->started_us);

    json_object_set_string_member(o, "domain", j->domain);
    json_object_set_string_member(o, "uuid", j->uuid);
    json_object_set_string_member(o, "state", state_of(j, owner));
    json_object_set_string_member(o, "snapshot", j->snapshot);
    json_object_set_string_member(o, "operation", fsn_operation_name(j->operation));
    json_object_set_string_member(o, "step", fsn_step_name(j->step));
    json_object_set_string_member(o, "started", started);
    if (j->operation == FSN_OP_RESUME) {
        add_status(o, "load", state_dir, j->uuid);
    } else if (j->operation == FSN_OP_FILL) {
        add_status(o, "fill", state_dir, j->uuid);
    }
    return o;
}

static bool
add_operations(const char *state_dir, JsonArray *out, GHashTable *seen, GError **error)
{
    g_autoptr(GPtrArray) uuids = NULL;

    if (!fsn_journal_list(state_dir, &uuids, error)) {
        return false;
    }
    for (guint i = 0; i < uuids->len; i++) {
        g_autoptr(FsnJournal) j = NULL;

        /* One that has just ended, or is damaged, does not hide the others. */
        if (fsn_journal_read(state_dir, g_ptr_array_index(uuids, i), &j, NULL)) {
            json_array_add_object_element(out, describe_operation(state_dir, j));
            g_hash_table_add(seen, g_strdup(j->uuid));
        }
    }
    return true;
}

static void
add_suspended(FsnRepo *repo, JsonObject *m, JsonArray *out, GHashTable *seen)
{
    JsonObject *domain;
    const char *id = fsn_json_peek_string(m, "id", "");
    const char *uuid;
    JsonObject *o;

    if (!g_str_equal(fsn_json_peek_string(m, "kind", ""), "suspend") ||
        !fsn_json_get_object(m, "domain", &domain, NULL)) {
        return;
    }
    uuid = fsn_json_peek_string(domain, "uuid", "");
    if (!g_hash_table_add(seen, g_strdup(uuid)) || fsn_arm_has(repo, id, "consumed")) {
        return; /* only the newest one of a domain counts */
    }
    o = json_object_new();
    json_object_set_string_member(o, "domain", fsn_json_peek_string(domain, "name", ""));
    json_object_set_string_member(o, "uuid", uuid);
    json_object_set_string_member(o, "state", "suspended");
    json_object_set_string_member(o, "snapshot", id);
    json_object_set_string_member(o, "started", fsn_json_peek_string(m, "created", ""));
    json_array_add_object_element(out, o);
}

bool
fsn_cycle_status(FsnCycle *cycle, JsonArray **out, GError **error)
{
    g_autoptr(JsonArray) array = json_array_new();
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) manifests = NULL;
    g_autoptr(GPtrArray) damaged = NULL;
    const char *state_dir = fsn_cycle_state_dir(cycle);
    g_autofree char *fills = fsn_fill_state_dir(state_dir);
    FsnRepo *repo = fsn_cycle_repo(cycle, error);

    if (!repo || !add_operations(state_dir, array, seen, error) ||
        (g_file_test(fills, G_FILE_TEST_IS_DIR) &&
         !add_operations(fills, array, seen, error)) ||
        !fsn_repo_list_manifests(repo, &manifests, &damaged, error)) {
        return false;
    }
    for (guint i = 0; i < manifests->len; i++) {
        add_suspended(repo, g_ptr_array_index(manifests, i), array, seen);
    }
    *out = g_steal_pointer(&array);
    return true;
}
