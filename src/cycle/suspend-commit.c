/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a whole stream to a suspended domain. The order is the promise: memory and all that
 * the manifest names, the manifest, the guard, and only then QEMU's end.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/faults.h"
#include "cycle/arm.h"
#include "cycle/cargo.h"
#include "cycle/savefs-control.h"
#include "cycle/stub.h"
#include "cycle/suspend-run-private.h"
#include "cycle/workingset-pack.h"
#include "repo/manifests.h"

#include <string.h>

static bool
write_step(FsnSuspendRun *run, FsnStep step, GError **error)
{
    fsn_guard_beat(run->guard);
    return fsn_cycle_step(run->cycle, run->journal, step, error);
}

static bool
commit_manifest(FsnSuspendRun *run,
                const FsnImageStats *stats,
                const FsnCaptureObjects *objects,
                GError **error)
{
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(JsonArray) disks = NULL;
    g_auto(FsnFirmwareRecord) firmware = { 0 };
    FsnManifestRam ram = fsn_manifest_captured_ram(run->capture, stats, objects);
    FsnManifestFacts facts = {
        .id = run->id,
        .kind = "suspend",
        .parent = run->parent ? run->parent_memory.id : NULL,
        .domain = run->facts->name,
        .uuid = run->facts->uuid,
        .host = g_get_host_name(),
        .machine = fsn_capture_machine(run->capture),
        .versions = run->versions,
        .xml_live = run->object_live,
        .xml_inactive = run->object_inactive,
        .cpu_xml = run->object_cpu,
        .ram = &ram,
        .bytes = fsn_manifest_image_bytes(stats,
                                          fsn_capture_progress(run->capture).bytes_read),
        .created_us = fsn_realtime_us(),
        .pause_us = -1,
        .total_us = -1,
    };

    /* QEMU has given its disks up at the end of the migration: they are at rest. */
    if (!fsn_arm_record_disks(run->facts, false, &disks, error) ||
        !fsn_suspend_store_firmware(run, &firmware, error)) {
        return false;
    }
    facts.disks = disks;
    facts.firmware = &firmware;
    manifest = fsn_manifest_build(&facts);
    fsn_cargo_name(run->cargo, manifest);
    return fsn_repo_commit_manifest(run->repo, manifest, error);
}

/* The state is durable but cannot be guarded: it must not stay, for the guest runs on; nor
 * may a guard without a state, which would refuse the domain's next cold start. */
static void
withdraw(FsnSuspendRun *run)
{
    g_autoptr(GError) error = NULL;

    if (!fsn_repo_delete_manifest(run->repo, run->id, &error) &&
        !g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_warning("cannot withdraw snapshot %s: %s", run->id, error->message);
        return; /* the guest stays stopped, and recovery decides */
    }
    fsn_fault_kill_at("withdraw:manifest");
    run->durable = false;
    g_clear_error(&error);
    if (!fsn_stub_remove(run->cycle, run->facts->name, run->facts->uuid, &error)) {
        g_warning("cannot remove the guard of domain '%s': %s", run->facts->name,
                  error->message);
    }
    fsn_fault_kill_at("withdraw:guard");
}

static bool
guard_domain(FsnSuspendRun *run, GError **error)
{
    g_autofree char *inactive = NULL;

    if (fsn_virt_domain_xml(run->domain, FSN_VIRT_XML_INACTIVE, &inactive, error) &&
        write_step(run, FSN_STEP_DURABLE, error) &&
        fsn_stub_write(run->cycle, run->facts->name, run->facts->uuid, inactive, run->id,
                       error) &&
        write_step(run, FSN_STEP_GUARDED, error)) {
        return true;
    }
    withdraw(run);
    return false;
}

static bool
end_qemu(FsnSuspendRun *run, GError **error)
{
    if (!fsn_virt_domain_end(run->domain, error)) {
        g_prefix_error(
            error,
            "domain '%s' is saved as %s but its QEMU did not end; run 'foresnap "
            "recover': ",
            run->facts->name, run->id);
        return false;
    }
    return write_step(run, FSN_STEP_ENDED, error);
}

bool
fsn_suspend_commit(FsnSuspendRun *run, FsnSuspendResult *out_result, GError **error)
{
    FsnImageStats stats;
    g_auto(FsnCaptureObjects) objects = { 0 };
    int64_t pause_us;
    FsnSuspendResult *r = out_result;

    if (!write_step(run, FSN_STEP_STORING, error) ||
        !fsn_capture_commit(run->capture, &stats, &objects, error)) {
        return false;
    }
    run->durable = true;
    if (!commit_manifest(run, &stats, &objects, error)) {
        withdraw(run); /* it may be in place although making it durable failed */
        return false;
    }
    pause_us = fsn_monotonic_us() - run->stop_us;
    if (!guard_domain(run, error) || !end_qemu(run, error)) {
        return false;
    }
    if (!fsn_arm(run->repo, run->id, run->facts, pause_us,
                 fsn_monotonic_us() - run->started_us, error) ||
        !fsn_journal_remove(run->journal, fsn_cycle_state_dir(run->cycle), error)) {
        return false;
    }
    run->finished = true;
    fsn_savefs_await(fsn_cycle_state_dir(run->cycle), run->facts->name);
    /* Only speed depends on it: the suspend has succeeded. */
    fsn_workingset_pack(run->repo, run->facts->uuid, run->id, stats.root);
    memset(r, 0, sizeof(*r));
    g_strlcpy(r->snapshot, run->id, sizeof(r->snapshot));
    g_strlcpy(r->parent, run->parent ? run->parent_memory.id : "", sizeof(r->parent));
    r->domain = g_strdup(run->facts->name);
    r->warning = g_steal_pointer(&run->warning);
    r->pause_us = pause_us;
    r->total_us = fsn_monotonic_us() - run->started_us;
    r->bytes_read = fsn_capture_progress(run->capture).bytes_read;
    r->bytes_changed = (stats.stored + stats.duplicate) * FSN_PAGE_SIZE;
    r->bytes_stored = stats.bytes_stored;
    return true;
}
