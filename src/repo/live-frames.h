/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image.h"

G_BEGIN_DECLS

/* The frames that images need, by pack and offset. */
typedef struct FsnLiveFrames FsnLiveFrames;

FsnLiveFrames *fsn_live_frames_new(void);
void fsn_live_frames_free(FsnLiveFrames *live);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnLiveFrames, fsn_live_frames_free)

/* Adds all frames of @image; its whole index is read and verified, but what earlier images
 * had in common with it only once. */
bool fsn_live_frames_add(FsnLiveFrames *live, FsnImage *image, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether the frame at @offset of @pack is needed. */
bool fsn_live_frames_has(const FsnLiveFrames *live, const FsnId *pack, uint32_t offset);

/* Calls @each for all frames of @pack until it returns false, and then returns that. */
typedef bool (*FsnLiveFrameFunc)(gpointer user, uint32_t offset);
bool fsn_live_frames_each(const FsnLiveFrames *live,
                          const FsnId *pack,
                          FsnLiveFrameFunc each,
                          gpointer user);

G_END_DECLS
