/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/id.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Every binary object of a repository begins with these 64 bytes, little-endian:
 *    0   8  magic
 *    8   4  version (1)
 *   12   4  incompatible feature bits: a reader that does not know one refuses the object
 *   16   4  compatible feature bits: a reader may ignore those it does not know
 *   20   4  zero
 *   24  16  id of the object, or zero
 *   40  16  id of the process that wrote it (its lease), or zero
 *   56   8  zero */
#define FSN_OBJECT_HEADER_SIZE 64
#define FSN_OBJECT_VERSION     1
#define FSN_MAGIC_SIZE         8

/* Incompatible features. Bit 0: a root may name segments that are holes as a whole. */
#define FSN_INCOMPAT_HOLE_SEGMENTS 0x1u
/* Bit 1: frames of a pack that nobody needs have been removed. */
#define FSN_INCOMPAT_THIN_PACK     0x2u

#define FSN_MAGIC_SUPERBLOCK "FSNSUPER"
#define FSN_MAGIC_PACK       "FSNPACK1"
#define FSN_MAGIC_BUNDLE     "FSNINDEX"
#define FSN_MAGIC_ROOT       "FSNROOT1"
#define FSN_MAGIC_SEQUENCE   "FSNSEQU1"

typedef struct {
    uint32_t incompat;
    uint32_t compat;
    FsnId id;
    FsnId writer;
} FsnObjectHeader;

/* Appends a header with @magic (8 characters). */
void fsn_object_header_append(GByteArray *out,
                              const char *magic,
                              const FsnObjectHeader *header);

/* Checks and reads the header at the start of @data. @what names the object. Too few bytes
 * or another magic is FSN_ERROR_CORRUPT; a newer version or an unknown incompatible
 * feature, named by its number, FSN_ERROR_UNSUPPORTED. */
bool fsn_object_header_parse(const uint8_t *data,
                             size_t len,
                             const char *magic,
                             const char *what,
                             FsnObjectHeader *out_header,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same, and the object must be the one with id @id. */
bool fsn_object_header_check(const uint8_t *data,
                             size_t len,
                             const char *magic,
                             const FsnId *id,
                             const char *what,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The SHA-256 of the first @len - 32 bytes stands in the last 32. */
void fsn_object_seal(GByteArray *object);
bool fsn_object_check_seal(const uint8_t *data,
                           size_t len,
                           const char *what,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sets FSN_ERROR_CORRUPT "'what' is damaged: …" and returns false. */
bool fsn_set_damaged(GError **error, const char *what, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

G_END_DECLS
