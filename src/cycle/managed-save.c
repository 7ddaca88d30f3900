/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A managed save of libvirt's as a suspend state. The order is the promise: memory and all
 * that the manifest names, the manifest, the guard and libvirt's link to it, the answer. Up to
 * the answer libvirt lets the guest run on whatever happens; the journal tells recovery then
 * that there is something to give up.
 */
#include "config.h"

#include "cycle/managed-save.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "cycle/arm.h"
#include "cycle/guard-marker.h"
#include "cycle/journal.h"
#include "cycle/lock.h"
#include "cycle/manifest.h"
#include "cycle/preflight.h"
#include "cycle/saved-place.h"
#include "domxml/domain-facts.h"
#include "memory/capture.h"
#include "repo/manifests.h"
#include "stream/save-image.h"

#include <string.h>
#include <unistd.h>

struct FsnManagedSave {
    FsnCycle *cycle; /* borrowed */
    FsnRepo *repo;   /* borrowed */
    char *save_folder;
    char *name;
    char id[FSN_ID_HEX + 1];
    GByteArray *prefix; /* header and XML, as libvirt wrote them */
    size_t prefix_len;  /* 0: not known yet */
    uint64_t length;
    FsnSaveImage *image; /* NULL until the prefix is whole */
    FsnDomainFacts *facts;
    FsnLock *lock;
    FsnJournal *journal; /* NULL: nothing to undo */
    FsnCapture *capture;
    JsonObject *parent; /* NULL = none */
    FsnManifestMemory parent_memory;
    bool failed;
    bool finished;
    int64_t started_us;
};

FsnManagedSave *
fsn_managed_save_new(FsnCycle *cycle, const char *save_folder, const char *name)
{
    FsnManagedSave *save = g_new0(FsnManagedSave, 1);
    FsnId id = fsn_id_new();
    g_autofree char *text = fsn_id_to_string(&id);

    save->cycle = cycle;
    save->save_folder = g_strdup(save_folder);
    save->name = g_strdup(name);
    g_strlcpy(save->id, text, sizeof save->id);
    save->prefix = g_byte_array_new();
    save->started_us = fsn_monotonic_us();
    return save;
}

/* Nothing that was begun stays, or recovery finds out by the journal. */
static bool
give_up(FsnManagedSave *save, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(save->cycle);
    g_autoptr(GError) local = NULL;

    if (!fsn_repo_delete_manifest(save->repo, save->id, &local) &&
        !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return fsn_guard_marker_remove(state_dir, save->facts->uuid, error) &&
           fsn_saved_remove(state_dir, save->save_folder, save->name, error) &&
           fsn_journal_remove(save->journal, state_dir, error);
}

void
fsn_managed_save_free(FsnManagedSave *save)
{
    g_autoptr(GError) error = NULL;

    if (!save) {
        return;
    }
    if (save->journal && !save->finished && !give_up(save, &error)) {
        g_message("domain '%s': %s; 'foresnap recover' tries again", save->name,
                  error->message);
    }
    fsn_capture_free(save->capture);
    fsn_manifest_memory_clear(&save->parent_memory);
    g_clear_pointer(&save->parent, json_object_unref);
    fsn_domain_facts_free(save->facts);
    fsn_save_image_free(save->image);
    fsn_journal_free(save->journal);
    fsn_lock_release(save->lock);
    g_byte_array_unref(save->prefix);
    g_free(save->save_folder);
    g_free(save->name);
    g_free(save);
}

static bool
refuse(GError **error, FsnError code, const char *why)
{
    g_set_error(error, FSN_ERROR, code, "%s", why);
    return false;
}

static bool
check_domain(FsnManagedSave *save, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(save->cycle);
    g_autofree char *marker =
        g_build_filename(state_dir, "guard", save->facts->uuid, NULL);

    if (!g_str_equal(save->facts->name, save->name)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "it is the image of domain '%s'",
                    save->facts->name);
        return false;
    }
    if (access(marker, F_OK) == 0) {
        return refuse(error, FSN_ERROR_BUSY,
                      "the domain is suspended: 'foresnap discard' gives that up");
    }
    if (fsn_journal_exists(state_dir, save->facts->uuid)) {
        return refuse(
            error, FSN_ERROR_BUSY,
            "another operation is under way on this domain, or was interrupted: "
            "see 'foresnap status', 'foresnap recover'");
    }
    return fsn_preflight_devices(save->facts, "save", error);
}

/* libvirt saves a domain that is on, so what was stored of it before can never be used. */
static bool
void_states(FsnManagedSave *save, GPtrArray *manifests, GError **error)
{
    for (guint i = 0; i < manifests->len; i++) {
        JsonObject *m = manifests->pdata[i];
        const char *id = fsn_json_peek_string(m, "id", "");
        JsonObject *domain;

        if (g_str_equal(fsn_json_peek_string(m, "kind", ""), "suspend") &&
            fsn_json_get_object(m, "domain", &domain, NULL) &&
            g_str_equal(fsn_json_peek_string(domain, "uuid", ""), save->facts->uuid) &&
            !fsn_arm_has(save->repo, id, "consumed") &&
            !fsn_arm_consume(save->repo, id, "the domain was running again", error)) {
            return false;
        }
    }
    return true;
}

static bool
begin_capture(FsnManagedSave *save, GError **error)
{
    g_autoptr(GPtrArray) manifests = NULL;
    g_autoptr(GPtrArray) damaged = NULL;
    FsnCaptureOptions options = { .codec = FSN_CODEC_ZSTD };

    if (!fsn_repo_list_manifests(save->repo, &manifests, &damaged, error) ||
        !void_states(save, manifests, error)) {
        return false;
    }
    fsn_preflight_memory_parent(manifests, save->facts->uuid, &save->parent,
                                &save->parent_memory);
    if (save->parent) {
        options.parent_root = save->parent_memory.root;
        options.parent_layout = save->parent_memory.layout;
    }
    save->capture = fsn_capture_new(save->repo, -1, &options, error);
    return save->capture != NULL;
}

/* The prefix is there: whose image it is, and whether it may be. */
static bool
begin(FsnManagedSave *save, GError **error)
{
    FsnCycle *cycle = save->cycle;
    const char *state_dir = fsn_cycle_state_dir(cycle);
    g_autofree uint8_t *finished = g_memdup2(save->prefix->data, save->prefix_len);

    fsn_save_image_mark_finished(finished);
    if (!fsn_save_image_parse(finished, save->prefix_len, &save->image, error) ||
        !fsn_domain_facts_parse(save->image->xml, &save->facts, error)) {
        return false;
    }
    save->repo = fsn_cycle_storing_repo(cycle, error);
    save->lock = save->repo ? fsn_lock_take(state_dir, fsn_cycle_repo_location(cycle),
                                            save->facts->uuid, 0, error)
                            : NULL;
    if (!save->lock || !check_domain(save, error)) {
        return false;
    }
    save->journal =
        fsn_journal_new(FSN_OP_SAVE, save->name, save->facts->uuid, fsn_cycle_uri(cycle),
                        fsn_cycle_repo_location(cycle), save->id);
    save->journal->was_running = save->image->was_running;
    return fsn_cycle_step(cycle, save->journal, FSN_STEP_BEGUN, error) &&
           begin_capture(save, error);
}

/* How long the prefix is, once the header is there. */
static bool
measure(FsnManagedSave *save, GError **error)
{
    uint8_t header[FSN_SAVE_IMAGE_HEADER_SIZE];

    memcpy(header, save->prefix->data, sizeof header);
    if (!fsn_save_image_is_unfinished(header, sizeof header)) {
        return refuse(
            error, FSN_ERROR_FORMAT,
            "it does not begin as libvirt's save does; 'foresnap import' takes a "
            "finished image");
    }
    fsn_save_image_mark_finished(header);
    return fsn_save_image_measure(header, sizeof header, &save->prefix_len, error);
}

/* Takes what belongs to the prefix of @len bytes; *@out_taken of them. */
static bool
take_prefix(FsnManagedSave *save,
            const uint8_t *data,
            size_t len,
            size_t *out_taken,
            GError **error)
{
    size_t want = save->prefix_len ? save->prefix_len : FSN_SAVE_IMAGE_HEADER_SIZE;
    size_t n = MIN(len, want - save->prefix->len);

    g_byte_array_append(save->prefix, data, (guint)n);
    *out_taken = n;
    if (save->prefix->len < want) {
        return true;
    }
    return save->prefix_len ? begin(save, error) : measure(save, error);
}

static bool
take(FsnManagedSave *save, const uint8_t *data, size_t len, GError **error)
{
    while (len > 0 && !save->capture) {
        size_t taken;

        if (!take_prefix(save, data, len, &taken, error)) {
            return false;
        }
        data += taken;
        len -= taken;
    }
    return len == 0 || fsn_capture_push(save->capture, data, len, error);
}

static bool
fail(FsnManagedSave *save, GError **error)
{
    save->failed = true;
    g_prefix_error(error, "cannot take the managed save of domain '%s': ", save->name);
    return false;
}

static bool
check_alive(const FsnManagedSave *save, GError **error)
{
    return !save->failed || refuse(error, FSN_ERROR_STATE, "it was refused before");
}

bool
fsn_managed_save_write(
    FsnManagedSave *save, const void *data, size_t len, uint64_t offset, GError **error)
{
    if (!check_alive(save, error) ||
        (offset != save->length &&
         !refuse(error, FSN_ERROR_FORMAT, "it is not written in order")) ||
        !take(save, data, len, error)) {
        return fail(save, error);
    }
    save->length += len;
    return true;
}

uint64_t
fsn_managed_save_length(const FsnManagedSave *save)
{
    return save->length;
}

bool
fsn_managed_save_has_begun(const FsnManagedSave *save)
{
    return save->capture && !save->failed;
}

bool
fsn_managed_save_settle(FsnManagedSave *save, GError **error)
{
    if (!check_alive(save, error) ||
        (save->capture && fsn_capture_layout(save->capture) &&
         !fsn_capture_settle(save->capture, error))) {
        return fail(save, error);
    }
    return true;
}

static bool
check_header(FsnManagedSave *save, const void *header, size_t len, GError **error)
{
    uint8_t wanted[FSN_SAVE_IMAGE_HEADER_SIZE];

    if (!save->capture || len != sizeof wanted) {
        return refuse(error, FSN_ERROR_FORMAT, "there is no image to be finished");
    }
    memcpy(wanted, save->prefix->data, sizeof wanted);
    fsn_save_image_mark_finished(wanted);
    return memcmp(wanted, header, sizeof wanted) == 0 ||
           refuse(error, FSN_ERROR_FORMAT, "its two headers differ");
}

static bool
commit(FsnManagedSave *save, GError **error)
{
    g_auto(FsnCaptureObjects) objects = { 0 };
    g_autofree char *cpu = fsn_save_image_cpu(save->image);
    g_autofree char *xml = NULL;
    g_autofree char *cpu_xml = NULL;
    g_autoptr(JsonArray) disks = NULL;
    g_autoptr(JsonObject) manifest = NULL;
    FsnManifestRam ram;
    FsnImageStats stats;

    if (!fsn_capture_push_end(save->capture, error) ||
        !fsn_capture_commit(save->capture, &stats, &objects, error) ||
        !fsn_preflight_put_text(save->repo, save->image->xml, &xml, error) ||
        !fsn_preflight_put_text(save->repo, cpu, &cpu_xml, error) ||
        /* QEMU has given its disks up at the end of the stream: they are at rest. */
        !fsn_arm_record_disks(save->facts, false, &disks, error)) {
        return false;
    }
    ram = fsn_manifest_captured_ram(save->capture, &stats, &objects);
    manifest = fsn_manifest_build(&(FsnManifestFacts){
        .id = save->id,
        .kind = "suspend",
        .parent = save->parent ? save->parent_memory.id : NULL,
        .domain = save->name,
        .uuid = save->facts->uuid,
        .host = g_get_host_name(),
        .machine = fsn_capture_machine(save->capture),
        .versions = "a managed save of libvirt's",
        .run_state = save->image->was_running ? "running" : "paused",
        .xml_live = xml,
        .xml_inactive = xml, /* libvirt cannot be asked now, and writes it as inactive */
        .cpu_xml = cpu_xml,
        .ram = &ram,
        .bytes = fsn_manifest_image_bytes(&stats,
                                          fsn_capture_progress(save->capture).bytes_read),
        .created_us = fsn_realtime_us(),
        .pause_us = -1,
        .total_us = fsn_monotonic_us() - save->started_us,
        .disks = disks,
    });
    return fsn_cycle_step(save->cycle, save->journal, FSN_STEP_STORING, error) &&
           fsn_repo_commit_manifest(save->repo, manifest, error);
}

static bool
guard(FsnManagedSave *save, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(save->cycle);
    const char *uuid = save->facts->uuid;

    return fsn_cycle_step(save->cycle, save->journal, FSN_STEP_DURABLE, error) &&
           fsn_saved_write(state_dir, fsn_cycle_repo_location(save->cycle), save->name,
                           uuid, save->id, save->image->xml, error) &&
           fsn_guard_marker_write(state_dir, uuid, save->name, save->id, error) &&
           fsn_saved_link(state_dir, save->save_folder, save->name, FSN_LINK_GUARD, false,
                          error) &&
           fsn_cycle_step(save->cycle, save->journal, FSN_STEP_GUARDED, error);
}

bool
fsn_managed_save_finish(FsnManagedSave *save,
                        const void *header,
                        size_t len,
                        GError **error)
{
    if (!check_alive(save, error) || !check_header(save, header, len, error) ||
        !commit(save, error) || !guard(save, error)) {
        return fail(save, error);
    }
    save->finished = true;
    return true;
}

const char *
fsn_managed_save_uuid(const FsnManagedSave *save)
{
    return save->facts->uuid;
}

int
fsn_managed_save_lock_fd(const FsnManagedSave *save)
{
    return fsn_lock_fd(save->lock);
}
