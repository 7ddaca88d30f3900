/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the facts of a suspend to the members of its manifest, and back. Pure; the repository
 * makes it durable and checks what it refers to.
 */
#include "config.h"

#include "cycle/manifest.h"

#include "base/clock.h"
#include "base/json.h"
#include "cycle/ram-blocks-json.h"

static void
set_object(JsonObject *o, const char *name, const char *object)
{
    JsonObject *ref;

    if (!object) {
        return;
    }
    ref = json_object_new();
    json_object_set_string_member(ref, "object", object);
    json_object_set_object_member(o, name, ref);
}

static JsonObject *
build_memory(const FsnManifestFacts *f)
{
    JsonObject *memory = json_object_new();
    JsonObject *section = json_object_new();

    json_object_set_int_member(section, "id", f->layout->section_id);
    json_object_set_int_member(section, "instance", f->layout->instance);
    json_object_set_int_member(section, "version", f->layout->version);
    json_object_set_string_member(memory, "image", f->stats->root);
    json_object_set_int_member(memory, "page_size", FSN_PAGE_SIZE);
    json_object_set_array_member(memory, "blocks", fsn_ram_blocks_to_json(f->layout));
    json_object_set_object_member(memory, "section", section);
    set_object(memory, "head", f->head);
    set_object(memory, "device_state", f->device_state);
    set_object(memory, "description", f->description);
    return memory;
}

static JsonObject *
build_domain(const FsnManifestFacts *f)
{
    JsonObject *domain = json_object_new();

    json_object_set_string_member(domain, "name", f->domain);
    json_object_set_string_member(domain, "uuid", f->uuid);
    return domain;
}

static JsonObject *
build_bytes(const FsnManifestFacts *f)
{
    JsonObject *bytes = json_object_new();

    json_object_set_int_member(bytes, "logical", (int64_t)f->stats->bytes_logical);
    json_object_set_int_member(bytes, "read", (int64_t)f->bytes_read);
    json_object_set_int_member(
        bytes, "changed",
        (int64_t)((f->stats->stored + f->stats->duplicate) * FSN_PAGE_SIZE));
    json_object_set_int_member(bytes, "stored", (int64_t)f->stats->bytes_stored);
    return bytes;
}

/* The one resource that a suspend always takes, with the reason for its level. */
static JsonArray *
build_resources(void)
{
    JsonArray *resources = json_array_new();
    JsonObject *memory = json_object_new();

    json_object_set_string_member(memory, "kind", "memory");
    json_object_set_string_member(memory, "reason", "a suspend always takes the memory");
    json_array_add_object_element(resources, memory);
    return resources;
}

JsonObject *
fsn_manifest_build(const FsnManifestFacts *f)
{
    JsonObject *m = json_object_new();
    g_autofree char *created = fsn_rfc3339(f->created_us);

    json_object_set_int_member(m, "version", 1);
    json_object_set_string_member(m, "id", f->id);
    json_object_set_string_member(m, "kind", "suspend");
    json_object_set_string_member(m, "created", created);
    json_object_set_int_member(m, "created_us", f->created_us);
    if (f->parent) {
        json_object_set_string_member(m, "parent", f->parent);
    } else {
        json_object_set_null_member(m, "parent");
    }
    json_object_set_object_member(m, "domain", build_domain(f));
    json_object_set_string_member(m, "host", f->host);
    json_object_set_string_member(m, "machine", f->machine);
    json_object_set_string_member(m, "versions", f->versions);
    set_object(m, "xml_live", f->xml_live);
    set_object(m, "xml_inactive", f->xml_inactive);
    set_object(m, "cpu", f->cpu_xml);
    json_object_set_array_member(m, "resources", build_resources());
    json_object_set_object_member(m, "memory", build_memory(f));
    json_object_set_array_member(m, "disks", json_array_ref(f->disks));
    json_object_set_object_member(m, "bytes", build_bytes(f));
    return m;
}

static bool
read_object(JsonObject *parent, const char *name, const char **out, GError **error)
{
    JsonObject *ref;

    return fsn_json_get_object(parent, name, &ref, error) &&
           fsn_json_get_string(ref, "object", out, error);
}

static FsnRamLayout *
read_layout(JsonObject *memory, GError **error)
{
    g_autoptr(FsnRamLayout) layout = g_new0(FsnRamLayout, 1);
    JsonArray *blocks;
    JsonObject *section;
    int64_t id;
    int64_t instance;
    int64_t version;

    if (!fsn_json_get_array(memory, "blocks", &blocks, error) ||
        !fsn_json_get_object(memory, "section", &section, error) ||
        !fsn_json_get_int(section, "id", 0, G_MAXUINT32, &id, error) ||
        !fsn_json_get_int(section, "instance", 0, G_MAXUINT32, &instance, error) ||
        !fsn_json_get_int(section, "version", 0, G_MAXUINT32, &version, error)) {
        return NULL;
    }
    layout->section_id = (uint32_t)id;
    layout->instance = (uint32_t)instance;
    layout->version = (uint32_t)version;
    if (!fsn_ram_blocks_from_json(blocks, layout, error) ||
        !fsn_ram_layout_check(layout, error)) {
        return NULL;
    }
    return g_steal_pointer(&layout);
}

bool
fsn_manifest_read_memory(JsonObject *manifest,
                         FsnManifestMemory *out_memory,
                         GError **error)
{
    FsnManifestMemory m = { 0 };
    JsonObject *domain;
    JsonObject *memory;

    if (!fsn_json_get_string(manifest, "id", &m.id, error) ||
        !fsn_json_get_string(manifest, "machine", &m.machine, error) ||
        !fsn_json_get_object(manifest, "domain", &domain, error) ||
        !fsn_json_get_string(domain, "name", &m.domain, error) ||
        !fsn_json_get_string(domain, "uuid", &m.uuid, error) ||
        !fsn_json_get_object(manifest, "memory", &memory, error) ||
        !fsn_json_get_string(memory, "image", &m.root, error) ||
        !read_object(memory, "head", &m.head, error) ||
        !read_object(memory, "device_state", &m.device_state, error) ||
        !read_object(manifest, "xml_live", &m.xml_live, error) ||
        !read_object(manifest, "xml_inactive", &m.xml_inactive, error) ||
        !fsn_json_get_array(manifest, "disks", &m.disks, error)) {
        return false;
    }
    if ((json_object_has_member(manifest, "cpu") &&
         !read_object(manifest, "cpu", &m.cpu_xml, error)) ||
        (json_object_has_member(memory, "description") &&
         !read_object(memory, "description", &m.description, error))) {
        return false;
    }
    m.layout = read_layout(memory, error);
    if (!m.layout) {
        return false;
    }
    *out_memory = m;
    return true;
}

void
fsn_manifest_memory_clear(FsnManifestMemory *memory)
{
    g_clear_pointer(&memory->layout, fsn_ram_layout_free);
}
