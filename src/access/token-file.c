/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of tokens: JSON, of which every byte is checked, and which nobody but its owner may
 * read.
 */
#include "config.h"

#include "access/token.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIME_MAX G_GINT64_CONSTANT(4102444800000000)

static JsonObject *
token_json(const FsnToken *token)
{
    JsonObject *object = json_object_new();
    g_autofree char *hash = fsn_hex(token->hash, FSN_SHA256_SIZE);

    json_object_set_string_member(object, "id", token->id);
    json_object_set_string_member(object, "name", token->name);
    json_object_set_string_member(object, "scope", fsn_scope_name(token->scope));
    fsn_json_add_string(object, "prefix", token->tenant.prefix);
    fsn_json_add_string(object, "tag", token->tenant.tag);
    json_object_set_int_member(object, "created_us", token->created_us);
    json_object_set_int_member(object, "expires_us", token->expires_us);
    json_object_set_string_member(object, "sha256", hash);
    return object;
}

char *
fsn_tokens_to_text(const GPtrArray *tokens)
{
    g_autoptr(JsonObject) document = json_object_new();
    JsonArray *array = json_array_new();

    for (guint i = 0; i < tokens->len; i++) {
        json_array_add_object_element(array, token_json(tokens->pdata[i]));
    }
    json_object_set_int_member(document, "version", 1);
    json_object_set_array_member(document, "tokens", array);
    return fsn_json_to_text(document, true);
}

static FsnToken *
parse_token(JsonObject *object, GError **error)
{
    g_autoptr(FsnToken) token = g_new0(FsnToken, 1);
    const char *id, *name, *scope, *hash;
    uint8_t bytes[8];

    if (!fsn_json_get_string(object, "id", &id, error) ||
        !fsn_json_get_string(object, "name", &name, error) ||
        !fsn_json_get_string(object, "scope", &scope, error) ||
        !fsn_json_get_string(object, "sha256", &hash, error) ||
        !fsn_json_get_int(object, "created_us", 0, TIME_MAX, &token->created_us, error) ||
        !fsn_json_get_int(object, "expires_us", 0, TIME_MAX, &token->expires_us, error) ||
        !fsn_scope_parse(scope, &token->scope, error)) {
        return NULL;
    }
    if (!fsn_unhex(id, bytes, sizeof(bytes)) ||
        !fsn_unhex(hash, token->hash, FSN_SHA256_SIZE) ||
        strlen(name) > FSN_TOKEN_NAME_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "a token is damaged");
        return NULL;
    }
    token->id = g_ascii_strdown(id, -1);
    token->name = g_strdup(name);
    /* A limit that is not understood must not be taken for none. */
    if (json_object_has_member(object, "prefix")) {
        const char *prefix;

        if (!fsn_json_get_string(object, "prefix", &prefix, error)) {
            return NULL;
        }
        token->tenant.prefix = g_strdup(prefix);
    }
    if (json_object_has_member(object, "tag")) {
        const char *tag;

        if (!fsn_json_get_string(object, "tag", &tag, error)) {
            return NULL;
        }
        token->tenant.tag = g_strdup(tag);
    }
    return g_steal_pointer(&token);
}

GPtrArray *
fsn_tokens_parse(const char *text, size_t len, GError **error)
{
    g_autoptr(GPtrArray) tokens =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_token_free);
    g_autoptr(JsonObject) document = NULL;
    JsonArray *array;
    int64_t version;

    if (!fsn_json_parse_object(text, len, FSN_TOKENS_FILE_MAX, "the file of tokens",
                               &document, error) ||
        !fsn_json_get_int(document, "version", 1, 1, &version, error) ||
        !fsn_json_get_array(document, "tokens", &array, error)) {
        return NULL;
    }
    if (json_array_get_length(array) > FSN_TOKENS_MAX) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "there are more than %d tokens",
                    FSN_TOKENS_MAX);
        return NULL;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *object;
        FsnToken *token = fsn_json_get_element(array, i, &object, error)
                              ? parse_token(object, error)
                              : NULL;

        if (!token) {
            return NULL;
        }
        g_ptr_array_add(tokens, token);
    }
    return g_steal_pointer(&tokens);
}

GPtrArray *
fsn_tokens_load(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    GPtrArray *tokens;
    struct stat st;

    if (stat(path, &st) != 0) {
        if (errno == ENOENT) {
            return g_ptr_array_new_with_free_func((GDestroyNotify)fsn_token_free);
        }
        (void)fsn_set_errno(error, errno, "cannot read '%s'", path);
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "'%s' may be read by others than its owner: chmod 600 it", path);
        return NULL;
    }
    if (!fsn_file_read(path, FSN_TOKENS_FILE_MAX, &bytes, error)) {
        return NULL;
    }
    tokens =
        fsn_tokens_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
    if (!tokens) {
        g_prefix_error(error, "'%s': ", path);
    }
    return tokens;
}

bool
fsn_tokens_save(const char *path, const GPtrArray *tokens, GError **error)
{
    g_autofree char *text = fsn_tokens_to_text(tokens);
    g_autofree char *folder = g_path_get_dirname(path);

    return fsn_mkdirs(folder, 0755, error) &&
           fsn_file_replace(path, text, strlen(text), 0600, error);
}

char *
fsn_tokens_default_path(void)
{
    const char *config = g_getenv("FORESNAP_CONFIG_DIR");

    if (config) {
        return g_build_filename(config, "tokens.json", NULL);
    }
    return geteuid() == 0 ? g_strdup(FSN_SYSCONFDIR "/foresnap/tokens.json")
                          : g_build_filename(g_get_user_config_dir(), "foresnap",
                                             "tokens.json", NULL);
}
