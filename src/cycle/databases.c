/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of databases, with the journal around them. A command that hangs is ended by
 * force: otherwise it could bring a database to rest after its release, for ever.
 */
#include "config.h"

#include "cycle/databases.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/faults.h"
#include "base/json.h"
#include "virt/guest-exec.h"

#define MAX_WORDS     64
#define MAX_LIMIT_US  (600 * (int64_t)G_USEC_PER_SEC)
#define DEFAULT_LIMIT (30 * (int64_t)G_USEC_PER_SEC)

JsonObject *
fsn_database_note(const FsnDatabase *database)
{
    JsonObject *o;
    JsonArray *words;

    if (!database->release) {
        return NULL;
    }
    o = json_object_new();
    words = json_array_new();
    for (char **word = database->release; *word; word++) {
        json_array_add_string_element(words, *word);
    }
    json_object_set_string_member(o, "name", database->name);
    json_object_set_array_member(o, "release", words);
    json_object_set_int_member(o, "limit_us", database->release_limit_us);
    return o;
}

/* What the journal has of it from now on, which belongs to the journal; or NULL. */
static JsonObject *
note(FsnJournal *journal, const FsnDatabase *database)
{
    JsonObject *noted = fsn_database_note(database);

    if (!noted) {
        return NULL;
    }
    if (!journal->databases) {
        journal->databases = json_array_new();
    }
    json_array_add_object_element(journal->databases, noted);
    return noted;
}

/* False with @error unless it has succeeded within @limit_us of @began_us. */
static bool
await(FsnVirtDomain *domain,
      int64_t pid,
      int64_t began_us,
      int64_t limit_us,
      GError **error)
{
    g_autoptr(GError) local = NULL;
    FsnGuestExit status;

    if (!fsn_guest_exec_wait(domain, pid, began_us + limit_us, &status, &local)) {
        if (!g_error_matches(local, FSN_ERROR, FSN_ERROR_TIMEOUT)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        g_clear_error(&local);
        g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                    "its command did not end within %" G_GINT64_FORMAT " s%s",
                    limit_us / G_USEC_PER_SEC,
                    fsn_guest_exec_end(domain, pid, &local) ? " and was ended"
                                                            : ", and could not be ended");
        return false;
    }
    if (status.signal > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "its command was ended by signal %d", status.signal);
    } else if (status.code != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "its command failed with exit status %d", status.code);
    }
    return status.signal == 0 && status.code == 0;
}

bool
fsn_database_quiesce(FsnCycle *cycle,
                     FsnJournal *journal,
                     FsnVirtDomain *domain,
                     const FsnDatabase *database,
                     GError **error)
{
    JsonObject *noted = note(journal, database);
    int64_t began_us;
    int64_t pid;
    bool ok;

    if (noted && !fsn_cycle_step(cycle, journal, FSN_STEP_PREPARING, error)) {
        return false;
    }
    began_us = fsn_monotonic_us();
    if (!fsn_guest_exec_start(domain, database->quiesce, &pid, error)) {
        return false;
    }
    if (noted) {
        json_object_set_int_member(noted, "pid", pid);
        if (!fsn_cycle_step(cycle, journal, FSN_STEP_PREPARING, error)) {
            return false;
        }
    }
    fsn_fault_kill_at("quiescing");
    ok = await(domain, pid, began_us, database->limit_us, error);
    if (noted && ok) {
        json_object_remove_member(noted, "pid");
    }
    fsn_fault_kill_at("quiesced");
    return ok;
}

/* The words of its command; the journal may have been damaged. */
static bool
read_release(JsonObject *noted, char ***out_words, GError **error)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    JsonArray *array;
    guint n;

    if (!fsn_json_get_array(noted, "release", &array, error)) {
        return false;
    }
    n = json_array_get_length(array);
    for (guint i = 0; i < n; i++) {
        JsonNode *node = json_array_get_element(array, i);

        if (n > MAX_WORDS || json_node_get_value_type(node) != G_TYPE_STRING) {
            n = 0;
            break;
        }
        g_strv_builder_add(words, json_node_get_string(node));
    }
    if (n == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the journal does not have its command");
        return false;
    }
    *out_words = g_strv_builder_end(words);
    return true;
}

static bool
release(FsnVirtDomain *domain, JsonObject *noted, GError **error)
{
    g_auto(GStrv) words = NULL;
    int64_t limit_us = fsn_json_peek_int(noted, "limit_us", DEFAULT_LIMIT);
    int64_t began_us = fsn_monotonic_us();
    int64_t pid = fsn_json_peek_int(noted, "pid", -1);

    if (!read_release(noted, &words, error) ||
        (pid >= 0 && !fsn_guest_exec_end(domain, pid, error))) {
        return false;
    }
    return fsn_guest_exec_start(domain, words, &pid, error) &&
           await(domain, pid, began_us, CLAMP(limit_us, G_USEC_PER_SEC, MAX_LIMIT_US),
                 error);
}

void
fsn_databases_release(FsnJournal *journal,
                      FsnVirtDomain *domain,
                      FsnDatabaseTell tell,
                      gpointer user)
{
    guint n = journal->databases ? json_array_get_length(journal->databases) : 0;

    for (guint i = n; i > 0; i--) {
        g_autoptr(GError) error = NULL;
        JsonObject *noted = NULL;

        if (!fsn_json_get_element(journal->databases, i - 1, &noted, &error) ||
            !release(domain, noted, &error)) {
            tell(user, noted ? fsn_json_peek_string(noted, "name", "?") : "?",
                 error->message);
            continue;
        }
        json_array_remove_element(journal->databases, i - 1);
    }
    if (journal->databases && json_array_get_length(journal->databases) == 0) {
        g_clear_pointer(&journal->databases, json_array_unref);
    }
}
