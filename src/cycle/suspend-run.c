/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of one suspend: what is to be done in which order. How it is done stands in
 * suspend-preflight.c, suspend-transfer.c and suspend-commit.c.
 */
#include "config.h"

#include "cycle/suspend-run.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "cycle/io-check.h"
#include "cycle/suspend-run-private.h"

#include <string.h>

/* Without progress for so long while the guest is stopped, the guard undoes the suspend. There
 * is no --max-pause here: the guest is to stop anyway, and a suspend that was given up because
 * its storage is slow would not be what was asked for. This is about storage that is stuck. */
#define GUARD_STALL_MS 30000u

/* Sent pages per second during a hold, and a tenth more: the reserve outlasts the hold, so
 * that QEMU cannot reach the end by itself even if the guest writes nothing at all. A short
 * hold has the reserve of the default one: just after the bulk QEMU stops the guest for what
 * it can send in 1 ms at full speed, which is megabytes. */
#define HOLD_PAGES_PER_SECOND 11

FsnSuspendRun *
fsn_suspend_run_new(FsnCycle *cycle,
                    const char *domain,
                    const FsnSuspendOptions *options,
                    GError **error)
{
    g_autoptr(FsnSuspendRun) run = g_new0(FsnSuspendRun, 1);
    FsnId id = fsn_id_new();
    g_autofree char *text = fsn_id_to_string(&id);

    run->cycle = cycle;
    run->options = *options;
    run->started_us = fsn_monotonic_us();
    g_strlcpy(run->id, text, sizeof(run->id));
    if (run->options.max_hold_s <= 0) {
        run->options.max_hold_s = FSN_SUSPEND_DEFAULT_HOLD_S;
    }
    run->virt = fsn_cycle_virt(cycle, error);
    run->repo = run->virt ? fsn_cycle_storing_repo(cycle, error) : NULL;
    if (!run->repo || !fsn_suspend_preflight(run, domain, error)) {
        return NULL;
    }
    return g_steal_pointer(&run);
}

void
fsn_suspend_run_free(FsnSuspendRun *run)
{
    if (!run) {
        return;
    }
    fsn_suspend_undo(run);
    fsn_virt_events_free(run->events);
    fsn_capture_free(run->capture);
    fsn_outgoing_free(run->outgoing);
    fsn_qmp_free(run->qmp);
    if (run->stuck || (run->durable && !run->finished)) {
        /* Not at an end that we can reach: recovery goes on from here. */
        fsn_guard_abandon(g_steal_pointer(&run->guard));
    }
    fsn_guard_done(run->guard);
    fsn_journal_free(run->journal);
    fsn_lock_release(run->lock);
    fsn_manifest_memory_clear(&run->parent_memory);
    g_clear_pointer(&run->parent, json_object_unref);
    fsn_domain_facts_free(run->facts);
    fsn_virt_domain_free(run->domain);
    g_free(run->xml_live);
    g_free(run->versions);
    g_free(run->object_live);
    g_free(run->object_inactive);
    g_free(run->object_cpu);
    g_clear_pointer(&run->cargo, g_hash_table_unref);
    g_free(run->warning);
    g_free(run);
}

static bool
start_guard(FsnSuspendRun *run, GError **error)
{
    run->guard = fsn_guard_start(run->cycle, run->facts->uuid, GUARD_STALL_MS, -1, error);
    return run->guard != NULL;
}

bool
fsn_suspend_run_prepare(FsnSuspendRun *run, FsnPrepareResult *out_result, GError **error)
{
    uint64_t reserve =
        (uint64_t)MAX(run->options.max_hold_s, FSN_SUSPEND_DEFAULT_HOLD_S) *
        HOLD_PAGES_PER_SECOND;
    FsnCaptureProgress progress;

    /* A guest whose whole memory is no larger than the reserve would never be bulk. */
    reserve = MIN(reserve, run->facts->memory_bytes / FSN_PAGE_SIZE / 2);
    if (!fsn_virt_events_new(run->domain, &run->events, error) ||
        !start_guard(run, error) ||
        !fsn_suspend_start(run, FSN_STEP_MIGRATING, reserve, error) ||
        !fsn_suspend_transfer_bulk(run, error)) {
        return false;
    }
    fsn_cycle_progress(run->cycle, "settling", 0, 0);
    if (!fsn_capture_settle(run->capture, error) ||
        !fsn_journal_write(run->journal, fsn_cycle_state_dir(run->cycle), FSN_STEP_HELD,
                           error)) {
        return false;
    }
    run->prepared = true;
    progress = fsn_capture_progress(run->capture);
    out_result->domain = g_strdup(run->facts->name);
    out_result->total_us = fsn_monotonic_us() - run->started_us;
    out_result->bytes_read = progress.bytes_read;
    out_result->bytes_stored = fsn_capture_bytes_stored(run->capture);
    out_result->hold_s = run->options.max_hold_s;
    return true;
}

/* What makes a prepared suspend pointless: its user has ended or restarted the guest, or
 * stopped it and would find it running. */
static const char *
end_of_hold(FsnVirtEventKind kind)
{
    switch (kind) {
    case FSN_VIRT_EVENT_REBOOTED:
        return "the guest was rebooted";
    case FSN_VIRT_EVENT_SHUTDOWN:
    case FSN_VIRT_EVENT_STOPPED:
        return "the guest was shut down";
    case FSN_VIRT_EVENT_CRASHED:
        return "the guest crashed";
    case FSN_VIRT_EVENT_SUSPENDED:
        return "the guest was stopped";
    case FSN_VIRT_EVENT_OTHER:
    case FSN_VIRT_EVENT_STARTED:
    case FSN_VIRT_EVENT_RESUMED:
        break;
    }
    return NULL;
}

static bool
check_events(FsnSuspendRun *run, GError **error)
{
    FsnVirtEvent event;

    while (fsn_virt_events_wait(run->events, 0, &event, NULL)) {
        const char *why = end_of_hold(event.kind);

        if (why) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                        "the hold of domain '%s' is over: %s", run->facts->name, why);
            return false;
        }
    }
    if (!fsn_virt_events_live(run->events)) {
        /* A reboot would go unseen, and the monitor is out of reach. */
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "the hold of domain '%s' is over: libvirtd has closed the connection",
                    run->facts->name);
        return false;
    }
    return true;
}

static bool
idle(FsnSuspendRun *run, int timeout_ms, GError **error)
{
    FsnCaptureEvent event;

    if (!fsn_capture_step(run->capture, timeout_ms, &event, error)) {
        g_prefix_error(error, "the hold of domain '%s' is over: ", run->facts->name);
        return false;
    }
    if (event == FSN_CAPTURE_END) {
        /* QEMU came to the end and has stopped the guest: undo it at once. */
        run->stopped = true;
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "the hold of domain '%s' is over: QEMU had nothing left to send",
                    run->facts->name);
        return false;
    }
    return check_events(run, error);
}

bool
fsn_suspend_run_idle(FsnSuspendRun *run, int timeout_ms, GError **error)
{
    bool ok = idle(run, timeout_ms, error);

    run->held = run->held && ok;
    return ok;
}

/* A migration that is held has to be read on. */
static bool
idle_meanwhile(gpointer user, int ms, GError **error)
{
    return fsn_suspend_run_idle(user, ms, error);
}

bool
fsn_suspend_check_io(FsnSuspendRun *run, GError **error)
{
    return fsn_io_check(run->virt, "suspend", run->facts->name, run->facts->uuid,
                        run->capture ? idle_meanwhile : NULL, run, error);
}

bool
fsn_suspend_run_is_held(const FsnSuspendRun *run)
{
    return run->held;
}

/* Stopped first, as was asked for, or because nothing else is safe. */
static bool
start_stopped(FsnSuspendRun *run, GError **error)
{
    if (!start_guard(run, error)) {
        return false;
    }
    fsn_guard_stopping(run->guard);
    return fsn_suspend_stop_guest(run, error) &&
           fsn_suspend_start(run, FSN_STEP_STOPPING, 0, error);
}

static bool
release_prepared(FsnSuspendRun *run, GError **error)
{
    /* Storage that was well at the beginning may hang by now. */
    if (!fsn_suspend_check_io(run, error)) {
        return false;
    }
    run->held = false;
    fsn_guard_stopping(run->guard);
    if (!fsn_journal_write(run->journal, fsn_cycle_state_dir(run->cycle),
                           FSN_STEP_STOPPING, error)) {
        return false;
    }
    return fsn_outgoing_release(run->outgoing, error);
}

/* A guest that need not be stopped first is prepared now, so that at the end only what it
 * has written meanwhile is still to be made durable. */
static bool
transfer(FsnSuspendRun *run, GError **error)
{
    g_auto(FsnPrepareResult) ignored = { 0 };

    if (!run->prepared && run->options.paused) {
        return start_stopped(run, error);
    }
    return (run->prepared || fsn_suspend_run_prepare(run, &ignored, error)) &&
           release_prepared(run, error);
}

bool
fsn_suspend_run_finish(FsnSuspendRun *run, FsnSuspendResult *out_result, GError **error)
{
    bool prepared = run->prepared;

    if (!transfer(run, error) || !fsn_suspend_transfer_rest(run, error) ||
        !fsn_suspend_commit(run, out_result, error)) {
        return false;
    }
    out_result->prepared = prepared;
    return true;
}

int
fsn_suspend_run_fd(FsnSuspendRun *run)
{
    return fsn_capture_fd(run->capture);
}

const char *
fsn_suspend_run_domain(FsnSuspendRun *run)
{
    return run->facts->name;
}

const char *
fsn_suspend_run_uuid(FsnSuspendRun *run)
{
    return run->facts->uuid;
}
