/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/catalogue.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* How a snapshot is shown. Pure; a manifest that lacks a member shows less, never fails. */

/* What has become of a suspend state; of other kinds it is always ready. */
typedef enum {
    FSN_SNAPSHOT_READY,
    FSN_SNAPSHOT_RESUMING, /* claimed: somebody resumes it */
    FSN_SNAPSHOT_READ,     /* a lazy restore still reads it */
    FSN_SNAPSHOT_USED,     /* the guest has run since: it can never be resumed again */
} FsnSnapshotState;

/* "ready", "resuming" or "used". */
const char *fsn_snapshot_state_word(FsnSnapshotState state);

/* The element that list prints for @entry: "snapshot", "domain", "uuid", "kind", "name",
 * "created", "state", "parent", "profile", "memory_bytes", "disks", "bytes_logical",
 * "bytes_read", "bytes_changed", "bytes_stored". The caller unrefs. */
JsonObject *fsn_snapshot_summary(const FsnCatalogueEntry *entry, FsnSnapshotState state);

/* Does @entry belong to @domain, a name or a UUID? */
bool fsn_snapshot_is_of(const FsnCatalogueEntry *entry, const char *domain);

/* "pg on vda:1: quiesced, …": an element of "databases" of a manifest; the caller frees. */
char *fsn_database_text(JsonObject *database);

/* What show prints: lines "name: value". The caller frees. */
char *fsn_snapshot_text(JsonObject *manifest, FsnSnapshotState state);

G_END_DECLS
