/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The common face of all object stores: checks keys, then calls the back end. A key that
 * comes from a manifest or a command line can therefore never leave the store.
 */
#include "config.h"

#include "blob/blob-private.h"

#include "base/error.h"

#define MAX_KEY        240
#define MAX_COMPONENTS 6

static bool
check_key(const char *key, GError **error)
{
    unsigned components = 1;
    bool start = true;

    for (const char *p = key; *p; p++) {
        if (*p == '/' && !start && p[1]) {
            components++;
            start = true;
        } else if (g_ascii_isalnum(*p) ||
                   (!start && (*p == '.' || *p == '-' || *p == '_'))) {
            start = false;
        } else {
            components = MAX_COMPONENTS + 1;
            break;
        }
    }
    if (start || components > MAX_COMPONENTS || strlen(key) > MAX_KEY) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "'%.80s' is not a valid name",
                    key);
        return false;
    }
    return true;
}

bool
fsn_blob_set_not_found(FsnBlobStore *store, const char *key, GError **error)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "'%s' is not in '%s'", key,
                store->location);
    return false;
}

void
fsn_blob_store_free(FsnBlobStore *store)
{
    if (store) {
        g_free(store->location);
        store->ops->free(store);
    }
}

const char *
fsn_blob_store_location(FsnBlobStore *store)
{
    return store->location;
}

bool
fsn_blob_put(FsnBlobStore *store,
             const char *key,
             const void *data,
             size_t len,
             FsnBlobPutFlags flags,
             GError **error)
{
    return check_key(key, error) && store->ops->put(store, key, data, len, flags, error);
}

bool
fsn_blob_get(
    FsnBlobStore *store, const char *key, size_t max, GBytes **out_bytes, GError **error)
{
    g_autoptr(FsnBlob) blob = fsn_blob_open(store, key, error);
    g_autofree uint8_t *data = NULL;

    if (!blob) {
        return false;
    }
    if (blob->length > max) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "'%s' has %" G_GUINT64_FORMAT " bytes, more than the %zu allowed",
                    key, blob->length, max);
        return false;
    }
    data = g_try_malloc((size_t)blob->length + 1);
    if (!data) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "no memory to read '%s'", key);
        return false;
    }
    if (!fsn_blob_pread(blob, data, (size_t)blob->length, 0, error)) {
        return false;
    }
    *out_bytes = g_bytes_new_take(g_steal_pointer(&data), (size_t)blob->length);
    return true;
}

bool
fsn_blob_size(FsnBlobStore *store, const char *key, uint64_t *out_size, GError **error)
{
    return check_key(key, error) && store->ops->size(store, key, out_size, error);
}

bool
fsn_blob_remove(FsnBlobStore *store, const char *key, bool durable, GError **error)
{
    return check_key(key, error) && store->ops->remove(store, key, durable, error);
}

bool
fsn_blob_rename(FsnBlobStore *store, const char *from, const char *to, GError **error)
{
    return check_key(from, error) && check_key(to, error) &&
           store->ops->rename(store, from, to, error);
}

static int
compare_keys(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool
fsn_blob_list(FsnBlobStore *store,
              const char *prefix,
              GPtrArray **out_keys,
              GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;

    if (!check_key(prefix, error) || !store->ops->list(store, prefix, &keys, error)) {
        return false;
    }
    g_ptr_array_sort(keys, compare_keys);
    *out_keys = g_steal_pointer(&keys);
    return true;
}

bool
fsn_blob_space(FsnBlobStore *store, uint64_t *out_free, GError **error)
{
    return store->ops->space(store, out_free, error);
}

int
fsn_blob_scratch(FsnBlobStore *store, GError **error)
{
    return store->ops->scratch(store, error);
}

bool
fsn_blob_list_stale(FsnBlobStore *store, GPtrArray **out_keys, GError **error)
{
    return store->ops->list_stale(store, out_keys, error);
}

bool
fsn_blob_remove_stale(FsnBlobStore *store, const char *key, GError **error)
{
    return check_key(key, error) && store->ops->remove_stale(store, key, error);
}

FsnBlobWriter *
fsn_blob_create(FsnBlobStore *store, const char *key, GError **error)
{
    return check_key(key, error) ? store->ops->create(store, key, error) : NULL;
}

void
fsn_blob_writer_set_volatile(FsnBlobWriter *writer)
{
    writer->is_volatile = true;
}

bool
fsn_blob_append(FsnBlobWriter *writer, const void *data, size_t len, GError **error)
{
    return writer->ops->append(writer, data, len, error);
}

bool
fsn_blob_append_hole(FsnBlobWriter *writer, size_t len, GError **error)
{
    g_autofree uint8_t *zeroes = NULL;

    if (writer->ops->hole) {
        return writer->ops->hole(writer, len, error);
    }
    zeroes = g_malloc0(len);
    return writer->ops->append(writer, zeroes, len, error);
}

bool
fsn_blob_commit(FsnBlobWriter *writer, GError **error)
{
    return writer->ops->commit(writer, error);
}

void
fsn_blob_writer_free(FsnBlobWriter *writer)
{
    if (writer) {
        writer->ops->free(writer);
    }
}

FsnBlob *
fsn_blob_open(FsnBlobStore *store, const char *key, GError **error)
{
    return check_key(key, error) ? store->ops->open(store, key, error) : NULL;
}

const char *
fsn_blob_key(FsnBlob *blob)
{
    return blob->key;
}

uint64_t
fsn_blob_length(FsnBlob *blob)
{
    return blob->length;
}

bool
fsn_blob_pread(FsnBlob *blob, void *data, size_t len, uint64_t offset, GError **error)
{
    if (offset > blob->length || len > blob->length - offset) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                    "'%s' ends at %" G_GUINT64_FORMAT
                    ", but %zu bytes at %" G_GUINT64_FORMAT " are needed",
                    blob->key, blob->length, len, offset);
        return false;
    }
    return blob->ops->pread(blob, data, len, offset, error);
}

const uint8_t *
fsn_blob_map(FsnBlob *blob, GError **error)
{
    return blob->ops->map(blob, error);
}

void
fsn_blob_trim(FsnBlob *blob)
{
    if (blob->ops->trim) {
        blob->ops->trim(blob);
    }
}

void
fsn_blob_will_need(FsnBlob *blob, uint64_t offset, uint64_t len)
{
    if (blob->ops->will_need) {
        blob->ops->will_need(blob, offset, len);
    }
}

void
fsn_blob_free(FsnBlob *blob)
{
    if (blob) {
        g_free(blob->key);
        blob->ops->free(blob);
    }
}
