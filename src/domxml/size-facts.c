/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The size of a domain as its XML states it: vCPUs, the balloon's memory, virtio-mem. What
 * the guest makes of it is not in the XML.
 */
#include "config.h"

#include "domxml/size-facts.h"

#include "base/error.h"
#include "domxml/document-private.h"

#include <string.h>

static void
virtio_mem_free(gpointer data)
{
    FsnVirtioMem *device = data;

    g_free(device->xml);
    g_free(device);
}

static bool
read_virtio_mem(xmlNode *node, FsnVirtioMem *device)
{
    const xmlNode *target = fsn_node_child(node, "target");

    if (!fsn_node_bytes(fsn_node_child(target, "size"), 1, &device->size) ||
        !fsn_node_bytes(fsn_node_child(target, "block"), 1, &device->block) ||
        !fsn_node_bytes(fsn_node_child(target, "requested"), 0, &device->requested)) {
        return false;
    }
    if (!fsn_node_bytes(fsn_node_child(target, "current"), 0, &device->current)) {
        device->current = device->requested;
    }
    device->xml = fsn_node_to_text(node);
    return true;
}

/* libvirt's <memory> counts all memory devices in; those of virtio-mem come off again. */
static bool
read_devices(const xmlNode *devices, FsnSizeFacts *facts, GError **error)
{
    const xmlNode *balloon = fsn_node_child(devices, "memballoon");

    g_autofree char *period =
        fsn_node_attribute(fsn_node_child(balloon, "stats"), "period");

    facts->balloon = balloon && !fsn_node_attribute_is(balloon, "model", "none");
    facts->balloon_stats = period && strcmp(period, "0") != 0;
    for (xmlNode *node = fsn_node_child(devices, "memory"); node;
         node = fsn_node_next(node, "memory")) {
        FsnVirtioMem *device;

        if (!fsn_node_attribute_is(node, "model", "virtio-mem")) {
            continue;
        }
        device = g_new0(FsnVirtioMem, 1);
        g_ptr_array_add(facts->virtio_mem, device);
        if (!read_virtio_mem(node, device) || device->size >= facts->memory_max) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                        "domain XML has a virtio-mem device without valid sizes");
            return false;
        }
        facts->memory_max -= device->size;
    }
    return true;
}

static bool
read_facts(const xmlNode *root, FsnSizeFacts *facts, GError **error)
{
    const xmlNode *vcpu = fsn_node_child(root, "vcpu");
    const xmlNode *memory = fsn_node_child(root, "memory");
    const xmlNode *current = fsn_node_child(root, "currentMemory");
    g_autofree char *plugged = fsn_node_attribute(vcpu, "current");
    uint64_t most = 0;
    uint64_t now;

    if (!fsn_node_number(vcpu, 1, UINT16_MAX, &most)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "domain XML lacks a valid number of vCPUs");
        return false;
    }
    now = most;
    if (plugged && !g_ascii_string_to_unsigned(plugged, 10, 1, most, &now, error)) {
        g_prefix_error(error, "number of vCPUs in domain XML: ");
        return false;
    }
    facts->vcpus = (unsigned)now;
    facts->vcpus_max = (unsigned)most;
    if (!fsn_node_bytes(memory, 1, &facts->memory_max) ||
        !fsn_node_bytes(current ? current : memory, 1, &facts->memory)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "domain XML lacks a valid memory size");
        return false;
    }
    return read_devices(fsn_node_child(root, "devices"), facts, error);
}

bool
fsn_size_facts_parse(const char *xml, FsnSizeFacts *out_facts, GError **error)
{
    g_auto(FsnSizeFacts) facts = {
        .virtio_mem = g_ptr_array_new_with_free_func(virtio_mem_free),
    };
    g_autoptr(xmlDoc) document = NULL;

    if (!fsn_document_parse(xml, "domain", "domain XML", &document, error) ||
        !read_facts(xmlDocGetRootElement(document), &facts, error)) {
        return false;
    }
    *out_facts = facts;
    facts = (FsnSizeFacts){ 0 };
    return true;
}

void
fsn_size_facts_clear(FsnSizeFacts *facts)
{
    g_clear_pointer(&facts->virtio_mem, g_ptr_array_unref);
}

bool
fsn_virtio_mem_xml_request(const char *xml,
                           uint64_t bytes,
                           char **out_xml,
                           GError **error)
{
    g_autofree char *kib = g_strdup_printf("%" G_GUINT64_FORMAT, bytes >> 10);
    g_autoptr(xmlDoc) document = NULL;
    xmlNode *requested;

    if (!fsn_document_parse(xml, "memory", "memory device", &document, error)) {
        return false;
    }
    requested = fsn_node_child(fsn_node_child(xmlDocGetRootElement(document), "target"),
                               "requested");
    if (!requested) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the memory device asks for no size");
        return false;
    }
    xmlNodeSetContent(requested, (const xmlChar *)kib);
    xmlSetProp(requested, (const xmlChar *)"unit", (const xmlChar *)"KiB");
    *out_xml = fsn_node_to_text(xmlDocGetRootElement(document));
    return true;
}
