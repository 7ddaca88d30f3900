/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From images that are read to a snapshot that exists: the manifest, which is durable after
 * all it names; then QEMU forgets what only the making of it needed.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cycle/cargo.h"
#include "cycle/disk-parts.h"
#include "cycle/snapshot-partitions.h"
#include "cycle/snapshot-policy.h"
#include "cycle/snapshot-private.h"
#include "disk/partitions.h"
#include "repo/manifests.h"

#include <unistd.h>

const char *
fsn_snapshot_run_state(const FsnSnapshotRun *run)
{
    switch (run->status.state) {
    case FSN_VIRT_RUNNING:
        return "running";
    case FSN_VIRT_PAUSED:
        return "paused";
    case FSN_VIRT_NOSTATE:
    case FSN_VIRT_SHUTTING_DOWN:
    case FSN_VIRT_OFF:
    case FSN_VIRT_CRASHED:
    case FSN_VIRT_PM_SUSPENDED:
        break;
    }
    return "shut off";
}

/* How a partition was read, and how much of it. */
static void
add_reading(JsonObject *o, const FsnSnapshotDisk *d, unsigned number)
{
    FsnDiskMode mode = d->plan->mode;

    if (!d->result.partition_bytes) {
        return;
    }
    if (mode == FSN_DISK_HYBRID) {
        mode = fsn_snapshot_reads_whole(d, number) ? FSN_DISK_FULL : FSN_DISK_INCREMENTAL;
    }
    json_object_set_string_member(o, "mode", fsn_disk_mode_name(mode));
    json_object_set_int_member(
        o, "read", (int64_t)fsn_partition_sums_get(d->result.partition_bytes, number));
}

static JsonArray *
partitions_json(const FsnSnapshotDisk *d)
{
    const GPtrArray *partitions = d->result.partitions;
    JsonArray *array = json_array_new();

    for (guint i = 0; partitions && i < partitions->len; i++) {
        const FsnPartition *p = partitions->pdata[i];
        JsonObject *o = json_object_new();

        json_object_set_int_member(o, "number", p->number);
        json_object_set_int_member(o, "offset", (int64_t)p->offset);
        json_object_set_int_member(o, "size", (int64_t)p->size);
        json_object_set_string_member(o, "type", p->type);
        if (p->name && *p->name) {
            json_object_set_string_member(o, "name", p->name);
        }
        add_reading(o, d, p->number);
        json_array_add_object_element(array, o);
    }
    return array;
}

static JsonObject *
bytes_json(const FsnManifestBytes *b)
{
    JsonObject *o = json_object_new();

    json_object_set_int_member(o, "read", (int64_t)b->read);
    json_object_set_int_member(o, "changed", (int64_t)b->changed);
    json_object_set_int_member(o, "stored", (int64_t)b->stored);
    return o;
}

static void
add_image(JsonObject *o, const FsnSnapshotRun *run, const FsnSnapshotDisk *d)
{
    FsnManifestBytes bytes =
        fsn_manifest_image_bytes(&d->result.image, d->result.bytes_read);
    JsonArray *left_out = fsn_snapshot_left_out_json(d);

    json_object_set_string_member(o, "image", d->result.image.root);
    if (d->parent_id) {
        json_object_set_string_member(o, "base", d->parent_id);
    }
    json_object_set_string_member(o, "consistency",
                                  fsn_snapshot_consistency(run, d->facts->target));
    json_object_set_object_member(o, "bytes", bytes_json(&bytes));
    json_object_set_array_member(o, "partitions", partitions_json(d));
    if (fsn_disk_parts_name(run->options.parts, d->facts->target)) {
        json_object_set_boolean_member(o, "partial", true);
    }
    if (left_out) {
        json_object_set_array_member(o, "left_out", left_out);
    }
}

static JsonObject *
disk_json(const FsnSnapshotRun *run, const FsnSnapshotDisk *d)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "target", d->facts->target);
    fsn_json_add_string(o, "source_kind", d->facts->source_kind);
    fsn_json_add_string(o, "source", d->facts->source);
    fsn_json_add_string(o, "format", d->facts->format);
    if (d->plan->mode == FSN_DISK_SKIPPED) {
        json_object_set_string_member(o, "skipped", d->plan->reason);
        if (d->left_out) {
            json_object_set_boolean_member(o, "by_profile", true);
        }
        return o;
    }
    json_object_set_int_member(o, "size", (int64_t)d->size);
    json_object_set_string_member(o, "mode", fsn_disk_mode_name(d->plan->mode));
    json_object_set_string_member(o, "reason", d->plan->reason);
    if (d->result.image.root[0]) {
        add_image(o, run, d);
    } else {
        json_object_set_int_member(o, "estimate", (int64_t)d->plan->estimate);
    }
    return o;
}

JsonArray *
fsn_snapshot_disks_json(const FsnSnapshotRun *run)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < run->disks->len; i++) {
        json_array_add_object_element(array, disk_json(run, run->disks->pdata[i]));
    }
    return array;
}

static JsonObject *
resource_json(const char *kind, const char *mode, const char *reason)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "kind", kind);
    json_object_set_string_member(o, "mode", mode);
    json_object_set_string_member(o, "reason", reason);
    return o;
}

static void
add_firmware(const FsnSnapshotRun *run, JsonArray *array)
{
    if (fsn_firmware_has_nvram(run->facts)) {
        json_array_add_object_element(
            array, resource_json("nvram", "full",
                                 run->nvram_node ? "read from QEMU, of the same instant"
                                                 : "read from its file"));
    }
    if (run->facts->tpm_emulated) {
        json_array_add_object_element(
            array, resource_json("tpm", "full", "its files, as they are at the instant"));
    }
}

JsonArray *
fsn_snapshot_resources_json(const FsnSnapshotRun *run)
{
    JsonArray *array = json_array_new();

    json_array_add_object_element(
        array,
        resource_json("memory", fsn_ram_mode_name(run->ram_mode), run->ram_reason));
    for (guint i = 0; i < run->disks->len; i++) {
        const FsnSnapshotDisk *d = run->disks->pdata[i];
        JsonObject *o =
            resource_json("disk", fsn_disk_mode_name(d->plan->mode), d->plan->reason);

        json_object_set_string_member(o, "target", d->facts->target);
        json_array_add_object_element(array, o);
    }
    add_firmware(run, array);
    return array;
}

static void
add_bytes(FsnManifestBytes *sum, FsnManifestBytes b)
{
    sum->logical += b.logical;
    sum->read += b.read;
    sum->changed += b.changed;
    sum->stored += b.stored;
}

static void
add_disk_bytes(const FsnSnapshotRun *run, FsnManifestBytes *sum)
{
    for (guint i = 0; i < run->disks->len; i++) {
        const FsnSnapshotDisk *d = run->disks->pdata[i];

        if (d->plan->mode != FSN_DISK_SKIPPED) {
            add_bytes(sum,
                      fsn_manifest_image_bytes(&d->result.image, d->result.bytes_read));
        }
    }
}

/* Makes the memory durable, if there is any. */
static bool
commit_memory(FsnSnapshotRun *run,
              FsnImageStats *stats,
              FsnCaptureObjects *objects,
              FsnManifestFacts *facts,
              FsnManifestRam *ram,
              JsonArray *resting,
              GError **error)
{
    if (run->ram_mode == FSN_RAM_NONE) {
        return true;
    }
    if (!fsn_capture_commit(run->capture, stats, objects, error)) {
        return false;
    }
    *ram = fsn_manifest_captured_ram(run->capture, stats, objects);
    ram->frozen = g_str_equal(run->consistency, "filesystem");
    ram->resting = resting;
    facts->ram = ram;
    facts->machine = fsn_capture_machine(run->capture);
    add_bytes(&facts->bytes, fsn_manifest_image_bytes(
                                 stats, fsn_capture_progress(run->capture).bytes_read));
    return true;
}

static bool
commit_manifest(FsnSnapshotRun *run, FsnManifestFacts *facts, GError **error)
{
    g_auto(FsnCaptureObjects) objects = { 0 };
    g_autoptr(JsonArray) disks = NULL;
    g_autoptr(JsonArray) resources = fsn_snapshot_resources_json(run);
    g_autoptr(JsonObject) granularity = fsn_snapshot_policy_json(run);
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(JsonArray) resting = fsn_snapshot_databases_resting(run);
    JsonArray *databases;
    FsnImageStats stats;
    FsnManifestRam ram;

    if (!fsn_snapshot_databases_settle(run, error) ||
        !commit_memory(run, &stats, &objects, facts, &ram, resting, error) ||
        !fsn_firmware_store(&run->firmware, run->repo, error)) {
        return false;
    }
    add_disk_bytes(run, &facts->bytes);
    disks = fsn_snapshot_disks_json(run);
    facts->disks = disks;
    facts->resources = resources;
    facts->granularity = granularity;
    facts->firmware = &run->firmware;
    facts->total_us = fsn_monotonic_us() - run->started_us;
    manifest = fsn_manifest_build(facts);
    fsn_cargo_name(run->cargo, manifest);
    if (run->config) {
        json_object_set_object_member(manifest, "config", json_object_ref(run->config));
    }
    if (run->logs) {
        json_object_set_array_member(manifest, "logs", json_array_ref(run->logs));
    }
    databases = fsn_snapshot_databases_json(run);
    if (databases) {
        json_object_set_array_member(manifest, "databases", databases);
    }
    return fsn_repo_commit_manifest(run->repo, manifest, error);
}

/* It may be in place although making it durable failed. */
static void
withdraw(FsnSnapshotRun *run)
{
    g_autoptr(GError) error = NULL;

    run->durable = !fsn_repo_delete_manifest(run->repo, run->id, &error) &&
                   !g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
}

/* The snapshot exists; what is left over is only in the way, and recovery would take it. */
static bool
clear_up(FsnSnapshotRun *run, GError **error)
{
    if (run->qmp && !fsn_instant_sweep(run->qmp, run->repo_id, run->id, FSN_SWEEP_KEEP,
                                       run->journal->nbd, error)) {
        g_prefix_error(
            error, "the snapshot %.8s is whole, but QEMU is not cleared up: ", run->id);
        return false;
    }
    fsn_snapshot_databases_release(run, true); /* what could not be before */
    fsn_snapshot_close_offline(run, FSN_SWEEP_KEEP);
    if (run->socket) {
        (void)unlink(run->socket); /* nobody listens any more */
    }
    return fsn_journal_remove(run->journal, fsn_cycle_state_dir(run->cycle), error);
}

bool
fsn_snapshot_commit(FsnSnapshotRun *run, FsnSnapshotResult *out_result, GError **error)
{
    FsnManifestFacts facts = {
        .id = run->id,
        .kind = "snapshot",
        .name = run->options.name,
        .parent = run->parent_id,
        .domain = run->facts->name,
        .uuid = run->facts->uuid,
        .host = g_get_host_name(),
        .machine = run->facts->machine,
        .versions = run->versions,
        .run_state = fsn_snapshot_run_state(run),
        .xml_live = run->object_live,
        .xml_inactive = run->object_inactive,
        .cpu_xml = run->object_cpu,
        .created_us = run->instant_us,
        .pause_us = run->pause_us,
    };
    FsnSnapshotResult *r = out_result;

    run->durable = true;
    if (!commit_manifest(run, &facts, error)) {
        withdraw(run);
        return false;
    }
    if (!fsn_journal_write(run->journal, fsn_cycle_state_dir(run->cycle),
                           FSN_STEP_DURABLE, error) ||
        !clear_up(run, error)) {
        return false;
    }
    run->finished = true;
    g_strlcpy(r->snapshot, run->id, sizeof(r->snapshot));
    g_strlcpy(r->parent, run->parent_id ? run->parent_id : "", sizeof(r->parent));
    r->domain = g_strdup(run->facts->name);
    r->consistency = g_strdup(fsn_snapshot_consistency(run, NULL));
    r->databases = fsn_snapshot_databases_json(run);
    r->warning = g_steal_pointer(&run->warning);
    r->memory = g_strdup(fsn_ram_mode_name(run->ram_mode));
    r->pause_us = run->pause_us;
    r->total_us = fsn_monotonic_us() - run->started_us;
    r->bytes_read = facts.bytes.read;
    r->bytes_changed = facts.bytes.changed;
    r->bytes_stored = facts.bytes.stored;
    r->disks = fsn_snapshot_disks_json(run);
    r->resources = fsn_snapshot_resources_json(run);
    r->granularity = fsn_snapshot_policy_json(run);
    return true;
}
