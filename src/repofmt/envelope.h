/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Small values (manifests, marks, refs) in an envelope that a person can read:
 *   "foresnap KIND 1 INCOMPAT COMPAT\n"    KIND a word, feature bits as 8 hex digits
 *   the value
 *   "\nsha256 HEX\n"                       of all bytes before the newline that begins it */
#define FSN_ENVELOPE_MAX_KIND 16
#define FSN_ENVELOPE_TRAILER  73 /* bytes of the last line with both newlines */

GByteArray *fsn_envelope_build(const char *kind, const void *value, size_t len);

/* The value inside; *out_value points into @data. Damage is FSN_ERROR_CORRUPT, a newer
 * version or unknown incompatible feature FSN_ERROR_UNSUPPORTED. */
bool fsn_envelope_parse(const uint8_t *data,
                        size_t len,
                        const char *kind,
                        const char *what,
                        const uint8_t **out_value,
                        size_t *out_len,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
