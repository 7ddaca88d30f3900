/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POST /v1/domains/{domain}/preview: what a snapshot by a profile would capture, also by one that
 * is still being edited. The plan is that of `foresnap snapshot --dry-run`, made in a process that
 * sees a folder of profiles of its own, in which the edited one is already there.
 */
#include "config.h"

#include "api/private.h"

#include "base/error.h"
#include "base/files.h"
#include "cycle/profile-store.h"
#include "policies/keyfile.h"

#include <glib/gstdio.h>
#include <string.h>

/* Shared (g_atomic_rc_box) by the request and the thread that works for it, of which either may
 * end first. */
typedef struct {
    char *uuid;
    char *profile;
    char *text;   /* NULL: as it is saved */
    char *folder; /* goes with it; NULL: not made yet */
} Wanted;

static void
remove_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *entry;

    while (dir && (entry = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, entry, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            remove_folder(path);
        } else {
            (void)g_unlink(path); /* in the folder for temporary files */
        }
    }
    (void)g_rmdir(folder);
}

static void
wanted_clear(gpointer data)
{
    Wanted *wanted = data;

    if (wanted->folder) {
        remove_folder(wanted->folder);
    }
    g_free(wanted->uuid);
    g_free(wanted->profile);
    g_free(wanted->text);
    g_free(wanted->folder);
}

static void
wanted_release(gpointer data)
{
    g_atomic_rc_box_release_full(data, wanted_clear);
}

static bool
copy_profiles(const char *from, const char *to, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    const char *entry;

    while (dir && (entry = g_dir_read_name(dir)) != NULL) {
        g_autofree char *source = g_build_filename(from, entry, NULL);
        g_autofree char *target = g_build_filename(to, entry, NULL);
        g_autoptr(GBytes) bytes = NULL;

        if (g_str_has_suffix(entry, FSN_PROFILE_SUFFIX) &&
            fsn_file_read(source, FSN_KEYFILE_MAX, &bytes, NULL) &&
            !g_file_set_contents(target, g_bytes_get_data(bytes, NULL),
                                 (gssize)g_bytes_get_size(bytes), error)) {
            return false;
        }
    }
    return true;
}

/* In a thread; the document is empty. */
static JsonObject *
make_folder(gpointer data, GError **error)
{
    Wanted *wanted = data;
    g_autofree char *own = fsn_profile_folder(fsn_profile_own_origin());
    g_autofree char *profiles = NULL;
    g_autofree char *file = NULL;
    g_autofree char *path = NULL;

    wanted->folder = g_dir_make_tmp("foresnap-preview-XXXXXX", error);
    if (!wanted->folder) {
        return NULL;
    }
    profiles = g_build_filename(
        wanted->folder,
        fsn_profile_own_origin() == FSN_PROFILE_USER ? "foresnap/profiles" : "profiles",
        NULL);
    file = g_strconcat(wanted->profile, FSN_PROFILE_SUFFIX, NULL);
    path = g_build_filename(profiles, file, NULL);
    if (!fsn_mkdirs(profiles, 0700, error) ||
        (own && !copy_profiles(own, profiles, error)) ||
        (wanted->text && !g_file_set_contents(path, wanted->text, -1, error))) {
        return NULL;
    }
    return json_object_new();
}

static void
reply_plan(FsnApiRequest *request, JsonObject *document, GError *error)
{
    g_autoptr(JsonObject) plan = document;

    if (error) {
        fsn_api_reply_gerror(request, error);
    } else {
        fsn_api_reply_json(request, SOUP_STATUS_OK, plan);
    }
}

static void
run_plan(FsnApiRequest *request, JsonObject *document, GError *error)
{
    g_autoptr(JsonObject) owned = document;
    const Wanted *wanted = request->data;
    g_autofree char *option = NULL;
    const char *arguments[] = { "snapshot", "--dry-run", NULL, wanted->uuid, NULL };

    if (error) {
        fsn_api_reply_gerror(request, error);
        return;
    }
    option = g_strdup_printf("--profile=%s", wanted->profile);
    arguments[2] = option;
    fsn_api_run(request, arguments, wanted->folder, reply_plan);
}

static char *
body_text(FsnApiRequest *request, const char *name)
{
    JsonNode *node = json_object_get_member(request->body, name);

    return node && JSON_NODE_HOLDS_VALUE(node) &&
                   json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_dup_string(node)
               : NULL;
}

static void
preview(FsnApiRequest *request, FsnView *view, const FsnViewDomain *domain)
{
    static const FsnValueRule rule = { .type = FSN_VALUE_NAME };
    Wanted *wanted = g_atomic_rc_box_new0(Wanted);
    FsnValue value;

    wanted->uuid = g_strdup(domain->uuid);
    wanted->profile = body_text(request, "profile");
    wanted->text = body_text(request, "text");
    /* The request keeps it: two steps need it. */
    request->data_free(request->data);
    request->data = wanted;
    request->data_free = wanted_release;
    if (!wanted->profile || !fsn_value_parse(&rule, wanted->profile, &value, NULL) ||
        (wanted->text && strlen(wanted->text) > FSN_KEYFILE_MAX)) {
        fsn_api_reply_error(request, SOUP_STATUS_BAD_REQUEST, "usage",
                            "the body must name a 'profile', and may have its 'text'");
        return;
    }
    fsn_api_work_then(request, make_folder, g_atomic_rc_box_acquire(wanted),
                      wanted_release, run_plan);
}

void
fsn_api_post_domain_preview(FsnApiRequest *request)
{
    fsn_api_with_domain(request, preview);
}
