/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that serves and fills. Serving comes first and depends on nothing but the
 * repository: libvirt may come and go, the guest may be shut off and started again, another
 * backup may occupy QEMU's server, and the guest reads on. Whatever fails is tried again;
 * only what nobody can mend here, at the start, ends the process.
 */
#include "config.h"

#include "cycle/fill.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/faults.h"
#include "base/files.h"
#include "base/json.h"
#include "cycle/fill-private.h"
#include "cycle/pager-start.h"
#include "cycle/socket-dir.h"
#include "disk/nbd-server.h"
#include "disk/qcow2-header.h"
#include "disk/stored-disk.h"
#include "disk/write-image.h"
#include "domxml/domain-facts.h"
#include "domxml/restore-edit.h"
#include "qmp/block-backing.h"
#include "repo/manifests.h"
#include "virt/domain.h"
#include "virt/events.h"
#include "virt/qmp-transport.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Between two looks at a domain that is off, and attempts after an error. */
#define LOOK_US     ((int64_t)G_USEC_PER_SEC)
#define STATUS_US   ((int64_t)G_USEC_PER_SEC / 2)
#define LEARN_US    (5 * (int64_t)G_USEC_PER_SEC)
#define PULL_US     (120 * (int64_t)G_USEC_PER_SEC)
#define POLL_US     20000
#define MAX_RESUMES 3
#define GOOD_US     (60 * (int64_t)G_USEC_PER_SEC)

typedef struct {
    FsnCycle *cycle;
    FsnJournal *journal;
    FsnRepo *repo;
    char *main_state_dir; /* of the operations beside */
    char *status_path;
    int64_t status_us; /* when it was last written */
    int64_t begun_us;
    int64_t on_us; /* when the domain was first seen to be on; 0: not yet */
    const char *phase;
    GPtrArray *disks; /* of FsnFillDisk */
    FsnVirt *virt;    /* NULL: to be opened anew */
    FsnVirtDomain *domain;
    FsnVirtEvents *events;
} Run;

static void
disk_free(gpointer data)
{
    FsnFillDisk *disk = data;

    fsn_fill_server_free(disk->server);
    fsn_fill_learner_free(disk->learner);
    if (disk->listener >= 0) {
        close(disk->listener);
    }
    fsn_image_free(disk->image);
    g_free(disk->target);
    g_free(disk->path);
    g_free(disk->alias);
    g_free(disk->discard);
    g_free(disk->socket);
    g_free(disk);
}

static void
forget_libvirt(Run *run)
{
    g_clear_pointer(&run->events, fsn_virt_events_free);
    g_clear_pointer(&run->domain, fsn_virt_domain_free);
    g_clear_pointer(&run->virt, fsn_virt_free);
}

static void
run_clear(Run *run)
{
    g_clear_pointer(&run->disks, g_ptr_array_unref);
    forget_libvirt(run);
    fsn_journal_free(run->journal);
    g_free(run->main_state_dir);
    g_free(run->status_path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static JsonArray *
disks_to_json(const Run *run)
{
    JsonArray *array = json_array_new();
    size_t known;

    for (guint i = 0; i < run->disks->len; i++) {
        const FsnFillDisk *disk = run->disks->pdata[i];
        JsonObject *o = json_object_new();

        json_object_set_string_member(o, "target", disk->target);
        json_object_set_int_member(o, "bytes_done", (int64_t)disk->bytes_done);
        json_object_set_int_member(o, "bytes_total", (int64_t)disk->bytes_total);
        json_object_set_boolean_member(o, "filled", disk->done);
        (void)fsn_fill_learner_first(disk->learner, &known);
        json_object_set_int_member(o, "learned_bytes", (int64_t)known * FSN_GRANULE_SIZE);
        json_object_set_int_member(o, "first_read_us",
                                   fsn_fill_learner_first_read_us(disk->learner));
        json_array_add_object_element(array, o);
    }
    return array;
}

/* For 'foresnap status', which does without if it cannot be written. */
static void
tell(Run *run, const char *phase, const GError *error)
{
    g_autoptr(JsonObject) o = json_object_new();
    g_autofree char *text = NULL;

    run->phase = phase;
    run->status_us = fsn_monotonic_us();
    json_object_set_string_member(o, "phase", phase);
    json_object_set_array_member(o, "disks", disks_to_json(run));
    if (error) {
        json_object_set_string_member(o, "error", error->message);
    }
    text = fsn_json_to_text(o, false);
    (void)g_file_set_contents_full(run->status_path, text, -1,
                                   G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}

static void
on_tick(gpointer user)
{
    Run *run = user;

    fsn_fault_kill_at("fill:copying");
    if (fsn_monotonic_us() - run->status_us > STATUS_US) {
        tell(run, "filling", NULL);
    }
}

static bool
add_disk(Run *run, JsonObject *file, GPtrArray *stored, const char *uuid, GError **error)
{
    FsnFillDisk *disk = g_new0(FsnFillDisk, 1);
    const FsnStoredDisk *found;

    disk->listener = -1;
    g_ptr_array_add(run->disks, disk);
    disk->target = g_strdup(fsn_json_peek_string(file, "target", ""));
    disk->path = g_strdup(fsn_json_peek_string(file, "source", ""));
    disk->own_policy = fsn_json_peek_bool(file, "own_policy", false);
    if (!fsn_stored_disks_find(stored, disk->target, &found, error)) {
        return false;
    }
    disk->size = found->size;
    disk->learner = fsn_fill_learner_new(run->repo, uuid, disk->target, error);
    disk->image = disk->learner ? fsn_image_open(run->repo, found->image, error) : NULL;
    return disk->image && fsn_image_data_bytes(disk->image, &disk->bytes_total, error);
}

static bool
load(Run *run, GError **error)
{
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GPtrArray) stored = NULL;
    JsonObject *domain;
    const char *uuid;

    run->repo = fsn_cycle_repo(run->cycle, error);
    if (!run->repo ||
        !fsn_repo_load_manifest(run->repo, run->journal->snapshot, &manifest, error) ||
        !fsn_stored_disks_read(manifest, &stored, error) ||
        !fsn_json_get_object(manifest, "domain", &domain, error) ||
        !fsn_json_get_string(domain, "uuid", &uuid, error)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(run->journal->files); i++) {
        JsonObject *file;

        if (!fsn_json_get_element(run->journal->files, i, &file, error) ||
            !add_disk(run, file, stored, uuid, error)) {
            return false;
        }
    }
    return true;
}

static bool
serve_disk(Run *run, FsnFillDisk *disk, GError **error)
{
    g_autofree char *plugin = fsn_cycle_helper_path("nbdkit-foresnap-plugin.so");
    FsnFillServerOptions options = { .plugin = plugin,
                                     .repo = fsn_cycle_repo_location(run->cycle),
                                     .snapshot = run->journal->snapshot,
                                     .target = disk->target };

    disk->socket = fsn_fill_socket(run->virt, run->journal->uuid, disk->target);
    if (!fsn_nbd_listen(disk->socket, &disk->listener, error) ||
        !fsn_socket_dir_give(run->virt, disk->socket, error)) {
        return false;
    }
    options.listener = disk->listener;
    options.record = fsn_fill_learner_fd(disk->learner);
    disk->server = fsn_fill_server_new(&options, error);
    return disk->server != NULL;
}

static bool
open_libvirt(Run *run, GError **error)
{
    return run->virt || fsn_virt_open(run->journal->uri, &run->virt, error);
}

static bool
serve(Run *run, GError **error)
{
    g_autofree char *key = g_strconcat("fill-", run->journal->uuid, NULL);
    g_autofree char *folder = NULL;

    if (!open_libvirt(run, error) ||
        !fsn_socket_dir_make(run->virt, key, &folder, error)) {
        return false;
    }
    for (guint i = 0; i < run->disks->len; i++) {
        if (!serve_disk(run, run->disks->pdata[i], error)) {
            return false;
        }
    }
    return true;
}

/* Of a domain that is off, or not there: whether the image is gone, or has nothing below it
 * any more. */
static bool
is_over(const FsnFillDisk *disk, GError **error)
{
    g_autoptr(GMappedFile) file = NULL;
    g_autoptr(GError) local = NULL;
    g_auto(FsnQcow2Header) header = { 0 };

    file = g_mapped_file_new(disk->path, FALSE, &local);
    if (!file) {
        if (g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return fsn_qcow2_header_parse(
               (const uint8_t *)g_mapped_file_get_contents(file),
               MIN(g_mapped_file_get_length(file), FSN_QCOW2_HEADER_MAX), &header,
               error) &&
           !header.backing;
}

static bool
look_at_files(Run *run, GError **error)
{
    for (guint i = 0; i < run->disks->len; i++) {
        FsnFillDisk *disk = run->disks->pdata[i];
        g_autoptr(GError) local = NULL;

        disk->done = disk->done || is_over(disk, &local);
        if (local) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
    return true;
}

/* The guest had read between its start and now, while there was no server: its virtual
 * hardware stands before the read. The first continuation may find the old connection. */
static bool
continue_stopped(Run *run, FsnQmp *qmp, GError **error)
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

static bool
await_pull(Run *run, FsnQmp *qmp, const FsnFillDisk *disk, GError **error)
{
    int64_t end_us = fsn_monotonic_us() + PULL_US;

    for (;;) {
        g_autofree char *target = NULL;
        bool filled = false;

        if (!fsn_virt_domain_block_job(run->domain, &target, error) ||
            !fsn_fill_look(qmp, disk, &filled, error)) {
            return false;
        }
        if (filled && g_strcmp0(target, disk->target) != 0) {
            return true;
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
make_independent(Run *run, FsnQmp *qmp, const FsnFillDisk *disk, GError **error)
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
fill_disk(Run *run, FsnFillDisk *disk, GError **error)
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
attach_all(Run *run, FsnQmp *qmp, const FsnDomainFacts *facts, GError **error)
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
is_learning(Run *run)
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

static bool
fill_all(Run *run, GError **error)
{
    g_autoptr(FsnQmp) qmp = fsn_qmp_new(fsn_virt_qmp_transport(run->domain));
    g_autoptr(FsnDomainFacts) facts = NULL;
    g_autofree char *xml = NULL;

    if (!fsn_virt_domain_xml(run->domain, FSN_VIRT_XML_RUNNING, &xml, error) ||
        !fsn_domain_facts_parse(xml, &facts, error) ||
        !attach_all(run, qmp, facts, error) || !continue_stopped(run, qmp, error)) {
        return false;
    }
    if (is_learning(run)) {
        tell(run, "learning", NULL);
        return true;
    }
    tell(run, "filling", NULL);
    for (guint i = 0; i < run->disks->len; i++) {
        FsnFillDisk *disk = run->disks->pdata[i];

        if (!disk->done && !fill_disk(run, disk, error)) {
            return false;
        }
    }
    return true;
}

static bool
all_done(const Run *run)
{
    for (guint i = 0; i < run->disks->len; i++) {
        if (!((const FsnFillDisk *)run->disks->pdata[i])->done) {
            return false;
        }
    }
    return true;
}

/* On, with all of its memory, and no other operation of foresnap on it: a load lets the
 * images be changed only when the guest runs. */
static bool
can_fill(const Run *run, const FsnVirtStatus *status)
{
    return (status->state == FSN_VIRT_RUNNING || status->state == FSN_VIRT_PAUSED) &&
           !status->incoming && !status->post_copy && !status->post_copy_failed &&
           !fsn_journal_exists(run->main_state_dir, run->journal->uuid);
}

static bool
find_domain(Run *run, bool *out_found, GError **error)
{
    g_autoptr(GError) local = NULL;

    *out_found = true;
    if (run->domain ||
        (fsn_virt_lookup(run->virt, run->journal->uuid, &run->domain, &local) &&
         fsn_virt_events_new(run->domain, &run->events, &local))) {
        return true;
    }
    g_clear_pointer(&run->domain, fsn_virt_domain_free);
    if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        *out_found = false; /* it may be defined again */
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

/* One look, and what it shows to be due. */
static bool
step(Run *run, GError **error)
{
    FsnVirtStatus status = { .state = FSN_VIRT_OFF };
    bool found;

    if (!open_libvirt(run, error) || !find_domain(run, &found, error) ||
        (found && !fsn_virt_domain_status(run->domain, &status, error))) {
        return false;
    }
    if (can_fill(run, &status)) {
        return fill_all(run, error);
    }
    tell(run, "waiting", NULL);
    return status.state == FSN_VIRT_OFF || status.state == FSN_VIRT_CRASHED
               ? look_at_files(run, error)
               : true;
}

static void
wait_for_news(Run *run)
{
    FsnVirtEvent event;

    for (guint i = 0; i < run->disks->len; i++) {
        fsn_fill_learner_take(((FsnFillDisk *)run->disks->pdata[i])->learner);
    }

    if (!run->events || !fsn_virt_events_live(run->events)) {
        forget_libvirt(run);
        g_usleep(
            LOOK_US); /* nobody tells when a domain is defined, or libvirtd is back */
        return;
    }
    /* Whatever happened, the domain is looked at. */
    (void)!fsn_virt_events_wait(run->events, LOOK_US, &event, NULL);
}

/* The description of the next start: libvirt has taken out what was below, if it saw it. */
static bool
define_standalone(Run *run, GError **error)
{
    g_autofree FsnFilledDisk *disks = g_new0(FsnFilledDisk, run->disks->len);
    g_autoptr(FsnVirtDomain) domain = NULL;
    g_autoptr(FsnVirtDomain) defined = NULL;
    g_autoptr(GError) local = NULL;
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;

    for (guint i = 0; i < run->disks->len; i++) {
        const FsnFillDisk *disk = run->disks->pdata[i];

        disks[i] =
            (FsnFilledDisk){ .target = disk->target, .own_policy = disk->own_policy };
    }
    if (!fsn_virt_lookup(run->virt, run->journal->uuid, &domain, &local)) {
        if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return fsn_virt_domain_xml(domain, FSN_VIRT_XML_INACTIVE, &before, error) &&
           fsn_domain_xml_filled(before, disks, run->disks->len, &after, error) &&
           fsn_virt_define(run->virt, after, &defined, error);
}

static bool
finish(Run *run, GError **error)
{
    g_autofree char *key = g_strconcat("fill-", run->journal->uuid, NULL);

    tell(run, "finishing", NULL);
    for (guint i = 0; i < run->disks->len; i++) {
        fsn_fill_learner_store(((FsnFillDisk *)run->disks->pdata[i])->learner);
    }
    fsn_fault_kill_at("fill:done");
    if (!open_libvirt(run, error) || !define_standalone(run, error) ||
        !fsn_fill_forget(run->repo, run->journal, error)) {
        return false;
    }
    fsn_fault_kill_at("fill:defined");
    if (!fsn_journal_remove(run->journal, fsn_cycle_state_dir(run->cycle), error)) {
        return false;
    }
    (void)unlink(run->status_path); /* harmless without the journal */
    fsn_socket_dir_remove(run->virt, key);
    return true;
}

/* A process that lived for so long has nothing to do with those that died before. */
static void
forget_attempts(Run *run)
{
    g_autoptr(GError) error = NULL;

    if (run->journal->attempts == 0 || fsn_monotonic_us() - run->begun_us < GOOD_US) {
        return;
    }
    run->journal->attempts = 0;
    if (!fsn_journal_write(run->journal, fsn_cycle_state_dir(run->cycle),
                           FSN_STEP_FILLING, &error)) {
        g_message("%s", error->message); /* it counts on, then */
    }
}

static void
work(Run *run)
{
    bool finished = false;

    while (!finished) {
        g_autoptr(GError) error = NULL;
        bool ok = step(run, &error);

        if (ok && all_done(run)) {
            ok = finished = finish(run, &error);
        }
        if (!ok) {
            if (g_strcmp0(run->phase, "error") != 0) {
                g_message("domain '%s': %s", run->journal->domain, error->message);
            }
            tell(run, "error", error);
            forget_libvirt(run);
        }
        if (!finished) {
            forget_attempts(run);
            wait_for_news(run);
        }
    }
}

bool
fsn_fill_run(FsnCycle *fills, const char *uuid, int ready_fd, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(fills);
    g_auto(Run) run = { .cycle = fills,
                        .begun_us = fsn_monotonic_us(),
                        .main_state_dir = g_path_get_dirname(state_dir),
                        .status_path = fsn_pager_status_path(state_dir, uuid),
                        .disks = g_ptr_array_new_with_free_func(disk_free) };

    if (!fsn_journal_read(state_dir, uuid, &run.journal, error) || !load(&run, error) ||
        !serve(&run, error)) {
        return false;
    }
    tell(&run, "waiting", NULL);
    if (write(ready_fd, "R", 1) != 1) {
        g_debug("nobody waits any more");
    }
    close(ready_fd);
    work(&run);
    return true;
}
