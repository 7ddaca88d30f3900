/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that can refuse a snapshot, before the domain is touched; and what can be stored
 * beforehand, so that the pause does not pay for it.
 */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/cargo.h"
#include "cycle/incoming-defer.h"
#include "cycle/io-check.h"
#include "cycle/recover.h"
#include "cycle/snapshot-policy.h"
#include "domxml/edit.h"
#include "qmp/commands-status.h"
#include "virt/disk-state.h"
#include "virt/qmp-transport.h"

#define WHAT "snapshot"

/* Since this version QEMU leaves a guest stopped that was stopped before the snapshot. */
#define QEMU_KEEPS_STOPPED 9

static bool
is_on(const FsnSnapshotRun *run)
{
    return run->status.state == FSN_VIRT_RUNNING || run->status.state == FSN_VIRT_PAUSED;
}

static bool
check_state(FsnSnapshotRun *run, GError **error)
{
    if (!fsn_virt_domain_status(run->domain, &run->status, error)) {
        return false;
    }
    switch (run->status.state) {
    case FSN_VIRT_RUNNING:
    case FSN_VIRT_PAUSED:
        if (!run->status.post_copy && !run->status.incoming) {
            return true;
        }
        g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                    "cannot snapshot domain '%s': its memory is still being loaded",
                    fsn_virt_domain_name(run->domain));
        return false;
    case FSN_VIRT_OFF:
    case FSN_VIRT_CRASHED:
        return true;
    case FSN_VIRT_NOSTATE:
    case FSN_VIRT_SHUTTING_DOWN:
    case FSN_VIRT_PM_SUSPENDED:
        break;
    }
    g_set_error(
        error, FSN_ERROR, FSN_ERROR_STATE, "cannot snapshot domain '%s': it is %s",
        fsn_virt_domain_name(run->domain), fsn_virt_state_name(run->status.state));
    return false;
}

/* An argument that let QEMU wait for a resume is nothing that a restore may repeat. */
static bool
read_xml(FsnSnapshotRun *run, GError **error)
{
    g_autofree char *live = NULL;

    if (run->status.persistent && !fsn_virt_domain_xml(run->domain, FSN_VIRT_XML_INACTIVE,
                                                       &run->xml_inactive, error)) {
        return false;
    }
    if (!is_on(run)) {
        return fsn_domain_facts_parse(run->xml_inactive, &run->facts, error);
    }
    return fsn_virt_domain_xml(run->domain, FSN_VIRT_XML_MIGRATABLE, &live, error) &&
           fsn_domain_xml_drop_arguments(live, fsn_incoming_defer_arguments,
                                         &run->xml_live, error) &&
           fsn_virt_domain_live_cpu(run->domain, &run->cpu, error);
}

/* The migratable description lacks the aliases by which QEMU's disks are found. */
static bool
read_facts(FsnSnapshotRun *run, GError **error)
{
    g_autofree char *running = NULL;

    if (!is_on(run)) {
        return true;
    }
    return fsn_virt_domain_xml(run->domain, FSN_VIRT_XML_RUNNING, &running, error) &&
           fsn_domain_facts_parse(running, &run->facts, error);
}

static bool
plan_memory(FsnSnapshotRun *run, GError **error)
{
    const char *by_policy = fsn_snapshot_policy_no_memory(run);
    FsnRamFound found = {
        .unwanted = run->options.no_memory || by_policy || !is_on(run),
        .running = run->status.state == FSN_VIRT_RUNNING,
        .allow_stop = run->options.allow_stop,
        .memory = run->facts->memory_bytes,
    };
    g_auto(FsnQmpVersion) version = { 0 };

    if (is_on(run)) {
        if (!fsn_qmp_query_version(run->qmp, &version, error)) {
            return false;
        }
        run->versions =
            g_strdup_printf("QEMU %d.%d.%d", version.major, version.minor, version.micro);
        found.starts = version.major < QEMU_KEEPS_STOPPED;
    }
    if (!found.unwanted &&
        (!fsn_preflight_devices(run->facts, WHAT, error) ||
         !fsn_preflight_can_migrate(run->qmp, WHAT, run->facts->name, error) ||
         !fsn_outgoing_probe_background(run->qmp, &found.background, error))) {
        return false;
    }
    if (!fsn_ram_plan(&found, &run->ram_mode, &run->ram_reason, error)) {
        g_prefix_error(error, "cannot snapshot domain '%s': ", run->facts->name);
        return false;
    }
    if (!is_on(run)) {
        run->ram_reason = "the domain is off";
    } else if (by_policy && !run->options.no_memory) {
        run->ram_reason = by_policy;
    }
    return true;
}

static bool
check_quiesce(FsnSnapshotRun *run, GError **error)
{
    if (run->options.quiesce != FSN_QUIESCE_REQUIRE ||
        run->status.state == FSN_VIRT_RUNNING) {
        return true;
    }
    g_set_error(
        error, FSN_ERROR, FSN_ERROR_STATE,
        "cannot snapshot domain '%s': its file systems can be frozen only while it "
        "runs",
        run->facts->name);
    return false;
}

static bool
check_disks_healthy(FsnSnapshotRun *run, GError **error)
{
    g_autofree char *text = NULL;
    bool backup;

    if (!fsn_virt_domain_disk_errors(run->domain, &text, error) ||
        !fsn_virt_domain_backup_job(run->domain, &backup, error)) {
        return false;
    }
    /* QEMU goes on naming the error when the guest has been let run again. */
    if (text && run->status.state != FSN_VIRT_RUNNING) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "cannot snapshot domain '%s': its disks have errors: %s",
                    run->facts->name, text);
        return false;
    }
    if (backup) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                    "cannot snapshot domain '%s': another tool's backup of it is open",
                    run->facts->name);
        return false;
    }
    return true;
}

static bool
look(FsnSnapshotRun *run, bool plan_only, GError **error)
{
    if (is_on(run)) {
        run->qmp = fsn_qmp_new(fsn_virt_qmp_transport(run->domain));
    }
    if (!check_quiesce(run, error) || !fsn_snapshot_find_manifests(run, error)) {
        return false;
    }
    fsn_snapshot_policy_decide(run);
    return plan_memory(run, error) && fsn_snapshot_find_disks(run, error) &&
           fsn_snapshot_databases_plan(run, plan_only, error);
}

static bool
check_something(FsnSnapshotRun *run, GError **error)
{
    if (run->ram_mode != FSN_RAM_NONE || fsn_snapshot_policy_minimal(run)) {
        return true;
    }
    for (guint i = 0; i < run->disks->len; i++) {
        const FsnSnapshotDisk *d = run->disks->pdata[i];

        if (d->plan->mode != FSN_DISK_SKIPPED) {
            return true;
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                "cannot snapshot domain '%s': it has nothing that can be taken; "
                "'--dry-run' says why",
                run->facts->name);
    return false;
}

static bool
check_space(FsnSnapshotRun *run, GError **error)
{
    uint64_t need = run->ram_mode == FSN_RAM_NONE ? 0 : run->facts->memory_bytes;

    for (guint i = 0; i < run->disks->len; i++) {
        const FsnSnapshotDisk *d = run->disks->pdata[i];

        need += d->plan->estimate;
    }
    return fsn_preflight_space(run->repo, run->facts, WHAT, "what has changed", need,
                               error);
}

/* Real time of the domain's newest snapshot; 0: there is none. */
static int64_t
parent_us(const FsnSnapshotRun *run)
{
    for (guint i = 0; run->parent_id && i < run->manifests->len; i++) {
        JsonObject *manifest = run->manifests->pdata[i];

        if (g_str_equal(fsn_json_peek_string(manifest, "id", ""), run->parent_id)) {
            return fsn_json_peek_int(manifest, "created_us", 0);
        }
    }
    return 0;
}

static bool
store_descriptions(FsnSnapshotRun *run, GError **error)
{
    const FsnCargoAsk ask = { .level =
                                  fsn_snapshot_policy_level(run, FSN_RESOURCE_METRICS),
                              .since_us = parent_us(run) };

    run->cargo =
        fsn_cargo_store(run->cycle, run->repo, run->facts->uuid, &ask, &run->warning);
    return fsn_preflight_put_text(run->repo, run->xml_live, &run->object_live, error) &&
           fsn_preflight_put_text(run->repo, run->xml_inactive, &run->object_inactive,
                                  error) &&
           fsn_preflight_put_text(run->repo, run->cpu, &run->object_cpu, error) &&
           fsn_snapshot_store_config(run, error);
}

static bool
void_states(FsnSnapshotRun *run, GError **error)
{
    return !is_on(run) || fsn_preflight_void_states(run->cycle, run->repo, run->manifests,
                                                    run->facts, error);
}

/* Under the lock nobody else of foresnap's changes what is found now. */
static bool
lock_domain(FsnSnapshotRun *run, GError **error)
{
    if (!fsn_cycle_recover_domain(run->cycle, run->facts->uuid, 0, NULL, error)) {
        return false;
    }
    run->lock = fsn_preflight_lock(run->cycle, run->facts, error);
    return run->lock && check_state(run, error) &&
           fsn_preflight_no_journal(run->cycle, run->facts, error);
}

static bool
check_idle(FsnSnapshotRun *run, GError **error)
{
    return !is_on(run) || (fsn_io_check(run->virt, WHAT, run->facts->name,
                                        run->facts->uuid, NULL, NULL, error) &&
                           fsn_preflight_no_jobs(run->domain, WHAT, error) &&
                           check_disks_healthy(run, error));
}

bool
fsn_snapshot_preflight(FsnSnapshotRun *run,
                       const char *domain,
                       bool plan_only,
                       GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(run->cycle);

    if (!fsn_virt_lookup(run->virt, domain, &run->domain, error) ||
        !check_state(run, error) || !read_xml(run, error) || !read_facts(run, error) ||
        !fsn_snapshot_policy_load(run, error)) {
        return false;
    }
    if (plan_only) {
        return check_idle(run, error) && look(run, true, error) &&
               check_something(run, error);
    }
    if (!lock_domain(run, error) || !check_idle(run, error) || !look(run, false, error) ||
        !check_something(run, error) ||
        (!run->comparing && (!check_space(run, error) || !void_states(run, error) ||
                             !store_descriptions(run, error)))) {
        return false;
    }
    g_clear_pointer(&run->manifests, g_ptr_array_unref); /* they may be many */
    run->journal = fsn_journal_new(FSN_OP_SNAPSHOT, run->facts->name, run->facts->uuid,
                                   fsn_cycle_uri(run->cycle),
                                   fsn_cycle_repo_location(run->cycle), run->id);
    run->journal->was_running = run->status.state == FSN_VIRT_RUNNING;
    return fsn_journal_write(run->journal, state_dir, FSN_STEP_BEGUN, error);
}
