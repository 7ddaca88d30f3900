/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "blob/blob.h"

G_BEGIN_DECLS

/* What a back end implements; blob.h says what each must guarantee. Keys arrive valid. */
typedef struct {
    void (*free)(FsnBlobStore *store);
    bool (*put)(FsnBlobStore *store,
                const char *key,
                const void *data,
                size_t len,
                FsnBlobPutFlags flags,
                GError **error);
    bool (*size)(FsnBlobStore *store, const char *key, uint64_t *out, GError **error);
    bool (*remove)(FsnBlobStore *store, const char *key, bool durable, GError **error);
    bool (*rename)(FsnBlobStore *store, const char *from, const char *to, GError **error);
    bool (*list)(FsnBlobStore *store,
                 const char *prefix,
                 GPtrArray **out_keys,
                 GError **error);
    bool (*space)(FsnBlobStore *store, uint64_t *out_free, GError **error);
    int (*scratch)(FsnBlobStore *store, GError **error);
    bool (*list_stale)(FsnBlobStore *store, GPtrArray **out_keys, GError **error);
    bool (*remove_stale)(FsnBlobStore *store, const char *key, GError **error);
    FsnBlobWriter *(*create)(FsnBlobStore *store, const char *key, GError **error);
    FsnBlob *(*open)(FsnBlobStore *store, const char *key, GError **error);
} FsnBlobStoreOps;

typedef struct {
    bool (*append)(FsnBlobWriter *writer, const void *data, size_t len, GError **error);
    bool (*hole)(FsnBlobWriter *writer, size_t len, GError **error); /* may be null */
    bool (*commit)(FsnBlobWriter *writer, GError **error);
    void (*free)(FsnBlobWriter *writer); /* aborts unless committed */
} FsnBlobWriterOps;

typedef struct {
    bool (*pread)(FsnBlob *blob, void *data, size_t len, uint64_t offset, GError **error);
    const uint8_t *(*map)(FsnBlob *blob, GError **error);
    void (*trim)(FsnBlob *blob);                                     /* may be null */
    void (*will_need)(FsnBlob *blob, uint64_t offset, uint64_t len); /* may be null */
    void (*free)(FsnBlob *blob);
} FsnBlobOps;

/* First members of every back end's own structures. */
struct FsnBlobStore {
    const FsnBlobStoreOps *ops;
    char *location; /* owned; freed by fsn_blob_store_free() */
};

struct FsnBlobWriter {
    const FsnBlobWriterOps *ops;
    bool is_volatile; /* a commit need not wait for storage */
};

struct FsnBlob {
    const FsnBlobOps *ops;
    char *key; /* owned; freed by fsn_blob_free() */
    uint64_t length;
};

/* Sets the error for a key that is not there; returns false. */
bool fsn_blob_set_not_found(FsnBlobStore *store, const char *key, GError **error);

G_END_DECLS
