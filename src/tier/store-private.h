/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "blob/blob-private.h"
#include "tier/folder.h"
#include "tier/store.h"

G_BEGIN_DECLS

typedef struct {
    FsnBlobStore store;
    FsnBlobStore *behind;
    GPtrArray *folders; /* FsnTierFolder: to read from */
    gint dropped;       /* atomic */

    /* writing through */
    FsnTierFolder *through; /* null: not */
    uint64_t max_bytes;     /* 0: no limit */
    GMutex lock;
    uint64_t used;     /* bytes of all copies; guarded by lock, as the next two */
    GPtrArray *oldest; /* FsnTierEntry that may be evicted, least recently used first */
    guint next_to_evict;
} FsnTierStore;

/* The object @key: from a tier as far as that goes, else from behind. */
FsnBlob *fsn_tier_blob_open(FsnTierStore *store, const char *key, GError **error);

/* A writer behind that also makes a copy. */
FsnBlobWriter *fsn_tier_through_create(FsnTierStore *store,
                                       const char *key,
                                       GError **error);
/* Makes a copy of an object that is stored; what fails is counted as dropped. */
void fsn_tier_through_put(FsnTierStore *store,
                          const char *key,
                          const void *data,
                          size_t len);
/* Learns what copies there are. */
bool fsn_tier_through_start(FsnTierStore *store, GError **error);

G_END_DECLS
