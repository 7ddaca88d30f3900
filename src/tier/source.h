/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/image.h"
#include "tier/folder.h"
#include "tier/plan.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Objects of a snapshot on their way to a tier: each is read from the repository, verified by
 * its own checksums, and handed on. */
typedef struct FsnTierSource FsnTierSource;

/* Of the memory of @manifest; @repo is borrowed. */
FsnTierSource *fsn_tier_source_new(FsnRepo *repo, JsonObject *manifest, GError **error);
void fsn_tier_source_free(FsnTierSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnTierSource, fsn_tier_source_free)

/* Asks the kernel to read ahead what is copied next; a hint. */
void fsn_tier_source_will_need(FsnTierSource *source, const FsnTierPart *part);

/* Verifies all of @part: what its SHA-256s, or for the working set those of the image, say.
 * An object that is missing, damaged or of another length than @part says is an error that
 * names it. */
bool fsn_tier_source_verify(FsnTierSource *source,
                            const FsnTierPart *part,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Hands on @part in chunks of at most FSN_TIER_CHUNK bytes. */
#define FSN_TIER_CHUNK ((size_t)256 << 10)
typedef bool (*FsnTierChunkFunc)(gpointer user,
                                 const void *data,
                                 size_t len,
                                 GError **error);
bool fsn_tier_source_read(FsnTierSource *source,
                          const FsnTierPart *part,
                          FsnTierChunkFunc each,
                          gpointer user,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
