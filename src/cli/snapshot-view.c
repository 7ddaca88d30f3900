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

static const char *
peek_nested(JsonObject *object,
            const char *outer,
            const char *inner,
            const char *fallback)
{
    JsonObject *nested = peek_object(object, outer);

    return nested ? fsn_json_peek_string(nested, inner, fallback) : fallback;
}

static int64_t
peek_bytes(JsonObject *manifest, const char *name)
{
    JsonObject *bytes = peek_object(manifest, "bytes");

    return bytes ? fsn_json_peek_int(bytes, name, 0) : 0;
}

/* Size of the RAM that the manifest describes. */
static uint64_t
memory_bytes(JsonObject *manifest)
{
    JsonArray *blocks = peek_array(peek_object(manifest, "memory"), "blocks");
    uint64_t sum = 0;

    for (guint i = 0; blocks && i < json_array_get_length(blocks); i++) {
        JsonObject *block;

        if (fsn_json_get_element(blocks, i, &block, NULL)) {
            sum += (uint64_t)MAX(fsn_json_peek_int(block, "length", 0), 0);
        }
    }
    return sum;
}

static void
copy_string(JsonObject *to, const char *name, const char *value)
{
    if (value) {
        json_object_set_string_member(to, name, value);
    } else {
        json_object_set_null_member(to, name);
    }
}

JsonObject *
fsn_snapshot_summary(JsonObject *manifest, FsnSnapshotState state)
{
    JsonObject *summary = json_object_new();

    copy_string(summary, "snapshot", fsn_json_peek_string(manifest, "id", NULL));
    copy_string(summary, "domain", peek_nested(manifest, "domain", "name", NULL));
    copy_string(summary, "uuid", peek_nested(manifest, "domain", "uuid", NULL));
    copy_string(summary, "kind", fsn_json_peek_string(manifest, "kind", NULL));
    copy_string(summary, "created", fsn_json_peek_string(manifest, "created", NULL));
    copy_string(summary, "state", fsn_snapshot_state_word(state));
    copy_string(summary, "parent", fsn_json_peek_string(manifest, "parent", NULL));
    copy_string(summary, "profile", fsn_json_peek_string(manifest, "profile", NULL));
    json_object_set_int_member(summary, "memory_bytes", (int64_t)memory_bytes(manifest));
    json_object_set_int_member(summary, "bytes_logical", peek_bytes(manifest, "logical"));
    json_object_set_int_member(summary, "bytes_changed", peek_bytes(manifest, "changed"));
    json_object_set_int_member(summary, "bytes_stored", peek_bytes(manifest, "stored"));
    return summary;
}

bool
fsn_snapshot_is_of(JsonObject *manifest, const char *domain)
{
    return g_str_equal(peek_nested(manifest, "domain", "name", ""), domain) ||
           g_ascii_strcasecmp(peek_nested(manifest, "domain", "uuid", ""), domain) == 0;
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

static void
append_disks(GString *text, JsonObject *manifest)
{
    JsonArray *disks = peek_array(manifest, "disks");

    for (guint i = 0; disks && i < json_array_get_length(disks); i++) {
        JsonObject *disk;
        g_autofree char *value = NULL;

        if (!fsn_json_get_element(disks, i, &disk, NULL)) {
            continue;
        }
        value = g_strconcat(fsn_json_peek_string(disk, "target", "?"), " ",
                            fsn_json_peek_string(disk, "path", ""), NULL);
        append_line(text, "disk:", value);
    }
}

char *
fsn_snapshot_text(JsonObject *manifest, FsnSnapshotState state)
{
    GString *text = g_string_new(NULL);
    g_autofree char *created =
        fsn_cli_instant_text(fsn_json_peek_string(manifest, "created", "?"));

    append_line(text, "snapshot:", fsn_json_peek_string(manifest, "id", NULL));
    append_line(text, "domain:", peek_nested(manifest, "domain", "name", NULL));
    append_line(text, "uuid:", peek_nested(manifest, "domain", "uuid", NULL));
    append_line(text, "kind:", fsn_json_peek_string(manifest, "kind", NULL));
    append_line(text, "state:", fsn_snapshot_state_word(state));
    append_line(text, "created:", created);
    append_line(text, "parent:", fsn_json_peek_string(manifest, "parent", "none"));
    append_line(text, "host:", fsn_json_peek_string(manifest, "host", NULL));
    append_line(text, "machine:", fsn_json_peek_string(manifest, "machine", NULL));
    append_line(text, "versions:", fsn_json_peek_string(manifest, "versions", NULL));
    append_size(text, "memory:", memory_bytes(manifest));
    append_size(text, "read:", (uint64_t)peek_bytes(manifest, "read"));
    append_size(text, "changed:", (uint64_t)peek_bytes(manifest, "changed"));
    append_size(text, "stored:", (uint64_t)peek_bytes(manifest, "stored"));
    append_disks(text, manifest);
    return g_string_free(text, FALSE);
}
