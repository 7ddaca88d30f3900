/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recovery of interrupted operations: finds the facts, asks recover-plan.c what to do, does it.
 * Each action may be done again, so recovery itself may be interrupted anywhere.
 */
#include "config.h"

#include "cycle/recover.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/faults.h"
#include "base/json.h"
#include "changemap/marker.h"
#include "cycle/arm.h"
#include "cycle/continue-guest.h"
#include "cycle/databases.h"
#include "cycle/fill.h"
#include "cycle/holder-wire.h"
#include "cycle/image-bitmaps.h"
#include "cycle/incoming-defer.h"
#include "cycle/instant.h"
#include "cycle/manifest.h"
#include "cycle/map-recover.h"
#include "cycle/outgoing.h"
#include "cycle/pager-start.h"
#include "cycle/recover-private.h"
#include "cycle/restore-files.h"
#include "cycle/size-request.h"
#include "cycle/stub.h"
#include "repo/manifests.h"
#include "repo/marks.h"
#include "scale/resize.h"
#include "virt/agent.h"
#include "virt/qmp-transport.h"

#define THAW_TIMEOUT_S 10

#include <string.h>
#include <unistd.h>

static void
recovery_clear(FsnRecovery *r)
{
    fsn_lock_release(r->lock);
    fsn_virt_domain_free(r->domain);
    fsn_domain_facts_free(r->domain_facts);
    fsn_journal_free(r->journal);
    g_free(r->xml_inactive);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnRecovery, recovery_clear)

static bool
cancel_migration(FsnRecovery *r, GError **error)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(fsn_virt_qmp_transport(r->domain));
    g_autoptr(FsnOutgoing) outgoing = fsn_outgoing_new(qmp, error);

    return outgoing && fsn_outgoing_cancel(outgoing, error);
}

static bool
await_migration(FsnRecovery *r, GError **error)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(fsn_virt_qmp_transport(r->domain));

    return fsn_outgoing_await_end(qmp, error);
}

/* A cancelled migration lets QEMU continue the guest by itself. */
static bool
continue_guest(FsnRecovery *r, GError **error)
{
    FsnVirtStatus status;

    if (!fsn_virt_domain_status(r->domain, &status, error)) {
        return false;
    }
    if (status.state == FSN_VIRT_PAUSED || fsn_recovery_qemu_stands(r->domain)) {
        return fsn_continue_standing(r->domain, error);
    }
    return r->journal->operation == FSN_OP_RESUME ||
           fsn_continue_continued(r->domain, error);
}

/* An agent that has gone cannot be asked again and again: the guest's own business then. */
static void
thaw(FsnRecovery *r)
{
    g_autoptr(GError) error = NULL;

    if (!fsn_virt_agent_thaw(r->domain, THAW_TIMEOUT_S, NULL, &error)) {
        g_warning("domain '%s': cannot thaw the guest's file systems: %s",
                  r->journal->domain, error->message);
    }
}

static void
tell_database(gpointer user, const char *name, const char *why)
{
    const FsnRecovery *r = user;

    g_warning("domain '%s': cannot release database '%s': %s", r->journal->domain, name,
              why);
}

/* A record too many in an image that cannot be reached now does no harm: the next snapshot takes
 * it away. */
static void
settle_images(FsnRecovery *r, const char *repo_id, FsnSweep sweep)
{
    g_autoptr(GError) error = NULL;

    if (r->domain_facts &&
        !fsn_image_bitmaps_settle_all(r->domain_facts, repo_id, r->journal->snapshot,
                                      sweep, &error)) {
        g_warning("domain '%s': %s", r->journal->domain, error->message);
    }
}

static bool
settle_instant(FsnRecovery *r, FsnSweep sweep, GError **error)
{
    g_autoptr(FsnQmp) qmp = NULL;
    g_autofree char *repo_id = fsn_repo_id(r->repo);

    if (r->found == FSN_FOUND_OFF) {
        settle_images(r, repo_id, sweep);
        return true;
    }
    qmp = fsn_qmp_new(fsn_virt_qmp_transport(r->domain));
    return fsn_instant_sweep(qmp, repo_id, r->journal->snapshot, sweep, r->journal->nbd,
                             error);
}

static bool
continue_load(FsnRecovery *r, GError **error)
{
    int fd = -1;
    bool ok;

    if (r->journal->monitor && !fsn_incoming_defer_reconnect(r->domain, &fd, error)) {
        return false;
    }
    ok = fsn_pager_continue(r->cycle, r->journal, r->automatic, r->lock, fd, error);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* The identities of the disks are taken only if they are still what the manifest says. */
static bool
arm(FsnRecovery *r, GError **error)
{
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(JsonObject) armed = NULL;
    g_auto(FsnManifestMemory) memory = { 0 };
    const char *id = r->journal->snapshot;
    bool done = fsn_repo_mark_read(r->repo, id, "armed", &armed, NULL);

    if (!r->domain_facts || (done && r->journal->operation != FSN_OP_RESUME &&
                             r->journal->operation != FSN_OP_LOAD)) {
        return true;
    }
    if (!fsn_repo_load_manifest(r->repo, id, &manifest, error) ||
        !fsn_manifest_read_memory(manifest, &memory, error)) {
        return false;
    }
    return fsn_arm_check_disks(memory.disks, error) &&
           fsn_arm(r->repo, id, r->domain_facts,
                   armed ? fsn_json_peek_int(armed, "pause_us", -1) : -1,
                   armed ? fsn_json_peek_int(armed, "total_us", -1) : -1, error);
}

static bool
define(FsnRecovery *r, GError **error)
{
    g_autoptr(FsnVirtDomain) defined = NULL;

    return !r->journal->xml || fsn_virt_define(r->virt, r->journal->xml, &defined, error);
}

/* Whoever does it has the journal's lock; a fill's goes on to its process. */
static bool
start_fill(FsnRecovery *r, GError **error)
{
    return r->journal->operation == FSN_OP_FILL
               ? fsn_fill_continue(r->cycle, r->journal, r->automatic, r->lock, error)
               : fsn_fill_start(r->cycle, r->journal, error);
}

static bool
release_claim(FsnRecovery *r, GError **error)
{
    return fsn_repo_mark_remove(r->repo, r->journal->snapshot, "claim", error);
}

/* The guest's clock has stood still since the suspend. Without an agent it stays behind, and
 * a clock that cannot be set is no reason to call the resume failed. */
static void
sync_time(FsnRecovery *r)
{
    g_autoptr(GError) error = NULL;
    FsnVirtStatus status;

    if (!r->journal->sync_time || !r->domain || !r->domain_facts->agent ||
        !fsn_virt_domain_status(r->domain, &status, NULL) ||
        status.state != FSN_VIRT_RUNNING ||
        !fsn_virt_domain_agent_answers(r->domain, 5)) {
        return;
    }
    if (!fsn_virt_domain_sync_time(r->domain, &error)) {
        g_warning("%s", error->message);
    }
}

/* libvirt changes no domain whose memory is being loaded, so this had to wait. A guest that
 * keeps its size runs all the same. */
static void
resize(FsnRecovery *r)
{
    g_autoptr(GError) error = NULL;
    FsnSizeRequest request;
    FsnVirtStatus status;

    if (!fsn_size_request_take(fsn_cycle_state_dir(r->cycle), r->journal->uuid,
                               &request) ||
        !r->domain || !fsn_virt_domain_status(r->domain, &status, NULL) ||
        (status.state != FSN_VIRT_RUNNING && status.state != FSN_VIRT_PAUSED)) {
        return;
    }
    if (!fsn_resize_to(r->domain, request.vcpus, request.memory, NULL, &error)) {
        g_warning("%s", error->message);
    }
}

/* A hold leaves limits that would make a crawl of the user's own migrations. */
static void
put_settings_back(FsnRecovery *r)
{
    const FsnJournal *j = r->journal;
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnQmp) qmp = NULL;
    FsnVirtStatus status;

    if (j->max_bandwidth < 0 || !r->domain ||
        !fsn_virt_domain_status(r->domain, &status, NULL) ||
        (status.state != FSN_VIRT_RUNNING && status.state != FSN_VIRT_PAUSED)) {
        return;
    }
    qmp = fsn_qmp_new(fsn_virt_qmp_transport(r->domain));
    if (!fsn_outgoing_put_back(qmp, j->max_bandwidth, j->downtime_limit_ms,
                               j->capabilities, j->operation == FSN_OP_SNAPSHOT,
                               &error)) {
        g_warning("cannot put QEMU's settings of migrations back: %s", error->message);
    }
}

/* What a dead holder leaves; a living one would have the lock that we have. */
static void
remove_sockets(FsnRecovery *r)
{
    const char *state_dir = fsn_cycle_state_dir(r->cycle);
    g_autofree char *holder = fsn_holder_socket_path(state_dir, r->journal->uuid);
    g_autofree char *nbd = fsn_instant_socket(state_dir, r->journal->uuid);

    /* As a rule there are none, and a stale one does no harm. */
    (void)unlink(holder);
    (void)unlink(nbd);
}

static bool
run_action(FsnRecovery *r, FsnRecoverAction action, GError **error)
{
    const FsnJournal *j = r->journal;

    switch (action) {
    case FSN_RECOVER_CANCEL_MIGRATION:
        return cancel_migration(r, error);
    case FSN_RECOVER_AWAIT_MIGRATION:
        return await_migration(r, error);
    case FSN_RECOVER_CONTINUE_GUEST:
        return continue_guest(r, error);
    case FSN_RECOVER_DELETE_MANIFEST:
        return fsn_repo_delete_manifest(r->repo, j->snapshot, error);
    case FSN_RECOVER_WRITE_STUB:
        return !r->xml_inactive || fsn_stub_write(r->cycle, j->domain, j->uuid,
                                                  r->xml_inactive, j->snapshot, error);
    case FSN_RECOVER_END_QEMU:
        return fsn_virt_domain_end(r->domain, error);
    case FSN_RECOVER_ARM:
        return arm(r, error);
    case FSN_RECOVER_REMOVE_STUB:
        return fsn_stub_remove(r->cycle, j->domain, j->uuid, error);
    case FSN_RECOVER_REMOVE_RAN:
        return fsn_repo_mark_remove(r->repo, j->snapshot, "ran", error);
    case FSN_RECOVER_RELEASE_CLAIM:
        return release_claim(r, error);
    case FSN_RECOVER_MARK_CONSUMED:
        return fsn_arm_consume(r->repo, j->snapshot,
                               j->operation == FSN_OP_DISCARD ? "discarded" : "resumed",
                               error);
    case FSN_RECOVER_CONTINUE_LOAD:
        return continue_load(r, error);
    case FSN_RECOVER_THAW:
        thaw(r);
        return true;
    case FSN_RECOVER_RELEASE_DATABASES:
        fsn_databases_release(r->journal, r->domain, tell_database, r);
        return true;
    case FSN_RECOVER_UNDO_INSTANT:
        return settle_instant(r, FSN_SWEEP_UNDO, error);
    case FSN_RECOVER_KEEP_INSTANT:
        return settle_instant(r, FSN_SWEEP_KEEP, error);
    case FSN_RECOVER_REMOVE_FILES:
        return fsn_fill_forget(r->repo, j, error) &&
               (!j->files || fsn_restore_files_remove(j->files, error));
    case FSN_RECOVER_REPLACE_FILES:
        return !j->files ||
               fsn_restore_files_replace(r->cycle, j->snapshot, j->files, NULL, error);
    case FSN_RECOVER_DEFINE:
        return define(r, error);
    case FSN_RECOVER_START_FILL:
        return start_fill(r, error);
    case FSN_RECOVER_REMOVE_MARKS:
        return !j->marks || fsn_repo_mark_remove(r->repo, j->marks, "ran", error);
    case FSN_RECOVER_REMOVE_JOURNAL:
        sync_time(r);
        put_settings_back(r);
        remove_sockets(r);
        fsn_pager_remove_files(fsn_cycle_state_dir(r->cycle), r->virt, j->uuid);
        if (!fsn_journal_remove(j, fsn_cycle_state_dir(r->cycle), error)) {
            return false;
        }
        /* Last: who notes a size looks for the journal afterwards, so one of us sees it. */
        resize(r);
        return true;
    }
    g_assert_not_reached();
}

/* Tests kill recovery here, which has to begin anew then. */
static void
pass_point(FsnRecoverAction action)
{
    g_autofree char *point =
        g_strconcat("recover:", fsn_recover_action_name(action), NULL);

    fsn_fault_kill_at(point);
}

static bool
run_plan(FsnRecovery *r, const FsnRecoverPlan *plan, GError **error)
{
    for (size_t i = 0; i < plan->n_actions; i++) {
        if (!run_action(r, plan->actions[i], error)) {
            g_prefix_error(error, "recovery of domain '%s' (%s): ", r->journal->domain,
                           fsn_recover_action_name(plan->actions[i]));
            return false;
        }
        pass_point(plan->actions[i]);
    }
    return true;
}

static JsonObject *
build_report(const FsnJournal *j, const FsnRecoverPlan *plan)
{
    JsonObject *o = json_object_new();
    JsonArray *actions = json_array_new();

    for (size_t i = 0; i < plan->n_actions; i++) {
        json_array_add_string_element(actions, fsn_recover_action_name(plan->actions[i]));
    }
    json_object_set_string_member(o, "domain", j->domain);
    json_object_set_string_member(o, "uuid", j->uuid);
    json_object_set_string_member(o, "operation", fsn_operation_name(j->operation));
    json_object_set_string_member(o, "step", fsn_step_name(j->step));
    json_object_set_string_member(o, "snapshot", j->snapshot);
    json_object_set_array_member(o, "actions", actions);
    json_object_set_string_member(o, "outcome", plan->outcome);
    return o;
}

static bool
recover_locked(FsnRecovery *r, JsonObject **out_report, GError **error)
{
    FsnRecoverFacts facts = { 0 };
    FsnRecoverPlan plan;

    r->virt = fsn_cycle_virt(r->cycle, error);
    r->repo = r->virt ? fsn_cycle_repo(r->cycle, error) : NULL;
    if (!r->repo || !fsn_recovery_find_facts(r, &facts, error)) {
        return false;
    }
    r->found = facts.domain;
    plan = fsn_recover_plan(&facts);
    if (!run_plan(r, &plan, error)) {
        return false;
    }
    if (out_report) {
        *out_report = build_report(r->journal, &plan);
    }
    return true;
}

/* The journal names the repository and the connection of its operation, which need not be
 * those of this command. */
static bool
recover_elsewhere(FsnCycle *cycle,
                  FsnRecovery *r,
                  JsonObject **out_report,
                  GError **error)
{
    g_autoptr(FsnCycle) own = NULL;

    if (g_str_equal(r->journal->repo, fsn_cycle_repo_location(cycle)) &&
        g_strcmp0(r->journal->uri, fsn_cycle_uri(cycle)) == 0) {
        r->cycle = cycle;
    } else {
        own = fsn_cycle_new(r->journal->uri, r->journal->repo, fsn_cycle_state_dir(cycle),
                            error);
        r->cycle = own;
    }
    return r->cycle && recover_locked(r, out_report, error);
}

bool
fsn_cycle_recover_domain(FsnCycle *cycle,
                         const char *uuid,
                         int wait_ms,
                         JsonObject **out_report,
                         GError **error)
{
    g_auto(FsnRecovery) r = { .automatic = wait_ms > 0 };
    g_autoptr(GError) local = NULL;
    const char *state_dir = fsn_cycle_state_dir(cycle);

    if (!fsn_map_recover(cycle, uuid, NULL, error)) {
        return false;
    }
    if (!fsn_journal_read(state_dir, uuid, &r.journal, &local)) {
        if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    r.lock = fsn_lock_take(state_dir, r.journal->repo, uuid, wait_ms, &local);
    if (!r.lock) {
        if (!g_error_matches(local, FSN_ERROR, FSN_ERROR_BUSY)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        return true; /* its owner lives */
    }
    /* It may have ended between the two looks. */
    g_clear_pointer(&r.journal, fsn_journal_free);
    if (!fsn_journal_read(state_dir, uuid, &r.journal, &local)) {
        if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return recover_elsewhere(cycle, &r, out_report, error);
}

/* All journals of a state folder. The first error is kept in *@first. */
static bool
recover_all(FsnCycle *cycle, JsonArray *reports, GError **first, GError **error)
{
    g_autoptr(GPtrArray) uuids = NULL;

    if (!fsn_journal_list(fsn_cycle_state_dir(cycle), &uuids, error)) {
        return false;
    }
    for (guint i = 0; i < uuids->len; i++) {
        JsonObject *report = NULL;
        g_autoptr(GError) local = NULL;

        if (!fsn_cycle_recover_domain(cycle, g_ptr_array_index(uuids, i), 0, &report,
                                      &local)) {
            if (!*first) {
                *first = g_steal_pointer(&local);
            }
        } else if (report) {
            json_array_add_object_element(reports, report);
        }
    }
    return true;
}

/* All that change maps have left. */
static void
recover_maps(FsnCycle *cycle, JsonArray *reports, GError **first)
{
    g_autoptr(GPtrArray) uuids = fsn_map_marker_list(fsn_cycle_state_dir(cycle));

    for (guint i = 0; i < uuids->len; i++) {
        JsonObject *report = NULL;

        if (!fsn_map_recover(cycle, uuids->pdata[i], &report, *first ? NULL : first)) {
            continue; /* the first error is kept */
        }
        if (report) {
            json_array_add_object_element(reports, report);
        }
    }
}

bool
fsn_cycle_recover(FsnCycle *cycle, JsonArray **out_actions, GError **error)
{
    g_autoptr(JsonArray) reports = json_array_new();
    g_autoptr(GError) first = NULL;
    g_autoptr(FsnCycle) fills = NULL;

    recover_maps(cycle, reports, &first);
    if (!recover_all(cycle, reports, &first, error) ||
        !fsn_fill_cycle(cycle, &fills, error) ||
        (fills && !recover_all(fills, reports, &first, error))) {
        return false;
    }
    *out_actions = g_steal_pointer(&reports);
    if (first) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_PARTIAL, "%s", first->message);
        return false;
    }
    return true;
}
