/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verifying snapshots, in two rounds. This first one looks at all that is small, for each
 * snapshot in turn; what several share is looked at once, and its verdict kept. The second,
 * in verify-data.c, reads the packs. Nothing is repaired.
 */
#include "config.h"

#include "repo/verify-private.h"

#include "base/error.h"
#include "base/json.h"
#include "repo/manifests.h"
#include "repo/marks.h"
#include "repo/needs.h"
#include "repo/repo-private.h"
#include "repo/sequence.h"

#include <string.h>

static void
result_free(gpointer data)
{
    FsnVerifyResult *result = data;

    g_ptr_array_unref(result->problems);
    g_free(result->id);
    g_free(result);
}

static void
snapshot_free(gpointer data)
{
    FsnVerifySnapshot *snapshot = data;

    g_ptr_array_unref(snapshot->roots);
    g_free(snapshot);
}

static void
pack_free(gpointer data)
{
    FsnVerifyPack *pack = data;

    fsn_pack_check_free(pack->check);
    g_free(pack->key);
    g_free(pack);
}

void
fsn_verify_report_clear(FsnVerifyReport *report)
{
    g_clear_pointer(&report->problems, g_ptr_array_unref);
    g_clear_pointer(&report->results, g_ptr_array_unref);
}

void
fsn_verify_tell(FsnVerify *v, const FsnVerifyResult *result, const char *message)
{
    if (g_hash_table_add(v->told, g_strdup(message))) {
        g_ptr_array_add(v->report.problems,
                        result ? g_strdup_printf("snapshot %s: %s", result->id, message)
                               : g_strdup(message));
    }
}

void
fsn_verify_add_problem(FsnVerify *v, FsnVerifyResult *result, const char *message)
{
    if (*message &&
        !g_ptr_array_find_with_equal_func(result->problems, message, g_str_equal, NULL)) {
        g_ptr_array_add(result->problems, g_strdup(message));
        fsn_verify_tell(v, result, message);
    }
}

/* Keeps the verdict on @key, which is taken over. Returns it. */
static const char *
keep_verdict(FsnVerify *v, char *key, const GError *error)
{
    char *verdict = g_strdup(error ? error->message : "");

    g_hash_table_insert(v->verdicts, key, verdict);
    return verdict;
}

static void
queue_pack(FsnVerify *v, const char *key, uint64_t length)
{
    FsnVerifyPack *pack = g_new0(FsnVerifyPack, 1);

    (void)fsn_id_parse(strrchr(key, '/') + 1, &pack->id); /* the key was made of one */
    pack->key = g_strdup(key);
    pack->length = length;
    pack->first = v->current->result;
    g_ptr_array_add(v->packs, pack);
    v->total += length;
}

/* Presence and length of one object; contents where they are small. */
static void
look_at(FsnVerify *v, const char *key, uint64_t size, GError **error)
{
    g_autoptr(FsnBlob) blob = fsn_repo_open_blob(v->repo, key, error);
    g_autoptr(GBytes) bytes = NULL;

    if (!blob) {
        return;
    }
    if (size != UINT64_MAX && fsn_blob_length(blob) != size) {
        fsn_set_damaged(error, key,
                        "it has %" G_GUINT64_FORMAT
                        " bytes and should have %" G_GUINT64_FORMAT,
                        fsn_blob_length(blob), size);
    } else if (g_str_has_prefix(key, FSN_DIR_OBJECTS "/")) {
        (void)!fsn_repo_get_object(v->repo, strrchr(key, '/') + 1, FSN_REPO_MAX_OBJECT,
                                   &bytes, error);
    } else if (v->read_data && g_str_has_prefix(key, FSN_DIR_PACKS "/")) {
        queue_pack(v, key, fsn_blob_length(blob));
    }
}

/* What is wrong with the object at @key, "" if nothing. */
static const char *
verdict_of(FsnVerify *v, const char *key, uint64_t size)
{
    const char *verdict = g_hash_table_lookup(v->verdicts, key);

    if (!verdict) {
        g_autoptr(GError) local = NULL;

        v->report.objects++;
        look_at(v, key, size, &local);
        verdict = keep_verdict(v, g_strdup(key), local);
    }
    return verdict;
}

static bool
check_need(gpointer user, const char *key, uint64_t size, GError **error)
{
    FsnVerify *v = user;

    fsn_verify_add_problem(v, v->current->result, verdict_of(v, key, size));
    return true;
}

/* The snapshot is whole without it. */
static bool
check_extra(gpointer user, const char *key, uint64_t size, GError **error)
{
    FsnVerify *v = user;
    const char *verdict = verdict_of(v, key, size);

    if (*verdict) {
        fsn_verify_tell(v, v->current->result, verdict);
    }
    return true;
}

static const FsnSegmentRef *
segment_ref(FsnImage *image, uint32_t s)
{
    return &g_array_index(fsn_image_root(image)->segments, FsnSegmentRef, s);
}

bool
fsn_verify_is_uniform(FsnImage *image, uint32_t s)
{
    return segment_ref(image, s)->bundle >= fsn_image_root(image)->bundles->len;
}

char *
fsn_verify_segment_key(FsnImage *image, uint32_t s)
{
    const FsnSegmentRef *ref = segment_ref(image, s);
    const FsnObjectRef *bundle =
        &g_array_index(fsn_image_root(image)->bundles, FsnObjectRef, ref->bundle);
    g_autofree char *id = fsn_id_to_string(&bundle->id);
    g_autofree char *sha = fsn_hex(ref->sha256, FSN_SHA256_SIZE);

    return g_strdup_printf("%s:%" G_GUINT64_FORMAT ":%s", id, ref->offset, sha);
}

static void
check_index(FsnVerify *v, FsnImage *image)
{
    for (uint32_t s = 0; s < fsn_image_root(image)->segments->len; s++) {
        g_autofree char *key = NULL;
        g_autoptr(GError) local = NULL;
        const char *verdict;
        FsnSegment segment;

        if (fsn_verify_is_uniform(image, s)) {
            continue;
        }
        key = fsn_verify_segment_key(image, s);
        verdict = g_hash_table_lookup(v->verdicts, key);
        if (!verdict) {
            (void)!fsn_image_segment(image, s, &segment, &local);
            verdict = keep_verdict(v, g_steal_pointer(&key), local);
        }
        fsn_verify_add_problem(v, v->current->result, verdict);
    }
}

static bool
check_reference(gpointer user, const char *folder, const char *hex, GError **error)
{
    FsnVerify *v = user;
    g_autoptr(FsnImage) image = NULL;
    g_autoptr(GError) local = NULL;

    /* A root that cannot be read ends the walk of what it needs, not the others. */
    if (fsn_manifest_is_extra(v->manifest, hex)) {
        if (!fsn_repo_needs_of(v->repo, folder, hex, check_extra, v, &local)) {
            fsn_verify_tell(v, v->current->result, local->message);
        }
    } else if (!fsn_repo_needs_of(v->repo, folder, hex, check_need, v, &local)) {
        fsn_verify_add_problem(v, v->current->result, local->message);
    } else if (strcmp(folder, FSN_DIR_ROOTS) == 0 &&
               (image = fsn_image_open(v->repo, hex, NULL))) {
        check_index(v, image);
        g_ptr_array_add(v->current->roots, g_strdup(hex));
    }
    return true;
}

/* Begins with the snapshot whose whole id is @id. */
static void
begin_snapshot(FsnVerify *v, const char *id)
{
    FsnVerifyResult *result = g_new0(FsnVerifyResult, 1);
    FsnVerifySnapshot *snapshot = g_new0(FsnVerifySnapshot, 1);

    result->id = g_strdup(id);
    result->problems = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(v->report.results, result);
    snapshot->result = result;
    snapshot->roots = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(v->snapshots, snapshot);
    v->current = snapshot;
    v->report.snapshots++;
}

static bool
is_known(FsnVerify *v, const char *id)
{
    for (guint i = 0; i < v->snapshots->len; i++) {
        const FsnVerifySnapshot *snapshot = v->snapshots->pdata[i];

        if (g_str_equal(snapshot->result->id, id)) {
            return true;
        }
    }
    return false;
}

/* Looks at snapshot @id, the beginning of an id if @named by somebody. One that has gone is
 * an error only then. */
static bool
check_snapshot(FsnVerify *v, const char *id, bool named, GError **error)
{
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GError) local = NULL;

    if (fsn_repo_load_manifest(v->repo, id, &manifest, &local)) {
        id = fsn_json_peek_string(manifest, "id", id);
        if (named && is_known(v, id)) {
            return true;
        }
        begin_snapshot(v, id);
        v->manifest = manifest;
        return fsn_manifest_references(manifest, check_reference, v, error);
    }
    if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND) ||
        g_error_matches(local, FSN_ERROR, FSN_ERROR_USAGE)) {
        if (named) {
            g_propagate_error(error, g_steal_pointer(&local));
        }
        return !named;
    }
    begin_snapshot(v, id);
    fsn_verify_add_problem(v, v->current->result, local->message);
    return true;
}

static void
tell(FsnVerify *v, size_t done, size_t total)
{
    if (v->progress) {
        v->progress(v->user, FSN_VERIFY_INDEXES, done, total);
    }
}

static bool
check_named(FsnVerify *v, const char *const *ids, GError **error)
{
    size_t n = g_strv_length((char **)ids);

    for (size_t i = 0; i < n; i++) {
        tell(v, i, n);
        if (!check_snapshot(v, ids[i], true, error)) {
            return false;
        }
    }
    return true;
}

static bool
check_snapshots(FsnVerify *v, const char *const *ids, GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;

    if (ids) {
        return check_named(v, ids, error);
    }
    if (!fsn_blob_list(fsn_repo_store(v->repo), FSN_DIR_MANIFESTS, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        const char *id = (const char *)keys->pdata[i] + strlen(FSN_DIR_MANIFESTS "/");

        tell(v, i, keys->len);
        if (!check_snapshot(v, id, false, error)) {
            return false;
        }
    }
    return true;
}

/* Reads the mark or sequence @name, which begins with a snapshot's id. */
static bool
check_own(FsnVerify *v, const char *folder, const char *name, GError **error)
{
    g_autofree char *id = g_strndup(name, FSN_ID_HEX);
    g_autoptr(JsonObject) body = NULL;

    if (strcmp(folder, FSN_DIR_SEQUENCES) == 0) {
        return fsn_sequence_check(v->repo, name, v->read_data, error);
    }
    return fsn_repo_mark_read(v->repo, id, name + FSN_ID_HEX + 1, &body, error);
}

/* The marks and sequences of the snapshots that are looked at. */
static bool
check_owns(FsnVerify *v, const char *folder, GHashTable *results, GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;

    if (!fsn_blob_list(fsn_repo_store(v->repo), folder, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        const char *name = (const char *)keys->pdata[i] + strlen(folder) + 1;
        g_autofree char *id = g_strndup(name, FSN_ID_HEX);
        FsnVerifyResult *result = g_hash_table_lookup(results, id);
        g_autoptr(GError) local = NULL;

        if (result && (name[FSN_ID_HEX] == '.' || folder[0] == 's') &&
            !check_own(v, folder, name, &local) &&
            !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            fsn_verify_tell(v, result,
                            local->message); /* the snapshot is whole without it */
        }
    }
    return true;
}

static bool
check_all_owns(FsnVerify *v, GError **error)
{
    g_autoptr(GHashTable) results = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < v->report.results->len; i++) {
        FsnVerifyResult *result = v->report.results->pdata[i];

        g_hash_table_insert(results, result->id, result);
    }
    return check_owns(v, FSN_DIR_MARKS, results, error) &&
           check_owns(v, FSN_DIR_SEQUENCES, results, error);
}

/* What belongs to no snapshot: the superblock as it is now, and the refs. */
static bool
check_repository(FsnVerify *v, GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(GError) superblock = NULL;

    if (!fsn_repo_check_superblock(v->repo, &superblock)) {
        fsn_verify_tell(v, NULL, superblock->message);
    }
    if (!fsn_blob_list(fsn_repo_store(v->repo), FSN_DIR_REFS, &keys, error)) {
        return false;
    }
    for (guint i = 0; i < keys->len; i++) {
        const char *name = (const char *)keys->pdata[i] + strlen(FSN_DIR_REFS "/");
        g_autoptr(GBytes) bytes = NULL;
        g_autoptr(GError) local = NULL;

        if (!fsn_repo_get_ref(v->repo, name, FSN_REPO_MAX_REF, &bytes, &local) &&
            !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            fsn_verify_tell(v, NULL, local->message);
        }
    }
    return true;
}

static guint
id_hash(gconstpointer key)
{
    guint h;

    memcpy(&h, key, sizeof h); /* ids are random */
    return h;
}

static gboolean
id_equal(gconstpointer a, gconstpointer b)
{
    return fsn_id_equal(a, b);
}

bool
fsn_repo_verify(FsnRepo *repo,
                const char *const *ids,
                bool read_data,
                FsnVerifyProgress progress,
                gpointer user,
                FsnVerifyReport *out_report,
                GError **error)
{
    g_autoptr(GPtrArray) snapshots = g_ptr_array_new_with_free_func(snapshot_free);
    g_autoptr(GPtrArray) packs = g_ptr_array_new_with_free_func(pack_free);
    g_autoptr(GHashTable) verdicts =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GHashTable) told =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) batch = g_hash_table_new(id_hash, id_equal);
    FsnVerify v = { .repo = repo,
                    .read_data = read_data,
                    .progress = progress,
                    .user = user,
                    .snapshots = snapshots,
                    .verdicts = verdicts,
                    .told = told,
                    .packs = packs,
                    .batch = batch };
    bool ok;

    v.report.problems = g_ptr_array_new_with_free_func(g_free);
    v.report.results = g_ptr_array_new_with_free_func(result_free);
    g_mutex_init(&v.lock);
    ok = check_snapshots(&v, ids, error) && check_all_owns(&v, error) &&
         (ids || check_repository(&v, error));
    if (ok) {
        fsn_verify_data(&v);
        *out_report = v.report;
    } else {
        fsn_verify_report_clear(&v.report);
    }
    g_mutex_clear(&v.lock);
    return ok;
}
