/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Called with parts of 10,000 that are done. */
typedef void (*FsnQemuImgProgress)(uint64_t done, uint64_t total, gpointer user);

/* Writes what is read at @uri as a qcow2 image to @path, and syncs it. When cancelled
 * (FSN_ERROR_CANCELLED) qemu-img is ended and part of it may be there. */
bool fsn_qemu_img_to_qcow2(const char *uri,
                           const char *path,
                           GCancellable *cancellable,
                           FsnQemuImgProgress progress,
                           gpointer user,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds a persistent dirty bitmap that is recording, of 64 KiB per bit. */
bool fsn_qemu_img_add_bitmap(const char *path, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Removes it, in whatever state it is. */
bool fsn_qemu_img_remove_bitmap(const char *path, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Makes @path, which is there and empty, a qcow2 image of @size bytes with the bitmap @bitmap
 * (NULL: none) over the raw image @uri, which is not opened; synced. */
bool fsn_qemu_img_overlay(const char *path,
                          uint64_t size,
                          const char *bitmap,
                          const char *uri,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the file that is open as @fd an empty qcow2 image of @size bytes. */
bool fsn_qemu_img_create(int fd, uint64_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes that a guest sees of the image at @path, which is of @format (never guessed) and may
 * be in use. */
bool fsn_qemu_img_virtual_size(const char *path,
                               const char *format,
                               uint64_t *out_size,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A dirty bitmap that an image keeps. */
typedef struct {
    char *name;
    bool recording;    /* it is to record what is written */
    bool inconsistent; /* whoever had the image open did not end in good order */
} FsnImageBitmap;

typedef struct {
    uint64_t virtual_size;
    bool data_file;     /* its data is in a file of its own */
    GPtrArray *bitmaps; /* of FsnImageBitmap; never NULL */
} FsnImageInfo;

void fsn_image_info_clear(FsnImageInfo *info);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnImageInfo, fsn_image_info_clear)

/* The one called @name, NULL if there is none. */
const FsnImageBitmap *fsn_image_info_bitmap(const FsnImageInfo *info, const char *name);

/* What there is to know of an image, which may be in use; as above. The caller clears @out. */
bool fsn_qemu_img_info(const char *path,
                       const char *format,
                       FsnImageInfo *out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same from what "qemu-img info --output=json" prints. Pure. */
bool fsn_qemu_img_parse_info(const char *text,
                             size_t len,
                             FsnImageInfo *out,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The end of such a line of progress: parts of 10,000 in "    (12.34/100%)"; false if there
 * is none. Pure. */
bool fsn_qemu_img_parse_progress(const char *text, uint64_t *out_done);

G_END_DECLS
