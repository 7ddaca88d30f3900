/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * src/cycle/recover-plan.c: every combination of facts gives a plan that keeps the promises:
 * a running guest runs, a durable suspend stays one, a used state is never usable again.
 */
#include "config.h"

#include "cycle/recover-plan.h"

static bool
has(const FsnRecoverPlan *plan, FsnRecoverAction action)
{
    for (size_t i = 0; i < plan->n_actions; i++) {
        if (plan->actions[i] == action) {
            return true;
        }
    }
    return false;
}

/* Index of @action, or a large number. */
static size_t
at(const FsnRecoverPlan *plan, FsnRecoverAction action)
{
    for (size_t i = 0; i < plan->n_actions; i++) {
        if (plan->actions[i] == action) {
            return i;
        }
    }
    return 99;
}

static void
check_suspend(const FsnRecoverFacts *f, const FsnRecoverPlan *p)
{
    if (!f->manifest) {
        g_assert_false(has(p, FSN_RECOVER_END_QEMU));
        g_assert_false(has(p, FSN_RECOVER_WRITE_STUB));
        if (f->domain == FSN_FOUND_PAUSED && f->was_running && !f->user_paused &&
            f->step != FSN_STEP_BEGUN) {
            g_assert_true(has(p, FSN_RECOVER_CONTINUE_GUEST));
        }
        return;
    }
    g_assert_false(has(p, FSN_RECOVER_CONTINUE_GUEST));
    if (f->domain == FSN_FOUND_RUNNING) {
        /* its disks move on: the memory must go */
        g_assert_true(has(p, FSN_RECOVER_DELETE_MANIFEST));
        g_assert_false(has(p, FSN_RECOVER_END_QEMU));
        return;
    }
    g_assert_false(has(p, FSN_RECOVER_DELETE_MANIFEST));
    g_assert_true(has(p, FSN_RECOVER_WRITE_STUB));
    g_assert_true(has(p, FSN_RECOVER_ARM));
    if (f->domain != FSN_FOUND_OFF) {
        /* guarded before QEMU ends, armed after */
        g_assert_cmpuint(at(p, FSN_RECOVER_WRITE_STUB), <, at(p, FSN_RECOVER_END_QEMU));
        g_assert_cmpuint(at(p, FSN_RECOVER_END_QEMU), <, at(p, FSN_RECOVER_ARM));
    }
}

/* The note counts as long as nobody has started the domain since. */
static bool
may_have_run(const FsnRecoverFacts *f)
{
    return f->ran && (!f->not_run || f->domain == FSN_FOUND_RUNNING ||
                      f->domain == FSN_FOUND_PAUSED || f->domain == FSN_FOUND_LOADING);
}

static void
check_resume(const FsnRecoverFacts *f, const FsnRecoverPlan *p)
{
    g_assert_false(has(p, FSN_RECOVER_DELETE_MANIFEST));
    /* a guest is let go only if that was wanted, not before the mark and never without RAM */
    g_assert_cmpint(has(p, FSN_RECOVER_CONTINUE_GUEST), ==,
                    may_have_run(f) && f->was_running && f->domain != FSN_FOUND_OFF &&
                        f->domain != FSN_FOUND_INCOMING);
    g_assert_cmpint(has(p, FSN_RECOVER_REMOVE_RAN), ==, f->ran && !may_have_run(f));
    if (!may_have_run(f)) {
        g_assert_true(has(p, FSN_RECOVER_RELEASE_CLAIM));
        if (f->ran) {
            /* guarded before it counts as unused, and only then somebody may claim it */
            g_assert_cmpuint(at(p, FSN_RECOVER_WRITE_STUB), <,
                             at(p, FSN_RECOVER_REMOVE_RAN));
            g_assert_cmpuint(at(p, FSN_RECOVER_REMOVE_RAN), <,
                             at(p, FSN_RECOVER_RELEASE_CLAIM));
        }
        g_assert_false(has(p, FSN_RECOVER_MARK_CONSUMED));
        if (f->domain != FSN_FOUND_OFF) {
            /* QEMU is gone before somebody else may claim the state */
            g_assert_cmpuint(at(p, FSN_RECOVER_END_QEMU), <,
                             at(p, FSN_RECOVER_RELEASE_CLAIM));
        }
        return;
    }
    g_assert_false(has(p, FSN_RECOVER_RELEASE_CLAIM));
    if (f->domain == FSN_FOUND_LOADING || f->domain == FSN_FOUND_LOAD_BROKEN) {
        g_assert_true(has(p, FSN_RECOVER_CONTINUE_LOAD));
        g_assert_false(has(p, FSN_RECOVER_END_QEMU));
        g_assert_false(has(p, FSN_RECOVER_REMOVE_JOURNAL));
        return;
    }
    g_assert_true(has(p, FSN_RECOVER_MARK_CONSUMED));
    if (f->domain == FSN_FOUND_RUNNING || f->domain == FSN_FOUND_PAUSED) {
        g_assert_false(has(p, FSN_RECOVER_END_QEMU));
    }
}

static void
check_import(const FsnRecoverFacts *f, const FsnRecoverPlan *p)
{
    bool stays = f->manifest && f->domain == FSN_FOUND_OFF;

    /* nobody's guest is ended or continued, and there is a guard if there is a state */
    g_assert_false(has(p, FSN_RECOVER_END_QEMU));
    g_assert_false(has(p, FSN_RECOVER_CONTINUE_GUEST));
    g_assert_cmpint(has(p, FSN_RECOVER_WRITE_STUB), ==, stays);
    g_assert_cmpint(has(p, FSN_RECOVER_ARM), ==, stays);
    g_assert_cmpint(has(p, FSN_RECOVER_REMOVE_STUB), ==, !stays);
    g_assert_cmpint(has(p, FSN_RECOVER_DELETE_MANIFEST), ==, f->manifest && !stays);
    g_assert_true(has(p, FSN_RECOVER_REMOVE_JOURNAL));
}

static void
check_load(const FsnRecoverFacts *f, const FsnRecoverPlan *p)
{
    bool off = f->domain == FSN_FOUND_OFF;

    g_assert_false(has(p, FSN_RECOVER_END_QEMU));
    g_assert_false(has(p, FSN_RECOVER_CONTINUE_GUEST));
    g_assert_false(has(p, FSN_RECOVER_DELETE_MANIFEST));
    /* usable again only if nobody can have run from it, and guarded before that */
    g_assert_cmpint(has(p, FSN_RECOVER_RELEASE_CLAIM), ==,
                    off && (!f->ran || (f->linked && f->same_boot)));
    g_assert_cmpint(has(p, FSN_RECOVER_REMOVE_RAN), ==,
                    f->ran && has(p, FSN_RECOVER_RELEASE_CLAIM));
    if (has(p, FSN_RECOVER_RELEASE_CLAIM)) {
        g_assert_cmpuint(at(p, FSN_RECOVER_WRITE_STUB), <,
                         at(p, FSN_RECOVER_RELEASE_CLAIM));
        g_assert_cmpuint(at(p, FSN_RECOVER_ARM), <, at(p, FSN_RECOVER_RELEASE_CLAIM));
    }
    /* a guest that runs has used it up */
    if (f->domain == FSN_FOUND_RUNNING) {
        g_assert_true(has(p, FSN_RECOVER_MARK_CONSUMED));
    }
    g_assert_cmpint(has(p, FSN_RECOVER_MARK_CONSUMED), ==,
                    has(p, FSN_RECOVER_REMOVE_STUB));
}

static void
test_load(void)
{
    for (unsigned bits = 0; bits < 16; bits++) {
        for (unsigned domain = FSN_FOUND_OFF; domain <= FSN_FOUND_LOAD_BROKEN; domain++) {
            FsnRecoverFacts f = { .operation = FSN_OP_LOAD,
                                  .step = FSN_STEP_CLAIMED,
                                  .manifest = bits & 1,
                                  .ran = bits & 2,
                                  .linked = bits & 4,
                                  .same_boot = bits & 8,
                                  .domain = (FsnFoundDomain)domain };
            FsnRecoverPlan p = fsn_recover_plan(&f);

            g_assert_nonnull(p.outcome);
            check_load(&f, &p);
        }
    }
}

static void
check_discard(const FsnRecoverFacts *f, const FsnRecoverPlan *p)
{
    g_assert_false(has(p, FSN_RECOVER_END_QEMU));
    g_assert_false(has(p, FSN_RECOVER_CONTINUE_GUEST));
    g_assert_false(has(p, FSN_RECOVER_WRITE_STUB));
    g_assert_cmpint(has(p, FSN_RECOVER_DELETE_MANIFEST), ==, f->manifest);
    /* nobody may resume what is not guarded any more */
    g_assert_cmpuint(at(p, FSN_RECOVER_MARK_CONSUMED), <, at(p, FSN_RECOVER_REMOVE_STUB));
    g_assert_true(has(p, FSN_RECOVER_REMOVE_JOURNAL));
}

static void
check_snapshot(const FsnRecoverFacts *f, const FsnRecoverPlan *p)
{
    bool on = f->domain != FSN_FOUND_OFF;

    /* the snapshot stays or is not there, the guest is as it was, QEMU keeps nothing */
    g_assert_false(has(p, FSN_RECOVER_END_QEMU));
    g_assert_false(has(p, FSN_RECOVER_DELETE_MANIFEST));
    g_assert_false(has(p, FSN_RECOVER_WRITE_STUB));
    g_assert_cmpint(has(p, FSN_RECOVER_CONTINUE_GUEST), ==,
                    on && f->own_pause && f->was_running);
    g_assert_cmpint(has(p, FSN_RECOVER_THAW), ==, on && f->frozen);
    g_assert_cmpint(has(p, FSN_RECOVER_RELEASE_DATABASES), ==, on && f->resting);
    /* a guest whose file systems are frozen runs nothing */
    if (has(p, FSN_RECOVER_THAW) && has(p, FSN_RECOVER_RELEASE_DATABASES)) {
        g_assert_cmpuint(at(p, FSN_RECOVER_THAW), <,
                         at(p, FSN_RECOVER_RELEASE_DATABASES));
    }
    g_assert_cmpint(has(p, FSN_RECOVER_KEEP_INSTANT), ==, f->manifest);
    g_assert_cmpint(has(p, FSN_RECOVER_UNDO_INSTANT), ==, !f->manifest);
    g_assert_true(has(p, FSN_RECOVER_REMOVE_JOURNAL));
    /* a background snapshot that is cancelled would leave the guest standing for ever */
    g_assert_cmpint(has(p, FSN_RECOVER_CANCEL_MIGRATION), ==,
                    on && f->migrating && !f->background);
    g_assert_cmpint(has(p, FSN_RECOVER_AWAIT_MIGRATION), ==,
                    on && f->migrating && f->background);
    /* the migration has let go of its memory before the guest needs it */
    if (has(p, FSN_RECOVER_CANCEL_MIGRATION) && has(p, FSN_RECOVER_CONTINUE_GUEST)) {
        g_assert_cmpuint(at(p, FSN_RECOVER_CANCEL_MIGRATION), <,
                         at(p, FSN_RECOVER_CONTINUE_GUEST));
    }
}

static void
check_restore(const FsnRecoverFacts *f, const FsnRecoverPlan *p)
{
    bool in_places = f->step == FSN_STEP_REPLACING || f->step == FSN_STEP_DEFINING;

    /* a snapshot is never lost or used up by its restore, and nobody is suspended by it */
    g_assert_false(has(p, FSN_RECOVER_DELETE_MANIFEST));
    g_assert_false(has(p, FSN_RECOVER_MARK_CONSUMED));
    g_assert_false(has(p, FSN_RECOVER_WRITE_STUB));
    /* no disk is changed under a QEMU, and none is left half replaced without one */
    g_assert_cmpint(has(p, FSN_RECOVER_REPLACE_FILES), ==,
                    in_places && f->domain == FSN_FOUND_OFF);
    if (f->step != FSN_STEP_LOADING) {
        g_assert_false(has(p, FSN_RECOVER_END_QEMU));
        g_assert_true(has(p, FSN_RECOVER_REPLACE_FILES) ||
                      has(p, FSN_RECOVER_REMOVE_FILES) || f->step == FSN_STEP_FILLING);
        /* overlays in their places are served, and no others */
        g_assert_cmpint(has(p, FSN_RECOVER_START_FILL), ==,
                        f->step == FSN_STEP_FILLING ||
                            (f->lazy && has(p, FSN_RECOVER_REPLACE_FILES)));
        return;
    }
    if (f->ran && (f->domain == FSN_FOUND_LOADING ||
                   (f->domain == FSN_FOUND_LOAD_BROKEN && !f->not_run))) {
        g_assert_true(has(p, FSN_RECOVER_CONTINUE_LOAD));
        g_assert_false(has(p, FSN_RECOVER_END_QEMU));
        g_assert_false(has(p, FSN_RECOVER_REMOVE_JOURNAL));
        return;
    }
    if (f->ran && (f->domain == FSN_FOUND_RUNNING || f->domain == FSN_FOUND_PAUSED)) {
        g_assert_false(has(p, FSN_RECOVER_END_QEMU));
    }
    /* a guest that runs does not stay frozen */
    g_assert_cmpint(has(p, FSN_RECOVER_THAW), ==,
                    f->frozen && f->ran && f->domain == FSN_FOUND_RUNNING);
    g_assert_cmpint(has(p, FSN_RECOVER_RELEASE_DATABASES), ==,
                    f->resting && f->ran && f->domain == FSN_FOUND_RUNNING);
    g_assert_true(has(p, FSN_RECOVER_REMOVE_MARKS));
    g_assert_true(has(p, FSN_RECOVER_REMOVE_JOURNAL));
}

static void
check_plan(const FsnRecoverFacts *f, const FsnRecoverPlan *p)
{
    switch (f->operation) {
    case FSN_OP_SUSPEND:
        check_suspend(f, p);
        break;
    case FSN_OP_RESUME:
        check_resume(f, p);
        break;
    case FSN_OP_IMPORT:
    case FSN_OP_SAVE: /* once libvirt has no job any more, it is the same */
        check_import(f, p);
        break;
    case FSN_OP_LOAD:
        check_load(f, p);
        break;
    case FSN_OP_DISCARD:
        check_discard(f, p);
        break;
    case FSN_OP_SNAPSHOT:
        check_snapshot(f, p);
        break;
    case FSN_OP_RESTORE:
        check_restore(f, p);
        break;
    case FSN_OP_FILL:
        /* it is served again in any case, and its own process ends it */
        g_assert_cmpuint(p->n_actions, ==, 1);
        g_assert_true(has(p, FSN_RECOVER_START_FILL));
        break;
    }
    /* the journal goes last, or recovery could not be repeated */
    if (has(p, FSN_RECOVER_REMOVE_JOURNAL)) {
        g_assert_cmpint(p->actions[p->n_actions - 1], ==, FSN_RECOVER_REMOVE_JOURNAL);
    }
}

static void
test_all_combinations(void)
{
    for (unsigned bits = 0; bits < 8192; bits++) {
        if ((bits & 7) > FSN_OP_SNAPSHOT) {
            continue;
        }
        for (unsigned step = FSN_STEP_BEGUN; step <= FSN_STEP_READING; step++) {
            for (unsigned domain = FSN_FOUND_OFF; domain <= FSN_FOUND_LOAD_BROKEN;
                 domain++) {
                FsnRecoverFacts f = { .operation = (FsnOperation)(bits & 7),
                                      .step = (FsnStep)step,
                                      .was_running = bits & 16,
                                      .manifest = bits & 32,
                                      .ran = bits & 64,
                                      .user_paused = bits & 256,
                                      .migrating = bits & 512,
                                      .not_run = bits & 1024,
                                      .own_pause = bits & 8,
                                      .background = bits & 2048,
                                      .frozen = bits & 128,
                                      .resting = bits & 4096,
                                      .domain = (FsnFoundDomain)domain };
                FsnRecoverPlan p = fsn_recover_plan(&f);

                g_assert_nonnull(p.outcome);
                g_assert_cmpuint(p.n_actions, >, 0);
                check_plan(&f, &p);
            }
        }
    }
}

static void
test_restore(void)
{
    for (unsigned bits = 0; bits < 128; bits++) {
        for (unsigned step = FSN_STEP_BEGUN; step <= FSN_STEP_FILLING; step++) {
            for (unsigned domain = FSN_FOUND_OFF; domain <= FSN_FOUND_LOAD_BROKEN;
                 domain++) {
                FsnRecoverFacts f = { .operation = FSN_OP_RESTORE,
                                      .step = (FsnStep)step,
                                      .was_running = bits & 1,
                                      .manifest = bits & 2,
                                      .ran = bits & 4,
                                      .not_run = (bits & 12) == 12,
                                      .frozen = bits & 16,
                                      .lazy = bits & 32,
                                      .resting = bits & 64,
                                      .domain = (FsnFoundDomain)domain };
                FsnRecoverPlan p = fsn_recover_plan(&f);

                g_assert_nonnull(p.outcome);
                g_assert_cmpuint(p.n_actions, >, 0);
                check_plan(&f, &p);
            }
        }
    }
}

static void
test_save(void)
{
    for (unsigned domain = FSN_FOUND_OFF; domain <= FSN_FOUND_LOAD_BROKEN; domain++) {
        for (unsigned manifest = 0; manifest < 2; manifest++) {
            FsnRecoverFacts f = { .operation = FSN_OP_SAVE,
                                  .step = FSN_STEP_DURABLE,
                                  .manifest = manifest,
                                  .domain = (FsnFoundDomain)domain };
            FsnRecoverPlan p = fsn_recover_plan(&f);

            check_plan(&f, &p);
        }
    }
}

static void
test_fill(void)
{
    for (unsigned domain = FSN_FOUND_OFF; domain <= FSN_FOUND_LOAD_BROKEN; domain++) {
        FsnRecoverFacts f = { .operation = FSN_OP_FILL,
                              .step = FSN_STEP_FILLING,
                              .domain = (FsnFoundDomain)domain };
        FsnRecoverPlan p = fsn_recover_plan(&f);

        check_plan(&f, &p);
    }
}

static void
test_live_owner(void)
{
    FsnRecoverFacts f = { .owner_alive = true, .manifest = true };
    FsnRecoverPlan p = fsn_recover_plan(&f);

    g_assert_cmpuint(p.n_actions, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recover-plan/all-combinations", test_all_combinations);
    g_test_add_func("/recover-plan/restore", test_restore);
    g_test_add_func("/recover-plan/save", test_save);
    g_test_add_func("/recover-plan/load", test_load);
    g_test_add_func("/recover-plan/fill", test_fill);
    g_test_add_func("/recover-plan/live-owner", test_live_owner);
    return g_test_run();
}
