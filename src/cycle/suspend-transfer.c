/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transfer of a suspend: start, bulk, hold, rest, and the undoing of all of it. While the
 * guest runs QEMU itself stops it at convergence, which makes the pause as short as can be;
 * a guest that writes faster than it converges is stopped through libvirt.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/faults.h"
#include "cycle/continue-guest.h"
#include "cycle/suspend-run-private.h"
#include "qmp/commands-status.h"

#define STEP_MS           100
/* After the bulk, a guest gets this long to converge before it is stopped. */
#define CONVERGE_US       (5 * G_USEC_PER_SEC)
#define TRANSFER_STALL_US (60 * G_USEC_PER_SEC)

bool
fsn_suspend_start(FsnSuspendRun *run,
                  FsnStep step,
                  uint64_t reserve_pages,
                  GError **error)
{
    FsnCaptureOptions options = { .codec = run->options.codec,
                                  .level = run->options.level,
                                  .reserve_pages = reserve_pages };
    int fd;

    if (run->parent) {
        options.parent_root = run->parent_memory.root;
        options.parent_layout = run->parent_memory.layout;
    }
    run->outgoing = fsn_outgoing_new(run->qmp, error);
    if (!run->outgoing) {
        return false;
    }
    g_clear_pointer(&run->journal->capabilities, g_strfreev);
    fsn_outgoing_saved(run->outgoing, &run->journal->max_bandwidth,
                       &run->journal->downtime_limit_ms, &run->journal->capabilities);
    if (!fsn_cycle_step(run->cycle, run->journal, step, error) ||
        !fsn_outgoing_start(run->outgoing, reserve_pages > 0, &fd, error)) {
        return false;
    }
    run->capture = fsn_capture_new(run->repo, fd, &options, error);
    return run->capture != NULL;
}

static void
report(FsnSuspendRun *run)
{
    FsnCaptureProgress p = fsn_capture_progress(run->capture);

    fsn_cycle_progress(run->cycle, "memory", p.pages_seen * FSN_PAGE_SIZE,
                       p.pages_total * FSN_PAGE_SIZE);
}

/* A stream that stands still for a minute will not end by itself. */
static bool
check_stall(FsnSuspendRun *run, uint64_t *last_bytes, int64_t *last_us, GError **error)
{
    FsnCaptureProgress p = fsn_capture_progress(run->capture);
    int64_t now = fsn_monotonic_us();

    if (p.bytes_read != *last_bytes) {
        *last_bytes = p.bytes_read;
        *last_us = now;
        fsn_guard_beat(run->guard);
        return true;
    }
    if (now - *last_us < TRANSFER_STALL_US) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                "QEMU has sent nothing for %d s (has a disk I/O pending?)",
                (int)(TRANSFER_STALL_US / G_USEC_PER_SEC));
    return false;
}

bool
fsn_suspend_transfer_bulk(FsnSuspendRun *run, GError **error)
{
    FsnCaptureEvent event = FSN_CAPTURE_MORE;
    uint64_t last_bytes = 0;
    int64_t last_us = fsn_monotonic_us();

    while (event == FSN_CAPTURE_MORE) {
        if (!fsn_capture_step(run->capture, STEP_MS, &event, error) ||
            !check_stall(run, &last_bytes, &last_us, error)) {
            return false;
        }
        report(run);
    }
    if (event == FSN_CAPTURE_END) {
        run->stopped = true;
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "the migration ended before it could be held");
        return false;
    }
    /* Nothing is read until the limit is set, so QEMU cannot run past the reserve. */
    run->held = true;
    return fsn_outgoing_hold(run->outgoing, error);
}

bool
fsn_suspend_stop_guest(FsnSuspendRun *run, GError **error)
{
    run->journal->own_pause = true;
    if (!fsn_cycle_step(run->cycle, run->journal, FSN_STEP_STOPPING, error)) {
        return false;
    }
    run->own_pause = true;
    run->stopped = true;
    run->stop_us = fsn_monotonic_us();
    return fsn_virt_domain_suspend(run->domain, error);
}

/* All pages have been seen once and the guest still outruns us. */
static bool
must_be_stopped(FsnSuspendRun *run, int64_t *bulk_end_us)
{
    FsnCaptureProgress p = fsn_capture_progress(run->capture);

    if (run->own_pause || p.pages_total == 0) {
        return false;
    }
    if (*bulk_end_us == 0) {
        bool bulk = run->prepared || p.pages_read >= p.pages_total;

        *bulk_end_us = bulk ? fsn_monotonic_us() : 0;
        return false;
    }
    return fsn_monotonic_us() - *bulk_end_us > CONVERGE_US;
}

bool
fsn_suspend_transfer_rest(FsnSuspendRun *run, GError **error)
{
    FsnCaptureEvent event = FSN_CAPTURE_MORE;
    uint64_t last_bytes = 0;
    int64_t last_us = fsn_monotonic_us();
    int64_t bulk_end_us = 0;
    int64_t downtime_us;
    int64_t end_us;

    while (event != FSN_CAPTURE_END) {
        if (!fsn_capture_step(run->capture, STEP_MS, &event, error) ||
            !check_stall(run, &last_bytes, &last_us, error)) {
            return false;
        }
        report(run);
        if (event != FSN_CAPTURE_END && must_be_stopped(run, &bulk_end_us) &&
            !fsn_suspend_stop_guest(run, error)) {
            return false;
        }
    }
    end_us = fsn_monotonic_us();
    run->stopped = true;
    if (!fsn_outgoing_finish(run->outgoing, &downtime_us, error)) {
        return false;
    }
    if (!run->own_pause) {
        run->stop_us = end_us - downtime_us;
    }
    return true;
}

/* What the migration may have done is undone: stopped by us, or by the migration's end, which
 * we need not have seen; or continued by QEMU after that. A stop of the user's stays. */
static bool
continue_in_qemu(FsnSuspendRun *run, GError **error)
{
    g_autofree char *word = NULL;
    bool running;

    if (!fsn_qmp_query_status(run->qmp, &running, &word, error)) {
        return false;
    }
    if (!running && (run->stopped || g_str_equal(word, "postmigrate") ||
                     g_str_equal(word, "finish-migrate"))) {
        return fsn_continue_standing(run->domain, error);
    }
    return !running || (!run->stopped && run->journal->step < FSN_STEP_STOPPING) ||
           fsn_continue_continued(run->domain, error);
}

/* Lets the guest run on as it did before, whatever QEMU has come to. False: libvirt is not
 * to be had, or refuses. */
static bool
continue_guest(FsnSuspendRun *run)
{
    g_autoptr(GError) error = NULL;
    FsnVirtStatus status;

    /* One that was ended meanwhile has no monitor to ask. */
    if (fsn_virt_domain_status(run->domain, &status, &error) &&
        ((status.state != FSN_VIRT_RUNNING && status.state != FSN_VIRT_PAUSED) ||
         continue_in_qemu(run, &error))) {
        return true;
    }
    g_warning("cannot continue domain '%s' yet: %s; 'foresnap recover' tries again",
              run->facts->name, error->message);
    return false;
}

void
fsn_suspend_undo(FsnSuspendRun *run)
{
    g_autoptr(GError) ignored = NULL;

    if (!run->journal || run->durable) {
        return;
    }
    if (run->outgoing) {
        if (!fsn_outgoing_cancel(run->outgoing, &ignored)) {
            g_clear_error(&ignored); /* it had ended, or QEMU has gone */
        }
        fsn_fault_kill_at("undo:migration");
        fsn_outgoing_restore(run->outgoing);
    }
    /* Closing our end comes after the cancel, so that QEMU ends in "cancelled". */
    g_clear_pointer(&run->capture, fsn_capture_free);
    if ((run->outgoing || run->own_pause) && !continue_guest(run)) {
        run->stuck = true; /* the journal stays, for the guard and for recovery */
        return;
    }
    fsn_fault_kill_at("undo:guest");
    if (!fsn_journal_remove(run->journal, fsn_cycle_state_dir(run->cycle), &ignored)) {
        g_clear_error(&ignored); /* recovery finds it and has nothing to do */
    }
}
