/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verifying snapshots. Objects that several snapshots share are verified once, and a problem
 * with one is reported once, with the first snapshot that needs it. Nothing is repaired.
 */
#include "config.h"

#include "repo/verify.h"

#include "base/error.h"
#include "base/json.h"
#include "repo/image-private.h"
#include "repo/manifests.h"
#include "repo/needs.h"
#include "repo/pack-frames.h"
#include "repo/repo-private.h"
#include "repofmt/pack.h"

#include <string.h>

typedef struct {
    FsnRepo *repo;
    bool read_data;
    FsnVerifyProgress progress;
    gpointer user;
    const char *snapshot; /* being verified */
    GHashTable *seen;     /* keys, and digests of segments, verified before */
    GThreadPool *pool;
    uint64_t total; /* bytes to verify that are known of */
    GMutex lock;    /* guards report and done */
    FsnVerifyReport report;
    uint64_t done;
} Verify;

/* A piece of work for the pool: a pack, or granules of an image. */
typedef struct {
    char *snapshot;
    char *pack;      /* key; or null, and then: */
    FsnImage *image; /* borrowed: the pool is drained before it is freed */
    uint32_t segment;
} Job;

void
fsn_verify_report_clear(FsnVerifyReport *report)
{
    g_clear_pointer(&report->problems, g_ptr_array_unref);
}

/* Takes @error over. */
static void
add_problem(Verify *v, const char *snapshot, GError *error)
{
    g_mutex_lock(&v->lock);
    g_ptr_array_add(v->report.problems,
                    g_strdup_printf("snapshot %s: %s", snapshot, error->message));
    g_mutex_unlock(&v->lock);
    g_error_free(error);
}

static void
add_done(Verify *v, uint64_t bytes, uint64_t granules)
{
    g_mutex_lock(&v->lock);
    v->done += bytes;
    v->report.bytes += bytes;
    v->report.granules += granules;
    if (v->progress) {
        v->progress(v->user, v->done, MAX(v->total, v->done));
    }
    g_mutex_unlock(&v->lock);
}

static bool
verify_pack(Verify *v, const char *key, GError **error)
{
    g_autoptr(FsnBlob) blob = fsn_repo_open_blob(v->repo, key, error);
    g_autoptr(GArray) frames = NULL;
    g_autofree uint8_t *data = g_malloc(FSN_FRAME_MAX_SIZE);
    uint8_t sha[FSN_SHA256_SIZE];

    if (!blob || !fsn_pack_read_frames(blob, NULL, &frames, error)) {
        return false;
    }
    for (guint i = 0; i < frames->len; i++) {
        const FsnPackFrame *frame = &g_array_index(frames, FsnPackFrame, i);

        if (fsn_pack_frame_removed(frame)) {
            continue;
        }
        if (!fsn_blob_pread(blob, data, frame->length, frame->offset, error)) {
            return false;
        }
        fsn_sha256(data, frame->length, sha);
        if (memcmp(sha, frame->sha256, sizeof sha) != 0) {
            return fsn_set_damaged(error, key, "the SHA-256 of the frame at %u is wrong",
                                   frame->offset);
        }
        add_done(v, frame->length, 0);
    }
    return true;
}

/* Reads all granules of one segment. */
static bool
verify_granules(Verify *v, FsnImage *image, uint32_t segment, GError **error)
{
    g_autoptr(FsnImageReader) reader = fsn_image_reader_new(image);
    uint64_t first = (uint64_t)segment * FSN_SEGMENT_GRANULES;
    uint32_t count = fsn_root_segment_count(fsn_image_n_granules(image), segment);
    uint8_t data[FSN_GRANULE_SIZE];
    uint64_t read = 0;
    bool zero;

    for (uint32_t i = 0; i < count; i++) {
        if (!fsn_image_reader_read(reader, first + i, data, &zero, error)) {
            return false;
        }
        read += !zero;
    }
    add_done(v, 0, read);
    return true;
}

static void
run_job(gpointer data, gpointer user)
{
    Verify *v = user;
    Job *job = data;
    GError *error = NULL;
    bool ok = job->pack ? verify_pack(v, job->pack, &error)
                        : verify_granules(v, job->image, job->segment, &error);

    if (!ok) {
        add_problem(v, job->snapshot, error);
    }
    g_free(job->snapshot);
    g_free(job->pack);
    g_free(job);
}

static void
push_job(Verify *v, const char *pack, FsnImage *image, uint32_t segment)
{
    Job *job = g_new0(Job, 1);

    job->snapshot = g_strdup(v->snapshot);
    job->pack = g_strdup(pack);
    job->image = image;
    job->segment = segment;
    g_thread_pool_push(v->pool, job, NULL);
}

/* Waits until the pool is empty, and makes it anew. */
static void
drain(Verify *v, bool again)
{
    g_thread_pool_free(v->pool, FALSE, TRUE);
    v->pool =
        again ? g_thread_pool_new(run_job, v, (gint)g_get_num_processors(), FALSE, NULL)
              : NULL;
}

/* Presence and length of one needed object; contents where they are small. */
static bool
check_need(gpointer user, const char *key, uint64_t size, GError **error)
{
    Verify *v = user;
    g_autoptr(FsnBlob) blob = NULL;
    g_autoptr(GBytes) bytes = NULL;
    GError *local = NULL;

    if (!g_hash_table_add(v->seen, g_strdup(key))) {
        return true;
    }
    v->report.objects++;
    blob = fsn_repo_open_blob(v->repo, key, &local);
    if (blob && size != UINT64_MAX && fsn_blob_length(blob) != size) {
        fsn_set_damaged(&local, key,
                        "it has %" G_GUINT64_FORMAT
                        " bytes and should have %" G_GUINT64_FORMAT,
                        fsn_blob_length(blob), size);
    } else if (blob && g_str_has_prefix(key, FSN_DIR_OBJECTS "/")) {
        (void)!fsn_repo_get_object(v->repo, strrchr(key, '/') + 1, FSN_REPO_MAX_OBJECT,
                                   &bytes, &local);
    } else if (blob && v->read_data && g_str_has_prefix(key, FSN_DIR_PACKS "/")) {
        v->total += fsn_blob_length(blob);
        push_job(v, key, NULL, 0);
    }
    if (local) {
        add_problem(v, v->snapshot, local);
    }
    return true;
}

/* Whether segment @s with its overlay was verified for another image. */
static bool
segment_seen(Verify *v, FsnImage *image, uint32_t s)
{
    const FsnSegmentRef *ref =
        &g_array_index(fsn_image_root(image)->segments, FsnSegmentRef, s);
    size_t n;

    (void)fsn_image_overlay(image, s, &n);
    if (fsn_segment_ref_uniform(ref)) {
        return n == 0;
    }
    return n == 0 && !g_hash_table_add(v->seen, fsn_hex(ref->sha256, FSN_SHA256_SIZE));
}

/* Verifies the index of an image, and queues its granules. */
static bool
check_image(gpointer user, const char *folder, const char *hex, GError **error)
{
    Verify *v = user;
    g_autoptr(FsnImage) image = NULL;
    GError *local = NULL;

    if (strcmp(folder, FSN_DIR_ROOTS) != 0) {
        return true;
    }
    image = fsn_image_open(v->repo, hex, NULL); /* reported by the walk of needs */
    for (uint32_t s = 0; image && s < fsn_image_root(image)->segments->len; s++) {
        FsnSegment segment;

        if (!fsn_image_segment(image, s, &segment, &local)) {
            add_problem(v, v->snapshot, local);
            local = NULL;
        } else if (v->read_data && !segment_seen(v, image, s)) {
            push_job(v, NULL, image, s);
        }
    }
    drain(v, true);
    return true;
}

static bool
check_reference(gpointer user, const char *folder, const char *hex, GError **error)
{
    Verify *v = user;
    GError *local = NULL;

    /* A root that cannot be read ends the walk of what it needs, not the others. */
    if (!fsn_repo_needs_of(v->repo, folder, hex, check_need, v, &local)) {
        add_problem(v, v->snapshot, local);
        return true;
    }
    return check_image(v, folder, hex, error);
}

static bool
verify_manifests(Verify *v, const char *id, GError **error)
{
    g_autoptr(GPtrArray) manifests =
        g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
    g_autoptr(GPtrArray) damaged = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) local = NULL;
    JsonObject *one;

    if (!id) {
        g_clear_pointer(&manifests, g_ptr_array_unref);
        g_clear_pointer(&damaged, g_ptr_array_unref);
        if (!fsn_repo_list_manifests(v->repo, &manifests, &damaged, error)) {
            return false;
        }
    } else if (fsn_repo_load_manifest(v->repo, id, &one, &local)) {
        g_ptr_array_add(manifests, one);
    } else if (g_error_matches(local, FSN_ERROR, FSN_ERROR_CORRUPT)) {
        g_ptr_array_add(damaged, g_strdup(local->message));
    } else {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    for (guint i = 0; i < damaged->len; i++) {
        g_ptr_array_add(v->report.problems, g_strdup(g_ptr_array_index(damaged, i)));
    }
    v->report.snapshots = manifests->len + damaged->len;
    for (guint i = 0; i < manifests->len; i++) {
        JsonObject *manifest = g_ptr_array_index(manifests, i);

        v->snapshot = fsn_json_peek_string(manifest, "id", "?");
        if (!fsn_manifest_references(manifest, check_reference, v, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_repo_verify(FsnRepo *repo,
                const char *id,
                bool read_data,
                FsnVerifyProgress progress,
                gpointer user,
                FsnVerifyReport *out_report,
                GError **error)
{
    Verify v = {
        .repo = repo, .read_data = read_data, .progress = progress, .user = user
    };
    bool ok;

    v.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    v.report.problems = g_ptr_array_new_with_free_func(g_free);
    v.pool = g_thread_pool_new(run_job, &v, (gint)g_get_num_processors(), FALSE, NULL);
    g_mutex_init(&v.lock);
    ok = verify_manifests(&v, id, error);
    drain(&v, false);
    g_hash_table_unref(v.seen);
    g_mutex_clear(&v.lock);
    if (ok) {
        *out_report = v.report;
    } else {
        fsn_verify_report_clear(&v.report);
    }
    return ok;
}
