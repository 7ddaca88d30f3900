/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading memory into a new QEMU, whatever the memory is of: how it is done, the pager's
 * start, and one attempt more where userfaultfd is not permitted. What the state is, and
 * whether it may be used, is the caller's business.
 */
#include "config.h"

#include "cycle/resume-private.h"

#include "base/clock.h"
#include "base/error.h"
#include "cycle/arm.h"
#include "cycle/disk-identity.h"
#include "cycle/incoming-defer.h"
#include "cycle/pager-start.h"
#include "cycle/resume-advice.h"
#include "virt/migrate-in.h"

#include <string.h>
#include <unistd.h>

void
fsn_resume_run_clear(FsnResumeRun *r)
{
    fsn_journal_free(r->journal);
    fsn_lock_release(r->lock);
    fsn_manifest_memory_clear(&r->memory);
    g_clear_pointer(&r->manifest, json_object_unref);
    fsn_domain_facts_free(r->facts);
    fsn_virt_domain_free(r->domain);
    g_free(r->xml_live);
    g_free(r->cpu_xml);
    g_clear_pointer(&r->warnings, g_ptr_array_unref);
    g_free(r->no_incoming);
}

/* libvirt's own incoming migration, or the monitor where that is not to be had. */
static void
choose_way(FsnResumeRun *r)
{
    g_autoptr(GError) why_not = NULL;

    if (g_strcmp0(g_getenv("FORESNAP_TEST_WAY"), "monitor") == 0) {
        r->no_incoming = g_strdup("a test asked for it");
    } else if (!fsn_migrate_in_available(r->virt, &why_not)) {
        r->no_incoming = g_strdup(why_not->message);
    }
}

static void
choose_mode(FsnResumeRun *r)
{
    const char *why;

    r->options.mode = fsn_resume_choose_mode(r->facts, &r->options, &why);
    if (why) {
        g_ptr_array_add(r->warnings, g_strdup(why));
    }
}

void
fsn_resume_choose(FsnResumeRun *r)
{
    r->warnings = g_ptr_array_new_with_free_func(g_free);
    choose_way(r);
    choose_mode(r);
}

/* Through the monitor: the domain is there, and QEMU reads what comes from *@out_fd. */
static bool
make_domain(FsnResumeRun *r, FsnPagerReports *reports, int *out_fd, GError **error)
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
let_go(FsnResumeRun *r, FsnPagerReports *reports, int fd, GError **error)
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
start_pager(FsnResumeRun *r, FsnPagerReports *reports, int *out_fd, GError **error)
{
    int socket_fd = -1;
    bool ok;

    r->journal->monitor = r->no_incoming != NULL;
    r->journal->was_running = r->no_incoming && !r->options.paused;
    if (!fsn_pager_write_plan(r->cycle, &r->memory, r->marks, r->xml_live, r->cpu_xml,
                              &r->options, r->no_incoming != NULL, error) ||
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
run_pager(FsnResumeRun *r, FsnPagerReports *reports, GError **error)
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
bool
fsn_resume_load(FsnResumeRun *r, FsnPagerReports *reports, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (run_pager(r, reports, &local)) {
        return true;
    }
    if (r->options.mode == FSN_RESUME_EAGER || !is_about_userfaultfd(local) ||
        fsn_arm_has(r->repo, r->marks, "ran")) {
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
take_warnings(FsnResumeRun *r)
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

void
fsn_resume_fill_result(FsnResumeRun *r,
                       const FsnPagerReports *reports,
                       FsnResumeResult *out)
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
