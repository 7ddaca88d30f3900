/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instant of a domain that QEMU runs: everything that can be is made ready before, so that
 * the guest stands still only for QEMU's transaction and, with memory, for the beginning of a
 * background snapshot. And the undoing of all of it.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "cycle/continue-guest.h"
#include "cycle/snapshot-private.h"
#include "qmp/commands-status.h"
#include "qmp/migration-info.h"
#include "virt/agent.h"
#include "virt/lock-daemon.h"

#include <fcntl.h>
#include <unistd.h>

#define FREEZE_TIMEOUT_S 10
#define THAW_TIMEOUT_S   30
#define RUN_POLL_US      500
#define STANDING_LOOKS   3 /* with pages on their way, and the guest still not running */
/* For the tables of its scratch image. */
#define NVRAM_RESERVE    (UINT64_C(2) << 20)
#define NOTICE_US        (5 * G_USEC_PER_SEC)
/* For a round of a change map, which takes milliseconds. */
#define NBD_WAIT_MS      10000
/* Without a word for so long while the guest is stopped on purpose, the guard undoes it. */
#define STOPPED_STALL_MS 30000

static bool
start_guard(FsnSnapshotRun *run, GError **error)
{
    unsigned stall_ms =
        run->ram_mode == FSN_RAM_STOPPED ? STOPPED_STALL_MS : run->options.max_pause_ms;

    run->journal->background = run->ram_mode == FSN_RAM_BACKGROUND;
    if (run->journal->background && !fsn_outgoing_socket(run->stream, error)) {
        return false;
    }
    run->guard =
        fsn_guard_start(run->cycle, run->facts->uuid, stall_ms, run->stream[0], error);
    return run->guard != NULL;
}

static void
describe_disks(FsnSnapshotRun *run)
{
    run->instant = fsn_instant_new(run->qmp, run->repo_id, run->id);
    for (guint i = 0; i < run->disks->len; i++) {
        FsnSnapshotDisk *d = run->disks->pdata[i];
        FsnInstantDisk is = {
            .target = d->facts->target,
            .node = d->node,
            .size = d->size,
            .scratch = d->plan->scratch,
            .persistent = d->persistent,
            .base = fsn_disk_mode_needs_bitmap(d->plan->mode) ? d->parent_id : NULL,
        };

        if (d->plan->mode != FSN_DISK_SKIPPED) {
            d->number = (int)fsn_instant_disks(run->instant);
            fsn_instant_add(run->instant, &is);
        }
    }
}

/* As one more disk, so that it is of the same instant. */
static void
describe_nvram(FsnSnapshotRun *run)
{
    FsnInstantDisk is = {
        .target = FSN_SNAPSHOT_NVRAM,
        .node = run->nvram_node,
        .size = run->nvram_size,
        .scratch = run->nvram_size + NVRAM_RESERVE,
        .untracked = true,
    };

    if (run->nvram_node) {
        run->nvram_number = (int)fsn_instant_disks(run->instant);
        fsn_instant_add(run->instant, &is);
    }
}

static bool
prepare_disks(FsnSnapshotRun *run, GError **error)
{
    const char *dir = run->options.scratch_dir ? run->options.scratch_dir
                                               : fsn_cycle_repo_location(run->cycle);

    describe_disks(run);
    describe_nvram(run);
    if (fsn_instant_disks(run->instant) == 0) {
        return true;
    }
    run->nbd_lock = fsn_lock_take(fsn_cycle_state_dir(run->cycle), FSN_NBD_LOCK,
                                  run->facts->uuid, NBD_WAIT_MS, error);
    if (!run->nbd_lock) {
        return false;
    }
    run->socket = fsn_instant_socket(fsn_cycle_state_dir(run->cycle), run->facts->uuid);
    if (!fsn_instant_prepare(run->instant, dir, error)) {
        return false;
    }
    run->journal->nbd = true;
    if (!fsn_cycle_step(run->cycle, run->journal, FSN_STEP_PREPARING, error)) {
        return false;
    }
    if (!fsn_instant_serve(run->instant, run->socket, error)) {
        run->journal->nbd =
            false; /* it may be somebody else's, and must not be stopped */
        return false;
    }
    return true;
}

static bool
make_outgoing(FsnSnapshotRun *run, GError **error)
{
    run->outgoing = fsn_outgoing_new(run->qmp, error);
    if (!run->outgoing) {
        return false;
    }
    g_clear_pointer(&run->journal->capabilities, g_strfreev);
    fsn_outgoing_saved(run->outgoing, &run->journal->max_bandwidth,
                       &run->journal->downtime_limit_ms, &run->journal->capabilities);
    return fsn_cycle_step(run->cycle, run->journal, FSN_STEP_PREPARING, error);
}

static bool
make_capture(FsnSnapshotRun *run, int fd, GError **error)
{
    FsnCaptureOptions options = { .codec = run->options.codec,
                                  .level = run->options.level };

    if (run->parent) {
        options.parent_root = run->parent_memory.root;
        options.parent_layout = run->parent_memory.layout;
    }
    run->capture = fsn_capture_new(run->repo, fd, &options, error);
    return run->capture != NULL;
}

static bool
prepare_memory(FsnSnapshotRun *run, GError **error)
{
    if (run->ram_mode == FSN_RAM_NONE) {
        return true;
    }
    if (!make_outgoing(run, error)) {
        return false;
    }
    if (run->ram_mode != FSN_RAM_BACKGROUND) {
        return true;
    }
    if (!fsn_outgoing_prepare_background(run->outgoing, run->stream[1], error)) {
        return false;
    }
    close(run->stream[1]);
    run->stream[1] = -1;
    return make_capture(run, fcntl(run->stream[0], F_DUPFD_CLOEXEC, 0), error);
}

bool
fsn_snapshot_start_stopped(FsnSnapshotRun *run, GError **error)
{
    int fd;

    return fsn_outgoing_start(run->outgoing, false, &fd, error) &&
           make_capture(run, fd, error);
}

static bool
wants_freeze(const FsnSnapshotRun *run)
{
    switch (run->options.quiesce) {
    case FSN_QUIESCE_NONE:
        return false;
    case FSN_QUIESCE_REQUIRE:
        return true;
    case FSN_QUIESCE_AUTO:
        /* A guest whose memory was taken frozen would be restored frozen. */
        return run->ram_mode == FSN_RAM_NONE && run->facts->agent_connected &&
               run->status.state == FSN_VIRT_RUNNING;
    }
    g_assert_not_reached();
}

static void
add_warning(FsnSnapshotRun *run, const char *what, const GError *why)
{
    g_autofree char *text = g_strdup_printf("%s: %s", what, why->message);

    fsn_snapshot_warn(run, text);
}

static bool
freeze(FsnSnapshotRun *run, GError **error)
{
    g_autoptr(GError) local = NULL;
    int count;

    if (!wants_freeze(run)) {
        return true;
    }
    run->journal->frozen = true;
    if (!fsn_cycle_step(run->cycle, run->journal, FSN_STEP_PREPARING, error)) {
        return false;
    }
    run->frozen = true;
    if (fsn_virt_agent_freeze(run->domain, FREEZE_TIMEOUT_S, &count, &local)) {
        run->consistency = count > 0 ? "filesystem" : "crash";
        return true;
    }
    run->frozen = false; /* a failed freeze thaws by itself, as far as that is possible */
    if (run->options.quiesce == FSN_QUIESCE_REQUIRE) {
        g_propagate_prefixed_error(error, g_steal_pointer(&local),
                                   "the guest's file systems cannot be frozen: ");
        return false;
    }
    add_warning(
        run,
        "the guest's file systems could not be frozen, so the disks are as after a "
        "power cut",
        local);
    return true;
}

static void
thaw(FsnSnapshotRun *run)
{
    g_autoptr(GError) error = NULL;

    if (!run->frozen) {
        return;
    }
    if (!fsn_virt_agent_thaw(run->domain, THAW_TIMEOUT_S, NULL, &error)) {
        add_warning(run,
                    "the guest's file systems could not be thawed; if it hangs, 'virsh "
                    "domfsthaw' tries again",
                    error);
        return;
    }
    run->frozen = false;
}

static bool
stop_guest(FsnSnapshotRun *run, GError **error)
{
    if (run->ram_mode == FSN_RAM_NONE || run->status.state != FSN_VIRT_RUNNING) {
        return true; /* QEMU's transaction is one instant by itself */
    }
    run->journal->own_pause = true;
    if (!fsn_cycle_step(run->cycle, run->journal, FSN_STEP_STOPPING, error)) {
        return false;
    }
    fsn_guard_stopping(run->guard);
    run->stopped = true;
    run->stop_us = fsn_monotonic_us();
    return fsn_virt_domain_suspend(run->domain, error);
}

/*
 * QEMU before 9.0 continues the guest by itself once it has saved the device state; newer ones
 * leave it as they found it, so we do. They do either in a bottom half that is scheduled before
 * the first page is sent, and has run when QMP has answered once more and is asked again.
 */
static bool
wait_running(FsnSnapshotRun *run, GError **error)
{
    int64_t deadline = run->stop_us + (int64_t)run->options.max_pause_ms * 1000;
    bool running = false;
    unsigned standing = 0;

    for (;;) {
        bool flows = fsn_snapshot_memory_flows(run); /* before QMP is asked */

        if (!fsn_qmp_query_status(run->qmp, &running, NULL, error)) {
            return false;
        }
        if (running) {
            run->stopped = false;
            run->pause_us = fsn_monotonic_us() - run->stop_us;
            fsn_guard_running(run->guard);
            return true;
        }
        standing += flows;
        if (standing >= STANDING_LOOKS) {
            return fsn_snapshot_continue(run, error);
        }
        if (fsn_monotonic_us() > deadline) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                        "the guest stood still for more than %u ms (--max-pause); it was "
                        "let run on, and no snapshot taken",
                        run->options.max_pause_ms);
            return false;
        }
        g_usleep(RUN_POLL_US); /* libvirt passes the event on later than QEMU answers */
    }
}

static bool
begin_memory(FsnSnapshotRun *run, GError **error)
{
    if (run->ram_mode != FSN_RAM_BACKGROUND) {
        return true;
    }
    fsn_snapshot_read_memory(run);
    return fsn_outgoing_start_background(run->outgoing, error) &&
           (run->status.state != FSN_VIRT_RUNNING || wait_running(run, error));
}

/* libvirt has given up its leases of the disks with the stop, and QEMU's own resume does not
 * bring them back: it takes another pause, which is spared where there can be no leases. */
bool
fsn_snapshot_settle_leases(FsnSnapshotRun *run, GError **error)
{
    if (run->ram_mode != FSN_RAM_BACKGROUND || run->status.state != FSN_VIRT_RUNNING ||
        !fsn_virt_lock_daemon_runs("/proc")) {
        return true;
    }
    return fsn_virt_domain_wait_state(run->domain, FSN_VIRT_RUNNING, NOTICE_US, error) &&
           fsn_continue_continued(run->domain, error);
}

static bool
take(FsnSnapshotRun *run, GError **error)
{
    bool ok;

    if (!fsn_snapshot_databases_quiesce(run, error) || !freeze(run, error) ||
        !stop_guest(run, error)) {
        return false;
    }
    ok = fsn_instant_take(run->instant, error);
    run->instant_us = fsn_realtime_us();
    /* The TPM does nothing while the guest stands still; of one that runs on it is read as soon
     * after the instant as can be. */
    ok = ok && fsn_firmware_read_tpm(run->virt, run->facts, &run->firmware, error) &&
         begin_memory(run, error);
    if (!run->stopped) {
        thaw(run);
        fsn_snapshot_databases_release(run, false);
    }
    return ok && fsn_instant_export(run->instant, error);
}

bool
fsn_snapshot_take(FsnSnapshotRun *run, GError **error)
{
    if (!fsn_cycle_step(run->cycle, run->journal, FSN_STEP_PREPARING, error) ||
        !start_guard(run, error) || !prepare_disks(run, error) ||
        !prepare_memory(run, error) || !take(run, error)) {
        return false;
    }
    /* From now on a guest that stands still was stopped by its user. */
    run->journal->own_pause = run->stopped;
    run->journal->frozen = run->frozen;
    return fsn_cycle_step(run->cycle, run->journal, FSN_STEP_READING, error);
}

bool
fsn_snapshot_continue(FsnSnapshotRun *run, GError **error)
{
    FsnVirtStatus status;

    if (!run->stopped) {
        return true;
    }
    if (!fsn_virt_domain_status(run->domain, &status, error)) {
        return false;
    }
    if ((status.state == FSN_VIRT_RUNNING || status.state == FSN_VIRT_PAUSED) &&
        !fsn_continue_standing(run->domain, error)) {
        return false;
    }
    run->stopped = false;
    run->pause_us = fsn_monotonic_us() - run->stop_us;
    fsn_guard_running(run->guard);
    thaw(run); /* a guest that stands still has no agent to be asked */
    fsn_snapshot_databases_release(run, false);
    return true;
}

/* A background snapshot comes to its own end, read by us even if our reader hangs; any other
 * migration is cancelled. */
static bool
end_migration(FsnSnapshotRun *run, GError **error)
{
    g_autoptr(GError) ignored = NULL;

    if (!run->outgoing) {
        return true;
    }
    if (run->journal->background) {
        if (!fsn_outgoing_drain(run->qmp, run->stream[0], error)) {
            return false;
        }
    } else if (!fsn_outgoing_cancel(run->outgoing, &ignored)) {
        g_clear_error(&ignored); /* it had ended, or QEMU has gone */
    }
    fsn_outgoing_restore(run->outgoing);
    return true;
}

static bool
is_on(FsnSnapshotRun *run)
{
    FsnVirtStatus status;

    return !fsn_virt_domain_status(run->domain, &status, NULL) ||
           status.state == FSN_VIRT_RUNNING || status.state == FSN_VIRT_PAUSED;
}

/* The guest first, then what QEMU holds for us. */
static bool
undo_in_qemu(FsnSnapshotRun *run, GError **error)
{
    bool ok;

    if (!run->qmp || !is_on(run)) {
        return true;
    }
    ok = end_migration(run, error) && fsn_snapshot_continue(run, error);
    thaw(run);
    fsn_snapshot_databases_release(run, true);
    return ok &&
           (run->durable || fsn_instant_sweep(run->qmp, run->repo_id, run->id,
                                              FSN_SWEEP_UNDO, run->journal->nbd, error));
}

bool
fsn_snapshot_undo(FsnSnapshotRun *run, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (!run->journal || run->finished || run->undone) {
        return true;
    }
    run->undone = true;
    fsn_snapshot_read_cancel(run);
    run->stuck = !undo_in_qemu(run, &local);
    fsn_snapshot_read_end(run);
    fsn_snapshot_close_offline(run, run->durable ? FSN_SWEEP_KEEP : FSN_SWEEP_UNDO);
    if (run->stuck || run->durable) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_FAILED,
            "domain '%s' is not yet as it was%s%s; 'foresnap recover' tries again",
            run->facts->name, local ? ": " : "", local ? local->message : "");
        return false;
    }
    if (run->socket) {
        (void)unlink(run->socket); /* nobody listens any more */
    }
    if (!fsn_journal_remove(run->journal, fsn_cycle_state_dir(run->cycle), &local)) {
        g_clear_error(&local); /* recovery finds it and has nothing to do */
    }
    return true;
}
