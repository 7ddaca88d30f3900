/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a manifest to what list and show print of it. Manifests come from the repository with
 * their checksum verified, but by another version of this program perhaps: every member is
 * optional here.
 */
#include "config.h"

#include "cli/snapshot-view.h"

#include "base/json.h"
#include "cli/units.h"

const char *
fsn_snapshot_state_word(FsnSnapshotState state)
{
    switch (state) {
    case FSN_SNAPSHOT_READY:
        return "ready";
    case FSN_SNAPSHOT_RESUMING:
        return "resuming";
    case FSN_SNAPSHOT_READ:
        return "in use";
    case FSN_SNAPSHOT_USED:
        break;
    }
    return "used";
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

static uint64_t
positive(int64_t value)
{
    return (uint64_t)MAX(value, 0);
}

static uint64_t
peek_size(JsonObject *object, const char *name)
{
    return positive(fsn_json_peek_int(object, name, 0));
}

JsonObject *
fsn_snapshot_summary(const FsnCatalogueEntry *entry, FsnSnapshotState state)
{
    JsonObject *summary = json_object_new();
    JsonArray *disks = json_array_new();

    fsn_json_set_string(summary, "snapshot", entry->id);
    fsn_json_set_string(summary, "domain", entry->domain);
    fsn_json_set_string(summary, "uuid", entry->uuid);
    fsn_json_set_string(summary, "kind", entry->kind);
    fsn_json_set_string(summary, "name", entry->name);
    fsn_json_set_string(summary, "created", entry->created);
    fsn_json_set_string(summary, "state", fsn_snapshot_state_word(state));
    fsn_json_set_string(summary, "parent", entry->parent);
    fsn_json_set_string(summary, "profile", entry->profile);
    json_object_set_int_member(summary, "memory_bytes", (int64_t)entry->memory_bytes);
    for (guint i = 0; i < entry->disks->len; i++) {
        json_array_add_string_element(disks, entry->disks->pdata[i]);
    }
    json_object_set_array_member(summary, "disks", disks);
    json_object_set_int_member(summary, "bytes_logical", entry->bytes_logical);
    json_object_set_int_member(summary, "bytes_read", entry->bytes_read);
    json_object_set_int_member(summary, "bytes_changed", entry->bytes_changed);
    json_object_set_int_member(summary, "bytes_stored", entry->bytes_stored);
    return summary;
}

bool
fsn_snapshot_is_of(const FsnCatalogueEntry *entry, const char *domain)
{
    return g_strcmp0(entry->domain, domain) == 0 ||
           (entry->uuid && g_ascii_strcasecmp(entry->uuid, domain) == 0);
}

static void
append_line(GString *text, const char *name, const char *value)
{
    if (value) {
        g_string_append_printf(text, "%-10s %s\n", name, value);
    }
}

static void
append_size(GString *text, const char *name, uint64_t bytes)
{
    g_autofree char *value = fsn_cli_size_text(bytes);

    append_line(text, name, value);
}

/* A line below that of a disk. */
static void
append_detail(GString *text, const char *name, const char *value)
{
    if (value) {
        g_string_append_printf(text, "%-10s   %s %s\n", "", name, value);
    }
}

static void
append_disk_bytes(GString *text, JsonObject *disk)
{
    JsonObject *bytes = peek_object(disk, "bytes");
    g_autofree char *read = NULL;
    g_autofree char *changed = NULL;
    g_autofree char *stored = NULL;
    g_autofree char *value = NULL;

    if (!bytes) {
        return;
    }
    read = fsn_cli_size_text(peek_size(bytes, "read"));
    changed = fsn_cli_size_text(peek_size(bytes, "changed"));
    stored = fsn_cli_size_text(peek_size(bytes, "stored"));
    value = g_strdup_printf("%s, changed %s, stored %s", read, changed, stored);
    append_detail(text, "read", value);
}

/* "1: 512 MiB at 1.0 MiB, TYPE, NAME". */
static void
append_partition(GString *text, JsonObject *partition)
{
    g_autofree char *size = fsn_cli_size_text(peek_size(partition, "size"));
    g_autofree char *offset = fsn_cli_size_text(peek_size(partition, "offset"));
    const char *name = fsn_json_peek_string(partition, "name", NULL);
    g_autofree char *value =
        g_strdup_printf("%" G_GINT64_FORMAT ": %s at %s, %s%s%s",
                        fsn_json_peek_int(partition, "number", 0), size, offset,
                        fsn_json_peek_string(partition, "type", "unknown type"),
                        name && *name ? ", " : "", name && *name ? name : "");

    append_detail(text, "partition", value);
}

static void
append_partitions(GString *text, JsonObject *disk)
{
    JsonArray *partitions = peek_array(disk, "partitions");

    for (guint i = 0; partitions && i < json_array_get_length(partitions); i++) {
        JsonObject *partition;

        if (fsn_json_get_element(partitions, i, &partition, NULL)) {
            append_partition(text, partition);
        }
    }
}

/* What is not in it, and reads as zeroes. */
static void
append_left_out(GString *text, JsonObject *disk)
{
    JsonArray *ranges = peek_array(disk, "left_out");

    for (guint i = 0; ranges && i < json_array_get_length(ranges); i++) {
        g_autofree char *offset = NULL;
        g_autofree char *length = NULL;
        g_autofree char *value = NULL;
        JsonObject *range;

        if (!fsn_json_get_element(ranges, i, &range, NULL)) {
            continue;
        }
        offset = fsn_cli_size_text(peek_size(range, "offset"));
        length = fsn_cli_size_text(peek_size(range, "length"));
        value = g_strdup_printf("%s at %s: %s", length, offset,
                                fsn_json_peek_string(range, "reason", "?"));
        append_detail(text, "left out", value);
    }
}

/* A disk of a suspend is only an identity; that of a snapshot has contents. */
static void
append_disk(GString *text, JsonObject *disk)
{
    const char *source = fsn_json_peek_string(disk, "source", NULL);
    const char *mode = fsn_json_peek_string(disk, "mode", NULL);
    const char *reason = fsn_json_peek_string(disk, "reason", NULL);
    g_autofree char *line = NULL;
    g_autofree char *why = NULL;
    g_autofree char *size = NULL;

    if (!source) {
        source = fsn_json_peek_string(disk, "path", "");
    }
    line = g_strconcat(fsn_json_peek_string(disk, "target", "?"), " ", source, NULL);
    append_line(text, "disk:", line);
    if (!mode) {
        return;
    }
    size = fsn_cli_size_text(peek_size(disk, "size"));
    why = reason ? g_strconcat(mode, ": ", reason, NULL) : g_strdup(mode);
    append_detail(text, "size", size);
    append_detail(text, "format", fsn_json_peek_string(disk, "format", NULL));
    append_detail(text, "mode", why);
    append_disk_bytes(text, disk);
    append_detail(text, "consistency", fsn_json_peek_string(disk, "consistency", NULL));
    append_partitions(text, disk);
    append_left_out(text, disk);
}

static void
append_disks(GString *text, JsonObject *manifest)
{
    JsonArray *disks = peek_array(manifest, "disks");

    for (guint i = 0; disks && i < json_array_get_length(disks); i++) {
        JsonObject *disk;

        if (fsn_json_get_element(disks, i, &disk, NULL)) {
            append_disk(text, disk);
        }
    }
}

/* "a, b"; NULL for none. The caller frees. */
static char *
names_text(JsonObject *config, const char *member)
{
    JsonArray *names = peek_array(config, member);
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; names && i < json_array_get_length(names); i++) {
        JsonNode *node = json_array_get_element(names, i);

        if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_string(node)) {
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "",
                                   json_node_get_string(node));
        }
    }
    return text->len > 0 ? g_strdup(text->str) : NULL;
}

char *
fsn_database_text(JsonObject *database)
{
    g_autofree char *places = names_text(database, "on");

    return g_strdup_printf(
        "%s on %s: %s, %s", fsn_json_peek_string(database, "name", "?"),
        places ? places : "?", fsn_json_peek_string(database, "state", "?"),
        fsn_json_peek_string(database, "reason", "?"));
}

static void
append_databases(GString *text, JsonObject *manifest)
{
    JsonArray *databases = peek_array(manifest, "databases");

    for (guint i = 0; databases && i < json_array_get_length(databases); i++) {
        JsonObject *database;

        if (fsn_json_get_element(databases, i, &database, NULL)) {
            g_autofree char *line = fsn_database_text(database);

            append_line(text, "database:", line);
        }
    }
}

/* What is around the domain. */
static void
append_config(GString *text, JsonObject *manifest)
{
    static const char *const members[] = { "networks", "pools", "filters", "missing" };
    JsonObject *config = peek_object(manifest, "config");

    for (size_t i = 0; config && i < G_N_ELEMENTS(members); i++) {
        g_autofree char *names = names_text(config, members[i]);
        g_autofree char *label = g_strconcat(members[i], ":", NULL);

        append_line(text, label, names);
    }
}

static void
append_logs(GString *text, JsonObject *manifest)
{
    JsonArray *logs = peek_array(manifest, "logs");

    for (guint i = 0; logs && i < json_array_get_length(logs); i++) {
        g_autofree char *size = NULL;
        g_autofree char *line = NULL;
        const char *missing;
        JsonObject *log;

        if (!fsn_json_get_element(logs, i, &log, NULL)) {
            continue;
        }
        missing = fsn_json_peek_string(log, "missing", NULL);
        size = fsn_cli_size_text(peek_size(log, "size"));
        line = g_strdup_printf("%s, %s%s of %s", fsn_json_peek_string(log, "name", "?"),
                               missing                        ? "missing: "
                               : peek_size(log, "offset") > 0 ? "the last "
                                                              : "",
                               missing ? missing : size,
                               fsn_json_peek_string(log, "source", "?"));
        append_line(text, "log:", line);
    }
}

char *
fsn_snapshot_text(JsonObject *manifest, FsnSnapshotState state)
{
    g_autoptr(FsnCatalogueEntry) entry = fsn_catalogue_entry_new(manifest);
    GString *text = g_string_new(NULL);
    g_autofree char *created =
        fsn_cli_instant_text(entry->created ? entry->created : "?");

    append_line(text, "snapshot:", entry->id);
    append_line(text, "name:", entry->name);
    append_line(text, "domain:", entry->domain);
    append_line(text, "uuid:", entry->uuid);
    append_line(text, "kind:", entry->kind);
    append_line(text, "state:", fsn_snapshot_state_word(state));
    append_line(text, "created:", created);
    append_line(text, "parent:", entry->parent ? entry->parent : "none");
    append_line(text, "host:", fsn_json_peek_string(manifest, "host", NULL));
    append_line(text, "machine:", fsn_json_peek_string(manifest, "machine", NULL));
    append_line(text, "versions:", fsn_json_peek_string(manifest, "versions", NULL));
    append_size(text, "memory:", entry->memory_bytes);
    append_size(text, "read:", positive(entry->bytes_read));
    append_size(text, "changed:", positive(entry->bytes_changed));
    append_size(text, "stored:", positive(entry->bytes_stored));
    append_config(text, manifest);
    append_logs(text, manifest);
    append_disks(text, manifest);
    append_databases(text, manifest);
    return g_string_free(text, FALSE);
}
