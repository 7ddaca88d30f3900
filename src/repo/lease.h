/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/id.h"
#include "blob/blob.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* How often a living writer renews its lease. */
#define FSN_LEASE_RENEW_US (5 * G_USEC_PER_SEC)

/* The sign of life of one writing process, renewed by a thread of its own and removed when
 * freed: host, boot and process, a counter, and the roots and objects it relies on. */
typedef struct FsnLease FsnLease;

FsnLease *fsn_lease_new(FsnBlobStore *store, GError **error);
void fsn_lease_free(FsnLease *lease);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnLease, fsn_lease_free)

FsnId fsn_lease_id(FsnLease *lease);

/* Adds "FOLDER/HEX" to what it protects; visible to others on return. */
bool fsn_lease_add(FsnLease *lease, const char *folder, const char *hex, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

typedef enum {
    FSN_LEASE_DEAD,    /* its process ran on this host and is gone */
    FSN_LEASE_ALIVE,   /* its process runs on this host */
    FSN_LEASE_UNKNOWN, /* another host or name space: alive while its counter moves */
} FsnLeaseLife;

/* Judges a lease by its contents. */
FsnLeaseLife fsn_lease_life(JsonObject *lease);

G_END_DECLS
