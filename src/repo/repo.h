/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "blob/blob.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* A repository of snapshots; foresnap-repository(5). Several processes may use one at once.
 * An FsnRepo may be used by several threads. What it wrote and no manifest names is spared
 * by garbage collection as long as it is open, so open one per operation; and open it after
 * a fork, not before: a thread of its own keeps its lease alive. */
typedef struct FsnRepo FsnRepo;

typedef enum {
    FSN_REPO_CREATE = 1,    /* make it if it is not there */
    FSN_REPO_READ_ONLY = 2, /* every write is FSN_ERROR_FAILED */
} FsnRepoFlags;

/* Opens the repository in folder @location (folders 0700). One that is not there is
 * FSN_ERROR_NOT_FOUND unless FSN_REPO_CREATE. */
FsnRepo *fsn_repo_open(const char *location, FsnRepoFlags flags, GError **error);
/* The same in any store, which is taken over (also on error). */
FsnRepo *fsn_repo_new(FsnBlobStore *store, FsnRepoFlags flags, GError **error);
void fsn_repo_free(FsnRepo *repo);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnRepo, fsn_repo_free)

/* Borrowed. */
FsnBlobStore *fsn_repo_store(FsnRepo *repo);
const char *fsn_repo_location(FsnRepo *repo);
/* Its id, 32 hex digits; the caller frees. */
char *fsn_repo_id(FsnRepo *repo);

/* Bytes that may still be stored. */
bool fsn_repo_space(FsnRepo *repo, uint64_t *out_free_bytes, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Small content-addressed objects (device state, XML, models): at most
 * FSN_REPO_MAX_OBJECT bytes, compressed if it pays, durable on return. *out_sha256 names
 * it; the caller frees. */
#define FSN_REPO_MAX_OBJECT ((size_t)1 << 30)
bool fsn_repo_put_object(FsnRepo *repo,
                         const void *data,
                         size_t len,
                         char **out_sha256,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Reads and verifies; more than @max bytes is FSN_ERROR_FORMAT. */
bool fsn_repo_get_object(FsnRepo *repo,
                         const char *sha256,
                         size_t max,
                         GBytes **out_bytes,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Small values that change, by name ("workingset/UUID": one or two words); durable, and
 * replaced as a whole. An absent one is FSN_ERROR_NOT_FOUND. */
#define FSN_REPO_MAX_REF ((size_t)64 << 20)
bool fsn_repo_put_ref(FsnRepo *repo,
                      const char *name,
                      const void *data,
                      size_t len,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_repo_get_ref(FsnRepo *repo,
                      const char *name,
                      size_t max,
                      GBytes **out_bytes,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_repo_remove_ref(FsnRepo *repo, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
