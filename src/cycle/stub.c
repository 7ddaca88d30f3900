/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard stub. Its XML names an emulator that does not exist and whose path is the message
 * to the user: libvirt's own error on start then tells the way out, before any QEMU runs.
 */
#include "config.h"

#include "cycle/stub.h"

#include "base/error.h"
#include "base/faults.h"
#include "base/files.h"
#include "base/id.h"
#include "cycle/guard-marker.h"
#include "cycle/lock.h"
#include "cycle/saved-place.h"
#include "domxml/domain-facts.h"
#include "domxml/edit.h"
#include "repo/manifests.h"
#include "stream/save-image.h"
#include "virt/folders.h"

#include <string.h>
#include <unistd.h>

#define EMULATOR_PREFIX "/foresnap/snapshot "
#define MAX_STUB        (5u << 20)

char *
fsn_stub_path(FsnVirt *virt, const char *name)
{
    g_autofree char *folder = fsn_virt_folder(virt, FSN_VIRT_FOLDER_SAVE);
    g_autofree char *file = g_strconcat(name, ".save", NULL);

    return g_build_filename(folder, file, NULL);
}

/* The snapshot that the stub at @path guards; NULL if it is not a stub of ours. */
static char *
read_stub(const char *path)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(FsnSaveImage) image = NULL;
    g_autoptr(FsnDomainFacts) facts = NULL;
    const uint8_t *data;
    gsize len;

    if (!fsn_file_read(path, MAX_STUB, &bytes, NULL)) {
        return NULL; /* larger ones are real images */
    }
    data = g_bytes_get_data(bytes, &len);
    if (!fsn_save_image_parse(data, len, &image, NULL) ||
        !fsn_domain_facts_parse(image->xml, &facts, NULL) || !facts->emulator ||
        !g_str_has_prefix(facts->emulator, EMULATOR_PREFIX)) {
        return NULL;
    }
    return g_strndup(facts->emulator + strlen(EMULATOR_PREFIX), FSN_ID_HEX);
}

bool
fsn_stub_check_place(FsnCycle *cycle, const char *name, GError **error)
{
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autofree char *path = virt ? fsn_stub_path(virt, name) : NULL;
    g_autofree char *snapshot = NULL;
    g_autoptr(FsnSavedRecord) record = NULL;

    if (!virt) {
        return false;
    }
    record = fsn_saved_read(fsn_cycle_state_dir(cycle), name);
    if (record || !g_file_test(path, G_FILE_TEST_EXISTS) ||
        (snapshot = read_stub(path))) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS,
                "domain '%s' has a managed save image of libvirt's ('%s'); 'virsh "
                "managedsave-remove %s' gives it up",
                name, path, name);
    return false;
}

/* The place that foresnap-savefs serves, from which libvirt restores the state by itself: of a
 * domain that is saved through it into this repository, and of a state that came from there. A stub that is in
 * libvirt's place stays; another state is given up. */
static bool
use_saved_place(FsnCycle *cycle,
                const char *folder,
                const char *name,
                const char *uuid,
                const char *xml_inactive,
                const char *snapshot,
                bool *out_used,
                GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(cycle);
    const char *repo = fsn_cycle_repo_location(cycle);
    g_autoptr(FsnSavedRecord) record = fsn_saved_read(state_dir, name);
    bool there = record && strcmp(record->snapshot, snapshot) == 0;

    if (record && !there && !fsn_saved_remove(state_dir, folder, name, error)) {
        return false;
    }
    *out_used = there || (fsn_saved_is_through(state_dir, name, uuid, repo) &&
                          fsn_saved_look(state_dir, folder, name) != FSN_LINK_FOREIGN);
    if (*out_used && !there) {
        if (!fsn_saved_write(state_dir, repo, name, uuid, snapshot, xml_inactive,
                             error)) {
            return false;
        }
        fsn_fault_kill_at("guard:place");
    }
    return !*out_used ||
           fsn_saved_link(state_dir, folder, name, FSN_LINK_GUARD, false, error);
}

static bool
write_stub(FsnCycle *cycle,
           const char *path,
           const char *name,
           const char *xml_inactive,
           const char *snapshot,
           GError **error)
{
    g_autofree char *message = g_strdup_printf(
        EMULATOR_PREFIX
        "%s: domain '%s' is suspended by foresnap: run 'foresnap resume %s', "
        "or 'foresnap discard %s' to give its memory up",
        snapshot, name, name, name);
    g_autofree char *xml = NULL;
    g_autoptr(GBytes) bytes = NULL;

    return fsn_stub_check_place(cycle, name, error) &&
           fsn_domain_xml_set_emulator(xml_inactive, message, &xml, error) &&
           fsn_save_image_build_stub(xml, &bytes, error) &&
           fsn_file_replace(path, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                            0600, error);
}

bool
fsn_stub_write(FsnCycle *cycle,
               const char *name,
               const char *uuid,
               const char *xml_inactive,
               const char *snapshot,
               GError **error)
{
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autofree char *path = virt ? fsn_stub_path(virt, name) : NULL;
    g_autofree char *dir = virt ? g_path_get_dirname(path) : NULL;
    bool used;

    return virt && fsn_mkdirs(dir, 0700, error) &&
           use_saved_place(cycle, dir, name, uuid, xml_inactive, snapshot, &used,
                           error) &&
           (used || write_stub(cycle, path, name, xml_inactive, snapshot, error)) &&
           fsn_guard_marker_write(fsn_cycle_state_dir(cycle), uuid, name, snapshot,
                                  error);
}

/* Whether the state is in this repository, rather than in another one. */
static bool
is_here(FsnCycle *cycle, const char *snapshot)
{
    FsnRepo *repo = fsn_cycle_repo(cycle, NULL);
    g_autoptr(JsonObject) manifest = NULL;

    return repo && fsn_repo_load_manifest(repo, snapshot, &manifest, NULL);
}

bool
fsn_stub_serve(FsnCycle *cycle,
               const char *name,
               const char *uuid,
               const char *xml_inactive,
               GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(cycle);
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autofree char *path = virt ? fsn_stub_path(virt, name) : NULL;
    g_autofree char *dir = virt ? g_path_get_dirname(path) : NULL;
    g_autofree char *snapshot = virt ? read_stub(path) : NULL;
    g_autoptr(FsnSavedRecord) record = NULL;
    const char *repo = fsn_cycle_repo_location(cycle);
    g_autoptr(FsnLock) lock = NULL;

    if (!snapshot || !is_here(cycle, snapshot)) {
        return virt != NULL;
    }
    lock = fsn_lock_take(state_dir, repo, uuid, 0, error);
    if (!lock) {
        return false;
    }
    /* It may be served already, after a crash between the two. */
    record = fsn_saved_read(state_dir, name);
    if (!(record && strcmp(record->snapshot, snapshot) == 0) &&
        !fsn_saved_write(state_dir, repo, name, uuid, snapshot, xml_inactive, error)) {
        return false;
    }
    fsn_fault_kill_at("guard:place");
    return fsn_saved_link(state_dir, dir, name, FSN_LINK_GUARD, true, error);
}

bool
fsn_stub_find(FsnCycle *cycle, const char *name, char **out_snapshot)
{
    FsnVirt *virt = fsn_cycle_virt(cycle, NULL);
    g_autofree char *path = virt ? fsn_stub_path(virt, name) : NULL;
    g_autofree char *snapshot = NULL;
    g_autoptr(FsnSavedRecord) record = NULL;

    if (!virt) {
        return false;
    }
    record = fsn_saved_read(fsn_cycle_state_dir(cycle), name);
    snapshot = record ? g_strdup(record->snapshot) : read_stub(path);
    if (!snapshot) {
        return false;
    }
    if (out_snapshot) {
        *out_snapshot = g_steal_pointer(&snapshot);
    }
    return true;
}

bool
fsn_stub_remove(FsnCycle *cycle, const char *name, const char *uuid, GError **error)
{
    const char *state_dir = fsn_cycle_state_dir(cycle);
    FsnVirt *virt = fsn_cycle_virt(cycle, error);
    g_autofree char *path = virt ? fsn_stub_path(virt, name) : NULL;
    g_autofree char *dir = virt ? g_path_get_dirname(path) : NULL;

    if (!virt || !fsn_guard_marker_remove(state_dir, uuid, error) ||
        !fsn_saved_remove(state_dir, dir, name, error)) {
        return false;
    }
    if (!fsn_stub_find(cycle, name, NULL)) {
        return true;
    }
    return fsn_file_remove_durable(path, error);
}
