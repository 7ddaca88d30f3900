/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries the comparison of two snapshots out. What corresponds to what is decided in
 * diff-plan.c.
 */
#include "config.h"

#include "cycle/diff.h"

#include "base/json.h"
#include "repo/image-runs.h"
#include "repo/manifests.h"

static bool
add_run(gpointer user, uint64_t first, uint64_t count, GError **error)
{
    fsn_diff_disk_add(user, first, count);
    return true;
}

static bool
compare_disk(FsnRepo *repo, FsnDiffDisk *disk, GError **error)
{
    g_autoptr(FsnImage) a = fsn_image_open(repo, disk->image_a, error);
    g_autoptr(FsnImage) b = a ? fsn_image_open(repo, disk->image_b, error) : NULL;

    return b && fsn_image_diff(a, b, add_run, disk, error);
}

static bool
compare_memory(FsnRepo *repo, FsnDiffMemory *memory, GError **error)
{
    g_autoptr(FsnImage) a = fsn_image_open(repo, memory->image_a, error);
    g_autoptr(FsnImage) b = a ? fsn_image_open(repo, memory->image_b, error) : NULL;

    if (!b) {
        return false;
    }
    memory->pages = fsn_image_n_granules(b);
    return fsn_image_changed(a, b, &memory->changed, error);
}

FsnDiff *
fsn_diff_snapshots(FsnRepo *repo,
                   const char *a,
                   const char *b,
                   bool ranges,
                   char **out_a,
                   char **out_b,
                   GError **error)
{
    g_autoptr(JsonObject) manifest_a = NULL;
    g_autoptr(JsonObject) manifest_b = NULL;
    g_autoptr(FsnDiff) diff = NULL;

    if (!fsn_repo_load_manifest(repo, a, &manifest_a, error) ||
        !fsn_repo_load_manifest(repo, b, &manifest_b, error) ||
        !(diff = fsn_diff_plan(manifest_a, manifest_b, ranges, error))) {
        return NULL;
    }
    for (guint i = 0; i < diff->disks->len; i++) {
        FsnDiffDisk *disk = g_ptr_array_index(diff->disks, i);

        if (disk->match == FSN_DIFF_BOTH && !compare_disk(repo, disk, error)) {
            g_prefix_error(error, "disk '%.80s': ", disk->target);
            return NULL;
        }
    }
    if (diff->memory && diff->memory->match == FSN_DIFF_BOTH &&
        !compare_memory(repo, diff->memory, error)) {
        g_prefix_error(error, "memory: ");
        return NULL;
    }
    *out_a = g_strdup(fsn_json_peek_string(manifest_a, "id", ""));
    *out_b = g_strdup(fsn_json_peek_string(manifest_b, "id", ""));
    return g_steal_pointer(&diff);
}
