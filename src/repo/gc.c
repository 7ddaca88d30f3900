/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Garbage collection: mark from manifests and leases, move the rest aside, wait, mark again,
 * unlink. Leases are read before manifests, since a writer drops its lease only after its
 * manifest is there. No decision compares clocks of two hosts: a lease of another host
 * counts as alive until its counter has stood still for several renewals. Which frames of
 * a pack are garbage is found in repack.c.
 */
#include "config.h"

#include "repo/gc.h"

#include "base/error.h"
#include "base/json.h"
#include "repo/lease.h"
#include "repo/manifests.h"
#include "repo/needs.h"
#include "repo/repack.h"
#include "repo/repo-private.h"
#include "repo/thinned.h"

#include <string.h>

#define MAX_LEASE     (64u << 20)
/* A lease is dead when its counter stood still for so many renewals. */
#define DEAD_RENEWALS 3

/* What may not be removed, and who is at work. */
typedef struct {
    GHashTable *keys;      /* of needed objects */
    GHashTable *snapshots; /* ids of manifests */
    GHashTable *writers;   /* ids of leases that may be alive */
    GHashTable *idle;      /* keys of leases that are dead for sure or may be, and their
                            * counters as text */
} Marks;

static void
marks_free(Marks *marks)
{
    g_hash_table_unref(marks->keys);
    g_hash_table_unref(marks->snapshots);
    g_hash_table_unref(marks->writers);
    g_hash_table_unref(marks->idle);
    g_free(marks);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Marks, marks_free)

static Marks *
marks_new(void)
{
    Marks *marks = g_new0(Marks, 1);

    marks->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    marks->snapshots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    marks->writers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    marks->idle = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return marks;
}

static bool
mark_key(gpointer user, const char *key, uint64_t size, GError **error)
{
    g_hash_table_add(((Marks *)user)->keys, g_strdup(key));
    return true;
}

/* Marks what the reference "FOLDER/HEX" of a lease needs. */
static void
mark_lease_need(FsnRepo *repo, const char *need, Marks *marks)
{
    const char *slash = strchr(need, '/');
    g_autofree char *folder = slash ? g_strndup(need, (size_t)(slash - need)) : NULL;

    if (slash) {
        /* What is not there, or not yet, cannot be removed either. */
        (void)!fsn_repo_needs_of(repo, folder, slash + 1, mark_key, marks, NULL);
    }
}

static void
mark_lease(FsnRepo *repo, const char *key, JsonObject *lease, Marks *marks)
{
    FsnLeaseLife life = fsn_lease_life(lease);
    JsonArray *needed = NULL;

    if (life != FSN_LEASE_ALIVE) {
        g_hash_table_replace(marks->idle, g_strdup(key),
                             g_strdup_printf("%" G_GINT64_FORMAT "%s",
                                             fsn_json_peek_int(lease, "counter", 0),
                                             life == FSN_LEASE_DEAD ? " dead" : ""));
    }
    if (life == FSN_LEASE_DEAD) {
        return;
    }
    g_hash_table_add(marks->writers, g_strdup(key + strlen(FSN_DIR_LEASES "/")));
    if (fsn_json_get_array(lease, "needed", &needed, NULL)) {
        for (guint i = 0; i < json_array_get_length(needed); i++) {
            JsonNode *node = json_array_get_element(needed, i);

            if (JSON_NODE_HOLDS_VALUE(node) &&
                json_node_get_value_type(node) == G_TYPE_STRING) {
                mark_lease_need(repo, json_node_get_string(node), marks);
            }
        }
    }
}

static bool
mark_leases(FsnRepo *repo, Marks *marks, GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;

    if (!fsn_blob_list(fsn_repo_store(repo), FSN_DIR_LEASES, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        const char *key = g_ptr_array_index(keys, i);
        g_autoptr(GBytes) bytes = NULL;
        g_autoptr(JsonObject) lease = NULL;
        g_autoptr(GError) local = NULL;

        if (!fsn_blob_get(fsn_repo_store(repo), key, MAX_LEASE, &bytes, &local)) {
            if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
                continue;
            }
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        if (fsn_json_parse_object(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                                  MAX_LEASE, key, &lease, NULL)) {
            mark_lease(repo, key, lease, marks);
        } else {
            /* Torn by a power cut, after which its writer cannot be alive here; on
             * another host it is rewritten within a moment. */
            g_hash_table_replace(marks->idle, g_strdup(key), g_strdup("unreadable"));
        }
    }
    return true;
}

static bool
mark_manifests(FsnRepo *repo, Marks *marks, GError **error)
{
    g_autoptr(GPtrArray) manifests = NULL;
    g_autoptr(GPtrArray) damaged = NULL;

    if (!fsn_repo_list_manifests(repo, &manifests, &damaged, error)) {
        return false;
    }
    if (damaged->len > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                    "nothing is collected while a manifest cannot be read (delete that "
                    "snapshot first): %s",
                    (char *)g_ptr_array_index(damaged, 0));
        return false;
    }
    for (guint i = 0; i < manifests->len; i++) {
        JsonObject *manifest = g_ptr_array_index(manifests, i);
        const char *id = fsn_json_peek_string(manifest, "id", "");

        g_hash_table_add(marks->snapshots, g_strdup(id));
        if (!fsn_repo_needs_of_manifest(repo, manifest, mark_key, marks, error)) {
            g_prefix_error(error,
                           "nothing is collected while the index of snapshot %s cannot "
                           "be read (delete it first): ",
                           id);
            return false;
        }
    }
    return true;
}

static bool
mark_all(FsnRepo *repo, Marks **out_marks, GError **error)
{
    g_autoptr(Marks) marks = marks_new();

    if (!mark_leases(repo, marks, error) || !mark_manifests(repo, marks, error)) {
        return false;
    }
    *out_marks = g_steal_pointer(&marks);
    return true;
}

/* Whether the object's own header says that a writer who may be alive made it. */
static bool
has_live_writer(FsnRepo *repo, const char *key, Marks *marks)
{
    g_autoptr(FsnBlob) blob = fsn_blob_open(fsn_repo_store(repo), key, NULL);
    uint8_t header[FSN_OBJECT_HEADER_SIZE];
    g_autofree char *hex = NULL;
    FsnId writer;

    if (!blob || fsn_blob_length(blob) < sizeof header ||
        !fsn_blob_pread(blob, header, sizeof header, 0, NULL)) {
        return false;
    }
    memcpy(writer.bytes, header + 40, FSN_ID_SIZE);
    hex = fsn_id_to_string(&writer);
    return g_hash_table_contains(marks->writers, hex);
}

/* Whether sequence @key is of a snapshot that is not there. */
static bool
is_orphan(const char *key, Marks *marks)
{
    const char *name = key + strlen(FSN_DIR_SEQUENCES "/");
    g_autofree char *id = g_strndup(name, FSN_ID_HEX);
    FsnId parsed;

    return fsn_id_parse(id, &parsed) &&
           (name[FSN_ID_HEX] == '\0' || name[FSN_ID_HEX] == '.') &&
           !g_hash_table_contains(marks->snapshots, id);
}

/* Whether @key, now at @place, is to stay. */
static bool
is_needed(FsnRepo *repo, const char *key, const char *place, Marks *marks)
{
    if (g_str_has_prefix(key, FSN_DIR_SEQUENCES "/")) {
        return !is_orphan(key, marks) || has_live_writer(repo, place, marks);
    }
    return g_hash_table_contains(marks->keys, key) ||
           (!g_str_has_prefix(key, FSN_DIR_OBJECTS "/") &&
            has_live_writer(repo, place, marks));
}

static uint64_t
size_of(FsnRepo *repo, const char *key)
{
    uint64_t size;

    return fsn_blob_size(fsn_repo_store(repo), key, &size, NULL) ? size : 0;
}

/* Looks at all objects in their places; adds those not needed to @garbage. */
static bool
find_garbage(
    FsnRepo *repo, Marks *marks, GPtrArray *garbage, FsnGcReport *report, GError **error)
{
    const char *folders[] = { FSN_DIR_PACKS, FSN_DIR_BUNDLES, FSN_DIR_ROOTS,
                              FSN_DIR_OBJECTS, FSN_DIR_SEQUENCES };

    for (size_t f = 0; f < G_N_ELEMENTS(folders); f++) {
        g_autoptr(GPtrArray) keys = NULL;

        if (!fsn_blob_list(fsn_repo_store(repo), folders[f], &keys, error)) {
            return false;
        }
        for (guint i = 0; i < keys->len; i++) {
            const char *key = g_ptr_array_index(keys, i);

            if (is_needed(repo, key, key, marks)) {
                report->objects_kept++;
                report->bytes_kept += size_of(repo, key);
            } else {
                g_ptr_array_add(garbage, g_strdup(key));
            }
        }
    }
    return true;
}

/* Moves @garbage aside and adds it to @left. One that has gone meanwhile was another
 * collector's. */
static bool
move_aside(FsnRepo *repo, GPtrArray *garbage, GHashTable *left, GError **error)
{
    for (guint i = 0; i < garbage->len; i++) {
        const char *key = g_ptr_array_index(garbage, i);
        g_autofree char *aside = g_strconcat(FSN_DIR_ASIDE "/", key, NULL);
        g_autoptr(GError) local = NULL;

        if (!fsn_blob_rename(fsn_repo_store(repo), key, aside, &local) &&
            !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        g_hash_table_add(left, g_strdup(key));
    }
    return true;
}

/* Puts back what is aside and needed, and adds the rest to @left; or, in the second round,
 * removes the rest if it is in @left. What others moved aside since then waits for them. */
static bool
sweep_aside(FsnRepo *repo,
            Marks *marks,
            bool second,
            GHashTable *left,
            FsnGcReport *report,
            GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;

    if (!fsn_blob_list(fsn_repo_store(repo), FSN_DIR_ASIDE, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        const char *aside = g_ptr_array_index(keys, i);
        const char *key = aside + strlen(FSN_DIR_ASIDE "/");
        g_autoptr(GError) local = NULL;
        bool ok = true;

        if (is_needed(repo, key, aside, marks)) {
            report->put_back++;
            ok = fsn_blob_rename(fsn_repo_store(repo), aside, key, &local);
        } else if (!second) {
            g_hash_table_add(left, g_strdup(key));
        } else if (g_hash_table_contains(left, key)) {
            report->objects_removed++;
            report->bytes_removed += size_of(repo, aside);
            ok = fsn_blob_remove(fsn_repo_store(repo), aside, false, &local);
        }
        if (!ok && !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
    return true;
}

static bool
remove_stale(FsnRepo *repo, GPtrArray *stale, FsnGcReport *report, GError **error)
{
    for (guint i = 0; i < stale->len; i++) {
        const char *key = g_ptr_array_index(stale, i);

        report->objects_removed++;
        report->bytes_removed += size_of(repo, key);
        if (!fsn_blob_remove_stale(fsn_repo_store(repo), key, error)) {
            return false;
        }
    }
    return true;
}

/* Removes leases that were and are dead. Their objects go at the next run. */
static bool
remove_leases(
    FsnRepo *repo, Marks *before, Marks *after, int64_t grace_us, GError **error)
{
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init(&iter, after->idle);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const char *was = g_hash_table_lookup(before->idle, key);
        bool dead = g_str_has_suffix(value, " dead");

        if (was && strcmp(was, value) == 0 &&
            (dead || grace_us >= DEAD_RENEWALS * FSN_LEASE_RENEW_US) &&
            !fsn_blob_remove(fsn_repo_store(repo), key, false, error)) {
            return false;
        }
    }
    return true;
}

static void
report_dry_run(FsnRepo *repo, GPtrArray *garbage, GPtrArray *stale, FsnGcReport *report)
{
    GPtrArray *lists[] = { garbage, stale };

    for (size_t l = 0; l < G_N_ELEMENTS(lists); l++) {
        for (guint i = 0; i < lists[l]->len; i++) {
            report->objects_removed++;
            report->bytes_removed += size_of(repo, g_ptr_array_index(lists[l], i));
        }
    }
}

/* Forgets that packs were thinned which are there no more. */
static bool
forget_gone(FsnRepo *repo, Marks *marks, GError **error)
{
    g_autoptr(GHashTable) thinned = NULL;
    GHashTableIter iter;
    gpointer key;

    if (!fsn_repo_list_thinned(repo, &thinned, error)) {
        return false;
    }
    g_hash_table_iter_init(&iter, thinned);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        g_autofree char *aside = g_strconcat(FSN_DIR_ASIDE "/", (char *)key, NULL);
        uint64_t size;

        if (!g_hash_table_contains(marks->keys, key) &&
            !fsn_blob_size(fsn_repo_store(repo), key, &size, NULL) &&
            !fsn_blob_size(fsn_repo_store(repo), aside, &size, NULL) &&
            !fsn_repo_forget_thinned(repo, key, error)) {
            return false;
        }
    }
    return true;
}

/* What to thin; null if nothing is, since it was not asked for or cannot be known. */
static FsnRepack *
plan_repack(FsnRepo *repo, FsnGcFlags flags, Marks *marks, FsnGcReport *report)
{
    FsnRepack *repack = flags & FSN_GC_NO_REPACK
                            ? NULL
                            : fsn_repack_plan(repo, marks->keys, marks->writers, NULL);

    if (repack) {
        report->packs_repacked = fsn_repack_packs(repack);
        report->bytes_repacked = fsn_repack_bytes(repack);
    }
    return repack;
}

/* Thins, with @marks what is needed after the time of grace. */
static bool
run_repack(
    FsnRepo *repo, FsnRepack *repack, Marks *marks, FsnGcReport *report, GError **error)
{
    g_autoptr(Marks) now = NULL;

    if (!repack || fsn_repack_packs(repack) == 0) {
        return true;
    }
    if (!fsn_repack_run(repack, marks->keys, error) || !mark_all(repo, &now, error) ||
        !fsn_repack_settle(repack, now->keys, error)) {
        g_prefix_error(error, "cannot repack: ");
        return false;
    }
    report->packs_repacked = fsn_repack_packs(repack);
    report->bytes_repacked = fsn_repack_bytes(repack);
    return true;
}

bool
fsn_repo_gc(FsnRepo *repo,
            FsnGcFlags flags,
            int64_t grace_us,
            FsnGcReport *out_report,
            GError **error)
{
    g_autoptr(GPtrArray) garbage = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) stale = NULL;
    g_autoptr(GHashTable) left =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(Marks) before = NULL;
    g_autoptr(Marks) after = NULL;
    g_autoptr(FsnRepack) repack = NULL;
    bool dry_run = flags & FSN_GC_DRY_RUN;
    FsnGcReport report = { 0 };
    FsnId writer;

    if (!dry_run && !fsn_repo_begin_write(repo, &writer, error)) {
        return false;
    }
    if (!mark_all(repo, &before, error) ||
        !find_garbage(repo, before, garbage, &report, error) ||
        !fsn_blob_list_stale(fsn_repo_store(repo), &stale, error)) {
        return false;
    }
    report.leases = g_hash_table_size(before->writers);
    if (dry_run) {
        repack = plan_repack(repo, flags, before, &report);
        report_dry_run(repo, garbage, stale, &report);
        *out_report = report;
        return true;
    }
    if (!sweep_aside(repo, before, false, left, &report, error) ||
        !move_aside(repo, garbage, left, error)) {
        return false;
    }
    /* Only now: whole packs may have come back that a crash had left aside. */
    repack = plan_repack(repo, flags, before, &report);
    if (repack && !fsn_repack_announce(repack, error)) {
        return false;
    }
    /* The time for writers to commit what they are about to commit. */
    g_usleep((gulong)grace_us);
    if (!mark_all(repo, &after, error) ||
        !sweep_aside(repo, after, true, left, &report, error) ||
        !remove_stale(repo, stale, &report, error) ||
        !remove_leases(repo, before, after, grace_us, error) ||
        !run_repack(repo, repack, after, &report, error) ||
        !forget_gone(repo, after, error)) {
        return false;
    }
    *out_report = report;
    return true;
}
