/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/manifest.h"
#include "memory/precopy-out.h"
#include "repo/repo.h"

G_BEGIN_DECLS

/* All that an image of libvirt's is made of but the pages: read from the repository before
 * the image is made. The manifest it came from must outlive it. */
typedef struct {
    FsnManifestMemory memory;
    FsnImage *image;
    GBytes *head;
    GBytes *device_state;
    GBytes *description; /* NULL = none */
    GBytes *prefix;      /* libvirt's header and XML */
    char *xml;           /* the XML in it */
} FsnSaveParts;

void fsn_save_parts_clear(FsnSaveParts *parts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnSaveParts, fsn_save_parts_clear)

/* Says nothing about whether the state may be used. On error the caller clears too. */
bool fsn_save_parts_read(FsnRepo *repo,
                         JsonObject *manifest,
                         FsnSaveParts *parts,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Borrows from @parts. */
FsnPrecopySource fsn_save_parts_source(const FsnSaveParts *parts);

G_END_DECLS
