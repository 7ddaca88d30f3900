/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of a suspend state for an image that libvirt restores. */
#include "config.h"

#include "cycle/save-parts.h"

#include "base/json.h"
#include "stream/save-image.h"

#define MAX_TEXT         (16u << 20)
#define MAX_DEVICE_STATE (64u << 20)

void
fsn_save_parts_clear(FsnSaveParts *parts)
{
    fsn_manifest_memory_clear(&parts->memory);
    g_clear_pointer(&parts->image, fsn_image_free);
    g_clear_pointer(&parts->head, g_bytes_unref);
    g_clear_pointer(&parts->device_state, g_bytes_unref);
    g_clear_pointer(&parts->description, g_bytes_unref);
    g_clear_pointer(&parts->prefix, g_bytes_unref);
    g_clear_pointer(&parts->xml, g_free);
}

static bool
read_text(FsnRepo *repo, const char *object, char **out_text, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;

    if (!fsn_repo_get_object(repo, object, MAX_TEXT, &bytes, error)) {
        return false;
    }
    *out_text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    return true;
}

/* The CPU that the guest really had goes into the cookie: another host, or a newer libvirt,
 * must not make it another one. A guest that its user had stopped stays stopped. */
static bool
build_prefix(FsnRepo *repo, JsonObject *manifest, FsnSaveParts *parts, GError **error)
{
    const char *state = fsn_json_peek_string(manifest, "run_state", "running");
    g_autofree char *cpu = NULL;
    g_autofree char *cookie = NULL;

    if (!read_text(repo, parts->memory.xml_live, &parts->xml, error) ||
        (parts->memory.cpu_xml && !read_text(repo, parts->memory.cpu_xml, &cpu, error))) {
        return false;
    }
    if (cpu) {
        cookie = g_strdup_printf("<cookie>\n%s\n</cookie>\n", cpu);
    }
    return fsn_save_image_build(parts->xml, cookie, !g_str_equal(state, "paused"),
                                &parts->prefix, error);
}

bool
fsn_save_parts_read(FsnRepo *repo,
                    JsonObject *manifest,
                    FsnSaveParts *parts,
                    GError **error)
{
    FsnManifestMemory *m = &parts->memory;

    if (!fsn_manifest_read_memory(manifest, m, error) ||
        !fsn_repo_get_object(repo, m->head, MAX_TEXT, &parts->head, error) ||
        !fsn_repo_get_object(repo, m->device_state, MAX_DEVICE_STATE,
                             &parts->device_state, error) ||
        (m->description && !fsn_repo_get_object(repo, m->description, MAX_TEXT,
                                                &parts->description, error)) ||
        !build_prefix(repo, manifest, parts, error)) {
        return false;
    }
    parts->image = fsn_image_open(repo, m->root, error);
    return parts->image != NULL;
}

FsnPrecopySource
fsn_save_parts_source(const FsnSaveParts *parts)
{
    return (FsnPrecopySource){ parts->image, parts->memory.layout, parts->head,
                               parts->device_state, parts->description };
}
