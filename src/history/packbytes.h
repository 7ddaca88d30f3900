/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "metrics/window.h"
#include "repofmt/codec.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* A pack is one metric of a domain over 288 windows in a row (a day of 5 minutes, or 12 days
 * of hours), most of which look like their neighbours:
 *   1    version (1)
 *   1    codec (0: none, 2: zstd)
 *        the following, compressed, 4896 bytes:
 *   288  cover of each window, 0 = nothing is known
 *   then the mean, min, max and p95 as floats of 14 significant bits, four times 288 × 4 bytes,
 *   the highest bytes of all first: each mean XOR the mean before, the others XOR the mean of
 *   the same window. */
#define FSN_PACKED_SLOTS    288
#define FSN_PACKED_MAX_SIZE (2 + FSN_PACKED_SLOTS * 17)

/* @windows has FSN_PACKED_SLOTS elements, those with cover 0 are not known. */
void fsn_packed_append(GByteArray *out, FsnCodecContext *codec, const FsnWindow *windows);
/* Fills all of @out_windows; total. */
bool fsn_packed_parse(const uint8_t *data,
                      size_t len,
                      FsnCodecContext *codec,
                      FsnWindow *out_windows) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
