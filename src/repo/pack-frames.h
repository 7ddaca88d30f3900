/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "blob/blob.h"
#include "repofmt/pack.h"

G_BEGIN_DECLS

/* Reads and checks header and table of frames of the pack @blob; *out_frames (FsnPackFrame)
 * are all, also the removed ones. @out_header may be null. */
bool fsn_pack_read_frames(FsnBlob *blob,
                          uint8_t out_header[FSN_OBJECT_HEADER_SIZE],
                          GArray **out_frames,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
