/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serving a suspend state to libvirt. The claim and its journal come before the first byte of
 * memory, the mark "ran" before the first byte after it: from then on only facts tell whether
 * the guest has run (recover-plan.c).
 */
#include "config.h"

#include "cycle/managed-image.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/arm.h"
#include "cycle/guard-marker.h"
#include "cycle/journal.h"
#include "cycle/lock.h"
#include "cycle/save-parts.h"
#include "cycle/saved-place.h"
#include "domxml/domain-facts.h"
#include "memory/precopy-map.h"
#include "repo/manifests.h"
#include "repo/marks.h"

#include <unistd.h>

struct FsnManagedImage {
    FsnCycle *cycle; /* borrowed, as is the next */
    FsnRepo *repo;
    JsonObject *manifest;
    FsnSaveParts parts;
    FsnDomainFacts *facts;
    FsnPrecopyMap *map;
    FsnLock *lock; /* while memory is read */
    FsnJournal *journal;
    int64_t pause_us; /* as it was armed; -1: not known */
    int64_t total_us;
    bool armed; /* it was when it was opened: the disks were those of the state */
    bool claimed;
    bool ran;
};

void
fsn_managed_image_free(FsnManagedImage *image)
{
    if (!image) {
        return;
    }
    fsn_precopy_map_free(image->map);
    fsn_save_parts_clear(&image->parts);
    fsn_domain_facts_free(image->facts);
    fsn_journal_free(image->journal);
    fsn_lock_release(image->lock);
    g_clear_pointer(&image->manifest, json_object_unref);
    g_free(image);
}

static bool
refuse(GError **error, FsnError code, const char *why)
{
    g_set_error(error, FSN_ERROR, code, "%s", why);
    return false;
}

static bool
read_image(FsnManagedImage *image, const char *id, GError **error)
{
    FsnPrecopySource source;

    if (!fsn_repo_load_manifest(image->repo, id, &image->manifest, error)) {
        return false;
    }
    if (!g_str_equal(fsn_json_peek_string(image->manifest, "kind", ""), "suspend") ||
        fsn_arm_has(image->repo, id, "consumed")) {
        return refuse(error, FSN_ERROR_STATE, "it is no state that may be used");
    }
    if (!fsn_save_parts_read(image->repo, image->manifest, &image->parts, error) ||
        !fsn_domain_facts_parse(image->parts.xml, &image->facts, error)) {
        return false;
    }
    source = fsn_save_parts_source(&image->parts);
    image->map = fsn_precopy_map_new(&source, image->parts.prefix, error);
    return image->map != NULL;
}

FsnManagedImage *
fsn_managed_image_new(FsnCycle *cycle, const char *id, GError **error)
{
    g_autoptr(FsnManagedImage) image = g_new0(FsnManagedImage, 1);

    image->cycle = cycle;
    image->repo = fsn_cycle_repo(cycle, error);
    if (!image->repo || !read_image(image, id, error)) {
        return NULL;
    }
    return g_steal_pointer(&image);
}

bool
fsn_managed_image_is_void(FsnCycle *cycle, const char *id)
{
    FsnRepo *repo = fsn_cycle_repo(cycle, NULL);
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GError) error = NULL;

    if (!repo) {
        return false;
    }
    return fsn_repo_load_manifest(repo, id, &manifest, &error)
               ? fsn_arm_has(repo, id, "consumed")
               : g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
}

const char *
fsn_managed_image_id(const FsnManagedImage *image)
{
    return image->parts.memory.id;
}

uint64_t
fsn_managed_image_size(const FsnManagedImage *image)
{
    return fsn_precopy_map_size(image->map);
}

bool
fsn_managed_image_open(FsnManagedImage *image, GError **error)
{
    const FsnManifestMemory *m = &image->parts.memory;
    const char *state_dir = fsn_cycle_state_dir(image->cycle);
    g_autoptr(JsonObject) armed = NULL;
    g_autofree char *marker = g_build_filename(state_dir, "guard", m->uuid, NULL);

    if (fsn_journal_exists(state_dir, m->uuid)) {
        return refuse(error, FSN_ERROR_BUSY,
                      "an operation is under way on this domain, or was interrupted: see "
                      "'foresnap status', 'foresnap recover'");
    }
    if (!fsn_arm_check_usable(image->repo, m->id, m->disks, error)) {
        return false;
    }
    image->armed = fsn_repo_mark_read(image->repo, m->id, "armed", &armed, NULL);
    image->pause_us = armed ? fsn_json_peek_int(armed, "pause_us", -1) : -1;
    image->total_us = armed ? fsn_json_peek_int(armed, "total_us", -1) : -1;
    /* Not durably: after a crash it had better be there. */
    (void)unlink(marker);
    return true;
}

static bool
claim(FsnManagedImage *image, GError **error)
{
    FsnCycle *cycle = image->cycle;
    const FsnManifestMemory *m = &image->parts.memory;
    const char *state_dir = fsn_cycle_state_dir(cycle);

    image->lock =
        fsn_lock_take(state_dir, fsn_cycle_repo_location(cycle), m->uuid, 0, error);
    if (!image->lock) {
        return false;
    }
    if (fsn_journal_exists(state_dir, m->uuid)) {
        return refuse(error, FSN_ERROR_BUSY, "another operation is under way");
    }
    g_clear_pointer(&image->journal, fsn_journal_free);
    image->journal =
        fsn_journal_new(FSN_OP_LOAD, m->domain, m->uuid, fsn_cycle_uri(cycle),
                        fsn_cycle_repo_location(cycle), m->id);
    /* The journal first: a claim without one could only be released by hand. */
    image->claimed = fsn_cycle_step(cycle, image->journal, FSN_STEP_BEGUN, error) &&
                     fsn_arm_claim(image->repo, m->id, error) &&
                     fsn_cycle_step(cycle, image->journal, FSN_STEP_CLAIMED, error);
    return image->claimed;
}

static bool
mark_ran(FsnManagedImage *image, GError **error)
{
    g_autoptr(JsonObject) body = json_object_new();

    image->ran =
        fsn_repo_mark_create(image->repo, image->parts.memory.id, "ran", body, error);
    return image->ran;
}

bool
fsn_managed_image_pread(FsnManagedImage *image,
                        void *out,
                        size_t len,
                        uint64_t offset,
                        size_t *out_len,
                        GError **error)
{
    uint64_t end = offset + len;

    if (!image->claimed && end > g_bytes_get_size(image->parts.prefix) &&
        !claim(image, error)) {
        g_clear_pointer(&image->lock, fsn_lock_release);
        return false;
    }
    if (!image->ran && end > fsn_precopy_map_tail(image->map) &&
        !mark_ran(image, error)) {
        return false;
    }
    return fsn_precopy_map_pread(image->map, out, len, offset, out_len, error);
}

/* Nobody had the memory, so nobody can have run: libvirt's relabelling of the disks, which
 * changes their times, does not count. */
static bool
guard_again(FsnManagedImage *image, GError **error)
{
    const FsnManifestMemory *m = &image->parts.memory;
    const char *state_dir = fsn_cycle_state_dir(image->cycle);

    return fsn_guard_marker_write(state_dir, m->uuid, m->domain, m->id, error) &&
           (!image->armed || (fsn_arm_check_disks(m->disks, error) &&
                              fsn_arm(image->repo, m->id, image->facts, image->pause_us,
                                      image->total_us, error)));
}

void
fsn_managed_image_close(FsnManagedImage *image, bool *out_claimed)
{
    g_autoptr(GError) error = NULL;

    *out_claimed = image->journal != NULL;
    if (!image->journal &&
        !fsn_arm_has(image->repo, image->parts.memory.id, "consumed") &&
        !guard_again(image, &error)) {
        g_message("domain '%s': %s", image->parts.memory.domain, error->message);
    }
    g_clear_pointer(&image->journal, fsn_journal_free);
    g_clear_pointer(&image->lock, fsn_lock_release);
    image->claimed = false;
    image->ran = false;
}

bool
fsn_managed_image_conclude(FsnManagedImage *image,
                           const char *save_folder,
                           bool *out_used,
                           GError **error)
{
    const FsnManifestMemory *m = &image->parts.memory;
    const char *state_dir = fsn_cycle_state_dir(image->cycle);
    g_autoptr(FsnLock) lock = NULL;
    g_autoptr(FsnJournal) journal = NULL;

    *out_used = false;
    if (fsn_saved_look(state_dir, save_folder, m->domain) == FSN_LINK_GUARD ||
        !fsn_arm_has(image->repo, m->id, "ran")) {
        return true;
    }
    lock = fsn_lock_take(state_dir, fsn_cycle_repo_location(image->cycle), m->uuid, 0,
                         error);
    if (!lock) {
        return false;
    }
    if (!fsn_journal_read(state_dir, m->uuid, &journal, NULL) ||
        journal->operation != FSN_OP_LOAD || !g_str_equal(journal->snapshot, m->id)) {
        return true; /* recovery was faster */
    }
    *out_used = fsn_arm_consume(image->repo, m->id, "resumed", error) &&
                fsn_guard_marker_remove(state_dir, m->uuid, error) &&
                fsn_saved_remove(state_dir, save_folder, m->domain, error) &&
                fsn_journal_remove(journal, state_dir, error);
    return *out_used;
}
