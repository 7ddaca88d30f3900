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
#include "base/json.h"
#include "cycle/fill-private.h"
#include "cycle/pager-start.h"
#include "cycle/socket-dir.h"
#include "disk/nbd-server.h"
#include "disk/qcow2-header.h"
#include "disk/stored-disk.h"
#include "disk/write-image.h"
#include "domxml/restore-edit.h"
#include "repo/manifests.h"
#include "virt/domain.h"
#include "virt/events.h"

#include <string.h>
#include <unistd.h>

/* Between two looks at a domain that is off, and attempts after an error. */
#define LOOK_US ((int64_t)G_USEC_PER_SEC)
#define GOOD_US (60 * (int64_t)G_USEC_PER_SEC)

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
forget_libvirt(FsnFillRun *run)
{
    g_clear_pointer(&run->events, fsn_virt_events_free);
    g_clear_pointer(&run->domain, fsn_virt_domain_free);
    g_clear_pointer(&run->virt, fsn_virt_free);
}

static void
run_clear(FsnFillRun *run)
{
    g_clear_pointer(&run->disks, g_ptr_array_unref);
    forget_libvirt(run);
    fsn_journal_free(run->journal);
    g_free(run->main_state_dir);
    g_free(run->status_path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnFillRun, run_clear)

static JsonArray *
disks_to_json(const FsnFillRun *run)
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
void
fsn_fill_tell(FsnFillRun *run, const char *phase, const GError *error)
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

static bool
add_disk(FsnFillRun *run,
         JsonObject *file,
         GPtrArray *stored,
         const char *uuid,
         GError **error)
{
    FsnFillDisk *disk = g_new0(FsnFillDisk, 1);
    const FsnStoredDisk *found;

    disk->listener = -1;
    g_ptr_array_add(run->disks, disk);
    disk->target = g_strdup(fsn_json_peek_string(file, "target", ""));
    disk->path = g_strdup(fsn_json_peek_string(file, "source", ""));
    disk->own_policy = fsn_json_peek_bool(file, "own_policy", false);
    disk->bandwidth = (uint64_t)MAX(fsn_json_peek_int(file, "bandwidth", 0), 0);
    if (!fsn_stored_disks_find(stored, disk->target, &found, error)) {
        return false;
    }
    disk->size = found->size;
    disk->learner = fsn_fill_learner_new(run->repo, uuid, disk->target, error);
    disk->image = disk->learner ? fsn_image_open(run->repo, found->image, error) : NULL;
    return disk->image && fsn_image_data_bytes(disk->image, &disk->bytes_total, error);
}

static bool
load(FsnFillRun *run, GError **error)
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
serve_disk(FsnFillRun *run, FsnFillDisk *disk, GError **error)
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
open_libvirt(FsnFillRun *run, GError **error)
{
    return run->virt || fsn_virt_open(run->journal->uri, &run->virt, error);
}

static bool
serve(FsnFillRun *run, GError **error)
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
look_at_files(FsnFillRun *run, GError **error)
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

static bool
all_done(const FsnFillRun *run)
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
can_fill(const FsnFillRun *run, const FsnVirtStatus *status)
{
    return (status->state == FSN_VIRT_RUNNING || status->state == FSN_VIRT_PAUSED) &&
           !status->incoming && !status->post_copy && !status->post_copy_failed &&
           !fsn_journal_exists(run->main_state_dir, run->journal->uuid);
}

static bool
find_domain(FsnFillRun *run, bool *out_found, GError **error)
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
step(FsnFillRun *run, GError **error)
{
    FsnVirtStatus status = { .state = FSN_VIRT_OFF };
    bool found;

    if (!open_libvirt(run, error) || !find_domain(run, &found, error) ||
        (found && !fsn_virt_domain_status(run->domain, &status, error))) {
        return false;
    }
    if (can_fill(run, &status)) {
        return fsn_fill_domain(run, error);
    }
    fsn_fill_tell(run, "waiting", NULL);
    return status.state == FSN_VIRT_OFF || status.state == FSN_VIRT_CRASHED
               ? look_at_files(run, error)
               : true;
}

static void
wait_for_news(FsnFillRun *run)
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
define_standalone(FsnFillRun *run, GError **error)
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
finish(FsnFillRun *run, GError **error)
{
    g_autofree char *key = g_strconcat("fill-", run->journal->uuid, NULL);

    fsn_fill_tell(run, "finishing", NULL);
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
forget_attempts(FsnFillRun *run)
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
work(FsnFillRun *run)
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
            fsn_fill_tell(run, "error", error);
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
    g_auto(FsnFillRun) run = { .cycle = fills,
                               .begun_us = fsn_monotonic_us(),
                               .main_state_dir = g_path_get_dirname(state_dir),
                               .status_path = fsn_pager_status_path(state_dir, uuid),
                               .disks = g_ptr_array_new_with_free_func(disk_free) };

    if (!fsn_journal_read(state_dir, uuid, &run.journal, error) || !load(&run, error) ||
        !serve(&run, error)) {
        return false;
    }
    fsn_fill_tell(&run, "waiting", NULL);
    if (write(ready_fd, "R", 1) != 1) {
        g_debug("nobody waits any more");
    }
    close(ready_fd);
    work(&run);
    return true;
}
