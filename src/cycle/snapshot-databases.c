/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The databases of one snapshot: what the profile declares, what is done about each, and how that
 * went. Decides nothing itself: policies/database.c does. A database is at rest only if its
 * command has succeeded and all that it lives on is in the snapshot.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "cycle/databases.h"
#include "cycle/snapshot-policy.h"
#include "cycle/snapshot-private.h"

#include <string.h>

#define AGENT_LIMIT_S 5

/* One database in this snapshot. */
typedef struct {
    const FsnDatabase *is; /* belongs to the run's declarations */
    FsnDatabaseAction action;
    char *reason; /* of the action */
    bool goes_on; /* without it */
    bool rested;  /* its command has succeeded */
    char *
        failure; /* why it was not at rest after all; NULL = nothing is known against it */
    int64_t quiesce_us;
} Database;

struct FsnSnapshotDatabases {
    GPtrArray *declared; /* of FsnDatabase */
    GPtrArray *list;     /* of Database */
};

static void
database_free(gpointer data)
{
    Database *db = data;

    g_free(db->reason);
    g_free(db->failure);
    g_free(db);
}

void
fsn_snapshot_databases_free(FsnSnapshotDatabases *databases)
{
    if (databases) {
        g_ptr_array_unref(databases->list);
        g_clear_pointer(&databases->declared, g_ptr_array_unref);
        g_free(databases);
    }
}

static guint
count(const FsnSnapshotRun *run)
{
    return run->databases ? run->databases->list->len : 0;
}

static Database *
nth(const FsnSnapshotRun *run, guint i)
{
    return run->databases->list->pdata[i];
}

static const FsnSnapshotDisk *
find_disk(const FsnSnapshotRun *run, const char *target)
{
    for (guint i = 0; i < run->disks->len; i++) {
        const FsnSnapshotDisk *d = run->disks->pdata[i];

        if (strcmp(d->facts->target, target) == 0) {
            return d;
        }
    }
    return NULL;
}

static FsnDatabaseFound
find(const FsnSnapshotRun *run, const FsnDatabase *database)
{
    FsnDatabaseFound found = {
        .level = fsn_snapshot_policy_level(run, FSN_RESOURCE_DATABASE),
        .unwanted = run->options.quiesce == FSN_QUIESCE_NONE,
        .parts = run->options.parts != NULL,
        .off = run->qmp == NULL,
        .running = run->status.state == FSN_VIRT_RUNNING,
        .memory = run->ram_mode != FSN_RAM_NONE,
        .insisted = run->options.quiesce == FSN_QUIESCE_REQUIRE,
        .agent = run->facts->agent,
        .connected = run->facts->agent_connected,
    };

    for (guint i = 0; i < database->places->len; i++) {
        const FsnDatabasePlace *place = database->places->pdata[i];
        const FsnSnapshotDisk *d = find_disk(run, place->target);

        if (!d) {
            found.absent = place->target;
        } else if (d->plan->mode == FSN_DISK_SKIPPED) {
            found.untaken = place->target;
        } else {
            found.some_taken = true;
        }
    }
    return found;
}

/* @db is not at rest: that is told, or the end of the snapshot. */
static bool
fail(FsnSnapshotRun *run, Database *db, const char *why, GError **error)
{
    g_autofree char *warning = NULL;

    g_free(db->failure);
    db->failure = g_strdup(why);
    if (!db->goes_on) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "database '%s' of domain '%s' cannot be brought to rest: %s",
                    db->is->name, run->facts->name, why);
        return false;
    }
    warning = g_strdup_printf(
        "database '%s' was not at rest, so it is as after a power cut: %s", db->is->name,
        why);
    fsn_snapshot_warn(run, warning);
    return true;
}

static bool
plan(FsnSnapshotRun *run, const FsnDatabase *database, bool profile_fails, GError **error)
{
    FsnDatabaseFound found = find(run, database);
    Database *db = g_new0(Database, 1);

    db->is = database;
    db->goes_on = run->options.quiesce != FSN_QUIESCE_REQUIRE &&
                  fsn_database_goes_on(database, profile_fails);
    db->action = fsn_database_plan(&found, &db->reason);
    g_ptr_array_add(run->databases->list, db);
    return db->action != FSN_DATABASE_CANNOT || fail(run, db, db->reason, error);
}

/* Asked once, before anything is touched: an agent that is silent would cost a limit for each. */
static bool
check_agent(FsnSnapshotRun *run, GError **error)
{
    bool answers = false;

    for (guint i = 0; i < count(run); i++) {
        Database *db = nth(run, i);

        if (db->action != FSN_DATABASE_QUIESCE) {
            continue;
        }
        answers = answers || fsn_virt_domain_agent_answers(run->domain, AGENT_LIMIT_S);
        if (answers) {
            return true;
        }
        db->action = FSN_DATABASE_CANNOT;
        if (!fail(run, db, "the guest's agent does not answer", error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_snapshot_databases_plan(FsnSnapshotRun *run, bool plan_only, GError **error)
{
    const FsnProfile *profile = fsn_snapshot_policy_profile(run);
    bool profile_fails;

    if (!profile) {
        return true;
    }
    profile_fails = fsn_profile_number(profile, FSN_KEY_DATABASE_ON_FAILURE) == 1;
    run->databases = g_new0(FsnSnapshotDatabases, 1);
    run->databases->list = g_ptr_array_new_with_free_func(database_free);
    if (!fsn_databases_parse(fsn_profile_text(profile, FSN_KEY_DATABASE_DECLARE),
                             &run->databases->declared, error)) {
        return false;
    }
    for (guint i = 0; i < run->databases->declared->len; i++) {
        if (!plan(run, run->databases->declared->pdata[i], profile_fails, error)) {
            return false;
        }
    }
    return plan_only || check_agent(run, error);
}

static bool
quiesce(FsnSnapshotRun *run, Database *db, GError **error)
{
    g_autoptr(GError) local = NULL;
    int64_t began_us = fsn_monotonic_us();

    db->rested =
        fsn_database_quiesce(run->cycle, run->journal, run->domain, db->is, &local);
    db->quiesce_us = fsn_monotonic_us() - began_us;
    return db->rested || fail(run, db, local->message, error);
}

bool
fsn_snapshot_databases_quiesce(FsnSnapshotRun *run, GError **error)
{
    for (guint i = 0; i < count(run); i++) {
        Database *db = nth(run, i);

        if (db->action == FSN_DATABASE_QUIESCE && !quiesce(run, db, error)) {
            return false;
        }
    }
    return true;
}

static void
tell_nobody(gpointer run G_GNUC_UNUSED,
            const char *name G_GNUC_UNUSED,
            const char *why G_GNUC_UNUSED)
{
}

static void
tell_user(gpointer user, const char *name, const char *why)
{
    g_autofree char *warning = g_strdup_printf(
        "database '%s' could not be released, and may still be at rest: %s", name, why);

    fsn_snapshot_warn(user, warning);
}

void
fsn_snapshot_databases_release(FsnSnapshotRun *run, bool last)
{
    if (run->journal->databases) {
        fsn_databases_release(run->journal, run->domain, last ? tell_user : tell_nobody,
                              run);
    }
}

static bool
is_left_out(const FsnSnapshotDisk *d, unsigned partition)
{
    for (guint i = 0; d->parts && i < d->parts->len; i++) {
        const FsnSnapshotPart *part = d->parts->pdata[i];

        if (part->length > 0 && part->number == partition) {
            return true;
        }
    }
    return false;
}

static bool
has_partition(const GPtrArray *partitions, unsigned number)
{
    for (guint i = 0; i < partitions->len; i++) {
        if (((const FsnPartition *)partitions->pdata[i])->number == number) {
            return true;
        }
    }
    return false;
}

/* Why @place is not in the snapshot; NULL: it is. Of a whole disk something may be left out: a
 * swap area is no part of a database. The caller frees. */
static char *
lack(const FsnSnapshotDisk *d, const FsnDatabasePlace *place, const GPtrArray *partitions)
{
    if (place->partition == 0 || !partitions) {
        return NULL;
    }
    if (!has_partition(partitions, place->partition)) {
        return g_strdup_printf("disk '%s' has no partition %u", place->target,
                               place->partition);
    }
    return is_left_out(d, place->partition)
               ? g_strdup_printf("partition %u of disk '%s' is left out",
                                 place->partition, place->target)
               : NULL;
}

bool
fsn_snapshot_databases_check(const FsnSnapshotRun *run,
                             const FsnSnapshotDisk *d,
                             const GPtrArray *partitions,
                             GError **error)
{
    for (guint i = 0; i < count(run); i++) {
        const Database *db = nth(run, i);

        for (guint k = 0; db->rested && !db->goes_on && k < db->is->places->len; k++) {
            const FsnDatabasePlace *place = db->is->places->pdata[k];
            g_autofree char *why = strcmp(place->target, d->facts->target) == 0
                                       ? lack(d, place, partitions)
                                       : NULL;

            if (why) {
                g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "database '%s': %s",
                            db->is->name, why);
                return false;
            }
        }
    }
    return true;
}

bool
fsn_snapshot_databases_settle(FsnSnapshotRun *run, GError **error)
{
    for (guint i = 0; i < count(run); i++) {
        Database *db = nth(run, i);

        for (guint k = 0; db->rested && !db->failure && k < db->is->places->len; k++) {
            const FsnDatabasePlace *place = db->is->places->pdata[k];
            const FsnSnapshotDisk *d = find_disk(run, place->target);
            g_autofree char *why = lack(d, place, d->result.partitions);

            if (why && !fail(run, db, why, error)) {
                return false;
            }
        }
    }
    return true;
}

JsonArray *
fsn_snapshot_databases_resting(const FsnSnapshotRun *run)
{
    JsonArray *array = NULL;

    for (guint i = 0; i < count(run); i++) {
        const Database *db = nth(run, i);
        JsonObject *noted = db->rested ? fsn_database_note(db->is) : NULL;

        if (noted) {
            array = array ? array : json_array_new();
            json_array_add_object_element(array, noted);
        }
    }
    return array;
}

/* Whether @db is, or in a plan would be, at rest. */
static bool
is_at_rest(const FsnSnapshotRun *run, const Database *db)
{
    return db->action == FSN_DATABASE_QUIESCE && !db->failure &&
           (db->rested || !run->journal);
}

static bool
lives_on(const Database *db, const char *target)
{
    for (guint i = 0; i < db->is->places->len; i++) {
        const FsnDatabasePlace *place = db->is->places->pdata[i];

        if (strcmp(place->target, target) == 0) {
            return true;
        }
    }
    return false;
}

const char *
fsn_snapshot_consistency(const FsnSnapshotRun *run, const char *target)
{
    bool some = false;

    for (guint i = 0; i < count(run); i++) {
        const Database *db = nth(run, i);

        if (db->action == FSN_DATABASE_PASS || (target && !lives_on(db, target))) {
            continue;
        }
        if (!is_at_rest(run, db)) {
            return run->consistency;
        }
        some = true;
    }
    return some ? "application" : run->consistency;
}

static const char *
state_word(const FsnSnapshotRun *run, const Database *db)
{
    switch (db->action) {
    case FSN_DATABASE_PASS:
        return "passed";
    case FSN_DATABASE_CANNOT:
        return "failed";
    case FSN_DATABASE_QUIESCE:
        break;
    }
    return !is_at_rest(run, db) ? "failed" : run->journal ? "quiesced" : "planned";
}

static JsonObject *
database_json(const FsnSnapshotRun *run, const Database *db)
{
    JsonObject *o = json_object_new();
    JsonArray *places = json_array_new();

    for (guint i = 0; i < db->is->places->len; i++) {
        g_autofree char *place = fsn_database_place_text(db->is->places->pdata[i]);

        json_array_add_string_element(places, place);
    }
    json_object_set_string_member(o, "name", db->is->name);
    json_object_set_array_member(o, "on", places);
    json_object_set_string_member(o, "state", state_word(run, db));
    json_object_set_string_member(o, "reason", db->failure ? db->failure : db->reason);
    json_object_set_string_member(o, "on_failure", db->goes_on ? "continue" : "fail");
    if (db->quiesce_us > 0) {
        json_object_set_int_member(o, "quiesce_us", db->quiesce_us);
    }
    return o;
}

JsonArray *
fsn_snapshot_databases_json(const FsnSnapshotRun *run)
{
    JsonArray *array = count(run) > 0 ? json_array_new() : NULL;

    for (guint i = 0; i < count(run); i++) {
        json_array_add_object_element(array, database_json(run, nth(run, i)));
    }
    return array;
}
