/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The catalogue. Each manifest is read and its checksum verified, then scanned for the
 * members that are wanted. A text that the scanner declines goes the long way, so that what
 * is listed never depends on which way was taken. There is no cache: nothing can be stale.
 */
#include "config.h"

#include "repo/catalogue.h"

#include "base/id.h"
#include "base/json-scan.h"
#include "base/json.h"
#include "repo/manifests-private.h"

#include <string.h>

void
fsn_catalogue_entry_free(FsnCatalogueEntry *entry)
{
    if (entry) {
        g_free(entry->id);
        g_free(entry->kind);
        g_free(entry->created);
        g_free(entry->domain);
        g_free(entry->uuid);
        g_free(entry->parent);
        g_free(entry->profile);
        g_free(entry->name);
        g_ptr_array_unref(entry->disks);
        g_free(entry);
    }
}

static FsnCatalogueEntry *
entry_new(void)
{
    FsnCatalogueEntry *entry = g_new0(FsnCatalogueEntry, 1);

    entry->disks = g_ptr_array_new_with_free_func(g_free);
    return entry;
}

/* Two digits at @p, or -1. */
static int
two_digits(const char *p)
{
    return g_ascii_isdigit(p[0]) && g_ascii_isdigit(p[1])
               ? (p[0] - '0') * 10 + (p[1] - '0')
               : -1;
}

/* Seconds since 1970 of the only form that is written, "2026-01-02T03:04:05Z". Days from the
 * civil calendar as in H. Hinnant, "chrono-compatible low-level date algorithms". */
static bool
parse_seconds(const char *text, int64_t *out_seconds)
{
    int century, year, month, day, hour, minute, second;
    int64_t y, era, doy;

    if (strlen(text) != strlen("2026-01-02T03:04:05Z") || text[4] != '-' ||
        text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
        text[19] != 'Z') {
        return false;
    }
    century = two_digits(text);
    year = two_digits(text + 2);
    month = two_digits(text + 5);
    day = two_digits(text + 8);
    hour = two_digits(text + 11);
    minute = two_digits(text + 14);
    second = two_digits(text + 17);
    if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1 || day > 31 ||
        hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
        return false;
    }
    y = century * 100 + year - (month <= 2);
    era = y / 400;
    doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    y -= era * 400;
    *out_seconds = (era * 146097 + y * 365 + y / 4 - y / 100 + doy - 719468) * 86400 +
                   hour * 3600 + minute * 60 + second;
    return true;
}

/* @exact is the member "created_us", which counts if it agrees with the text. */
static void
set_time(FsnCatalogueEntry *entry, int64_t exact)
{
    int64_t seconds;

    if (!entry->created || !parse_seconds(entry->created, &seconds)) {
        entry->created_us = G_MAXINT64;
    } else if (exact > 0 && exact / G_USEC_PER_SEC == seconds) {
        entry->created_us = exact;
    } else {
        entry->created_us = seconds * G_USEC_PER_SEC;
    }
}

static JsonObject *
peek_object(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static JsonArray *
peek_array(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static char *
dup_member(JsonObject *object, const char *name)
{
    return object ? g_strdup(fsn_json_peek_string(object, name, NULL)) : NULL;
}

static int64_t
bytes_member(JsonObject *manifest, const char *name)
{
    JsonObject *bytes = peek_object(manifest, "bytes");

    return bytes ? fsn_json_peek_int(bytes, name, 0) : 0;
}

static void
take_memory(FsnCatalogueEntry *entry, JsonObject *memory)
{
    JsonArray *blocks = peek_array(memory, "blocks");

    entry->has_memory = memory && fsn_json_peek_string(memory, "image", NULL);
    for (guint i = 0; blocks && i < json_array_get_length(blocks); i++) {
        JsonObject *block;

        if (fsn_json_get_element(blocks, i, &block, NULL)) {
            entry->memory_bytes +=
                (uint64_t)MAX(fsn_json_peek_int(block, "length", 0), 0);
        }
    }
}

static void
take_disks(FsnCatalogueEntry *entry, JsonArray *disks)
{
    for (guint i = 0; disks && i < json_array_get_length(disks); i++) {
        JsonObject *disk;
        const char *target;

        if (fsn_json_get_element(disks, i, &disk, NULL) &&
            fsn_json_peek_string(disk, "image", NULL) &&
            (target = fsn_json_peek_string(disk, "target", NULL))) {
            g_ptr_array_add(entry->disks, g_strdup(target));
        }
    }
}

FsnCatalogueEntry *
fsn_catalogue_entry_new(JsonObject *manifest)
{
    FsnCatalogueEntry *entry = entry_new();
    JsonObject *domain = peek_object(manifest, "domain");

    entry->id = dup_member(manifest, "id");
    entry->kind = dup_member(manifest, "kind");
    entry->created = dup_member(manifest, "created");
    entry->domain = dup_member(domain, "name");
    entry->uuid = dup_member(domain, "uuid");
    entry->parent = dup_member(manifest, "parent");
    entry->profile = dup_member(manifest, "profile");
    entry->name = dup_member(manifest, "name");
    take_memory(entry, peek_object(manifest, "memory"));
    take_disks(entry, peek_array(manifest, "disks"));
    entry->bytes_logical = bytes_member(manifest, "logical");
    entry->bytes_read = bytes_member(manifest, "read");
    entry->bytes_changed = bytes_member(manifest, "changed");
    entry->bytes_stored = bytes_member(manifest, "stored");
    set_time(entry, fsn_json_peek_int(manifest, "created_us", 0));
    return entry;
}

/* A member whose value is wanted, as text or as a number. */
typedef struct {
    const char *name;
    char **text;
    int64_t *number;
} Wanted;

static const Wanted *
find_wanted(const Wanted *wanted, const char *name, size_t len)
{
    for (; wanted->name; wanted++) {
        if (strlen(wanted->name) == len && memcmp(wanted->name, name, len) == 0) {
            return wanted;
        }
    }
    return NULL;
}

static void
scan_wanted(FsnJsonScan *scan, const Wanted *wanted)
{
    if (!wanted) {
        fsn_json_scan_skip(scan);
    } else if (wanted->text) {
        fsn_json_scan_string(scan, wanted->text);
    } else {
        *wanted->number = 0;
        fsn_json_scan_int(scan, wanted->number);
    }
}

/* Takes the members @wanted of an object; anything else than an object has none of them. */
static void
scan_object(FsnJsonScan *scan, const Wanted *wanted)
{
    const char *name;
    size_t len;

    if (!fsn_json_scan_is(scan, '{')) {
        fsn_json_scan_skip(scan);
        return;
    }
    (void)fsn_json_scan_object(scan);
    while (fsn_json_scan_member(scan, &name, &len)) {
        scan_wanted(scan, find_wanted(wanted, name, len));
    }
}

static void
scan_blocks(FsnJsonScan *scan, FsnCatalogueEntry *entry)
{
    entry->memory_bytes = 0;
    if (!fsn_json_scan_is(scan, '[')) {
        fsn_json_scan_skip(scan);
        return;
    }
    (void)fsn_json_scan_array(scan);
    while (fsn_json_scan_element(scan)) {
        int64_t length = 0;

        scan_object(scan, (const Wanted[]){ { "length", NULL, &length }, { 0 } });
        entry->memory_bytes += (uint64_t)MAX(length, 0);
    }
}

static void
scan_memory(FsnJsonScan *scan, FsnCatalogueEntry *entry)
{
    const char *name;
    size_t len;

    entry->has_memory = false;
    entry->memory_bytes = 0;
    if (!fsn_json_scan_is(scan, '{')) {
        fsn_json_scan_skip(scan);
        return;
    }
    (void)fsn_json_scan_object(scan);
    while (fsn_json_scan_member(scan, &name, &len)) {
        if (len == 6 && memcmp(name, "blocks", 6) == 0) {
            scan_blocks(scan, entry);
        } else if (len == 5 && memcmp(name, "image", 5) == 0) {
            entry->has_memory = fsn_json_scan_is(scan, '"');
            fsn_json_scan_skip(scan);
        } else {
            fsn_json_scan_skip(scan);
        }
    }
}

static void
scan_disks(FsnJsonScan *scan, FsnCatalogueEntry *entry)
{
    g_ptr_array_set_size(entry->disks, 0);
    if (!fsn_json_scan_is(scan, '[')) {
        fsn_json_scan_skip(scan);
        return;
    }
    (void)fsn_json_scan_array(scan);
    while (fsn_json_scan_element(scan)) {
        g_autofree char *target = NULL;
        g_autofree char *image = NULL;

        scan_object(scan, (const Wanted[]){ { "target", &target, NULL },
                                            { "image", &image, NULL },
                                            { 0 } });
        if (target && image) {
            g_ptr_array_add(entry->disks, g_steal_pointer(&target));
        }
    }
}

/* The members of the manifest whose values have members themselves. */
static bool
scan_nested(FsnJsonScan *scan, FsnCatalogueEntry *entry, const char *name, size_t len)
{
    const Wanted domain[] = { { "name", &entry->domain, NULL },
                              { "uuid", &entry->uuid, NULL },
                              { 0 } };
    const Wanted bytes[] = { { "logical", NULL, &entry->bytes_logical },
                             { "read", NULL, &entry->bytes_read },
                             { "changed", NULL, &entry->bytes_changed },
                             { "stored", NULL, &entry->bytes_stored },
                             { 0 } };

    if (len == 6 && memcmp(name, "domain", 6) == 0) {
        g_clear_pointer(&entry->domain, g_free);
        g_clear_pointer(&entry->uuid, g_free);
        scan_object(scan, domain);
    } else if (len == 5 && memcmp(name, "bytes", 5) == 0) {
        entry->bytes_logical = entry->bytes_read = 0;
        entry->bytes_changed = entry->bytes_stored = 0;
        scan_object(scan, bytes);
    } else if (len == 6 && memcmp(name, "memory", 6) == 0) {
        scan_memory(scan, entry);
    } else if (len == 5 && memcmp(name, "disks", 5) == 0) {
        scan_disks(scan, entry);
    } else {
        return false;
    }
    return true;
}

FsnCatalogueEntry *
fsn_catalogue_entry_scan(const char *text, size_t len)
{
    g_autoptr(FsnCatalogueEntry) entry = entry_new();
    int64_t exact = 0;
    const Wanted wanted[] = {
        { "id", &entry->id, NULL },           { "kind", &entry->kind, NULL },
        { "created", &entry->created, NULL }, { "parent", &entry->parent, NULL },
        { "profile", &entry->profile, NULL }, { "name", &entry->name, NULL },
        { "created_us", NULL, &exact },       { 0 },
    };
    FsnJsonScan scan;
    const char *name;
    size_t n;

    if (!g_utf8_validate(text, (gssize)len, NULL)) {
        return NULL;
    }
    fsn_json_scan_init(&scan, text, len);
    (void)fsn_json_scan_object(&scan);
    while (fsn_json_scan_member(&scan, &name, &n)) {
        if (!scan_nested(&scan, entry, name, n)) {
            scan_wanted(&scan, find_wanted(wanted, name, n));
        }
    }
    if (!fsn_json_scan_end(&scan)) {
        return NULL;
    }
    set_time(entry, exact);
    return g_steal_pointer(&entry);
}

/* Whether the members are there that no manifest may lack. */
static bool
is_whole(const FsnCatalogueEntry *entry, const char *key)
{
    const char *slash = strrchr(key, '/');
    FsnId id;

    return entry->id && entry->kind && entry->created && entry->domain && entry->uuid &&
           slash && strcmp(entry->id, slash + 1) == 0 && fsn_id_parse(entry->id, &id);
}

static gpointer
read_entry(FsnRepo *repo, const char *key, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(FsnCatalogueEntry) entry = NULL;
    g_autoptr(JsonObject) manifest = NULL;
    const char *text;
    size_t len;

    if (!fsn_manifest_read(repo, key, &bytes, &text, &len, error)) {
        return NULL;
    }
    entry = fsn_catalogue_entry_scan(text, len);
    if (entry && is_whole(entry, key)) {
        return g_steal_pointer(&entry);
    }
    if (!fsn_manifest_parse(key, text, len, &manifest, error)) {
        return NULL;
    }
    return fsn_catalogue_entry_new(manifest);
}

static int
compare_entries(gconstpointer a, gconstpointer b)
{
    const FsnCatalogueEntry *x = *(FsnCatalogueEntry *const *)a;
    const FsnCatalogueEntry *y = *(FsnCatalogueEntry *const *)b;

    return fsn_manifest_order(x->created, x->id, y->created, y->id);
}

bool
fsn_repo_catalogue(FsnRepo *repo,
                   GPtrArray **out_entries,
                   GPtrArray **out_damaged,
                   GError **error)
{
    if (!fsn_manifest_read_all(repo, read_entry, (GDestroyNotify)fsn_catalogue_entry_free,
                               out_entries, out_damaged, error)) {
        return false;
    }
    g_ptr_array_sort(*out_entries, compare_entries);
    return true;
}
