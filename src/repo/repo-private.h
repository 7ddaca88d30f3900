/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "repo/repo.h"

#include "base/id.h"
#include "repofmt/superblock.h"

G_BEGIN_DECLS

/* Names of the folders of a repository. */
#define FSN_DIR_PACKS     "packs"
#define FSN_DIR_BUNDLES   "indexes"
#define FSN_DIR_ROOTS     "roots"
#define FSN_DIR_OBJECTS   "objects"
#define FSN_DIR_REFS      "refs"
#define FSN_DIR_MANIFESTS "manifests"
#define FSN_DIR_MARKS     "marks"
#define FSN_DIR_SEQUENCES "sequences"
#define FSN_DIR_LEASES    "leases"
#define FSN_DIR_THINNED   "thinned" /* which packs lack frames, or are about to */
#define FSN_DIR_ASIDE     "aside"   /* where garbage waits: aside/KEY */

const FsnSuperblock *fsn_repo_superblock(FsnRepo *repo);
/* Whether the stored superblock is still the one that was read when opening. */
bool fsn_repo_check_superblock(FsnRepo *repo, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "FOLDER/ab/abcdef…"; the caller frees. */
char *fsn_repo_key(const char *folder, const char *hex);
char *fsn_repo_id_key(const char *folder, const FsnId *id);

/* Fails if the repository is read-only; otherwise makes sure that this process holds a
 * lease, and returns the lease's id in @out_writer. */
bool fsn_repo_begin_write(FsnRepo *repo, FsnId *out_writer, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Names a root ("roots") or object ("objects") in the lease, so that collecting garbage
 * spares it and all it needs until a manifest names it or this process ends. */
bool fsn_repo_protect(FsnRepo *repo, const char *folder, const char *hex, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Remembers on which image the one with root @child was written ("" for none), and tells once:
 * null if it is not known, as that was not through @repo or it was told before. The caller
 * frees. */
void fsn_repo_set_parent(FsnRepo *repo, const char *child, const char *parent);
char *fsn_repo_take_parent(FsnRepo *repo, const char *child);

/* Open, read whole and look at objects also while they wait in aside/. */
FsnBlob *fsn_repo_open_blob(FsnRepo *repo, const char *key, GError **error);
bool fsn_repo_get_blob(FsnRepo *repo,
                       const char *key,
                       size_t max,
                       GBytes **out_bytes,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes sure that @key is there with @size bytes (UINT64_MAX: any), bringing it back from
 * aside/ if it waits there. Missing is FSN_ERROR_NOT_FOUND, another size
 * FSN_ERROR_CORRUPT. */
bool fsn_repo_ensure(FsnRepo *repo, const char *key, uint64_t size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
