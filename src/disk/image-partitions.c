/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The partition table of an image in the repository: of what is stored, and so the same
 * for the snapshot that is being made and for one of last year.
 */
#include "config.h"

#include "disk/image-partitions.h"

#include <string.h>

static bool
read_image(gpointer user, uint64_t offset, size_t len, uint8_t *out, GError **error)
{
    FsnImageReader *reader = user;
    uint8_t granule[FSN_GRANULE_SIZE];
    bool zero;

    while (len > 0) {
        size_t inside = offset % FSN_GRANULE_SIZE;
        size_t n = MIN(len, FSN_GRANULE_SIZE - inside);

        if (!fsn_image_reader_read(reader, offset / FSN_GRANULE_SIZE, granule, &zero,
                                   error)) {
            return false;
        }
        memcpy(out, granule + inside, n);
        out += n;
        offset += n;
        len -= n;
    }
    return true;
}

bool
fsn_image_partitions(FsnRepo *repo,
                     const char *root,
                     uint64_t size,
                     GPtrArray **out_partitions,
                     GError **error)
{
    g_autoptr(FsnImage) image = fsn_image_open(repo, root, error);
    g_autoptr(FsnImageReader) reader = NULL;

    if (!image) {
        return false;
    }
    reader = fsn_image_reader_new(image);
    size = MIN(size, fsn_image_n_granules(image) * FSN_GRANULE_SIZE);
    if (!fsn_partitions_find(read_image, reader, size, 0, out_partitions, error)) {
        g_prefix_error(error, "cannot look for partitions in the image: ");
        return false;
    }
    return true;
}
