/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What lists of snapshots show and decide by: the few members of each manifest that matter
 * there. Reading 10,000 of them takes a fraction of what reading whole manifests does; all
 * are verified by their checksum all the same. */
typedef struct {
    char *id;
    char *kind;
    char *created; /* RFC 3339, UTC */
    char *domain;  /* name */
    char *uuid;
    char *parent; /* NULL = none, as for the next two */
    char *profile;
    char *name;
    int64_t created_us; /* real time, as exactly as known; G_MAXINT64: no time at all */
    uint64_t memory_bytes; /* of the guest's RAM */
    bool has_memory;       /* an image of it */
    GPtrArray *disks;      /* char*: targets of the disks that have an image */
    int64_t bytes_logical;
    int64_t bytes_read;
    int64_t bytes_changed;
    int64_t bytes_stored;
} FsnCatalogueEntry;

void fsn_catalogue_entry_free(FsnCatalogueEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnCatalogueEntry, fsn_catalogue_entry_free)

/* The entry of a manifest; members that it lacks are NULL or 0. Pure. */
FsnCatalogueEntry *fsn_catalogue_entry_new(JsonObject *manifest);

/* The same from the text of one, without building it; NULL if that takes the other way. */
FsnCatalogueEntry *fsn_catalogue_entry_scan(const char *text, size_t len);

/* Of all manifests (FsnCatalogueEntry*), newest first, and a message for each that cannot be
 * read. The caller unrefs both, which own their elements. */
bool fsn_repo_catalogue(FsnRepo *repo,
                        GPtrArray **out_entries,
                        GPtrArray **out_damaged,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
