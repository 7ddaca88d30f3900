/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
    uint64_t virtual_size; /* bytes that a guest sees */
} FsnDiskImageInfo;

/* Asks qemu-img about the image at @path, which is of @format (never guessed) and may be in
 * use. */
bool fsn_disk_image_info(const char *path,
                         const char *format,
                         FsnDiskImageInfo *out_info,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same from what qemu-img prints; pure. */
bool fsn_disk_image_info_parse(const char *text,
                               size_t len,
                               FsnDiskImageInfo *out_info,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
