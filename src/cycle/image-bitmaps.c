/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps in images that no QEMU has open. What is found decides, so that it may be repeated and
 * interrupted anywhere: two bitmaps that both record are no harm, only one too many.
 */
#include "config.h"

#include "cycle/image-bitmaps.h"

#include "cycle/instant-private.h"
#include "disk/qemu-img.h"

#include <string.h>

bool
fsn_image_keeps_bitmaps(const FsnDiskFacts *disk)
{
    return disk->source && g_strcmp0(disk->format, "qcow2") == 0 && !disk->readonly &&
           (g_strcmp0(disk->source_kind, "file") == 0 ||
            g_strcmp0(disk->source_kind, "block") == 0);
}

bool
fsn_image_bitmaps_settle(const char *path,
                         const char *repo,
                         const char *snapshot,
                         FsnSweep sweep,
                         GError **error)
{
    g_autofree char *own = fsn_instant_bitmap(repo, snapshot);
    g_autofree char *prefix = fsn_instant_bitmap(repo, "");
    g_auto(FsnImageInfo) info = { 0 };

    if (!fsn_qemu_img_info(path, "qcow2", &info, error)) {
        return false;
    }
    if (!fsn_image_info_bitmap(&info, own)) {
        return true;
    }
    for (guint i = 0; i < info.bitmaps->len; i++) {
        const FsnImageBitmap *bitmap = info.bitmaps->pdata[i];
        bool is_own = strcmp(bitmap->name, own) == 0;

        if (g_str_has_prefix(bitmap->name, prefix) &&
            is_own == (sweep == FSN_SWEEP_UNDO) &&
            !fsn_qemu_img_remove_bitmap(path, bitmap->name, error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_image_bitmaps_settle_all(const FsnDomainFacts *facts,
                             const char *repo,
                             const char *snapshot,
                             FsnSweep sweep,
                             GError **error)
{
    for (guint i = 0; i < facts->disks->len; i++) {
        const FsnDiskFacts *disk = facts->disks->pdata[i];

        if (fsn_image_keeps_bitmaps(disk) &&
            g_file_test(disk->source, G_FILE_TEST_EXISTS) &&
            !fsn_image_bitmaps_settle(disk->source, repo, snapshot, sweep, error)) {
            g_prefix_error(error, "disk '%s': ", disk->target);
            return false;
        }
    }
    return true;
}
