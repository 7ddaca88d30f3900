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
build_memory(const FsnManifestRam *ram)
{
    JsonObject *memory = json_object_new();
    JsonObject *section = json_object_new();

    json_object_set_int_member(section, "id", ram->layout->section_id);
    json_object_set_int_member(section, "instance", ram->layout->instance);
    json_object_set_int_member(section, "version", ram->layout->version);
    json_object_set_string_member(memory, "image", ram->image);
    json_object_set_int_member(memory, "page_size", FSN_PAGE_SIZE);
    json_object_set_array_member(memory, "blocks", fsn_ram_blocks_to_json(ram->layout));
    json_object_set_object_member(memory, "section", section);
    set_object(memory, "head", ram->head);
    set_object(memory, "device_state", ram->device_state);
    set_object(memory, "description", ram->description);
    if (ram->resting) {
        json_object_set_array_member(memory, "resting", json_array_ref(ram->resting));
    }
    if (ram->frozen) {
        json_object_set_boolean_member(memory, "frozen", true);
    }
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
build_bytes(const FsnManifestBytes *b)
{
    JsonObject *bytes = json_object_new();

    json_object_set_int_member(bytes, "logical", (int64_t)b->logical);
    json_object_set_int_member(bytes, "read", (int64_t)b->read);
    json_object_set_int_member(bytes, "changed", (int64_t)b->changed);
    json_object_set_int_member(bytes, "stored", (int64_t)b->stored);
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

static void
set_timings(JsonObject *m, const FsnManifestFacts *f)
{
    JsonObject *timings = json_object_new();

    json_object_set_int_member(timings, "pause_us", f->pause_us);
    json_object_set_int_member(timings, "total_us", f->total_us);
    json_object_set_object_member(m, "timings", timings);
}

FsnManifestRam
fsn_manifest_captured_ram(FsnCapture *capture,
                          const FsnImageStats *stats,
                          const FsnCaptureObjects *objects)
{
    return (FsnManifestRam){
        .image = stats->root,
        .head = objects->head,
        .device_state = objects->device_state,
        .description = objects->description,
        .layout = fsn_capture_layout(capture),
    };
}

FsnManifestBytes
fsn_manifest_image_bytes(const FsnImageStats *stats, uint64_t bytes_read)
{
    return (FsnManifestBytes){
        .logical = stats->bytes_logical,
        .read = bytes_read,
        .changed = (stats->stored + stats->duplicate) * FSN_GRANULE_SIZE,
        .stored = stats->bytes_stored,
    };
}

JsonObject *
fsn_manifest_build(const FsnManifestFacts *f)
{
    JsonObject *m = json_object_new();
    g_autofree char *created = fsn_rfc3339(f->created_us);

    json_object_set_int_member(m, "version", 1);
    json_object_set_string_member(m, "id", f->id);
    json_object_set_string_member(m, "kind", f->kind);
    fsn_json_add_string(m, "name", f->name);
    json_object_set_string_member(m, "created", created);
    json_object_set_int_member(m, "created_us", f->created_us);
    fsn_json_set_string(m, "parent", f->parent);
    json_object_set_object_member(m, "domain", build_domain(f));
    json_object_set_string_member(m, "host", f->host);
    fsn_json_add_string(m, "machine", f->machine);
    fsn_json_add_string(m, "versions", f->versions);
    fsn_json_add_string(m, "run_state", f->run_state);
    set_object(m, "xml_live", f->xml_live);
    set_object(m, "xml_inactive", f->xml_inactive);
    set_object(m, "cpu", f->cpu_xml);
    json_object_set_array_member(
        m, "resources", f->resources ? json_array_ref(f->resources) : build_resources());
    if (f->granularity) {
        fsn_json_add_string(m, "profile",
                            fsn_json_peek_string(f->granularity, "profile", NULL));
        json_object_set_object_member(m, "granularity", json_object_ref(f->granularity));
    }
    if (f->ram) {
        json_object_set_object_member(m, "memory", build_memory(f->ram));
    }
    json_object_set_array_member(m, "disks", json_array_ref(f->disks));
    if (f->firmware) {
        fsn_firmware_record_add(f->firmware, m);
    }
    json_object_set_object_member(m, "bytes", build_bytes(&f->bytes));
    if (f->total_us >= 0) {
        set_timings(m, f);
    }
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
