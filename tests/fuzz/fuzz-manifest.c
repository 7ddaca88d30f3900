/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A manifest: its envelope, the JSON in it, the walk over its references, and the short way
 * to what lists need of it. */
#include "config.h"

#include "base/json.h"
#include "repo/catalogue.h"
#include "repo/manifests.h"
#include "repofmt/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
take_reference(gpointer user, const char *folder, const char *hex, GError **error)
{
    g_assert_nonnull(hex);
    return true;
}

static void
parse_text(const uint8_t *data, size_t size)
{
    g_autoptr(JsonObject) object = NULL;
    g_autoptr(FsnCatalogueEntry) scanned =
        fsn_catalogue_entry_scan((const char *)data, size);
    g_autoptr(FsnCatalogueEntry) entry = NULL;

    if (fsn_json_parse_object((const char *)data, size, 1 << 20, "manifest", &object,
                              NULL)) {
        (void)!fsn_manifest_references(object, take_reference, NULL, NULL);
        entry = fsn_catalogue_entry_new(object);
        /* What both parsers take, they take for the same. */
        g_assert_true(!scanned || (g_strcmp0(scanned->id, entry->id) == 0 &&
                                   g_strcmp0(scanned->uuid, entry->uuid) == 0 &&
                                   g_strcmp0(scanned->kind, entry->kind) == 0 &&
                                   scanned->created_us == entry->created_us &&
                                   scanned->memory_bytes == entry->memory_bytes));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *value;
    size_t len;

    if (fsn_envelope_parse(data, size, "manifest", "manifest", &value, &len, NULL)) {
        parse_text(value, len);
    }
    parse_text(data, size);
    return 0;
}
