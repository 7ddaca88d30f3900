/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot against the disks themselves. It goes the way of a snapshot as far as the instant,
 * reads, and undoes it all: so a running guest is not disturbed, and whatever is interrupted is
 * recovered as an interrupted snapshot.
 */
#include "config.h"

#include "cycle/compare-disks.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/snapshot-policy.h"
#include "disk/compare.h"
#include "disk/stored-disk.h"
#include "repo/manifests.h"

#include <string.h>

typedef struct {
    FsnCycle *cycle;
    GCancellable *cancellable;
    JsonObject *manifest;
    const char *id;
    const char *uuid;
    GPtrArray *stored;  /* of FsnStoredDisk */
    GPtrArray *targets; /* of those that have an image; ends with NULL */
    FsnSnapshotRun *run;
    JsonArray *disks;
    uint64_t compared;
    uint64_t differing;
    unsigned n_differing;
    uint64_t done; /* of the disks before */
    uint64_t total;
} Comparison;

static void
comparison_clear(Comparison *c)
{
    g_clear_pointer(&c->run, fsn_snapshot_run_free);
    g_clear_pointer(&c->targets, g_ptr_array_unref);
    g_clear_pointer(&c->stored, g_ptr_array_unref);
    g_clear_pointer(&c->manifest, json_object_unref);
    g_clear_pointer(&c->disks, json_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Comparison, comparison_clear)

void
fsn_compare_result_clear(FsnCompareResult *result)
{
    g_clear_pointer(&result->domain, g_free);
    g_clear_pointer(&result->disks, json_array_unref);
}

static bool
load(Comparison *c, FsnRepo *repo, const char *snapshot, GError **error)
{
    JsonObject *domain;

    if (!fsn_repo_load_manifest(repo, snapshot, &c->manifest, error) ||
        !fsn_json_get_string(c->manifest, "id", &c->id, error) ||
        !fsn_json_get_object(c->manifest, "domain", &domain, error) ||
        !fsn_json_get_string(domain, "uuid", &c->uuid, error)) {
        return false;
    }
    if (strcmp(fsn_json_peek_string(c->manifest, "kind", ""), "snapshot") != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "it has no disks");
        return false;
    }
    if (!fsn_stored_disks_read(c->manifest, &c->stored, error)) {
        return false;
    }
    c->targets = g_ptr_array_new();
    for (guint i = 0; i < c->stored->len; i++) {
        const FsnStoredDisk *disk = c->stored->pdata[i];

        if (disk->image) {
            g_ptr_array_add(c->targets, disk->target);
            c->total += disk->size;
        }
    }
    if (c->targets->len == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "it has no disks");
        return false;
    }
    g_ptr_array_add(c->targets, NULL);
    return true;
}

/* Why disk @d cannot be compared; NULL if it can. What a running guest has changed since must
 * be known. The caller frees. */
static char *
why_not(const Comparison *c, FsnSnapshotDisk *d)
{
    if (!c->run->qmp) {
        if (g_strcmp0(d->parent_id, c->id) != 0) {
            d->plan->mode = FSN_DISK_FULL; /* its record is that of another snapshot */
        }
        return NULL;
    }
    if (d->plan->mode != FSN_DISK_INCREMENTAL) {
        return g_strdup(d->plan->reason);
    }
    if (g_strcmp0(d->parent_id, c->id) != 0) {
        return g_strdup_printf("QEMU records the changes since %.8s", d->parent_id);
    }
    return NULL;
}

static JsonObject *
add_disk(Comparison *c, const char *target)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "target", target);
    json_array_add_object_element(c->disks, o);
    return o;
}

/* Those that cannot be are left alone by the instant too. */
static bool
choose(Comparison *c, GError **error)
{
    g_autofree char *first = NULL;
    unsigned n = 0;

    for (guint i = 0; i < c->run->disks->len; i++) {
        FsnSnapshotDisk *d = c->run->disks->pdata[i];
        g_autofree char *why = NULL;

        if (d->plan->mode == FSN_DISK_SKIPPED) {
            continue;
        }
        why = why_not(c, d);
        if (!why) {
            n++;
            continue;
        }
        json_object_set_string_member(add_disk(c, d->facts->target), "skipped", why);
        d->plan->mode = FSN_DISK_SKIPPED;
        if (!first) {
            first = g_strdup_printf("disk %s: %s", d->facts->target, why);
        }
    }
    if (n == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "%s; shut the domain down to compare all of it", first);
        return false;
    }
    return true;
}

static bool
on_progress(gpointer user, uint64_t done, uint64_t total, GError **error)
{
    Comparison *c = user;
    (void)total;

    fsn_cycle_progress(c->cycle, "comparing", c->done + done, c->total);
    if (c->run->guard) {
        fsn_guard_beat(c->run->guard);
    }
    return !g_cancellable_set_error_if_cancelled(c->cancellable, error) &&
           (!c->run->instant || fsn_instant_check(c->run->instant, error));
}

static JsonArray *
ranges_json(const GArray *ranges)
{
    JsonArray *array = json_array_sized_new(ranges->len);

    for (guint i = 0; i < ranges->len; i++) {
        const FsnDiskRange *range = &g_array_index(ranges, FsnDiskRange, i);
        JsonObject *o = json_object_new();

        json_object_set_int_member(o, "offset", (int64_t)range->offset);
        json_object_set_int_member(o, "length", (int64_t)range->length);
        json_array_add_object_element(array, o);
    }
    return array;
}

static void
take_result(Comparison *c,
            const char *target,
            bool all,
            const FsnDiskCompareResult *result)
{
    JsonObject *o = add_disk(c, target);

    json_object_set_string_member(o, "mode", all ? "all" : "unchanged");
    json_object_set_int_member(o, "compared", (int64_t)result->compared);
    json_object_set_int_member(o, "passed_over", (int64_t)result->passed_over);
    json_object_set_int_member(o, "differing", (int64_t)result->differing);
    json_object_set_int_member(o, "n_ranges", (int64_t)result->n_ranges);
    json_object_set_array_member(o, "ranges", ranges_json(result->ranges));
    c->compared += result->compared;
    c->differing += result->differing;
    c->n_differing += result->differing > 0;
}

/* What the snapshot has not cannot be compared; NULL = it has all. */
static GArray *
left_out_of(const Comparison *c, const char *target)
{
    JsonArray *disks;

    if (!fsn_json_get_array(c->manifest, "disks", &disks, NULL)) {
        return NULL;
    }
    for (guint i = 0; i < json_array_get_length(disks); i++) {
        JsonObject *disk;

        if (fsn_json_get_element(disks, i, &disk, NULL) &&
            strcmp(fsn_json_peek_string(disk, "target", ""), target) == 0) {
            return fsn_snapshot_left_out_ranges(disk, FSN_PLAN_KEEP);
        }
    }
    return NULL;
}

static bool
compare_disk(Comparison *c, FsnSnapshotDisk *d, GError **error)
{
    FsnSnapshotRun *run = c->run;
    const FsnStoredDisk *stored;
    g_autoptr(GArray) left_out = left_out_of(c, d->facts->target);
    g_auto(FsnDiskCompareResult) result = { 0 };
    g_autoptr(FsnImage) image = NULL;
    FsnDiskCompareOptions options = {
        .socket = d->offline ? fsn_disk_offline_socket(d->offline) : run->socket,
        .export_name = d->offline ? "" : d->facts->target,
        .bitmap = d->number >= 0 ? fsn_instant_context(run->instant, (unsigned)d->number)
                                 : d->context,
        .leave_out = left_out,
        .progress = on_progress,
        .user = c,
    };

    if (!fsn_stored_disks_find(c->stored, d->facts->target, &stored, error)) {
        return false;
    }
    image = fsn_image_open(run->repo, stored->image, error);
    options.image = image;
    if (!image || !fsn_disk_compare(&options, &result, error)) {
        g_prefix_error(error, "disk '%s': ", d->facts->target);
        return false;
    }
    c->done += stored->size;
    take_result(c, d->facts->target, !options.bitmap, &result);
    return true;
}

/* What was read is worth nothing if the scratch space had failed by then. */
static bool
compare_all(Comparison *c, GError **error)
{
    for (guint i = 0; i < c->run->disks->len; i++) {
        FsnSnapshotDisk *d = c->run->disks->pdata[i];

        if (d->plan->mode != FSN_DISK_SKIPPED && !compare_disk(c, d, error)) {
            return false;
        }
    }
    return !c->run->instant || fsn_instant_check(c->run->instant, error);
}

static bool
open_instant(Comparison *c, GError **error)
{
    FsnSnapshotOptions options = FSN_SNAPSHOT_OPTIONS_INIT;

    options.no_memory = true;
    options.plain_text = true; /* it is not stored */
    options.quiesce = FSN_QUIESCE_NONE;
    options.targets = (const char *const *)c->targets->pdata;
    c->run = fsn_snapshot_run_new(c->cycle, &options, error);
    if (!c->run) {
        return false;
    }
    c->run->comparing = c->id;
    return fsn_snapshot_preflight(c->run, c->uuid, false, error) && choose(c, error) &&
           (c->run->qmp ? fsn_snapshot_take(c->run, error)
                        : fsn_snapshot_open_offline(c->run, error));
}

bool
fsn_cycle_compare_disks(FsnCycle *cycle,
                        const char *snapshot,
                        GCancellable *cancellable,
                        FsnCompareResult *out_result,
                        GError **error)
{
    g_auto(Comparison) c = { .cycle = cycle,
                             .cancellable = cancellable,
                             .disks = json_array_new() };
    FsnRepo *repo = fsn_cycle_repo(cycle, error);

    if (!repo || !load(&c, repo, snapshot, error) || !open_instant(&c, error) ||
        !compare_all(&c, error) || !fsn_snapshot_undo(c.run, error)) {
        return false;
    }
    memset(out_result, 0, sizeof *out_result);
    g_strlcpy(out_result->snapshot, c.id, sizeof out_result->snapshot);
    out_result->domain = g_strdup(c.run->facts->name);
    out_result->disks = g_steal_pointer(&c.disks);
    out_result->compared = c.compared;
    out_result->differing = c.differing;
    out_result->n_differing = c.n_differing;
    return true;
}
