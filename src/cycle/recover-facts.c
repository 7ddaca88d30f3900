/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The facts that recovery decides upon, from repository, libvirt and QEMU. Looks only; what is
 * to be done about them is in recover-plan.c.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "cycle/arm.h"
#include "cycle/fill.h"
#include "cycle/incoming-defer.h"
#include "cycle/pager-start.h"
#include "cycle/recover-private.h"
#include "cycle/saved-place.h"
#include "cycle/stub.h"
#include "memory/not-run.h"
#include "qmp/commands-status.h"
#include "qmp/migration-info.h"
#include "repo/manifests.h"
#include "repo/marks.h"
#include "virt/qmp-transport.h"

/* Whether the journal is one of memory that is being loaded. */
static bool
loads(const FsnJournal *j)
{
    return j->operation == FSN_OP_RESUME ||
           (j->operation == FSN_OP_RESTORE && j->step == FSN_STEP_LOADING && j->marks);
}

/* The id that has its marks. */
static const char *
marks_of(const FsnJournal *j)
{
    return j->marks ? j->marks : j->snapshot;
}

static FsnFoundDomain
classify(const FsnJournal *j, const FsnVirtStatus *status, bool ran)
{
    if (status->post_copy_failed) {
        return FSN_FOUND_LOAD_BROKEN;
    }
    if (status->post_copy) {
        return FSN_FOUND_LOADING;
    }
    switch (status->state) {
    case FSN_VIRT_RUNNING:
    case FSN_VIRT_SHUTTING_DOWN:
    case FSN_VIRT_PM_SUSPENDED:
        return FSN_FOUND_RUNNING;
    case FSN_VIRT_PAUSED:
        return loads(j) && (!ran || status->incoming) ? FSN_FOUND_INCOMING
                                                      : FSN_FOUND_PAUSED;
    case FSN_VIRT_NOSTATE:
    case FSN_VIRT_OFF:
    case FSN_VIRT_CRASHED:
        break;
    }
    return FSN_FOUND_OFF;
}

/* What libvirt calls running or paused, while only QEMU knows whether memory is missing. */
static bool
classify_monitored(FsnVirtDomain *domain, FsnFoundDomain *found, GError **error)
{
    FsnDeferState state;

    if (!fsn_incoming_defer_state(domain, &state, error)) {
        return false;
    }
    switch (state) {
    case FSN_DEFER_WAITING:
        *found = FSN_FOUND_INCOMING;
        break;
    case FSN_DEFER_LOADING:
        *found = FSN_FOUND_LOADING;
        break;
    case FSN_DEFER_BROKEN:
        *found = FSN_FOUND_LOAD_BROKEN;
        break;
    case FSN_DEFER_LOADED:
        break;
    }
    return true;
}

bool
fsn_recovery_qemu_stands(FsnVirtDomain *domain)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(fsn_virt_qmp_transport(domain));
    bool running;

    return fsn_qmp_query_status(qmp, &running, NULL, NULL) && !running;
}

static bool
is_migrating(FsnVirtDomain *domain)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(fsn_virt_qmp_transport(domain));
    g_auto(FsnMigrationInfo) info = { 0 };

    return fsn_qmp_query_migrate(qmp, &info, NULL) &&
           !(FSN_MIGRATION_BIT(info.status) & FSN_MIGRATION_IDLE);
}

static bool
find_manifest(FsnRepo *repo, const char *id, bool *out_exists, GError **error)
{
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GError) local = NULL;

    *out_exists = fsn_repo_load_manifest(repo, id, &manifest, &local);
    if (*out_exists || g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

/* Those that make QEMU migrate. */
static bool
reads_memory(const FsnJournal *j)
{
    return j->operation == FSN_OP_SUSPEND || j->operation == FSN_OP_SNAPSHOT;
}

static bool
find_domain(FsnRecovery *r, FsnRecoverFacts *facts, GError **error)
{
    g_autoptr(GError) local = NULL;
    FsnVirtStatus status;

    facts->domain = FSN_FOUND_OFF;
    if (!fsn_virt_lookup(r->virt, r->journal->uuid, &r->domain, &local)) {
        if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    if (!fsn_virt_domain_status(r->domain, &status, error)) {
        return false;
    }
    facts->domain = classify(r->journal, &status, facts->ran);
    if (r->journal->monitor && facts->ran && facts->domain != FSN_FOUND_OFF &&
        !classify_monitored(r->domain, &facts->domain, error)) {
        return false;
    }
    if (reads_memory(r->journal) && status.state == FSN_VIRT_RUNNING &&
        fsn_recovery_qemu_stands(r->domain)) {
        facts->domain = FSN_FOUND_PAUSED;
    }
    facts->user_paused = status.state == FSN_VIRT_PAUSED && !r->journal->own_pause &&
                         status.paused_by_user;
    facts->migrating = reads_memory(r->journal) && facts->domain != FSN_FOUND_OFF &&
                       is_migrating(r->domain);
    return fsn_virt_domain_xml(r->domain, FSN_VIRT_XML_INACTIVE, &r->xml_inactive,
                               error) &&
           fsn_domain_facts_parse(r->xml_inactive, &r->domain_facts, error);
}

static bool
is_noted_not_run(FsnRecovery *r)
{
    g_autofree char *note =
        fsn_pager_not_run_path(fsn_cycle_state_dir(r->cycle), r->journal->uuid);

    return fsn_not_run_holds(note, marks_of(r->journal));
}

/* The claim names the host's boot in which the image was handed out. */
static bool
is_same_boot(FsnRecovery *r)
{
    g_autoptr(JsonObject) claim = NULL;
    g_autofree char *boot_id = fsn_boot_id();

    return !fsn_repo_mark_read(r->repo, r->journal->snapshot, "claim", &claim, NULL) ||
           g_str_equal(fsn_json_peek_string(claim, "boot", ""), boot_id ? boot_id : "?");
}

/* What only a managed save or restore is decided by. While libvirt has a job the operation is
 * its own. */
static bool
find_managed(FsnRecovery *r, FsnRecoverFacts *facts, GError **error)
{
    g_autofree char *path = fsn_stub_path(r->virt, r->journal->domain);
    g_autofree char *folder = g_path_get_dirname(path);

    if (r->journal->operation == FSN_OP_SAVE && facts->domain != FSN_FOUND_OFF) {
        return fsn_virt_domain_has_job(r->domain, &facts->owner_alive, error);
    }
    if (r->journal->operation == FSN_OP_LOAD) {
        facts->linked = fsn_saved_look(fsn_cycle_state_dir(r->cycle), folder,
                                       r->journal->domain) == FSN_LINK_GUARD;
        facts->same_boot = is_same_boot(r);
    }
    return true;
}

bool
fsn_recovery_find_facts(FsnRecovery *r, FsnRecoverFacts *facts, GError **error)
{
    const FsnJournal *j = r->journal;

    facts->operation = j->operation;
    facts->step = j->step;
    facts->was_running = j->was_running;
    facts->own_pause = j->own_pause;
    facts->frozen = j->frozen;
    facts->resting = j->databases && json_array_get_length(j->databases) > 0;
    facts->background = j->background;
    facts->lazy = fsn_fill_is_wanted(j);
    facts->ran = (loads(j) || j->operation == FSN_OP_LOAD) &&
                 fsn_arm_has(r->repo, marks_of(j), "ran");
    facts->not_run = facts->ran && loads(j) && is_noted_not_run(r);
    return find_manifest(r->repo, j->snapshot, &facts->manifest, error) &&
           find_domain(r, facts, error) && find_managed(r, facts, error);
}
