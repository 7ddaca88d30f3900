/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /v1/profiles: what snapshots capture. A profile is changed as a whole, as text, by whoever has
 * seen what is there now: the ETag is its hash, and If-Match or If-None-Match must say so.
 */
#include "config.h"

#include "api/private.h"
#include "api/profile-json.h"

#include "base/error.h"
#include "cycle/profile-store.h"
#include "policies/keyfile.h"
#include "policies/profile-json.h"

#include <string.h>

/* Changes one after the other: between looking at what is there and writing nobody else does. */
static GMutex lock;

typedef struct {
    char *name;
    char *text;     /* NULL: it is not there, or is to be removed */
    char *if_match; /* "*" or an ETag without quotes; NULL */
    bool if_none;   /* only if it is not there */
} Change;

static void
change_free(gpointer data)
{
    Change *change = data;

    g_free(change->name);
    g_free(change->text);
    g_free(change->if_match);
    g_free(change);
}

static Change *
change_new(FsnApiRequest *request)
{
    Change *change = g_new0(Change, 1);

    change->name = g_strdup(request->parameters[0]);
    return change;
}

/* In a thread. */
static JsonObject *
list(gpointer data, GError **error)
{
    g_autoptr(FsnProfileSet) set = fsn_profiles_load(error);
    g_autoptr(GPtrArray) files = NULL;
    JsonObject *document;
    JsonArray *array;

    if (!set) {
        return NULL;
    }
    files = fsn_profile_set_list(set);
    document = json_object_new();
    array = json_array_new();
    for (guint i = 0; i < files->len; i++) {
        json_array_add_object_element(array, fsn_profile_file_json(set, files->pdata[i]));
    }
    json_object_set_array_member(document, "profiles", array);
    return document;
}

void
fsn_api_get_profiles(FsnApiRequest *request)
{
    fsn_api_work(request, list, NULL, NULL);
}

void
fsn_api_get_profile_keys(FsnApiRequest *request)
{
    g_autoptr(JsonObject) document = fsn_api_profile_keys_json();

    fsn_api_reply_json(request, SOUP_STATUS_OK, document);
}

/* The one that counts, as it is on disk; NULL with NOT_FOUND. */
static const FsnProfileFile *
find(const FsnProfileSet *set, const char *name, char **out_text, GError **error)
{
    const FsnProfileFile *file = fsn_profile_set_lookup(set, name);

    if (!file) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "there is no profile '%s'",
                    name);
        return NULL;
    }
    return fsn_profile_read(file, out_text, error) ? file : NULL;
}

/* In a thread. */
static JsonObject *
get(gpointer data, GError **error)
{
    const Change *change = data;
    g_autoptr(FsnProfileSet) set = fsn_profiles_load(error);
    g_autoptr(FsnProfile) profile = NULL;
    g_autoptr(GPtrArray) problems = NULL;
    g_autofree char *text = NULL;
    g_autofree char *etag = NULL;
    const FsnProfileFile *file = set ? find(set, change->name, &text, error) : NULL;
    JsonObject *document;

    if (!file) {
        return NULL;
    }
    document = fsn_profile_file_json(set, file);
    etag = fsn_api_profile_etag(text);
    json_object_set_string_member(document, "text", text);
    json_object_set_string_member(document, "etag", etag);
    json_object_set_boolean_member(document, "own",
                                   file->origin == fsn_profile_own_origin());
    problems = fsn_profile_set_check(set, file);
    json_object_set_array_member(document, "problems",
                                 fsn_api_problems_json(problems, text));
    profile = fsn_profile_set_resolve(set, change->name, NULL);
    if (profile) {
        json_object_set_array_member(document, "settings",
                                     fsn_profile_settings_json(profile));
    }
    return document;
}

static void
reply_profile(FsnApiRequest *request, JsonObject *document, GError *error)
{
    g_autoptr(JsonObject) owned = document;
    g_autofree char *quoted = NULL;

    if (error) {
        fsn_api_reply_gerror(request, error);
        return;
    }
    quoted = g_strdup_printf("\"%s\"", json_object_get_string_member(owned, "etag"));
    fsn_api_set_header(request, "ETag", quoted);
    fsn_api_reply_json(request, SOUP_STATUS_OK, owned);
}

void
fsn_api_get_profile(FsnApiRequest *request)
{
    fsn_api_work_then(request, get, change_new(request), change_free, reply_profile);
}

/* What the request says it has seen; false after a reply. */
static bool
read_conditions(FsnApiRequest *request, Change *change)
{
    SoupMessageHeaders *headers =
        soup_server_message_get_request_headers(request->message);
    const char *match = soup_message_headers_get_one(headers, "If-Match");
    const char *none = soup_message_headers_get_one(headers, "If-None-Match");

    if (match) {
        change->if_match = g_strdup(g_str_has_prefix(match, "W/") ? match + 2 : match);
        g_strdelimit(change->if_match, "\"", ' ');
        g_strstrip(change->if_match);
        return true;
    }
    if (g_strcmp0(none, "*") == 0) {
        change->if_none = true;
        return true;
    }
    change_free(change);
    fsn_api_reply_error(
        request, 428, "usage",
        "say what you have seen: If-Match with the ETag, or If-None-Match: * "
        "for a new one");
    return false;
}

/* With the lock: FSN_ERROR_STATE if what is there is not what was seen. */
static bool
check_conditions(const Change *change, GError **error)
{
    g_autoptr(FsnProfileSet) set = fsn_profiles_load(error);
    const FsnProfileFile *file = set ? fsn_profile_set_lookup(set, change->name) : NULL;
    g_autofree char *text = NULL;
    g_autofree char *etag = NULL;

    if (!set) {
        return false;
    }
    if (file && !fsn_profile_read(file, &text, error)) {
        return false;
    }
    etag = text ? fsn_api_profile_etag(text) : NULL;
    if (change->if_none ? file != NULL
                        : !file || (strcmp(change->if_match, "*") != 0 &&
                                    strcmp(change->if_match, etag) != 0)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    file ? "somebody else has changed profile '%s' meanwhile"
                         : "there is no profile '%s'",
                    change->name);
        return false;
    }
    return true;
}

/* In a thread: {"problems"} if it is not sound, else {"profile", "etag"}. */
static JsonObject *
put(gpointer data, GError **error)
{
    const Change *change = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    g_autoptr(GPtrArray) problems = NULL;
    g_autofree char *path = NULL;
    g_autofree char *etag = NULL;
    JsonObject *document;

    if (!check_conditions(change, error)) {
        return NULL;
    }
    problems = fsn_profile_try(change->name, change->text, error);
    if (!problems) {
        return NULL;
    }
    if (problems->len == 0 &&
        !fsn_profile_write(change->name, change->text, &path, error)) {
        return NULL;
    }
    document = json_object_new();
    json_object_set_string_member(document, "profile", change->name);
    if (problems->len > 0) {
        json_object_set_array_member(document, "problems",
                                     fsn_api_problems_json(problems, change->text));
        return document;
    }
    etag = fsn_api_profile_etag(change->text);
    json_object_set_string_member(document, "path", path);
    json_object_set_string_member(document, "etag", etag);
    return document;
}

/* As an error with the problems beside it. */
static void
reply_problems(FsnApiRequest *request, JsonObject *document)
{
    JsonObject *failure = json_object_new();

    json_object_set_string_member(failure, "code", "format");
    json_object_set_string_member(failure, "message", "the profile is not sound");
    json_object_set_object_member(document, "error", failure);
    fsn_api_reply_json(request, SOUP_STATUS_UNPROCESSABLE_ENTITY, document);
}

static void
reply_changed(FsnApiRequest *request, JsonObject *document, GError *error)
{
    g_autoptr(JsonObject) owned = document;
    g_autofree char *quoted = NULL;

    if (g_error_matches(error, FSN_ERROR, FSN_ERROR_STATE)) {
        fsn_api_reply_error(request, SOUP_STATUS_PRECONDITION_FAILED, "state", "%s",
                            error->message);
        g_error_free(error);
    } else if (error) {
        fsn_api_reply_gerror(request, error);
    } else if (json_object_has_member(owned, "problems")) {
        reply_problems(request, owned);
    } else {
        fsn_api_views_invalidate(request->api->views, NULL);
        if (json_object_has_member(owned, "etag")) {
            quoted =
                g_strdup_printf("\"%s\"", json_object_get_string_member(owned, "etag"));
            fsn_api_set_header(request, "ETag", quoted);
        }
        fsn_api_reply_json(request, SOUP_STATUS_OK, owned);
    }
}

/* The member "text" of the body; NULL after a reply. */
static const char *
body_text(FsnApiRequest *request)
{
    JsonNode *node = json_object_get_member(request->body, "text");
    const char *text = node && JSON_NODE_HOLDS_VALUE(node) &&
                               json_node_get_value_type(node) == G_TYPE_STRING
                           ? json_node_get_string(node)
                           : NULL;

    if (text && strlen(text) <= FSN_KEYFILE_MAX) {
        return text;
    }
    fsn_api_reply_error(request, SOUP_STATUS_BAD_REQUEST, "usage",
                        "the body must have a 'text' of at most 256 KiB");
    return NULL;
}

static bool
check_name(FsnApiRequest *request)
{
    static const FsnValueRule rule = { .type = FSN_VALUE_NAME };
    FsnValue value;
    GError *error = NULL;

    if (fsn_value_parse(&rule, request->parameters[0], &value, &error)) {
        return true;
    }
    fsn_api_reply_gerror(request, error);
    return false;
}

void
fsn_api_put_profile(FsnApiRequest *request)
{
    const char *text = check_name(request) ? body_text(request) : NULL;
    Change *change;

    if (!text) {
        return;
    }
    change = change_new(request);
    change->text = g_strdup(text);
    if (read_conditions(request, change)) {
        fsn_api_work_then(request, put, change, change_free, reply_changed);
    }
}

/* In a thread. */
static JsonObject *delete (gpointer data, GError **error)
{
    const Change *change = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    g_autofree char *path = NULL;
    JsonObject *document;

    if (!check_conditions(change, error) ||
        !fsn_profile_remove(change->name, &path, error)) {
        return NULL;
    }
    document = json_object_new();
    json_object_set_string_member(document, "profile", change->name);
    json_object_set_string_member(document, "path", path);
    return document;
}

void
fsn_api_delete_profile(FsnApiRequest *request)
{
    Change *change = check_name(request) ? change_new(request) : NULL;

    if (change && read_conditions(request, change)) {
        fsn_api_work_then(request, delete, change, change_free, reply_changed);
    }
}

/* In a thread. */
static JsonObject *
check(gpointer data, GError **error)
{
    const Change *change = data;
    g_autoptr(GPtrArray) problems = fsn_profile_try(change->name, change->text, error);
    JsonObject *document;

    if (!problems) {
        return NULL;
    }
    document = json_object_new();
    json_object_set_boolean_member(document, "sound", problems->len == 0);
    json_object_set_array_member(document, "problems",
                                 fsn_api_problems_json(problems, change->text));
    return document;
}

void
fsn_api_post_profile_check(FsnApiRequest *request)
{
    const char *text = check_name(request) ? body_text(request) : NULL;
    Change *change;

    if (text) {
        change = change_new(request);
        change->text = g_strdup(text);
        fsn_api_work(request, check, change, change_free);
    }
}
