/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filling the disks of a domain that is on. They get a connection that waits first, all of them,
 * then a guest that stopped for want of it goes on, then one disk after the other is copied and
 * let go. An error leaves what is done, and all may be done again.
 */
#include "config.h"

#include "cycle/fill-private.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/faults.h"
#include "domxml/domain-facts.h"
#include "virt/qmp-transport.h"

#define LEARN_US    (5 * (int64_t)G_USEC_PER_SEC)
#define PULL_US     (120 * (int64_t)G_USEC_PER_SEC)
#define POLL_US     20000
#define MAX_RESUMES 3
#define STATUS_US   ((int64_t)G_USEC_PER_SEC / 2)

static void
on_tick(gpointer user)
{
    FsnFillRun *run = user;

    fsn_fault_kill_at("fill:copying");
    if (fsn_monotonic_us() - run->status_us > STATUS_US) {
        fsn_fill_tell(run, "filling", NULL);
    }
}

/* The guest had read between its start and now, while there was no server: its virtual
 * hardware stands before the read. The first continuation may find the old connection. */
static bool
continue_stopped(FsnFillRun *run, FsnQmp *qmp, GError **error)
{
    for (int i = 0; i < MAX_RESUMES; i++) {
        bool failed = false;
        FsnVirtStatus status;

        if (!fsn_virt_domain_status(run->domain, &status, error)) {
            return false;
        }
        for (guint d = 0; !failed && d < run->disks->len; d++) {
            const FsnFillDisk *disk = run->disks->pdata[d];

            if (!disk->done && !fsn_fill_has_failed(qmp, disk, &failed, error)) {
                return false;
            }
        }
        if (status.state != FSN_VIRT_PAUSED || !failed) {
            return true;
        }
        if (!fsn_virt_domain_resume(run->domain, error)) {
            return false;
        }
        g_usleep(POLL_US); /* a read that fails again stops it in no time */
    }
    return true;
}

/* Takes how the domain has the disk. */
static bool
find_disk(const FsnDomainFacts *facts, FsnFillDisk *disk, GError **error)
{
    for (guint i = 0; i < facts->disks->len; i++) {
        const FsnDiskFacts *found = facts->disks->pdata[i];

        if (g_strcmp0(found->target, disk->target) == 0 &&
            g_strcmp0(found->source, disk->path) == 0 && found->alias) {
            g_free(disk->alias);
            g_free(disk->discard);
            disk->alias = g_strdup(found->alias);
            disk->discard = g_strdup(found->discard);
            return true;
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "the domain has it elsewhere now");
    return false;
}

/* QEMU is asked for its nodes only when the job is over: a query that runs while the job
 * changes the graph has ended QEMU 7.2. */
static bool
await_pull(FsnFillRun *run, FsnQmp *qmp, const FsnFillDisk *disk, GError **error)
{
    int64_t end_us = fsn_monotonic_us() + PULL_US;

    for (;;) {
        g_autofree char *target = NULL;
        bool filled = false;

        if (!fsn_virt_domain_block_job(run->domain, &target, error)) {
            return false;
        }
        if (g_strcmp0(target, disk->target) != 0) {
            if (!fsn_fill_look(qmp, disk, &filled, error)) {
                return false;
            }
            if (filled) {
                return true;
            }
        }
        if (fsn_monotonic_us() > end_us) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                        "disk %s: libvirt does not let go of what was below it",
                        disk->target);
            return false;
        }
        g_usleep(
            POLL_US); /* libvirt tells the end of a job by an event that may be lost */
    }
}

/* Through libvirt, so that its descriptions are right from the moment on. */
static bool
make_independent(FsnFillRun *run, FsnQmp *qmp, const FsnFillDisk *disk, GError **error)
{
    fsn_fault_kill_at("fill:copied");
    if (!fsn_fill_cut(qmp, disk, error)) {
        return false;
    }
    fsn_fault_kill_at("fill:cut");
    if (!fsn_virt_domain_block_pull(run->domain, disk->target, error)) {
        return false;
    }
    fsn_fault_kill_at("fill:pulling");
    return await_pull(run, qmp, disk, error);
}

static bool
fill_disk(FsnFillRun *run, FsnFillDisk *disk, GError **error)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(fsn_virt_qmp_transport(run->domain));
    bool filled;

    if (!fsn_fill_look(qmp, disk, &filled, error)) {
        return false;
    }
    if (!filled && (!fsn_fill_copy(qmp, disk, on_tick, run, error) ||
                    !make_independent(run, qmp, disk, error))) {
        g_prefix_error(error, "disk %s: ", disk->target);
        return false;
    }
    disk->bytes_done = disk->bytes_total;
    disk->done = true;
    return fsn_fill_clean(qmp, disk, error);
}

/* First all disks get the connection that waits: then each may take its time. */
static bool
attach_all(FsnFillRun *run, FsnQmp *qmp, const FsnDomainFacts *facts, GError **error)
{
    for (guint i = 0; i < run->disks->len; i++) {
        FsnFillDisk *disk = run->disks->pdata[i];
        bool filled;

        if (disk->done) {
            continue;
        }
        if (!find_disk(facts, disk, error) || !fsn_fill_look(qmp, disk, &filled, error) ||
            (!filled && !fsn_fill_attach(qmp, disk, error))) {
            g_prefix_error(error, "disk %s: ", disk->target);
            return false;
        }
    }
    return true;
}

/* While nothing is known of what the guest reads first, it is given some seconds to show it
 * before all is there and nothing is read any more. */
static bool
is_learning(FsnFillRun *run)
{
    const char *ms = g_getenv("FORESNAP_TEST_LEARN_MS");
    int64_t wait_us = ms ? g_ascii_strtoll(ms, NULL, 10) * 1000 : LEARN_US;
    int64_t now_us = fsn_monotonic_us();

    run->on_us = run->on_us ? run->on_us : now_us;
    if (run->journal->attempts > 0 || now_us - run->on_us >= wait_us) {
        return false;
    }
    for (guint i = 0; i < run->disks->len; i++) {
        const FsnFillDisk *disk = run->disks->pdata[i];
        size_t known;

        (void)fsn_fill_learner_first(disk->learner, &known);
        if (known > 0) {
            return false;
        }
    }
    return true;
}

bool
fsn_fill_domain(FsnFillRun *run, GError **error)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(fsn_virt_qmp_transport(run->domain));
    g_autoptr(FsnDomainFacts) facts = NULL;
    g_autofree char *target = NULL;
    g_autofree char *xml = NULL;

    if (!fsn_virt_domain_block_job(run->domain, &target, error)) {
        return false;
    }
    if (target) { /* that of the process before, or of somebody else */
        fsn_fill_tell(run, "waiting", NULL);
        return true;
    }
    if (!fsn_virt_domain_xml(run->domain, FSN_VIRT_XML_RUNNING, &xml, error) ||
        !fsn_domain_facts_parse(xml, &facts, error) ||
        !attach_all(run, qmp, facts, error) || !continue_stopped(run, qmp, error)) {
        return false;
    }
    if (is_learning(run)) {
        fsn_fill_tell(run, "learning", NULL);
        return true;
    }
    fsn_fill_tell(run, "filling", NULL);
    for (guint i = 0; i < run->disks->len; i++) {
        FsnFillDisk *disk = run->disks->pdata[i];

        if (!disk->done && !fill_disk(run, disk, error)) {
            return false;
        }
    }
    return true;
}
