/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The resume: checks that the state may be used, claims it, starts the pager, and returns when
 * the guest runs. The load goes on without this process; recovery finishes it (recover.c).
 */
#include "config.h"

#include "cycle/resume.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "cycle/arm.h"
#include "cycle/cargo.h"
#include "cycle/disk-identity.h"
#include "cycle/find-state.h"
#include "cycle/guard-marker.h"
#include "cycle/recover.h"
#include "cycle/resume-private.h"
#include "cycle/size-request.h"
#include "cycle/stub.h"
#include "repo/manifests.h"
#include "repo/marks.h"
#include "repo/verify.h"
#include "tier/registry.h"

#define MAX_XML ((size_t)4 << 20)

void
fsn_resume_result_clear(FsnResumeResult *result)
{
    g_clear_pointer(&result->domain, g_free);
    g_clear_pointer(&result->warnings, g_strfreev);
}

const char *
fsn_resume_mode_name(FsnResumeMode mode)
{
    switch (mode) {
    case FSN_RESUME_PREDICTED:
        return "predicted";
    case FSN_RESUME_LAZY:
        return "lazy";
    case FSN_RESUME_EAGER:
        return "eager";
    }
    g_assert_not_reached();
}

/* The memory of a snapshot belongs to its disks, which a resume does not put back. */
static bool
check_kind(FsnResumeRun *r, GError **error)
{
    const char *kind = fsn_json_peek_string(r->manifest, "kind", "");

    if (!g_str_equal(kind, "suspend")) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "it is a snapshot with disks: 'foresnap restore' puts it back");
        return false;
    }
    return true;
}

/* The target is a domain that libvirt knows, or else a snapshot. */
static bool
find_target(FsnResumeRun *r, const char *target, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autofree char *id = NULL;

    if (!fsn_virt_lookup(r->virt, target, &r->domain, &local) &&
        !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    if (r->domain) {
        if (!fsn_cycle_recover_domain(r->cycle, fsn_virt_domain_uuid(r->domain), 0, NULL,
                                      error)) {
            return false;
        }
        if (!fsn_find_suspend_state(r->repo, fsn_virt_domain_uuid(r->domain), &id,
                                    error)) {
            g_prefix_error(error, "domain '%s': ", target);
            return false;
        }
    }
    if (!fsn_repo_load_manifest(r->repo, id ? id : target, &r->manifest, error) ||
        !check_kind(r, error) ||
        !fsn_manifest_read_memory(r->manifest, &r->memory, error)) {
        return false;
    }
    if (!r->domain) {
        return fsn_virt_lookup(r->virt, r->memory.uuid, &r->domain, error) &&
               fsn_cycle_recover_domain(r->cycle, r->memory.uuid, 0, NULL, error);
    }
    return true;
}

static bool
read_text(FsnResumeRun *r, const char *object, char **out_text, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;

    if (!fsn_repo_get_object(r->repo, object, MAX_XML, &bytes, error)) {
        return false;
    }
    *out_text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    return true;
}

/* What the manifest says of the machine must be what its own parts say. */
static bool
check_consistent(FsnResumeRun *r, GError **error)
{
    if (!g_str_equal(r->facts->uuid, r->memory.uuid) ||
        !g_str_equal(r->facts->name, r->memory.domain) ||
        g_strcmp0(r->facts->machine, r->memory.machine) != 0) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_CORRUPT,
            "snapshot %.12s names machine '%s' of domain '%s', but its XML says '%s' "
            "of '%s'",
            r->memory.id, r->memory.machine, r->memory.domain,
            r->facts->machine ? r->facts->machine : "?", r->facts->name);
        return false;
    }
    return true;
}

/* A tier may hold what the repository has lost, which is for the pager to find out. */
static bool
has_tiers(FsnRepo *repo)
{
    g_autoptr(GPtrArray) tiers = NULL;

    return fsn_tiers_load(repo, &tiers, NULL) && tiers->len > 0;
}

/* All objects are there and as long as they should be, and the small ones are intact. What
 * the frames of the packs hold is verified while they are read; damage found then makes the
 * guest wait, which this avoids where it costs little. */
static bool
check_whole(FsnResumeRun *r, GError **error)
{
    g_auto(FsnVerifyReport) report = { 0 };
    const char *ids[] = { r->memory.id, NULL };
    const GPtrArray *problems;

    if (!fsn_repo_verify(r->repo, ids, false, NULL, NULL, &report, error)) {
        return false;
    }
    /* Of what it needs only: without a sequence it is as whole. */
    problems = ((FsnVerifyResult *)report.results->pdata[0])->problems;
    if (problems->len > 0 && !has_tiers(r->repo)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                    "snapshot %s: %s%s; the state is kept, see 'foresnap verify %.12s'",
                    r->memory.id, (const char *)problems->pdata[0],
                    problems->len > 1 ? " and more" : "", r->memory.id);
        return false;
    }
    return true;
}

static bool
read_parts(FsnResumeRun *r, GError **error)
{
    if (!read_text(r, r->memory.xml_live, &r->xml_live, error) ||
        (r->memory.cpu_xml && !read_text(r, r->memory.cpu_xml, &r->cpu_xml, error)) ||
        !fsn_domain_facts_parse(r->xml_live, &r->facts, error) ||
        !check_consistent(r, error)) {
        return false;
    }
    /* Before anything is claimed. */
    return check_whole(r, error);
}

static bool
check_domain_off(FsnResumeRun *r, GError **error)
{
    FsnVirtStatus status;

    if (!fsn_virt_domain_status(r->domain, &status, error)) {
        return false;
    }
    if (status.state != FSN_VIRT_OFF && status.state != FSN_VIRT_CRASHED) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "domain '%s' is %s already",
                    r->memory.domain, fsn_virt_state_name(status.state));
        return false;
    }
    return true;
}

static bool
claim(FsnResumeRun *r, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(r->cycle);
    FsnSizeRequest stale;

    r->lock = fsn_lock_take(state_dir, fsn_cycle_repo_location(r->cycle), r->memory.uuid,
                            0, error);
    if (!r->lock || !check_domain_off(r, error) ||
        (r->options.take_over && !fsn_arm_break_claim(r->repo, r->memory.id, error)) ||
        !fsn_arm_check_usable(r->repo, r->memory.id, r->memory.disks, error)) {
        return false;
    }
    r->journal = fsn_journal_new(FSN_OP_RESUME, r->memory.domain, r->memory.uuid,
                                 fsn_cycle_uri(r->cycle),
                                 fsn_cycle_repo_location(r->cycle), r->memory.id);
    r->journal->sync_time = r->options.sync_time && !r->options.paused;
    /* What a former resume has left counts no more. */
    (void)fsn_size_request_take(state_dir, r->memory.uuid, &stale);
    /* The journal first: a claim without one could only be released by hand. */
    return fsn_journal_write(r->journal, state_dir, FSN_STEP_BEGUN, error) &&
           fsn_arm_claim(r->repo, r->memory.id, error) &&
           fsn_journal_write(r->journal, state_dir, FSN_STEP_CLAIMED, error) &&
           /* The hook shall let this start pass. Recovery puts the marker back. */
           fsn_guard_marker_remove(state_dir, r->memory.uuid, error);
}

/* Gives the claim back if the guest has not run; recovery knows how. */
static void
give_back(FsnResumeRun *r)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&r->lock, fsn_lock_release);
    if (!fsn_cycle_recover_domain(r->cycle, r->memory.uuid, 5000, NULL, &error)) {
        g_warning("%s", error->message);
    }
}

/* Whoever waited for the load may do anything next: the pager and its guard are about to let
 * go of the domain, and what is left of the operation goes first. */
static void
wait_for_rest(FsnResumeRun *r)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&r->lock, fsn_lock_release);
    if (!fsn_cycle_recover_domain(r->cycle, r->memory.uuid, 5000, NULL, &error)) {
        g_ptr_array_add(r->warnings, g_strdup(error->message));
    }
}

bool
fsn_cycle_resume(FsnCycle *cycle,
                 const char *target,
                 const FsnResumeOptions *options,
                 FsnResumeResult *out_result,
                 GError **error)
{
    g_auto(FsnResumeRun) r = { .cycle = cycle,
                               .options = *options,
                               .started_us = fsn_monotonic_us() };
    g_auto(FsnPagerReports) reports = { 0 };

    r.virt = fsn_cycle_virt(cycle, error);
    r.repo = r.virt ? fsn_cycle_repo(cycle, error) : NULL;
    if (!r.repo || !find_target(&r, target, error) || !read_parts(&r, error)) {
        return false;
    }
    r.marks = r.memory.id;
    fsn_resume_choose(&r);
    if (!claim(&r, error) || !fsn_resume_load(&r, &reports, error)) {
        if (r.journal) {
            give_back(&r);
        }
        return false;
    }
    /* From here on the disks move: the state is used up. */
    if (!fsn_arm_consume(r.repo, r.memory.id, "resumed", error) ||
        !fsn_stub_remove(r.cycle, r.memory.domain, r.memory.uuid, error)) {
        return false;
    }
    if (r.options.wait) {
        wait_for_rest(&r);
    }
    fsn_cargo_take(r.cycle, r.repo, r.manifest, r.memory.uuid, r.memory.domain,
                   r.warnings);
    fsn_resume_fill_result(&r, &reports, out_result);
    return true;
}
