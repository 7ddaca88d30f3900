/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks of snapshots. That a suspend state is used only once rests on the exclusive create
 * here; what the marks mean is decided elsewhere.
 */
#include "config.h"

#include "repo/marks.h"

#include "base/error.h"
#include "base/json.h"
#include "repo/repo-private.h"
#include "repofmt/envelope.h"

#include <string.h>

#define KIND     "mark"
#define MAX_WORD 32

static char *
mark_key(const char *id, const char *mark, GError **error)
{
    size_t len = strlen(mark);
    FsnId parsed;

    if (!fsn_id_parse(id, &parsed) || len < 1 || len > MAX_WORD ||
        strspn(mark, "abcdefghijklmnopqrstuvwxyz") != len) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%.80s' of '%.80s' cannot be marked", mark, id);
        return NULL;
    }
    return g_strconcat(FSN_DIR_MARKS "/", id, ".", mark, NULL);
}

bool
fsn_repo_mark_create(
    FsnRepo *repo, const char *id, const char *mark, JsonObject *body, GError **error)
{
    g_autofree char *key = mark_key(id, mark, error);
    g_autofree char *text = NULL;
    g_autoptr(GByteArray) bytes = NULL;
    FsnId writer;

    if (!key || !fsn_repo_begin_write(repo, &writer, error)) {
        return false;
    }
    text = fsn_json_to_text(body, false);
    bytes = fsn_envelope_build(KIND, text, strlen(text));
    return fsn_blob_put(fsn_repo_store(repo), key, bytes->data, bytes->len,
                        FSN_BLOB_CREATE, error);
}

bool
fsn_repo_mark_read(FsnRepo *repo,
                   const char *id,
                   const char *mark,
                   JsonObject **out_body,
                   GError **error)
{
    g_autofree char *key = mark_key(id, mark, error);
    g_autoptr(GBytes) bytes = NULL;
    const uint8_t *value;
    size_t len;

    return key && fsn_blob_get(fsn_repo_store(repo), key, FSN_MARK_MAX, &bytes, error) &&
           fsn_envelope_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                              KIND, key, &value, &len, error) &&
           fsn_json_parse_object((const char *)value, len, FSN_MARK_MAX, key, out_body,
                                 error);
}

bool
fsn_repo_mark_list(FsnRepo *repo, GHashTable **out_marks, GError **error)
{
    g_autoptr(GPtrArray) keys = NULL;
    GHashTable *marks;

    if (!fsn_blob_list(fsn_repo_store(repo), FSN_DIR_MARKS, &keys, error)) {
        return false;
    }
    marks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < keys->len; i++) {
        g_hash_table_add(marks, g_strdup((const char *)g_ptr_array_index(keys, i) +
                                         strlen(FSN_DIR_MARKS "/")));
    }
    *out_marks = marks;
    return true;
}

bool
fsn_repo_mark_remove(FsnRepo *repo, const char *id, const char *mark, GError **error)
{
    g_autofree char *key = mark_key(id, mark, error);
    FsnId writer;

    return key && fsn_repo_begin_write(repo, &writer, error) &&
           fsn_blob_remove(fsn_repo_store(repo), key, true, error);
}
