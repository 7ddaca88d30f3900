/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "blob/blob.h"
#include "repofmt/superblock.h"

G_BEGIN_DECLS

/* The copies that one repository has in one tier. They lie in FOLDER/foresnap-tier/ID below
 * the keys of the objects, ID being the repository's, so that repositories can share a
 * folder. A copy is whole or not there; none is durable, and each may vanish at any time.
 * May be used by several threads. */
#define FSN_TIER_SUBDIR "foresnap-tier"

typedef struct FsnTierFolder FsnTierFolder;

/* Without @create a folder that was not made a tier is FSN_ERROR_NOT_FOUND: an unmounted
 * disk must not be taken for an empty tier, and what lies below it be filled. @create makes
 * the subfolders, not @folder itself. */
FsnTierFolder *fsn_tier_folder_open(const char *folder,
                                    const FsnSuperblock *repository,
                                    bool create,
                                    GError **error);
void fsn_tier_folder_free(FsnTierFolder *folder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnTierFolder, fsn_tier_folder_free)

/* Path of the copies. */
const char *fsn_tier_folder_path(FsnTierFolder *folder);

/* Objects that never change under their key, and only these, may have copies: packs,
 * indexes, roots, objects and sequences. */
bool fsn_tier_key_may_be_copied(const char *key);

/* Reading. What does not match its hashes is FSN_ERROR_CORRUPT. */
typedef struct FsnTierCopy FsnTierCopy;
FsnTierCopy *fsn_tier_copy_open(FsnTierFolder *folder, const char *key, GError **error);
void fsn_tier_copy_free(FsnTierCopy *copy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnTierCopy, fsn_tier_copy_free)
/* Of the object, not of the file. */
uint64_t fsn_tier_copy_length(FsnTierCopy *copy);
/* Within the length; may be called from several threads. On error @data may hold
 * anything. */
bool fsn_tier_copy_pread(FsnTierCopy *copy,
                         void *data,
                         size_t len,
                         uint64_t offset,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
void fsn_tier_copy_will_need(FsnTierCopy *copy, uint64_t offset, uint64_t len);

/* Writing. The copy is there once it is committed; freeing the writer before leaves
 * nothing. */
typedef struct FsnTierCopyWriter FsnTierCopyWriter;
FsnTierCopyWriter *fsn_tier_copy_create(FsnTierFolder *folder,
                                        const char *key,
                                        GError **error);
bool fsn_tier_copy_append(FsnTierCopyWriter *writer,
                          const void *data,
                          size_t len,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_tier_copy_commit(FsnTierCopyWriter *writer, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void fsn_tier_copy_writer_free(FsnTierCopyWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnTierCopyWriter, fsn_tier_copy_writer_free)

/* All copies, in no order. */
typedef struct {
    char *key;
    uint64_t bytes;  /* that the copy takes */
    int64_t used_us; /* real time when it was last written or touched */
} FsnTierEntry;

bool fsn_tier_folder_list(FsnTierFolder *folder,
                          GPtrArray **out_entries,
                          uint64_t *out_bytes,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Says that @key is of use still; a hint. */
void fsn_tier_folder_touch(FsnTierFolder *folder, const char *key);
/* The result may be dropped: a copy that stays is checked again before it is used. */
bool fsn_tier_folder_remove(FsnTierFolder *folder, const char *key, GError **error);
/* Removes what writers that died have left. */
bool fsn_tier_folder_clean(FsnTierFolder *folder, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Removes all copies and the subfolders; nothing else. */
bool fsn_tier_folder_purge(FsnTierFolder *folder, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Bytes free in the file system. */
bool fsn_tier_folder_space(FsnTierFolder *folder, uint64_t *out_free, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
