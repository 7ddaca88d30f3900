/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disks of any manifest: refused, or such that their names cannot lead out of a folder
 * and their sizes can be calculated with.
 */
#include "config.h"

#include "base/json.h"
#include "disk/stored-disk.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const FsnStoredDisk *disk)
{
    g_assert_cmpuint(strspn(disk->target, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS), ==,
                     strlen(disk->target));
    g_assert_true(!disk->image == (disk->skipped != NULL));
    if (disk->image) {
        g_assert_cmpuint(disk->size, >, 0);
        g_assert_cmpuint(disk->size, <=, FSN_STORED_DISK_MAX_SIZE);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(JsonObject) manifest = NULL;
    g_autoptr(GPtrArray) disks = NULL;

    if (!fsn_json_parse_object((const char *)data, size, 1 << 20, "manifest", &manifest,
                               NULL) ||
        !fsn_stored_disks_read(manifest, &disks, NULL)) {
        return 0;
    }
    for (guint i = 0; i < disks->len; i++) {
        const FsnStoredDisk *found = NULL;
        const FsnStoredDisk *disk = g_ptr_array_index(disks, i);

        check(disk);
        g_assert_cmpint(fsn_stored_disks_find(disks, disk->target, &found, NULL), ==,
                        disk->image != NULL);
        g_assert_true(!disk->image || found == disk);
    }
    return 0;
}
