/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of a domain's change map. It is a view and no record: what is lost with it is seen anew,
 * and rates are in the history. */
#include "config.h"

#include "cycle/changemap-kept.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cycle/policy.h"
#include "cycle/profile-store.h"
#include "heat/heat.h"
#include "heat/rows.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER    "changemaps"
#define SUFFIX    ".json"
#define MAX_TEXT  ((size_t)16 << 20)
/* Disks of which rows are kept. */
#define MAX_DISKS 32

struct FsnMapKept {
    char *path;
    GHashTable *rows; /* by key_of(), FsnHeatRows */
};

/* A disk of another size has its regions at other places. The caller frees. */
static char *
key_of(const char *target, uint64_t size)
{
    return g_strdup_printf("%s %" G_GUINT64_FORMAT, target, size);
}

static char *
key_of_json(JsonObject *disk)
{
    return key_of(fsn_json_peek_string(disk, "target", ""),
                  (uint64_t)MAX(fsn_json_peek_int(disk, "size", 0), 0));
}

static char *
key_of_map(const FsnHeatMap *heat)
{
    return key_of(fsn_heat_map_target(heat), fsn_heat_map_size(heat));
}

static char *
path_of(const char *state_dir, const char *uuid)
{
    return g_strdup_printf("%s/" FOLDER "/%s" SUFFIX, state_dir, uuid);
}

static JsonObject *
read_document(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    JsonObject *document;
    const char *text;
    size_t len;

    if (!fsn_file_read(path, MAX_TEXT, &bytes, error)) {
        return NULL;
    }
    text = g_bytes_get_data(bytes, &len);
    return fsn_json_parse_object(text ? text : "", len, MAX_TEXT, "change map", &document,
                                 error)
               ? document
               : NULL;
}

static void
take_rows(FsnMapKept *self, JsonObject *document)
{
    JsonArray *disks;

    if (!fsn_json_get_array(document, "disks", &disks, NULL)) {
        return;
    }
    for (guint i = 0; i < MIN(json_array_get_length(disks), MAX_DISKS); i++) {
        JsonObject *disk, *heat;
        FsnHeatRows *rows;

        if (fsn_json_get_element(disks, i, &disk, NULL) &&
            fsn_json_get_object(disk, "heat", &heat, NULL) &&
            (rows = fsn_heat_rows_from_json(heat, NULL)) != NULL) {
            g_hash_table_replace(self->rows, key_of_json(disk), rows);
        }
    }
}

FsnMapKept *
fsn_map_kept_new(const char *state_dir, const char *uuid)
{
    FsnMapKept *self = g_new0(FsnMapKept, 1);
    g_autoptr(JsonObject) document = NULL;

    self->path = path_of(state_dir, uuid);
    self->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify)fsn_heat_rows_free);
    document = read_document(self->path, NULL);
    if (document) {
        take_rows(self, document);
    }
    return self;
}

void
fsn_map_kept_free(FsnMapKept *self)
{
    if (self) {
        g_hash_table_unref(self->rows);
        g_free(self->path);
        g_free(self);
    }
}

static void
add_disk(FsnMapKept *self, const FsnHeatMap *heat, int64_t now_us, int64_t length_us)
{
    g_autofree char *key = key_of_map(heat);
    unsigned n = fsn_heat_map_n_regions(heat);
    g_autofree double *rates = g_new(double, n);
    FsnHeatRows *rows = g_hash_table_lookup(self->rows, key);

    if (!rows || fsn_heat_rows_regions(rows) != n) {
        rows = fsn_heat_rows_new(n);
        g_hash_table_replace(self->rows, g_strdup(key), rows);
    }
    for (unsigned i = 0; i < n; i++) {
        rates[i] = fsn_heat_map_last(heat, i);
    }
    fsn_heat_rows_add(rows, now_us, length_us, rates);
}

static gboolean
is_gone(gpointer key, gpointer rows, gpointer disks)
{
    GPtrArray *maps = disks;

    for (guint i = 0; i < maps->len; i++) {
        g_autofree char *there = key_of_map(maps->pdata[i]);

        if (g_str_equal(there, key)) {
            return FALSE;
        }
    }
    return TRUE;
}

void
fsn_map_kept_add(FsnMapKept *self, GPtrArray *disks, int64_t now_us, int64_t length_us)
{
    g_hash_table_foreach_remove(self->rows, is_gone, disks);
    for (guint i = 0; i < MIN(disks->len, MAX_DISKS); i++) {
        const FsnHeatMap *heat = disks->pdata[i];

        /* Statistics alone tell of no places. */
        if (fsn_heat_map_disk(heat)->bytes_per_s >= 0) {
            add_disk(self, heat, now_us, length_us);
        }
    }
}

void
fsn_map_kept_fill(const FsnMapKept *self, JsonObject *document, int64_t now_us)
{
    g_autofree char *time = fsn_rfc3339(now_us);
    JsonArray *disks;

    json_object_set_string_member(document, "kept", time);
    if (!fsn_json_get_array(document, "disks", &disks, NULL)) {
        return;
    }
    for (guint i = 0; i < json_array_get_length(disks); i++) {
        JsonObject *disk = json_array_get_object_element(disks, i);
        g_autofree char *key = key_of_json(disk);
        FsnHeatRows *rows = g_hash_table_lookup(self->rows, key);

        if (rows) {
            json_object_set_object_member(disk, "heat", fsn_heat_rows_to_json(rows));
        }
    }
}

bool
fsn_map_kept_save(FsnMapKept *self, JsonObject *document, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(self->path);
    g_autofree char *text = fsn_json_to_text(document, false);

    return fsn_mkdirs(folder, 0700, error) &&
           fsn_file_replace(self->path, text, strlen(text), 0600, error);
}

JsonObject *
fsn_map_kept_load(const char *state_dir, const char *uuid, GError **error)
{
    g_autofree char *path = path_of(state_dir, uuid);
    g_autoptr(GError) local = NULL;
    JsonObject *document = read_document(path, &local);

    if (document) {
        return document;
    }
    if (g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND,
                    "no change map of it is kept: its profile asks for one with "
                    "changemap.enabled=yes");
    } else {
        g_propagate_error(error, g_steal_pointer(&local));
    }
    return NULL;
}

static int64_t
modified_us(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_mtim.tv_sec * G_USEC_PER_SEC : 0;
}

int64_t
fsn_map_kept_time_us(const char *state_dir, const char *uuid)
{
    g_autofree char *path = path_of(state_dir, uuid);

    return modified_us(path);
}

void
fsn_map_kept_forget(const char *state_dir, int64_t before_us)
{
    g_autofree char *folder = g_build_filename(state_dir, FOLDER, NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);

        if (g_str_has_suffix(name, SUFFIX) && modified_us(path) < before_us) {
            (void)g_unlink(path); /* tried again the next time */
        }
    }
}

static bool
asks(FsnVirtDomain *domain, const FsnProfileSet *profiles)
{
    g_autoptr(FsnPolicy) policy = NULL;
    FsnVirtStatus status;

    /* One that goes meanwhile asks for nothing. */
    if (!fsn_virt_domain_status(domain, &status, NULL) ||
        (status.state != FSN_VIRT_RUNNING && status.state != FSN_VIRT_PAUSED)) {
        return false;
    }
    policy = fsn_policy_load(domain, profiles, NULL);
    return policy && fsn_profile_number(policy->profile, FSN_KEY_CHANGEMAP_ENABLED) != 0;
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    const FsnVirtDomain *const *first = a;
    const FsnVirtDomain *const *second = b;

    return strcmp(fsn_virt_domain_name(*first), fsn_virt_domain_name(*second));
}

bool
fsn_changemap_wanted(FsnCycle *cycle, JsonArray **out_domains, GError **error)
{
    g_autoptr(FsnProfileSet) profiles = fsn_profiles_load(error);
    FsnVirt *virt = profiles ? fsn_cycle_virt(cycle, error) : NULL;
    g_autoptr(GPtrArray) domains = NULL;
    JsonArray *array;

    if (!virt || !fsn_virt_list(virt, &domains, error)) {
        return false;
    }
    g_ptr_array_sort(domains, by_name);
    array = json_array_new();
    for (guint i = 0; i < domains->len; i++) {
        FsnVirtDomain *domain = domains->pdata[i];
        JsonObject *object;

        if (asks(domain, profiles)) {
            object = json_object_new();
            json_object_set_string_member(object, "domain", fsn_virt_domain_name(domain));
            json_object_set_string_member(object, "uuid", fsn_virt_domain_uuid(domain));
            json_array_add_object_element(array, object);
        }
    }
    *out_domains = array;
    return true;
}
