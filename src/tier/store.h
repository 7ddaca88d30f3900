/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "blob/blob.h"
#include "repo/repo.h"

G_BEGIN_DECLS

/* A repository's store with fast tiers before it. */

/* For reading: what may have copies (folder.h) is read from the first of @folders (paths as
 * given to 'foresnap tier add', NULL-terminated) that has a whole copy, everything else from
 * @behind. A copy that is missing, damaged or unreadable, a folder that is not there or goes
 * away are the same to the caller: the bytes come from @behind then, also in the middle of
 * an object. A damaged copy is removed. Sizes, lists and everything that writes concern only
 * @behind, so that nothing in a tier can be taken for stored; removing an object removes its
 * copies too.
 *
 * A process that stores objects must not use this one, but the next: to find the same
 * object whole in a tier would hide that the one in the repository is damaged.
 *
 * Takes @behind, also on error; it must hold a repository. */
FsnBlobStore *fsn_tier_store_new(FsnBlobStore *behind,
                                 const char *const *folders,
                                 GError **error);

/* For writing: reads, and is in all else as, @behind; but of each object that may have
 * copies and is stored, a copy goes to @folder as well while it stays below @max_bytes (0:
 * no limit), for which the copies longest unused are evicted. What fails there fails
 * nothing; fsn_tier_store_dropped() tells how many objects got no copy. */
FsnBlobStore *fsn_tier_store_new_write_through(FsnBlobStore *behind,
                                               const char *folder,
                                               uint64_t max_bytes,
                                               GError **error);

/* Of a store made above: objects without a copy (writing), and copies that were found
 * damaged (reading). */
uint64_t fsn_tier_store_dropped(FsnBlobStore *store);

/* Opens the repository in folder @location with the stores above; @folders may be empty. */
FsnRepo *fsn_tier_open_repo(const char *location,
                            const char *const *folders,
                            FsnRepoFlags flags,
                            GError **error);
FsnRepo *fsn_tier_open_repo_write_through(const char *location,
                                          const char *folder,
                                          uint64_t max_bytes,
                                          GError **error);

G_END_DECLS
