/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of a batch: UUID to snapshot id, as JSON. What was lost of it is not lost: the
 * suspend states are in the repository, only nobody brings them back by himself. */
#include "config.h"

#include "batch/record.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define FOLDER   "batch"
#define MAX_SIZE (16u << 20)
#define MAX_NAME 64

struct FsnBatchRecord {
    char *path;
    int lock_fd;
    GHashTable *domains; /* UUID → snapshot id */
};

static bool
check_name(const char *set, GError **error)
{
    size_t len = strlen(set);

    if (len == 0 || len > MAX_NAME || *set == '.' ||
        strspn(set, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.") != len) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' is no name for a set: letters, digits, '-', '_' and '.', at "
                    "most %d",
                    set, MAX_NAME);
        return false;
    }
    return true;
}

static bool
take_lock(FsnBatchRecord *record, const char *set, GError **error)
{
    g_autofree char *path = g_strconcat(record->path, ".lock", NULL);

    record->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (record->lock_fd < 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "cannot open '%s': %s", path,
                    g_strerror(errno));
        return false;
    }
    if (flock(record->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                    "another batch of set '%s' is under way", set);
        return false;
    }
    return true;
}

static bool
parse(FsnBatchRecord *record, GBytes *bytes, GError **error)
{
    g_autoptr(JsonObject) object = NULL;
    JsonObject *domains;
    JsonObjectIter iter;
    const char *uuid;
    JsonNode *node;
    int64_t version;
    size_t len;
    const char *text = g_bytes_get_data(bytes, &len);

    if (!fsn_json_parse_object(text, len, MAX_SIZE, "record", &object, error) ||
        !fsn_json_get_int(object, "version", 1, 1, &version, error) ||
        !fsn_json_get_object(object, "domains", &domains, error)) {
        return false;
    }
    json_object_iter_init(&iter, domains);
    while (json_object_iter_next(&iter, &uuid, &node)) {
        const char *id = fsn_json_peek_string(domains, uuid, NULL);

        if (id) {
            g_hash_table_insert(record->domains, g_strdup(uuid), g_strdup(id));
        }
    }
    return true;
}

static bool
read_file(FsnBatchRecord *record, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;

    if (!g_file_test(record->path, G_FILE_TEST_EXISTS)) {
        return true;
    }
    if (!fsn_file_read(record->path, MAX_SIZE, &bytes, error) ||
        !parse(record, bytes, error)) {
        g_prefix_error(error, "cannot read what was suspended ('%s'): ", record->path);
        return false;
    }
    return true;
}

FsnBatchRecord *
fsn_batch_record_open(const char *state_dir, const char *set, GError **error)
{
    g_autoptr(FsnBatchRecord) record = g_new0(FsnBatchRecord, 1);
    g_autofree char *folder = g_build_filename(state_dir, FOLDER, NULL);

    record->lock_fd = -1;
    record->path = g_build_filename(folder, set, NULL);
    record->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!check_name(set, error) || !fsn_mkdirs(folder, 0700, error) ||
        !take_lock(record, set, error) || !read_file(record, error)) {
        return NULL;
    }
    return g_steal_pointer(&record);
}

void
fsn_batch_record_free(FsnBatchRecord *record)
{
    if (!record) {
        return;
    }
    if (record->lock_fd >= 0) {
        close(record->lock_fd);
    }
    g_hash_table_unref(record->domains);
    g_free(record->path);
    g_free(record);
}

const char *
fsn_batch_record_get(const FsnBatchRecord *record, const char *uuid)
{
    return g_hash_table_lookup(record->domains, uuid);
}

static bool
write_file(FsnBatchRecord *record, GError **error)
{
    g_autoptr(JsonObject) object = json_object_new();
    JsonObject *domains = json_object_new();
    g_autofree char *text = NULL;
    GHashTableIter iter;
    gpointer uuid;
    gpointer id;

    g_hash_table_iter_init(&iter, record->domains);
    while (g_hash_table_iter_next(&iter, &uuid, &id)) {
        json_object_set_string_member(domains, uuid, id);
    }
    json_object_set_int_member(object, "version", 1);
    json_object_set_object_member(object, "domains", domains);
    text = fsn_json_to_text(object, true);
    return fsn_file_replace(record->path, text, strlen(text), 0600, error);
}

bool
fsn_batch_record_set(FsnBatchRecord *record,
                     const char *uuid,
                     const char *snapshot,
                     GError **error)
{
    g_hash_table_insert(record->domains, g_strdup(uuid), g_strdup(snapshot));
    return write_file(record, error);
}

bool
fsn_batch_record_forget(FsnBatchRecord *record, const char *uuid, GError **error)
{
    return !g_hash_table_remove(record->domains, uuid) || write_file(record, error);
}
