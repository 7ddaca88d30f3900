/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which tiers a repository has. A tier's folder is marked by the subfolder that adding makes,
 * so that a disk that is not mounted is told from an empty one.
 */
#include "config.h"

#include "tier/registry.h"

#include "base/error.h"
#include "base/json.h"
#include "repo/repo-private.h"
#include "tier/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REF      "tiers"
#define MAX_JSON ((size_t)1 << 20)

void
fsn_tier_free(FsnTier *tier)
{
    if (tier) {
        g_free(tier->name);
        g_free(tier->folder);
        g_free(tier);
    }
}

static bool
name_is_valid(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

    return n > 0 && n <= FSN_TIER_MAX_NAME && name[n] == '\0';
}

static bool
parse_tier(JsonObject *object, FsnTier **out_tier, GError **error)
{
    g_autoptr(FsnTier) tier = g_new0(FsnTier, 1);
    const char *name, *folder;
    int64_t max_bytes;

    if (!fsn_json_get_string(object, "name", &name, error) ||
        !fsn_json_get_string(object, "folder", &folder, error) ||
        !fsn_json_get_int(object, "max_bytes", 0, G_MAXINT64, &max_bytes, error)) {
        return false;
    }
    if (!name_is_valid(name) || !g_path_is_absolute(folder)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%.80s' is no tier", name);
        return false;
    }
    tier->name = g_strdup(name);
    tier->folder = g_strdup(folder);
    tier->max_bytes = (uint64_t)max_bytes;
    tier->write_through = fsn_json_peek_bool(object, "write_through", false);
    tier->speed = (FsnTierSpeed){
        .write_bytes_per_s =
            (uint64_t)MAX(0, fsn_json_peek_int(object, "write_bytes_per_s", 0)),
        .write_latency_us = MAX(0, fsn_json_peek_int(object, "write_latency_us", 0)),
        .read_bytes_per_s =
            (uint64_t)MAX(0, fsn_json_peek_int(object, "read_bytes_per_s", 0)),
        .read_latency_us = MAX(0, fsn_json_peek_int(object, "read_latency_us", 0)),
    };
    *out_tier = g_steal_pointer(&tier);
    return true;
}

static int
compare_tiers(gconstpointer a, gconstpointer b)
{
    const FsnTier *x = *(const FsnTier *const *)a, *y = *(const FsnTier *const *)b;

    return (x->speed.read_latency_us > y->speed.read_latency_us) -
           (x->speed.read_latency_us < y->speed.read_latency_us);
}

static bool
parse_tiers(GBytes *bytes, GPtrArray *tiers, GError **error)
{
    g_autoptr(JsonObject) object = NULL;
    JsonArray *array;
    int64_t version;

    if (!fsn_json_parse_object(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                               MAX_JSON, "refs/" REF, &object, error) ||
        !fsn_json_get_int(object, "version", 1, 1, &version, error) ||
        !fsn_json_get_array(object, "tiers", &array, error)) {
        return false;
    }
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *element;
        FsnTier *tier;

        if (!fsn_json_get_element(array, i, &element, error) ||
            !parse_tier(element, &tier, error)) {
            return false;
        }
        g_ptr_array_add(tiers, tier);
    }
    g_ptr_array_sort(tiers, compare_tiers);
    return true;
}

bool
fsn_tiers_load(FsnRepo *repo, GPtrArray **out_tiers, GError **error)
{
    g_autoptr(GPtrArray) tiers =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_tier_free);
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) local = NULL;

    if (fsn_repo_get_ref(repo, REF, MAX_JSON, &bytes, &local)) {
        if (!parse_tiers(bytes, tiers, &local)) {
            g_propagate_prefixed_error(error, g_steal_pointer(&local),
                                       "cannot read the list of tiers: ");
            return false;
        }
    } else if (!g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    *out_tiers = g_steal_pointer(&tiers);
    return true;
}

static bool
save(FsnRepo *repo, GPtrArray *tiers, GError **error)
{
    g_autoptr(JsonObject) object = json_object_new();
    JsonArray *array = json_array_new();
    g_autofree char *text = NULL;

    json_object_set_int_member(object, "version", 1);
    json_object_set_array_member(object, "tiers", array);
    for (guint i = 0; i < tiers->len; i++) {
        const FsnTier *tier = g_ptr_array_index(tiers, i);
        const FsnTierSpeed *speed = &tier->speed;
        JsonObject *element = json_object_new();

        json_object_set_string_member(element, "name", tier->name);
        json_object_set_string_member(element, "folder", tier->folder);
        json_object_set_int_member(element, "max_bytes", (int64_t)tier->max_bytes);
        json_object_set_boolean_member(element, "write_through", tier->write_through);
        json_object_set_int_member(element, "write_bytes_per_s",
                                   (int64_t)speed->write_bytes_per_s);
        json_object_set_int_member(element, "write_latency_us", speed->write_latency_us);
        json_object_set_int_member(element, "read_bytes_per_s",
                                   (int64_t)speed->read_bytes_per_s);
        json_object_set_int_member(element, "read_latency_us", speed->read_latency_us);
        json_array_add_object_element(array, element);
    }
    text = fsn_json_to_text(object, true);
    return fsn_repo_put_ref(repo, REF, text, strlen(text), error);
}

FsnTier *
fsn_tiers_find(GPtrArray *tiers, const char *name, GError **error)
{
    for (guint i = 0; i < tiers->len; i++) {
        FsnTier *tier = g_ptr_array_index(tiers, i);

        if (strcmp(tier->name, name) == 0) {
            return tier;
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "there is no tier '%.80s'", name);
    return NULL;
}

char **
fsn_tiers_folders(GPtrArray *tiers)
{
    char **folders = g_new0(char *, tiers->len + 1);

    for (guint i = 0; i < tiers->len; i++) {
        folders[i] = g_strdup(((const FsnTier *)g_ptr_array_index(tiers, i))->folder);
    }
    return folders;
}

const FsnTier *
fsn_tiers_write_through(GPtrArray *tiers)
{
    for (guint i = 0; i < tiers->len; i++) {
        const FsnTier *tier = g_ptr_array_index(tiers, i);

        if (tier->write_through) {
            return tier;
        }
    }
    return NULL;
}

/* Is @path a repository, or below one? */
static bool
lies_in_repository(const char *path)
{
    g_autofree char *at = g_strdup(path);

    for (;;) {
        g_autofree char *superblock = g_build_filename(at, "superblock", NULL);
        g_autofree char *above = g_path_get_dirname(at);

        if (g_file_test(superblock, G_FILE_TEST_EXISTS)) {
            return true;
        }
        if (strcmp(above, at) == 0) {
            return false;
        }
        g_free(at);
        at = g_steal_pointer(&above);
    }
}

/* The real path of @folder, if it may become a tier. */
static char *
check_folder(GPtrArray *tiers, const char *name, const char *folder, GError **error)
{
    char *found;
    g_autofree char *real = NULL;

    if (!name_is_valid(name)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%.80s' cannot be a tier's name: use up to %d of a-z, 0-9, '-', '_'",
                    name, FSN_TIER_MAX_NAME);
        return NULL;
    }
    found = realpath(folder, NULL);
    if (!found) {
        fsn_set_errno(error, errno, "cannot use folder '%s'", folder);
        return NULL;
    }
    real = g_strdup(found);
    free(found);
    for (guint i = 0; i < tiers->len; i++) {
        const FsnTier *tier = g_ptr_array_index(tiers, i);

        if (strcmp(tier->name, name) == 0 || strcmp(tier->folder, real) == 0) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS,
                        "there is a tier '%s' already, in '%s'", tier->name,
                        tier->folder);
            return NULL;
        }
    }
    if (lies_in_repository(real)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "'%s' is or lies in a repository: give a folder outside", real);
        return NULL;
    }
    return g_steal_pointer(&real);
}

bool
fsn_tiers_add(FsnRepo *repo,
              const char *name,
              const char *folder,
              uint64_t max_bytes,
              bool write_through,
              FsnTier **out_tier,
              GError **error)
{
    g_autoptr(GPtrArray) tiers = NULL;
    g_autoptr(FsnTierFolder) copies = NULL;
    g_autofree char *real = NULL;
    FsnTierSpeed speed;
    FsnTier *tier;

    if (!fsn_tiers_load(repo, &tiers, error) ||
        !(real = check_folder(tiers, name, folder, error))) {
        return false;
    }
    if (tiers->len >= FSN_TIER_MAX_COUNT) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "there are %d tiers already",
                    FSN_TIER_MAX_COUNT);
        return false;
    }
    /* Measuring first shows whether it can be written. */
    if (!fsn_tier_measure(real, &speed, error) ||
        !(copies = fsn_tier_folder_open(real, fsn_repo_superblock(repo), true, error))) {
        return false;
    }
    tier = g_new0(FsnTier, 1);
    *tier = (FsnTier){ .name = g_strdup(name),
                       .folder = g_strdup(real),
                       .max_bytes = max_bytes,
                       .write_through = write_through,
                       .speed = speed };
    g_ptr_array_add(tiers, tier);
    if (!save(repo, tiers, error)) {
        return false;
    }
    *out_tier = g_ptr_array_steal_index(tiers, tiers->len - 1);
    return true;
}

static bool
purge(FsnRepo *repo, const FsnTier *tier, uint64_t *out_freed, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(FsnTierFolder) folder = fsn_tier_open(repo, tier, &local);
    g_autoptr(GPtrArray) entries = NULL;

    if (!folder) {
        if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return fsn_tier_folder_list(folder, &entries, out_freed, error) &&
           fsn_tier_folder_purge(folder, error);
}

bool
fsn_tiers_remove(FsnRepo *repo,
                 const char *name,
                 bool with_copies,
                 uint64_t *out_freed,
                 GError **error)
{
    g_autoptr(GPtrArray) tiers = NULL;
    FsnTier *tier;
    uint64_t freed = 0;

    if (!fsn_tiers_load(repo, &tiers, error) ||
        !(tier = fsn_tiers_find(tiers, name, error)) ||
        (with_copies && !purge(repo, tier, &freed, error))) {
        return false;
    }
    g_ptr_array_remove(tiers, tier);
    if (!save(repo, tiers, error)) {
        return false;
    }
    *out_freed = freed;
    return true;
}

bool
fsn_tiers_set_throughput(FsnRepo *repo,
                         const char *name,
                         uint64_t write_bytes_per_s,
                         GError **error)
{
    g_autoptr(GPtrArray) tiers = NULL;
    FsnTier *tier;

    if (!fsn_tiers_load(repo, &tiers, error) ||
        !(tier = fsn_tiers_find(tiers, name, error))) {
        return false;
    }
    tier->speed.write_bytes_per_s = write_bytes_per_s;
    return save(repo, tiers, error);
}

FsnTierFolder *
fsn_tier_open(FsnRepo *repo, const FsnTier *tier, GError **error)
{
    return fsn_tier_folder_open(tier->folder, fsn_repo_superblock(repo), false, error);
}

FsnRepo *
fsn_tiers_open_storing(const char *location, FsnRepoFlags flags, GError **error)
{
    g_autoptr(FsnRepo) repo = fsn_repo_open(location, flags, error);
    g_autoptr(GPtrArray) tiers = NULL;
    const FsnTier *tier;

    if (!repo || !fsn_tiers_load(repo, &tiers, NULL) ||
        !(tier = fsn_tiers_write_through(tiers))) {
        return g_steal_pointer(&repo);
    }
    return fsn_tier_open_repo_write_through(location, tier->folder, tier->max_bytes,
                                            error);
}
