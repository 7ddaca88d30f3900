/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision of recovery, without effects: from the facts that are found to the actions
 * that bring an interrupted operation to a safe end. The manifest is the point of no return
 * of a suspend; the mark "ran" is that of a resume, unless a note vouches that the guest was
 * not let go after it (memory/not-run.h).
 */
#include "config.h"

#include "cycle/recover-plan.h"

static const char *const action_names[] = {
    [FSN_RECOVER_CANCEL_MIGRATION] = "cancel-migration",
    [FSN_RECOVER_AWAIT_MIGRATION] = "await-migration",
    [FSN_RECOVER_CONTINUE_GUEST] = "continue-guest",
    [FSN_RECOVER_DELETE_MANIFEST] = "delete-manifest",
    [FSN_RECOVER_WRITE_STUB] = "write-stub",
    [FSN_RECOVER_END_QEMU] = "end-qemu",
    [FSN_RECOVER_ARM] = "arm",
    [FSN_RECOVER_REMOVE_STUB] = "remove-stub",
    [FSN_RECOVER_REMOVE_RAN] = "remove-ran",
    [FSN_RECOVER_RELEASE_CLAIM] = "release-claim",
    [FSN_RECOVER_MARK_CONSUMED] = "mark-consumed",
    [FSN_RECOVER_CONTINUE_LOAD] = "continue-load",
    [FSN_RECOVER_THAW] = "thaw",
    [FSN_RECOVER_RELEASE_DATABASES] = "release-databases",
    [FSN_RECOVER_UNDO_INSTANT] = "undo-instant",
    [FSN_RECOVER_KEEP_INSTANT] = "keep-instant",
    [FSN_RECOVER_REMOVE_FILES] = "remove-files",
    [FSN_RECOVER_REPLACE_FILES] = "replace-files",
    [FSN_RECOVER_DEFINE] = "define",
    [FSN_RECOVER_START_FILL] = "start-fill",
    [FSN_RECOVER_REMOVE_MARKS] = "remove-marks",
    [FSN_RECOVER_REMOVE_JOURNAL] = "remove-journal",
};

const char *
fsn_recover_action_name(FsnRecoverAction action)
{
    return action_names[action];
}

static void
add(FsnRecoverPlan *plan, FsnRecoverAction action)
{
    g_assert(plan->n_actions < FSN_RECOVER_MAX_ACTIONS);
    plan->actions[plan->n_actions++] = action;
}

/* The memory was never made durable: the guest goes on as if nothing had been. */
static void
plan_suspend_undone(FsnRecoverPlan *plan, const FsnRecoverFacts *f)
{
    bool on = f->domain != FSN_FOUND_OFF;

    if (on && f->migrating) {
        add(plan, FSN_RECOVER_CANCEL_MIGRATION);
    }
    if (on && f->was_running && !f->user_paused && f->step != FSN_STEP_BEGUN) {
        add(plan, FSN_RECOVER_CONTINUE_GUEST);
    }
    add(plan, FSN_RECOVER_REMOVE_STUB);
    add(plan, FSN_RECOVER_REMOVE_JOURNAL);
    plan->outcome = on ? "the suspend was undone; the domain runs on"
                       : "the suspend had stored nothing and the domain is off";
}

static void
plan_suspend(FsnRecoverPlan *plan, const FsnRecoverFacts *f)
{
    if (!f->manifest) {
        plan_suspend_undone(plan, f);
        return;
    }
    if (f->domain == FSN_FOUND_RUNNING) {
        /* Somebody continued it: its disks move on and the stored memory is void. */
        add(plan, FSN_RECOVER_DELETE_MANIFEST);
        add(plan, FSN_RECOVER_REMOVE_STUB);
        add(plan, FSN_RECOVER_REMOVE_JOURNAL);
        plan->outcome =
            "the domain was continued by somebody; its suspend state was given up";
        return;
    }
    add(plan, FSN_RECOVER_WRITE_STUB);
    if (f->domain != FSN_FOUND_OFF) {
        add(plan, FSN_RECOVER_END_QEMU);
    }
    add(plan, FSN_RECOVER_ARM);
    add(plan, FSN_RECOVER_REMOVE_JOURNAL);
    plan->outcome = "the suspend was completed; the domain is suspended";
}

static void
plan_resume_not_run(FsnRecoverPlan *plan, const FsnRecoverFacts *f)
{
    if (f->domain != FSN_FOUND_OFF) {
        add(plan, FSN_RECOVER_END_QEMU);
    }
    add(plan, FSN_RECOVER_WRITE_STUB);
    add(plan, FSN_RECOVER_ARM);
    if (f->ran) {
        add(plan, FSN_RECOVER_REMOVE_RAN);
    }
    add(plan, FSN_RECOVER_RELEASE_CLAIM);
    add(plan, FSN_RECOVER_REMOVE_JOURNAL);
    plan->outcome = "the guest had not run; the domain is suspended as before";
}

/* A domain that runs or stands with all of its memory was started by somebody since, so its
 * disks have moved on whatever the note says. */
static bool
has_not_run(const FsnRecoverFacts *f)
{
    switch (f->domain) {
    case FSN_FOUND_OFF:
    case FSN_FOUND_INCOMING:
    case FSN_FOUND_LOAD_BROKEN:
        return !f->ran || f->not_run;
    case FSN_FOUND_RUNNING:
    case FSN_FOUND_PAUSED:
    case FSN_FOUND_LOADING:
        break;
    }
    return !f->ran;
}

static void
plan_resume(FsnRecoverPlan *plan, const FsnRecoverFacts *f)
{
    if (has_not_run(f)) {
        plan_resume_not_run(plan, f);
        return;
    }
    if (f->was_running && f->domain != FSN_FOUND_OFF && f->domain != FSN_FOUND_INCOMING) {
        /* Marked as run, but it was not let go: only a resume through the monitor says so. */
        add(plan, FSN_RECOVER_CONTINUE_GUEST);
    }
    switch (f->domain) {
    case FSN_FOUND_LOADING:
    case FSN_FOUND_LOAD_BROKEN:
        add(plan, FSN_RECOVER_CONTINUE_LOAD);
        plan->outcome = "the guest runs; loading of its memory goes on";
        return;
    case FSN_FOUND_INCOMING:
        /* The mark came just before the guest could run; whether it did is not known. */
        add(plan, FSN_RECOVER_END_QEMU);
        break;
    case FSN_FOUND_OFF:
    case FSN_FOUND_RUNNING:
    case FSN_FOUND_PAUSED:
        break;
    }
    add(plan, FSN_RECOVER_MARK_CONSUMED);
    add(plan, FSN_RECOVER_REMOVE_STUB);
    add(plan, FSN_RECOVER_REMOVE_JOURNAL);
    plan->outcome =
        f->domain == FSN_FOUND_RUNNING || f->domain == FSN_FOUND_PAUSED
            ? "the resume had succeeded"
            : "the guest may have run and is lost as by a power cut; its disks are "
              "crash-consistent and 'virsh start' boots it";
}

/* The domain was off and has nothing to go back to. */
static void
plan_import(FsnRecoverPlan *plan, const FsnRecoverFacts *f)
{
    if (f->manifest && f->domain == FSN_FOUND_OFF) {
        add(plan, FSN_RECOVER_WRITE_STUB);
        add(plan, FSN_RECOVER_ARM);
        plan->outcome = "the import was completed; the domain is suspended";
    } else {
        if (f->manifest) {
            add(plan, FSN_RECOVER_DELETE_MANIFEST);
        }
        add(plan, FSN_RECOVER_REMOVE_STUB);
        plan->outcome = f->manifest ? "the domain was started by somebody; the imported "
                                      "state was given up"
                                    : "the import had stored nothing";
    }
    add(plan, FSN_RECOVER_REMOVE_JOURNAL);
}

/* libvirt's job is over, so a domain that is on was not saved, or has been started since. */
static void
plan_save(FsnRecoverPlan *plan, const FsnRecoverFacts *f)
{
    if (f->manifest && f->domain == FSN_FOUND_OFF) {
        add(plan, FSN_RECOVER_WRITE_STUB);
        add(plan, FSN_RECOVER_ARM);
        plan->outcome = "the managed save was completed; the domain is suspended";
    } else {
        if (f->manifest) {
            add(plan, FSN_RECOVER_DELETE_MANIFEST);
        }
        add(plan, FSN_RECOVER_REMOVE_STUB);
        plan->outcome = f->domain == FSN_FOUND_OFF
                            ? "the managed save had stored nothing and the domain is off"
                            : "the managed save was undone; the domain runs on";
    }
    add(plan, FSN_RECOVER_REMOVE_JOURNAL);
}

/* libvirt takes its link away once the guest runs, and only then. While QEMU loads, the
 * domain is on and stands: that is libvirt's business still. */
static void
plan_load(FsnRecoverPlan *plan, const FsnRecoverFacts *f)
{
    bool off = f->domain == FSN_FOUND_OFF;

    if (!off && f->domain != FSN_FOUND_RUNNING && f->linked && f->same_boot) {
        return;
    }
    if (off && (!f->ran || (f->linked && f->same_boot))) {
        add(plan, FSN_RECOVER_WRITE_STUB);
        add(plan, FSN_RECOVER_ARM);
        if (f->ran) {
            add(plan, FSN_RECOVER_REMOVE_RAN);
        }
        add(plan, FSN_RECOVER_RELEASE_CLAIM);
        plan->outcome = "the guest had not run; the domain is suspended as before";
    } else {
        add(plan, FSN_RECOVER_MARK_CONSUMED);
        add(plan, FSN_RECOVER_REMOVE_STUB);
        plan->outcome = off ? "the guest has run, or may have, and is off; 'virsh start' "
                              "boots it"
                            : "the restore had succeeded";
    }
    add(plan, FSN_RECOVER_REMOVE_JOURNAL);
}

/* It was wanted, and is carried on with. */
static void
plan_discard(FsnRecoverPlan *plan, const FsnRecoverFacts *f)
{
    add(plan, FSN_RECOVER_MARK_CONSUMED);
    add(plan, FSN_RECOVER_REMOVE_STUB);
    if (f->manifest) {
        add(plan, FSN_RECOVER_DELETE_MANIFEST);
    }
    add(plan, FSN_RECOVER_REMOVE_JOURNAL);
    plan->outcome = "the discard was completed";
}

/* Whatever it has come to, the guest goes on first. */
static void
plan_snapshot(FsnRecoverPlan *plan, const FsnRecoverFacts *f)
{
    bool on = f->domain != FSN_FOUND_OFF;

    if (on && f->migrating) {
        /* One of a guest that its user has stopped can be cancelled. */
        add(plan,
            f->background ? FSN_RECOVER_AWAIT_MIGRATION : FSN_RECOVER_CANCEL_MIGRATION);
    }
    if (on && f->own_pause && f->was_running) {
        add(plan, FSN_RECOVER_CONTINUE_GUEST);
    }
    if (on && f->frozen) {
        add(plan, FSN_RECOVER_THAW);
    }
    if (on && f->resting) {
        add(plan, FSN_RECOVER_RELEASE_DATABASES); /* a frozen guest runs nothing */
    }
    /* In QEMU or, of a domain that is off, in its images. */
    add(plan, f->manifest ? FSN_RECOVER_KEEP_INSTANT : FSN_RECOVER_UNDO_INSTANT);
    add(plan, FSN_RECOVER_REMOVE_JOURNAL);
    plan->outcome = f->manifest ? "the snapshot was completed"
                                : "the snapshot was given up; the domain is as before";
}

/* The disks are in place; the memory can be restored again, whatever becomes of this load. */
static void
plan_restore_load(FsnRecoverPlan *plan, const FsnRecoverFacts *f)
{
    bool not_run = has_not_run(f);
    bool on = f->domain != FSN_FOUND_OFF;

    if (!not_run && on && f->was_running && f->domain != FSN_FOUND_INCOMING) {
        add(plan, FSN_RECOVER_CONTINUE_GUEST);
    }
    if (!not_run &&
        (f->domain == FSN_FOUND_LOADING || f->domain == FSN_FOUND_LOAD_BROKEN)) {
        add(plan, FSN_RECOVER_CONTINUE_LOAD);
        plan->outcome = "the guest runs; loading of its memory goes on";
        return;
    }
    if (on && (not_run || f->domain == FSN_FOUND_INCOMING)) {
        add(plan, FSN_RECOVER_END_QEMU);
        on = false;
    }
    if (on && f->frozen && f->domain == FSN_FOUND_RUNNING) {
        add(plan, FSN_RECOVER_THAW);
    }
    if (on && f->resting && f->domain == FSN_FOUND_RUNNING) {
        add(plan, FSN_RECOVER_RELEASE_DATABASES);
    }
    add(plan, FSN_RECOVER_REMOVE_MARKS);
    add(plan, FSN_RECOVER_REMOVE_JOURNAL);
    plan->outcome =
        on ? "the restore had succeeded"
           : "the disks are restored and the guest is off: 'virsh start' boots "
             "it, 'foresnap restore' restores it with its memory";
}

static void
plan_restore(FsnRecoverPlan *plan, const FsnRecoverFacts *f)
{
    switch (f->step) {
    case FSN_STEP_LOADING:
        plan_restore_load(plan, f);
        return;
    case FSN_STEP_REPLACING:
    case FSN_STEP_DEFINING:
        if (f->domain == FSN_FOUND_OFF) {
            add(plan, FSN_RECOVER_REPLACE_FILES);
            add(plan, FSN_RECOVER_DEFINE);
            plan->outcome = "the disks are restored; the guest is off";
            if (f->lazy) {
                add(plan, FSN_RECOVER_START_FILL);
                plan->outcome = "the disks are served and filled; the guest is off";
            }
        } else {
            /* Its QEMU has some of them open: none may be changed under it. */
            add(plan, FSN_RECOVER_REMOVE_FILES);
            plan->outcome =
                "the domain was started by somebody while its disks were being "
                "restored; shut it down and restore it again";
        }
        break;
    case FSN_STEP_FILLING:
        add(plan, FSN_RECOVER_START_FILL);
        plan->outcome = "the domain is restored; its disks are served and filled";
        break;
    case FSN_STEP_BEGUN:
    case FSN_STEP_WRITING:
    case FSN_STEP_MIGRATING:
    case FSN_STEP_HELD:
    case FSN_STEP_STOPPING:
    case FSN_STEP_STORING:
    case FSN_STEP_DURABLE:
    case FSN_STEP_GUARDED:
    case FSN_STEP_ENDED:
    case FSN_STEP_CLAIMED:
    case FSN_STEP_CONSUMED:
    case FSN_STEP_UNGUARDED:
    case FSN_STEP_PREPARING:
    case FSN_STEP_READING:
        add(plan, FSN_RECOVER_REMOVE_FILES);
        plan->outcome = "the restore had changed nothing";
        break;
    }
    add(plan, FSN_RECOVER_REMOVE_JOURNAL);
}

FsnRecoverPlan
fsn_recover_plan(const FsnRecoverFacts *facts)
{
    FsnRecoverPlan plan = { .outcome = "it is still under way" };

    if (facts->owner_alive) {
        return plan;
    }
    switch (facts->operation) {
    case FSN_OP_SUSPEND:
        plan_suspend(&plan, facts);
        break;
    case FSN_OP_RESUME:
        plan_resume(&plan, facts);
        break;
    case FSN_OP_IMPORT:
        plan_import(&plan, facts);
        break;
    case FSN_OP_SAVE:
        plan_save(&plan, facts);
        break;
    case FSN_OP_LOAD:
        plan_load(&plan, facts);
        break;
    case FSN_OP_DISCARD:
        plan_discard(&plan, facts);
        break;
    case FSN_OP_SNAPSHOT:
        plan_snapshot(&plan, facts);
        break;
    case FSN_OP_RESTORE:
        plan_restore(&plan, facts);
        break;
    case FSN_OP_FILL:
        /* Its journal goes when all is filled, or the disks are gone: the process sees. */
        add(&plan, FSN_RECOVER_START_FILL);
        plan.outcome = "the disks are served and filled again";
        break;
    }
    return plan;
}
