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
#include "cycle/disk-identity.h"
#include "cycle/find-state.h"
#include "cycle/guard-marker.h"
#include "cycle/incoming-defer.h"
#include "cycle/journal.h"
#include "cycle/lock.h"
#include "cycle/manifest.h"
#include "cycle/pager-reports.h"
#include "cycle/pager-start.h"
#include "cycle/recover.h"
#include "cycle/resume-advice.h"
#include "cycle/stub.h"
#include "domxml/domain-facts.h"
#include "repo/manifests.h"
#include "repo/marks.h"
#include "repo/verify.h"
#include "tier/registry.h"
#include "virt/domain.h"
#include "virt/migrate-in.h"

#include <string.h>
#include <unistd.h>

#define MAX_XML ((size_t)4 << 20)

typedef struct {
    FsnCycle *cycle;
    FsnVirt *virt;
    FsnRepo *repo;
    FsnResumeOptions options;
    FsnVirtDomain *domain;
    JsonObject *manifest;
    FsnManifestMemory memory;
    FsnDomainFacts *facts; /* of the saved live XML */
    char *xml_live;
    char *cpu_xml;
    FsnLock *lock;
    FsnJournal *journal;
    GPtrArray *warnings; /* of char * */
    char *no_incoming;   /* why it goes through the monitor; NULL: it does not */
    int64_t started_us;
} Resume;

static void
resume_clear(Resume *r)
{
    fsn_journal_free(r->journal);
    fsn_lock_release(r->lock);
    fsn_manifest_memory_clear(&r->memory);
    g_clear_pointer(&r->manifest, json_object_unref);
    fsn_domain_facts_free(r->facts);
    fsn_virt_domain_free(r->domain);
    g_free(r->xml_live);
    g_free(r->cpu_xml);
    g_ptr_array_unref(r->warnings);
    g_free(r->no_incoming);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Resume, resume_clear)

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

/* The target is a domain that libvirt knows, or else a snapshot. */
static bool
find_target(Resume *r, const char *target, GError **error)
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
read_text(Resume *r, const char *object, char **out_text, GError **error)
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
check_consistent(Resume *r, GError **error)
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
check_whole(Resume *r, GError **error)
{
    g_auto(FsnVerifyReport) report = { 0 };

    if (!fsn_repo_verify(r->repo, r->memory.id, false, NULL, NULL, &report, error)) {
        return false;
    }
    if (report.problems->len > 0 && !has_tiers(r->repo)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                    "%s%s; the state is kept, see 'foresnap verify %.12s'",
                    (const char *)report.problems->pdata[0],
                    report.problems->len > 1 ? " and more" : "", r->memory.id);
        return false;
    }
    return true;
}

static bool
read_parts(Resume *r, GError **error)
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
check_domain_off(Resume *r, GError **error)
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
claim(Resume *r, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(r->cycle);

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
    /* The journal first: a claim without one could only be released by hand. */
    return fsn_journal_write(r->journal, state_dir, FSN_STEP_BEGUN, error) &&
           fsn_arm_claim(r->repo, r->memory.id, error) &&
           fsn_journal_write(r->journal, state_dir, FSN_STEP_CLAIMED, error) &&
           /* The hook shall let this start pass. Recovery puts the marker back. */
           fsn_guard_marker_remove(state_dir, r->memory.uuid, error);
}

/* Gives the claim back if the guest has not run; recovery knows how. */
static void
give_back(Resume *r)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&r->lock, fsn_lock_release);
    if (!fsn_cycle_recover_domain(r->cycle, r->memory.uuid, 5000, NULL, &error)) {
        g_warning("%s", error->message);
    }
}

/* libvirt's own incoming migration, or the monitor where that is not to be had. */
static void
choose_way(Resume *r)
{
    g_autoptr(GError) why_not = NULL;

    if (g_strcmp0(g_getenv("FORESNAP_TEST_WAY"), "monitor") == 0) {
        r->no_incoming = g_strdup("a test asked for it");
    } else if (!fsn_migrate_in_available(r->virt, &why_not)) {
        r->no_incoming = g_strdup(why_not->message);
    }
}

static void
choose_mode(Resume *r)
{
    const char *why;

    r->options.mode = fsn_resume_choose_mode(r->facts, &r->options, &why);
    if (why) {
        g_ptr_array_add(r->warnings, g_strdup(why));
    }
}

/* Through the monitor: the domain is there, and QEMU reads what comes from *@out_fd. */
static bool
make_domain(Resume *r, FsnPagerReports *reports, int *out_fd, GError **error)
{
    g_autoptr(FsnVirtDomain) made = NULL;
    g_autoptr(GError) ignored = NULL;

    reports->started_us = fsn_monotonic_us();
    if (!fsn_incoming_defer_create(r->virt, r->xml_live, r->cpu_xml, &made, error)) {
        return false;
    }
    reports->created_us = fsn_monotonic_us() - reports->started_us;
    if (fsn_incoming_defer_connect(made, r->options.mode != FSN_RESUME_EAGER, out_fd,
                                   error)) {
        return true;
    }
    /* It has not run. What cannot be ended now is ended by recovery. */
    (void)!fsn_virt_domain_destroy(made, false, &ignored);
    return false;
}

/* Through the monitor the pager leaves it to us to let the guest go. */
static bool
let_go(Resume *r, FsnPagerReports *reports, int fd, GError **error)
{
    if (!fsn_pager_reports_wait(reports, r->cycle, fd, FSN_PAGER_READY, error) ||
        (!r->options.paused && !fsn_virt_domain_resume(r->domain, error))) {
        return false;
    }
    reports->running_us = fsn_monotonic_us() - reports->started_us;
    r->journal->was_running = false;
    return fsn_journal_write(r->journal, fsn_cycle_state_dir(r->cycle), FSN_STEP_LOADING,
                             error);
}

/* From the plan on; *@out_fd is where the pager reports. */
static bool
start_pager(Resume *r, FsnPagerReports *reports, int *out_fd, GError **error)
{
    int socket_fd = -1;
    bool ok;

    r->journal->monitor = r->no_incoming != NULL;
    r->journal->was_running = r->no_incoming && !r->options.paused;
    if (!fsn_pager_write_plan(r->cycle, &r->memory, r->xml_live, r->cpu_xml, &r->options,
                              r->no_incoming != NULL, error) ||
        !fsn_journal_write(r->journal, fsn_cycle_state_dir(r->cycle), FSN_STEP_LOADING,
                           error) ||
        (r->no_incoming && !make_domain(r, reports, &socket_fd, error))) {
        return false;
    }
    ok = fsn_pager_start(r->cycle, r->memory.uuid, false, r->lock, socket_fd, out_fd,
                         error);
    if (socket_fd >= 0) {
        close(socket_fd); /* the pager's copy is the only one: its end is QEMU's news */
    }
    return ok;
}

/* One attempt with the pager, up to "the guest runs". */
static bool
run_pager(Resume *r, FsnPagerReports *reports, GError **error)
{
    int fd;
    bool ok;

    if (!start_pager(r, reports, &fd, error)) {
        return false;
    }
    ok = (!r->no_incoming || let_go(r, reports, fd, error)) &&
         fsn_pager_reports_wait(reports, r->cycle, fd,
                                r->options.wait ? FSN_PAGER_DONE : FSN_PAGER_RUNNING,
                                error);
    close(fd);
    return ok;
}

static bool
is_about_userfaultfd(const GError *error)
{
    return strstr(error->message, "userfaultfd") || strstr(error->message, "Postcopy") ||
           strstr(error->message, "postcopy");
}

/* Without permission for userfaultfd libvirt refuses before the guest can run: the same state
 * is then loaded as a whole first. */
static bool
run_with_fallback(Resume *r, FsnPagerReports *reports, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (run_pager(r, reports, &local)) {
        return true;
    }
    if (r->options.mode == FSN_RESUME_EAGER || !is_about_userfaultfd(local) ||
        fsn_arm_has(r->repo, r->memory.id, "ran")) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    r->options.mode = FSN_RESUME_EAGER;
    g_ptr_array_add(
        r->warnings,
        g_strdup("QEMU may not use userfaultfd here, so all memory is loaded before "
                 "the guest runs; 'foresnap check-host --fix' permits it"));
    fsn_pager_reports_clear(reports);
    return run_pager(r, reports, error);
}

/* What the user should know although it worked; a NULL-terminated list. */
static char **
take_warnings(Resume *r)
{
    g_autofree char *unseen = fsn_disk_identity_unseen(r->memory.disks);

    if (r->no_incoming) {
        g_ptr_array_add(
            r->warnings,
            g_strdup_printf("libvirt's own incoming migration was not used (%s): libvirt "
                            "does not know that memory is being loaded and marks the "
                            "domain as tainted, and until it is started anew 'virsh "
                            "snapshot-revert' refuses it, for '-incoming defer' stays in "
                            "its live description",
                            r->no_incoming));
    }
    fsn_resume_advise(r->facts, &r->options, r->options.mode, unseen, r->warnings);
    g_ptr_array_add(r->warnings, NULL);
    return (char **)g_ptr_array_steal(r->warnings, NULL);
}

/* Whoever waited for the load may do anything next: the pager and its guard are about to let
 * go of the domain, and what is left of the operation goes first. */
static void
wait_for_rest(Resume *r)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&r->lock, fsn_lock_release);
    if (!fsn_cycle_recover_domain(r->cycle, r->memory.uuid, 5000, NULL, &error)) {
        g_ptr_array_add(r->warnings, g_strdup(error->message));
    }
}

static void
fill_result(Resume *r, const FsnPagerReports *reports, FsnResumeResult *out)
{
    FsnResumeResult result = { .mode = r->options.mode };
    int64_t offset = reports->started_us - r->started_us;

    result.domain = g_strdup(r->memory.domain);
    g_strlcpy(result.snapshot, r->memory.id, sizeof(result.snapshot));
    result.warnings = take_warnings(r);
    result.domain_created_us = offset + reports->created_us;
    result.running_us = offset + reports->running_us;
    result.loaded_us = reports->done_us > 0 ? offset + reports->done_us : 0;
    result.working_set_pages = reports->working_set_pages;
    result.faults = reports->requests;
    *out = result;
}

bool
fsn_cycle_resume(FsnCycle *cycle,
                 const char *target,
                 const FsnResumeOptions *options,
                 FsnResumeResult *out_result,
                 GError **error)
{
    g_auto(Resume) r = { .cycle = cycle,
                         .options = *options,
                         .warnings = g_ptr_array_new_with_free_func(g_free),
                         .started_us = fsn_monotonic_us() };
    g_auto(FsnPagerReports) reports = { 0 };

    r.virt = fsn_cycle_virt(cycle, error);
    r.repo = r.virt ? fsn_cycle_repo(cycle, error) : NULL;
    if (!r.repo || !find_target(&r, target, error) || !read_parts(&r, error)) {
        return false;
    }
    choose_way(&r);
    choose_mode(&r);
    if (!claim(&r, error) || !run_with_fallback(&r, &reports, error)) {
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
    fill_result(&r, &reports, out_result);
    return true;
}
