/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* A store of named, mostly immutable objects. A key is one to six components of
 * [A-Za-z0-9._-] that do not begin with a dot, joined by '/'; anything else is
 * FSN_ERROR_USAGE. A key that is not there is FSN_ERROR_NOT_FOUND. Every function may be
 * called from several threads at once; a writer and an open object belong to one thread at
 * a time. */
typedef struct FsnBlobStore FsnBlobStore;
typedef struct FsnBlobWriter FsnBlobWriter;
typedef struct FsnBlob FsnBlob;

/* A folder on this host; with @create it and its parents are made (mode 0700). */
FsnBlobStore *fsn_blob_store_new_folder(const char *path, bool create, GError **error);
/* In memory, for tests. */
FsnBlobStore *fsn_blob_store_new_memory(void);
void fsn_blob_store_free(FsnBlobStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnBlobStore, fsn_blob_store_free)

/* The path or a name for messages. */
const char *fsn_blob_store_location(FsnBlobStore *store);

typedef enum {
    FSN_BLOB_REPLACE = 0,
    FSN_BLOB_CREATE = 1, /* FSN_ERROR_EXISTS if the key is taken; exactly one succeeds */
    FSN_BLOB_VOLATILE = 2, /* visible to others at once, but may be lost by a power cut */
} FsnBlobPutFlags;

/* Stores a small object: readers see it whole or not at all. Durable on return unless
 * FSN_BLOB_VOLATILE. */
bool fsn_blob_put(FsnBlobStore *store,
                  const char *key,
                  const void *data,
                  size_t len,
                  FsnBlobPutFlags flags,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads a whole object of at most @max bytes; a longer one is FSN_ERROR_FORMAT. */
bool fsn_blob_get(FsnBlobStore *store,
                  const char *key,
                  size_t max,
                  GBytes **out_bytes,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

bool fsn_blob_size(FsnBlobStore *store,
                   const char *key,
                   uint64_t *out_size,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes an object; true also if it was not there. Callers that clean up after a failure
 * may drop the result. */
bool fsn_blob_remove(FsnBlobStore *store, const char *key, bool durable, GError **error);

/* Renames over whatever @to was. Not durable by itself. */
bool fsn_blob_rename(FsnBlobStore *store,
                     const char *from,
                     const char *to,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All keys below the folder @prefix ("packs"), sorted; an absent folder is empty. The
 * caller frees the array, which owns its strings. */
bool fsn_blob_list(FsnBlobStore *store,
                   const char *prefix,
                   GPtrArray **out_keys,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes that may still be stored, as far as the store knows. */
bool fsn_blob_space(FsnBlobStore *store, uint64_t *out_free, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* A nameless temporary file, gone when closed; -1 on error. */
int fsn_blob_scratch(FsnBlobStore *store, GError **error);

/* Left-overs of writers that died. With @keys null, lists them into @out_keys; otherwise
 * removes those of @keys that are still left over. Two calls some time apart therefore
 * never hit a writer that is just starting. */
bool fsn_blob_list_stale(FsnBlobStore *store, GPtrArray **out_keys, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_blob_remove_stale(FsnBlobStore *store, const char *key, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Streaming: the object appears under @key when it is committed, durable. Freeing a writer
 * that was not committed leaves nothing. Writing to storage starts while data still comes
 * in, so that the commit has little left to wait for. */
FsnBlobWriter *fsn_blob_create(FsnBlobStore *store, const char *key, GError **error);
/* The object need not be durable when it is committed: a power cut may lose or garble it.
 * For copies that carry their own checksums. Before the first append. */
void fsn_blob_writer_set_volatile(FsnBlobWriter *writer);
bool fsn_blob_append(FsnBlobWriter *writer, const void *data, size_t len, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Appends @len zero bytes, which take no space where the store can do that. */
bool fsn_blob_append_hole(FsnBlobWriter *writer, size_t len, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_blob_commit(FsnBlobWriter *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void fsn_blob_writer_free(FsnBlobWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnBlobWriter, fsn_blob_writer_free)

/* Reading. @fsn_blob_pread reads exactly @len bytes or fails (FSN_ERROR_CORRUPT past the
 * end) and may be called from several threads. */
FsnBlob *fsn_blob_open(FsnBlobStore *store, const char *key, GError **error);
const char *fsn_blob_key(FsnBlob *blob);
uint64_t fsn_blob_length(FsnBlob *blob);
bool fsn_blob_pread(FsnBlob *blob,
                    void *data,
                    size_t len,
                    uint64_t offset,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The whole object in memory, mapped where the store can do that; valid until @blob is
 * freed. Null on error. */
const uint8_t *fsn_blob_map(FsnBlob *blob, GError **error);
/* Gives back the memory of a mapping that the kernel can read again. */
void fsn_blob_trim(FsnBlob *blob);
/* Hints that the first @len bytes from @offset will be read soon. */
void fsn_blob_will_need(FsnBlob *blob, uint64_t offset, uint64_t len);
void fsn_blob_free(FsnBlob *blob);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnBlob, fsn_blob_free)

G_END_DECLS
