/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Where a worker gets pages from. Whoever implements it has verified every byte that it
 * hands out: what comes from here goes to a guest. */
typedef struct FsnPageSource FsnPageSource;

/* @data is 4096 bytes, or NULL for zeros; valid during the call. */
typedef bool (*FsnPageEach)(gpointer user,
                            uint64_t granule,
                            const uint8_t *data,
                            GError **error);

typedef struct {
    /* Reads one granule into @out, which may be left alone if *@out_zero becomes true. */
    bool (*read)(FsnPageSource *source,
                 uint64_t granule,
                 uint8_t *out,
                 bool *out_zero,
                 GError **error);
    /* The working set in its order, in one pass; FSN_ERROR_NOT_FOUND if none is stored. */
    bool (*sequence)(FsnPageSource *source,
                     FsnPageEach each,
                     gpointer user,
                     GError **error);
    /* Another source of the same pages, for another thread. */
    FsnPageSource *(*dup)(FsnPageSource *source, GError **error);
    void (*free)(FsnPageSource *source);
} FsnPageSourceOps;

struct FsnPageSource {
    const FsnPageSourceOps *ops; /* first member of each implementation */
};

static inline void
fsn_page_source_free(FsnPageSource *source)
{
    if (source) {
        source->ops->free(source);
    }
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPageSource, fsn_page_source_free)

G_END_DECLS
