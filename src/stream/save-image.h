/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * What libvirt writes before the migration stream in a file of `virsh save`. Integers are in
 * the order of the writing host; only little-endian ones are read and written here.
 *
 *   offset size
 *        0   16  "LibvirtQemudSave" ("LibvirtQemudPart" while it is being written)
 *       16    4  version: 2
 *       20    4  data length D, from byte 92 on
 *       24    4  1 if the guest was running, else 0
 *       28    4  format: 0 raw; 1 gzip, 2 bzip2, 3 xz, 4 lzop, 5 zstd, 6 sparse are refused
 *       32    4  offset of the cookie C, from byte 92 on; 0 = none
 *       36   56  zeros
 *       92    D  domain XML, NUL [, at C: cookie XML, NUL], zeros
 *   92 + D       migration stream
 */
#define FSN_SAVE_IMAGE_HEADER_SIZE 92u
#define FSN_SAVE_IMAGE_MAX_DATA    (16u << 20) /* bytes of D; a guest's XML is some KiB */
#define FSN_SAVE_IMAGE_PADDING     65536u      /* as libvirt: room for a longer XML */

typedef struct {
    char *xml;
    char *cookie; /* NULL if there is none */
    bool was_running;
    uint64_t stream_offset; /* bytes from the start of the file */
} FsnSaveImage;

void fsn_save_image_free(FsnSaveImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnSaveImage, fsn_save_image_free)

/* Reads the first FSN_SAVE_IMAGE_HEADER_SIZE bytes of a file and says how many bytes
 * fsn_save_image_parse() needs. FSN_ERROR_FORMAT: no save image; FSN_ERROR_UNSUPPORTED: one
 * that is refused, by name. */
bool fsn_save_image_measure(const uint8_t *data,
                            size_t len,
                            size_t *out_need,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Parses a prefix of the file of at least that length. The caller frees *@out_image. */
bool fsn_save_image_parse(const uint8_t *data,
                          size_t len,
                          FsnSaveImage **out_image,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The <cpu> element in libvirt's cookie, which is "<cookie> <cpu …> … </cpu> …": what the
 * guest really had. NULL if there is none; the caller frees. */
char *fsn_save_image_cpu(const FsnSaveImage *image);

/* Whether these are at least the first 16 bytes of an image that libvirt still writes. */
bool fsn_save_image_is_unfinished(const uint8_t *data, size_t len);
/* Marks the header of such an image, of FSN_SAVE_IMAGE_HEADER_SIZE bytes, as finished. */
void fsn_save_image_mark_finished(uint8_t *header);

/* All bytes before the stream, padding included; @cookie may be NULL. FSN_ERROR_FORMAT if
 * the XML is empty or larger than FSN_SAVE_IMAGE_MAX_DATA. */
bool fsn_save_image_build(const char *xml,
                          const char *cookie,
                          bool was_running,
                          GBytes **out_bytes,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A guard: a valid image for libvirt without a stream, so that libvirt tries to restore it,
 * fails, and does not boot the domain cold. (A short header or the mark of an unfinished
 * image would be unlinked by libvirt, which then boots.) Exact length, no padding. */
bool fsn_save_image_build_stub(const char *xml, GBytes **out_bytes, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
