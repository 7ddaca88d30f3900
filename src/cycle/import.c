/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image of `virsh save` as a suspend state. The domain is off and stays off, so there is
 * hardly anything to undo: until the manifest is there nothing has happened, after that the
 * domain is guarded and armed as after a suspend, if need be by recovery. Whether the disks
 * have moved on since the image can only be told from file times; one that was written later
 * is refused.
 */
#include "config.h"

#include "cycle/import.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/faults.h"
#include "base/files.h"
#include "base/id.h"
#include "cycle/arm.h"
#include "cycle/find-state.h"
#include "cycle/journal.h"
#include "cycle/lock.h"
#include "cycle/manifest.h"
#include "cycle/recover.h"
#include "cycle/savefs-control.h"
#include "cycle/stub.h"
#include "domxml/domain-facts.h"
#include "memory/capture.h"
#include "repo/manifests.h"
#include "stream/save-image.h"
#include "virt/domain.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    FsnCycle *cycle;
    FsnVirt *virt; /* borrowed, as is the next */
    FsnRepo *repo;
    FsnVirtDomain *domain;
    FsnLock *lock;
    int fd; /* -1 once the capture has it */
    const char *path;
    FsnSaveImage *image;
    FsnDomainFacts *facts; /* of the guest that was saved */
    FsnCapture *capture;
    char *id;
    FsnJournal *journal; /* NULL before there is something that recovery could find */
    int64_t started_us;
} Import;

static void
import_clear(Import *import)
{
    fsn_capture_free(import->capture);
    fsn_domain_facts_free(import->facts);
    fsn_save_image_free(import->image);
    if (import->fd >= 0) {
        close(import->fd);
    }
    fsn_journal_free(import->journal);
    fsn_lock_release(import->lock);
    fsn_virt_domain_free(import->domain);
    g_free(import->id);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Import, import_clear)

static bool
check_domain(Import *import, GError **error)
{
    const char *name = fsn_virt_domain_name(import->domain);
    const char *uuid = fsn_virt_domain_uuid(import->domain);
    g_autofree char *state = NULL;
    g_autoptr(GError) none = NULL;
    FsnVirtStatus status;

    if (!fsn_virt_domain_status(import->domain, &status, error)) {
        return false;
    }
    if (status.state != FSN_VIRT_OFF || !status.persistent) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "domain '%s' is %s, and has to be defined and shut off", name,
                    fsn_virt_state_name(status.state));
        return false;
    }
    if (fsn_find_suspend_state(import->repo, uuid, &state, &none)) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_STATE,
            "domain '%s' is suspended already: 'foresnap discard %s' gives that up", name,
            name);
        return false;
    }
    return true;
}

static bool
find_domain(Import *import, const char *who, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(import->cycle);
    const char *uuid;

    if (!fsn_virt_lookup(import->virt, who, &import->domain, error)) {
        return false;
    }
    uuid = fsn_virt_domain_uuid(import->domain);
    if (!fsn_cycle_recover_domain(import->cycle, uuid, 0, NULL, error)) {
        return false;
    }
    import->lock =
        fsn_lock_take(state_dir, fsn_cycle_repo_location(import->cycle), uuid, 0, error);
    return import->lock && check_domain(import, error);
}

static bool
read_prefix(Import *import, GError **error)
{
    uint8_t header[FSN_SAVE_IMAGE_HEADER_SIZE];
    g_autofree uint8_t *prefix = NULL;
    size_t need;

    import->fd = open(import->path, O_RDONLY | O_CLOEXEC);
    if (import->fd < 0) {
        return fsn_set_errno(error, errno, "cannot open '%s'", import->path);
    }
    if (!fsn_pread_all(import->fd, header, sizeof(header), 0, import->path, error) ||
        !fsn_save_image_measure(header, sizeof(header), &need, error)) {
        return false;
    }
    prefix = g_malloc(need); /* bounded by fsn_save_image_measure() */
    return fsn_pread_all(import->fd, prefix, need, 0, import->path, error) &&
           fsn_save_image_parse(prefix, need, &import->image, error) &&
           fsn_domain_facts_parse(import->image->xml, &import->facts, error);
}

static bool
is_later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

/* A disk that was written after the image does not belong to it any more. */
static bool
check_disks(Import *import, GError **error)
{
    struct stat image;
    struct stat disk;

    if (fstat(import->fd, &image) != 0) {
        return fsn_set_errno(error, errno, "cannot look at '%s'", import->path);
    }
    for (guint i = 0; i < import->facts->disks->len; i++) {
        const FsnDiskFacts *d = import->facts->disks->pdata[i];

        if (d->readonly || g_strcmp0(d->source_kind, "file") != 0 || !d->source) {
            continue;
        }
        if (stat(d->source, &disk) != 0) {
            return fsn_set_errno(error, errno, "cannot look at disk '%s'", d->source);
        }
        if (is_later(&disk.st_mtim, &image.st_mtim)) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                        "disk %s ('%s') was written after the image: its memory would "
                        "destroy the file systems there",
                        d->target, d->source);
            return false;
        }
    }
    return true;
}

static bool
check_image(Import *import, GError **error)
{
    if (!g_str_equal(import->facts->uuid, fsn_virt_domain_uuid(import->domain))) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "it is the image of domain '%s' with UUID %s", import->facts->name,
                    import->facts->uuid);
        return false;
    }
    if (import->facts->refusals->len > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED, "%s",
                    (const char *)import->facts->refusals->pdata[0]);
        return false;
    }
    return check_disks(import, error);
}

static bool
read_memory(Import *import, const FsnSuspendOptions *options, GError **error)
{
    const FsnCaptureOptions chosen = { .codec = options->codec, .level = options->level };
    FsnCaptureEvent event = FSN_CAPTURE_MORE;

    if (lseek(import->fd, (off_t)import->image->stream_offset, SEEK_SET) < 0) {
        return fsn_set_errno(error, errno, "cannot read '%s'", import->path);
    }
    import->capture =
        fsn_capture_new(import->repo, g_steal_fd(&import->fd), &chosen, error);
    if (!import->capture) {
        return false;
    }
    while (event != FSN_CAPTURE_END) {
        FsnCaptureProgress progress = fsn_capture_progress(import->capture);

        fsn_cycle_progress(import->cycle, "importing",
                           progress.pages_seen * FSN_PAGE_SIZE,
                           progress.pages_total * FSN_PAGE_SIZE);
        if (!fsn_capture_step(import->capture, 100, &event, error)) {
            return false;
        }
    }
    return true;
}

static bool
put_text(FsnRepo *repo, const char *text, char **out_object, GError **error)
{
    return fsn_repo_put_object(repo, text, strlen(text), out_object, error);
}

static bool
store(Import *import, FsnImageStats *out_stats, GError **error)
{
    g_auto(FsnCaptureObjects) objects = { 0 };
    g_autofree char *cpu = fsn_save_image_cpu(import->image);
    g_autofree char *inactive = NULL;
    g_autofree char *object_live = NULL;
    g_autofree char *object_inactive = NULL;
    g_autofree char *object_cpu = NULL;
    g_autoptr(JsonArray) disks = NULL;
    g_autoptr(JsonObject) manifest = NULL;
    FsnManifestRam ram;

    if (!fsn_capture_commit(import->capture, out_stats, &objects, error) ||
        !fsn_virt_domain_xml(import->domain, FSN_VIRT_XML_INACTIVE, &inactive, error) ||
        !put_text(import->repo, import->image->xml, &object_live, error) ||
        !put_text(import->repo, inactive, &object_inactive, error) ||
        (cpu && !put_text(import->repo, cpu, &object_cpu, error)) ||
        !fsn_arm_record_disks(import->facts, false, &disks, error)) {
        return false;
    }
    ram = fsn_manifest_captured_ram(import->capture, out_stats, &objects);
    manifest = fsn_manifest_build(&(FsnManifestFacts){
        .id = import->id,
        .kind = "suspend",
        .domain = fsn_virt_domain_name(import->domain),
        .uuid = import->facts->uuid,
        .host = g_get_host_name(),
        .machine = fsn_capture_machine(import->capture),
        .versions = "imported from an image of virsh save",
        .xml_live = object_live,
        .xml_inactive = object_inactive,
        .cpu_xml = object_cpu,
        .ram = &ram,
        .bytes = fsn_manifest_image_bytes(
            out_stats, fsn_capture_progress(import->capture).bytes_read),
        .created_us = fsn_realtime_us(),
        .pause_us = -1,
        .total_us = -1,
        .disks = disks,
    });
    return fsn_cycle_step(import->cycle, import->journal, FSN_STEP_STORING, error) &&
           fsn_repo_commit_manifest(import->repo, manifest, error) &&
           fsn_cycle_step(import->cycle, import->journal, FSN_STEP_DURABLE, error) &&
           fsn_stub_write(import->cycle, fsn_virt_domain_name(import->domain),
                          fsn_virt_domain_uuid(import->domain), inactive, import->id,
                          error) &&
           fsn_cycle_step(import->cycle, import->journal, FSN_STEP_GUARDED, error) &&
           fsn_arm(import->repo, import->id, import->facts, 0,
                   fsn_monotonic_us() - import->started_us, error) &&
           fsn_journal_remove(import->journal, fsn_cycle_state_dir(import->cycle), error);
}

/* What is not guarded must not stay; the domain is off, as it was. */
static bool
undo(Import *import, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (!fsn_repo_delete_manifest(import->repo, import->id, &local) &&
        !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    fsn_fault_kill_at("undo:manifest");
    if (!fsn_stub_remove(import->cycle, fsn_virt_domain_name(import->domain),
                         fsn_virt_domain_uuid(import->domain), error)) {
        return false;
    }
    fsn_fault_kill_at("undo:guard");
    return fsn_journal_remove(import->journal, fsn_cycle_state_dir(import->cycle), error);
}

static bool
store_or_undo(Import *import, FsnImageStats *out_stats, GError **error)
{
    g_autoptr(GError) not_undone = NULL;

    import->journal = fsn_journal_new(FSN_OP_IMPORT, fsn_virt_domain_name(import->domain),
                                      fsn_virt_domain_uuid(import->domain),
                                      fsn_cycle_uri(import->cycle),
                                      fsn_cycle_repo_location(import->cycle), import->id);
    if (store(import, out_stats, error)) {
        fsn_savefs_await(fsn_cycle_state_dir(import->cycle),
                         fsn_virt_domain_name(import->domain));
        return true;
    }
    if (!undo(import, &not_undone)) {
        g_warning("domain '%s': %s; 'foresnap recover' tries again",
                  fsn_virt_domain_name(import->domain), not_undone->message);
    }
    return false;
}

bool
fsn_cycle_import_save_image(FsnCycle *cycle,
                            const char *domain,
                            const char *path,
                            const FsnSuspendOptions *options,
                            FsnSuspendResult *out_result,
                            GError **error)
{
    g_auto(Import) import = {
        .cycle = cycle, .fd = -1, .path = path, .started_us = fsn_monotonic_us()
    };
    FsnId id = fsn_id_new();
    FsnImageStats stats;

    import.id = fsn_id_to_string(&id);
    import.virt = fsn_cycle_virt(cycle, error);
    import.repo = import.virt ? fsn_cycle_repo(cycle, error) : NULL;
    if (!import.repo || !find_domain(&import, domain, error) ||
        !read_prefix(&import, error) || !check_image(&import, error) ||
        !read_memory(&import, options, error) || !store_or_undo(&import, &stats, error)) {
        return false;
    }
    memset(out_result, 0, sizeof(*out_result));
    g_strlcpy(out_result->snapshot, import.id, sizeof(out_result->snapshot));
    out_result->domain = g_strdup(fsn_virt_domain_name(import.domain));
    out_result->total_us = fsn_monotonic_us() - import.started_us;
    out_result->bytes_read = fsn_capture_progress(import.capture).bytes_read;
    out_result->bytes_changed = (stats.stored + stats.duplicate) * FSN_PAGE_SIZE;
    out_result->bytes_stored = stats.bytes_stored;
    return true;
}
