/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disks of a domain as a snapshot finds them: in QEMU or, if it is off, in their files;
 * and in which earlier snapshot each can be found again. Looks only.
 */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/snapshot-policy.h"
#include "disk/qemu-img.h"
#include "domxml/disk-support.h"
#include "qmp/block-nodes.h"
#include "repo/manifests.h"

#include <string.h>
#include <sys/stat.h>

/* What an earlier snapshot has of a disk. Strings are the manifest's. */
typedef struct {
    const char *snapshot;
    const char *root;
    uint64_t size;
    int64_t created_us;
    JsonObject *disk;
} Stored;

void
fsn_snapshot_disk_free(gpointer data)
{
    FsnSnapshotDisk *d = data;

    if (d) {
        fsn_disk_offline_free(d->offline);
        fsn_disk_capture_result_clear(&d->result);
        fsn_image_free(d->parent);
        fsn_disk_plan_free(d->plan);
        g_free(d->node);
        g_free(d->context);
        g_free(d->parent_id);
        g_free(d->parent_root);
        g_free(d->left_out);
        g_clear_pointer(&d->must_read, g_array_unref);
        g_clear_pointer(&d->parts, g_ptr_array_unref);
        g_clear_pointer(&d->seen, g_ptr_array_unref);
        g_clear_pointer(&d->changes, g_array_unref);
        g_clear_pointer(&d->full, g_array_unref);
        g_clear_pointer(&d->whole, g_array_unref);
        g_free(d);
    }
}

static bool
read_stored(JsonObject *manifest, const char *target, Stored *out)
{
    JsonArray *disks;

    if (!fsn_json_get_array(manifest, "disks", &disks, NULL)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(disks); i++) {
        JsonObject *disk;
        int64_t size;

        if (fsn_json_get_element(disks, i, &disk, NULL) &&
            g_str_equal(fsn_json_peek_string(disk, "target", ""), target) &&
            json_object_has_member(disk, "image") &&
            fsn_json_get_int(disk, "size", 0, G_MAXINT64, &size, NULL) &&
            fsn_json_get_string(disk, "image", &out->root, NULL) &&
            fsn_json_get_string(manifest, "id", &out->snapshot, NULL)) {
            out->size = (uint64_t)size;
            out->disk = disk;
            out->created_us = fsn_json_peek_int(manifest, "created_us", 0);
            return true;
        }
    }
    return false;
}

static bool
is_of_domain(JsonObject *manifest, const char *uuid)
{
    JsonObject *domain;

    return fsn_json_get_object(manifest, "domain", &domain, NULL) &&
           g_str_equal(fsn_json_peek_string(domain, "uuid", ""), uuid);
}

static FsnBitmapState
bitmap_state(const FsnBlockDevice *device, const FsnBlockBitmap *bitmap)
{
    if (bitmap->inconsistent) {
        return FSN_BITMAP_INCONSISTENT;
    }
    if (bitmap->busy) {
        return FSN_BITMAP_BUSY;
    }
    if (!bitmap->recording) {
        return FSN_BITMAP_STOPPED;
    }
    /* Others can write the data while no QEMU has it; a bitmap that lives no longer than QEMU
     * has seen all. */
    return device->data_file && bitmap->persistent ? FSN_BITMAP_DATA_FILE
                                                   : FSN_BITMAP_RECORDING;
}

static void
take_parent(FsnSnapshotDisk *d, const Stored *stored)
{
    g_free(d->parent_id);
    g_free(d->parent_root);
    d->parent_id = g_strdup(stored->snapshot);
    d->parent_root = g_strdup(stored->root);
    d->parent_size = stored->size;
    d->parent_us = stored->created_us;
    g_clear_pointer(&d->must_read, g_array_unref);
    d->must_read = fsn_snapshot_left_out_ranges(stored->disk, FSN_PLAN_READ);
}

/* The snapshot whose bitmap is on the disk, which after a restore is not the newest one, nor
 * need it be of this domain; else the newest that has the disk at all. */
static void
find_parent(FsnSnapshotRun *run, FsnSnapshotDisk *d, const FsnBlockDevice *device)
{
    for (guint i = 0; i < run->manifests->len; i++) {
        JsonObject *m = run->manifests->pdata[i];
        g_autofree char *name = NULL;
        const FsnBlockBitmap *bitmap;
        Stored stored;

        if (!read_stored(m, d->facts->target, &stored)) {
            continue;
        }
        name = fsn_instant_bitmap(run->repo_id, stored.snapshot);
        bitmap = device ? fsn_block_device_bitmap(device, name) : NULL;
        if (!bitmap && (d->parent_id || !is_of_domain(m, run->facts->uuid))) {
            continue;
        }
        take_parent(d, &stored);
        d->bitmap = bitmap ? bitmap_state(device, bitmap) : FSN_BITMAP_ABSENT;
        d->dirty = bitmap ? bitmap->count : 0;
        if (bitmap) {
            return;
        }
    }
}

/* Bytes that a file takes, 0 if that is not known or does not limit what can be overwritten. */
static uint64_t
allocated_bytes(const FsnDiskFacts *facts)
{
    struct stat st;

    if (facts->backing || !facts->source || g_strcmp0(facts->source_kind, "file") != 0 ||
        stat(facts->source, &st) < 0) {
        return 0;
    }
    return (uint64_t)st.st_blocks * 512;
}

static bool
is_asked(const FsnSnapshotRun *run, const char *target)
{
    return run->options.targets &&
           g_strv_contains((const char *const *)run->options.targets, target);
}

static bool
plan_disk(FsnSnapshotRun *run, FsnSnapshotDisk *d, const char *refusal, GError **error)
{
    bool asked = is_asked(run, d->facts->target);
    FsnDiskFound found = {
        .target = d->facts->target,
        .refusal = refusal || asked ? refusal : fsn_snapshot_policy_skip(run, d),
        .asked = asked,
        .size = d->size,
        .allocated = d->allocated,
        .parent = d->parent_id,
        .parent_size = d->parent_size,
        .bitmap = d->bitmap,
        .dirty = d->dirty,
    };

    d->plan = fsn_disk_plan(&found, run->options.targets != NULL, error);
    if (!d->plan) {
        return false;
    }
    fsn_snapshot_policy_mode(run, d);
    return true;
}

/* In QEMU; a phrase why it cannot be taken. */
static const char *
look_in_qemu(FsnSnapshotDisk *d, const FsnBlockDevice *device)
{
    if (!device || !device->node) {
        return "QEMU has no such disk, or it is empty";
    }
    if (device->read_only) {
        return "it is read-only";
    }
    d->node = g_strdup(device->node);
    d->size = device->virtual_size;
    d->data_file = device->data_file;
    d->persistent = g_strcmp0(device->driver, "qcow2") == 0 && !d->data_file;
    return NULL;
}

static bool
find_live(FsnSnapshotRun *run, FsnSnapshotDisk *d, GPtrArray *devices, GError **error)
{
    const char *refusal = fsn_disk_snapshot_refusal(d->facts, run->options.plain_text);
    FsnBlockDevice *device =
        d->facts->alias ? fsn_block_device_find(devices, d->facts->alias) : NULL;

    if (!refusal) {
        refusal = look_in_qemu(d, device);
    }
    if (!refusal) {
        find_parent(run, d, device);
    }
    return plan_disk(run, d, refusal, error);
}

static void
bitmap_free(gpointer bitmap)
{
    g_free(((FsnBlockBitmap *)bitmap)->name);
    g_free(bitmap);
}

/* What QEMU would say of the image. */
static FsnBlockDevice
device_of(const FsnImageInfo *info)
{
    FsnBlockDevice device = { .data_file = info->data_file,
                              .bitmaps = g_ptr_array_new_with_free_func(bitmap_free) };

    for (guint i = 0; i < info->bitmaps->len; i++) {
        const FsnImageBitmap *is = info->bitmaps->pdata[i];
        FsnBlockBitmap *bitmap = g_new0(FsnBlockBitmap, 1);

        bitmap->name = g_strdup(is->name);
        bitmap->recording = is->recording;
        bitmap->inconsistent = is->inconsistent;
        bitmap->persistent = true;
        g_ptr_array_add(device.bitmaps, bitmap);
    }
    return device;
}

/* An image does not say how much its bitmap names: its server does. A bitmap that cannot be
 * served is not used. */
static void
measure_dirty(FsnSnapshotRun *run, FsnSnapshotDisk *d)
{
    g_autofree char *name = fsn_instant_bitmap(run->repo_id, d->parent_id);
    g_autofree char *context = g_strconcat("qemu:dirty-bitmap:", name, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnDiskOffline) offline =
        fsn_disk_offline_new(d->facts->source, d->facts->format, name, &error);
    FsnDiskCaptureOptions options = { .export_name = "", .bitmap = context };
    FsnDiskCaptureResult result = { 0 };

    options.socket = offline ? fsn_disk_offline_socket(offline) : NULL;
    if (offline && fsn_disk_measure(&options, &result, &error)) {
        d->dirty = result.bytes_dirty;
        return;
    }
    g_debug("disk '%s': %s", d->facts->target, error->message);
    d->bitmap = FSN_BITMAP_INCONSISTENT;
}

static bool
look_in_image(FsnSnapshotRun *run, FsnSnapshotDisk *d, GError **error)
{
    g_auto(FsnImageInfo) info = { 0 };
    FsnBlockDevice device;

    if (!fsn_qemu_img_info(d->facts->source, d->facts->format ? d->facts->format : "raw",
                           &info, error)) {
        return false;
    }
    d->size = info.virtual_size;
    d->data_file = info.data_file;
    device = device_of(&info);
    find_parent(run, d, &device);
    g_ptr_array_unref(device.bitmaps);
    if (d->parent_id && d->bitmap == FSN_BITMAP_RECORDING) {
        measure_dirty(run, d);
    }
    return true;
}

static bool
find_off(FsnSnapshotRun *run, FsnSnapshotDisk *d, GError **error)
{
    const char *refusal = fsn_disk_snapshot_refusal(d->facts, run->options.plain_text);

    if (!refusal && g_strcmp0(d->facts->source_kind, "file") != 0 &&
        g_strcmp0(d->facts->source_kind, "block") != 0) {
        refusal = "the domain is off, and it is neither a file nor a block device";
    }
    if (!refusal && !look_in_image(run, d, error)) {
        g_prefix_error(error, "disk '%s': ", d->facts->target);
        return false;
    }
    return plan_disk(run, d, refusal, error);
}

/* A name that was asked for and is no disk at all is the user's mistake. */
static bool
check_targets(FsnSnapshotRun *run, GError **error)
{
    for (const char *const *t = run->options.targets; t && *t; t++) {
        bool found = false;

        for (guint i = 0; i < run->facts->disks->len; i++) {
            const FsnDiskFacts *facts = run->facts->disks->pdata[i];

            found = found || g_str_equal(facts->target, *t);
        }
        if (!found) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                        "domain '%s' has no disk '%s'", run->facts->name, *t);
            return false;
        }
    }
    return true;
}

/* The variable store is a drive like others, which no device of libvirt's names: found by its
 * file. */
static void
find_nvram(FsnSnapshotRun *run, GPtrArray *devices)
{
    for (guint i = 0; fsn_firmware_has_nvram(run->facts) && i < devices->len; i++) {
        const FsnBlockDevice *device = devices->pdata[i];

        if (device->node && !device->read_only &&
            device->virtual_size <= FSN_FIRMWARE_MAX_NVRAM &&
            g_strcmp0(device->filename, run->facts->nvram) == 0) {
            run->nvram_node = g_strdup(device->node);
            run->nvram_size = device->virtual_size;
            return;
        }
    }
}

bool
fsn_snapshot_find_manifests(FsnSnapshotRun *run, GError **error)
{
    g_autoptr(GPtrArray) damaged = NULL;

    return fsn_repo_list_manifests(run->repo, &run->manifests, &damaged, error);
}

bool
fsn_snapshot_find_disks(FsnSnapshotRun *run, GError **error)
{
    g_autoptr(GPtrArray) devices = NULL;

    if (!check_targets(run, error) ||
        (run->qmp && !fsn_qmp_query_block_devices(run->qmp, &devices, error))) {
        return false;
    }
    if (devices) {
        find_nvram(run, devices);
    }
    fsn_preflight_memory_parent(run->manifests, run->facts->uuid, &run->parent,
                                &run->parent_memory);
    for (guint i = 0; i < run->manifests->len && !run->parent_id; i++) {
        if (is_of_domain(run->manifests->pdata[i], run->facts->uuid)) {
            run->parent_id =
                g_strdup(fsn_json_peek_string(run->manifests->pdata[i], "id", NULL));
        }
    }
    for (guint i = 0; i < run->facts->disks->len; i++) {
        FsnSnapshotDisk *d = g_new0(FsnSnapshotDisk, 1);

        g_ptr_array_add(run->disks, d);
        d->facts = run->facts->disks->pdata[i];
        d->number = -1;
        d->allocated = allocated_bytes(d->facts);
        if (run->qmp ? !find_live(run, d, devices, error) : !find_off(run, d, error)) {
            return false;
        }
    }
    return true;
}
