/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Profiles, their keys and what is wrong with them, as JSON. Pure. */
#include "config.h"

#include "api/profile-json.h"

#include "base/hash.h"
#include "base/json.h"
#include "policies/keyfile.h"

#include <string.h>

static char *
key_of_line(const FsnKeyfile *file, unsigned line)
{
    for (guint i = 0; i < file->items->len; i++) {
        const FsnKeyfileItem *item = file->items->pdata[i];

        if (item->line == line && item->key) {
            return g_strdup_printf("%s.%s", item->group, item->key);
        }
    }
    return NULL;
}

JsonArray *
fsn_api_problems_json(const GPtrArray *problems, const char *text)
{
    g_autoptr(FsnKeyfile) file = fsn_keyfile_parse(text, strlen(text));
    JsonArray *array = json_array_new();

    for (guint i = 0; i < problems->len; i++) {
        const FsnProfileProblem *problem = problems->pdata[i];
        g_autofree char *key = key_of_line(file, problem->line);
        JsonObject *object = json_object_new();

        json_object_set_int_member(object, "line", problem->line);
        fsn_json_set_string(object, "key", key);
        json_object_set_string_member(object, "message", problem->message);
        json_array_add_object_element(array, object);
    }
    return array;
}

JsonObject *
fsn_api_profile_keys_json(void)
{
    JsonObject *document = json_object_new();
    JsonArray *array = json_array_new();

    for (unsigned id = 0; id < FSN_N_PROFILE_KEYS; id++) {
        const FsnProfileKey *key = fsn_profile_key(id);
        g_autofree char *name = fsn_profile_key_name(id);
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "key", name);
        fsn_json_set_string(object, "group", key->group);
        fsn_json_set_string(object, "fallback", key->fallback);
        fsn_json_set_string(object, "doc", key->doc);
        json_array_add_object_element(array, object);
    }
    json_object_set_array_member(document, "keys", array);
    return document;
}

char *
fsn_api_profile_etag(const char *text)
{
    uint8_t hash[FSN_SHA256_SIZE];

    fsn_sha256(text, strlen(text), hash);
    return fsn_hex(hash, sizeof(hash));
}
