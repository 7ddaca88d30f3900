/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domain XML in, facts out. Reads only what foresnap acts on; what a domain may contain
 * beyond that is libvirt's business, except for devices that cannot be suspended, which
 * refusals.c finds. Pure: no libvirt, no file, no host.
 */
#include "config.h"

#include "domxml/domain-facts.h"

#include "base/error.h"
#include "domxml/document-private.h"
#include "domxml/refusals-private.h"

#include <string.h>

static bool
set_missing(GError **error, const char *what)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "domain XML lacks a valid %s", what);
    return false;
}

bool
fsn_uuid_is_canonical(const char *text)
{
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-'
                 : !(g_ascii_isxdigit(text[i]) && !g_ascii_isupper(text[i]))) {
            return false;
        }
    }
    return text[36] == 0;
}

/* The UUID in the text of @node; libvirt also takes it with other dashes and upper case. */
static char *
read_uuid(const xmlNode *node)
{
    g_autofree char *text = fsn_node_text(node);
    char digits[33];
    size_t n = 0;

    for (const char *p = text ? text : ""; *p; p++) {
        if (*p == '-' || g_ascii_isspace(*p)) {
            continue;
        }
        if (!g_ascii_isxdigit(*p) || n == 32) {
            return NULL;
        }
        digits[n++] = g_ascii_tolower(*p);
    }
    if (n != 32) {
        return NULL;
    }
    return g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12,
                           digits + 16, digits + 20);
}

static char *
read_disk_source(const xmlNode *source)
{
    static const char *const plain[] = { "file", "dev", "dir" };
    g_autofree char *pool = fsn_node_attribute(source, "pool");
    g_autofree char *protocol = fsn_node_attribute(source, "protocol");

    for (size_t i = 0; i < G_N_ELEMENTS(plain); i++) {
        char *value = fsn_node_attribute(source, plain[i]);

        if (value) {
            return value;
        }
    }
    if (pool) {
        g_autofree char *volume = fsn_node_attribute(source, "volume");

        return g_strdup_printf("%s/%s", pool, volume ? volume : "");
    }
    if (protocol) {
        g_autofree char *name = fsn_node_attribute(source, "name");

        return g_strdup_printf("%s:%s", protocol, name ? name : "");
    }
    return NULL;
}

static void
disk_free(gpointer data)
{
    FsnDiskFacts *disk = data;

    g_free(disk->target);
    g_free(disk->device);
    g_free(disk->source_kind);
    g_free(disk->source);
    g_free(disk->format);
    g_free(disk->alias);
    g_free(disk->cache);
    g_free(disk->discard);
    g_free(disk->rerror_policy);
    g_free(disk->serial);
    g_free(disk);
}

/* A live description ends each chain of images with an empty <backingStore/>. */
static bool
has_backing(const xmlNode *disk)
{
    return fsn_node_child(fsn_node_child(disk, "backingStore"), "source") != NULL;
}

static FsnDiskFacts *
read_disk(const xmlNode *node)
{
    FsnDiskFacts *disk = g_new0(FsnDiskFacts, 1);
    const xmlNode *source = fsn_node_child(node, "source");
    const xmlNode *driver = fsn_node_child(node, "driver");

    disk->target = fsn_node_attribute(fsn_node_child(node, "target"), "dev");
    disk->device = fsn_node_attribute(node, "device");
    if (!disk->device) {
        disk->device = g_strdup("disk");
    }
    disk->source_kind = fsn_node_attribute(node, "type");
    disk->source = read_disk_source(source);
    disk->format = fsn_node_attribute(driver, "type");
    disk->alias = fsn_node_attribute(fsn_node_child(node, "alias"), "name");
    disk->cache = fsn_node_attribute(driver, "cache");
    disk->discard = fsn_node_attribute(driver, "discard");
    disk->rerror_policy = fsn_node_attribute(driver, "rerror_policy");
    disk->serial = fsn_node_text(fsn_node_child(node, "serial"));
    disk->backing = has_backing(node);
    disk->readonly = fsn_node_child(node, "readonly") != NULL;
    disk->shareable = fsn_node_child(node, "shareable") != NULL;
    disk->transient = fsn_node_child(node, "transient") != NULL;
    disk->encrypted =
        fsn_node_child(node, "encryption") || fsn_node_child(source, "encryption");
    return disk;
}

static void
read_channel(const xmlNode *channel, FsnDomainFacts *facts)
{
    const xmlNode *target = fsn_node_child(channel, "target");

    if (fsn_node_attribute_is(target, "name", "org.qemu.guest_agent.0")) {
        facts->agent = true;
        facts->agent_connected = fsn_node_attribute_is(target, "state", "connected");
    }
}

static void
read_tpm(const xmlNode *tpm, FsnDomainFacts *facts)
{
    const xmlNode *backend = fsn_node_child(tpm, "backend");
    const xmlNode *source = fsn_node_child(backend, "source");

    facts->tpm = tpm != NULL;
    facts->tpm_emulated = fsn_node_attribute_is(backend, "type", "emulator");
    facts->tpm_version = fsn_node_attribute(backend, "version");
    facts->tpm_source = fsn_node_attribute_is(source, "type", "dir")
                            ? fsn_node_attribute(source, "path")
                            : NULL;
}

static void
read_devices(const xmlNode *devices, FsnDomainFacts *facts)
{
    facts->emulator = fsn_node_text(fsn_node_child(devices, "emulator"));
    read_tpm(fsn_node_child(devices, "tpm"), facts);
    facts->watchdog = fsn_node_child(devices, "watchdog") != NULL;
    for (xmlNode *node = fsn_node_child(devices, "disk"); node;
         node = fsn_node_next(node, "disk")) {
        g_ptr_array_add(facts->disks, read_disk(node));
    }
    for (xmlNode *node = fsn_node_child(devices, "channel"); node;
         node = fsn_node_next(node, "channel")) {
        read_channel(node, facts);
    }
}

static void
read_backing(const xmlNode *backing, FsnDomainFacts *facts)
{
    facts->hugepages = fsn_node_child(backing, "hugepages") != NULL;
    facts->locked = fsn_node_child(backing, "locked") != NULL;
    facts->shared_memory =
        fsn_node_attribute_is(fsn_node_child(backing, "access"), "mode", "shared");
}

static bool
read_identity(const xmlNode *root, FsnDomainFacts *facts, GError **error)
{
    facts->type = fsn_node_attribute(root, "type");
    facts->name = fsn_node_text(fsn_node_child(root, "name"));
    facts->title = fsn_node_text(fsn_node_child(root, "title"));
    facts->uuid = read_uuid(fsn_node_child(root, "uuid"));
    if (!facts->name || !*facts->name) {
        return set_missing(error, "name");
    }
    if (!facts->uuid) {
        return set_missing(error, "UUID");
    }
    if (g_strcmp0(facts->type, "kvm") != 0 && g_strcmp0(facts->type, "qemu") != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "domain '%s' is of type '%s'; only QEMU/KVM domains are supported",
                    facts->name, facts->type ? facts->type : "none");
        return false;
    }
    return true;
}

static bool
read_size(const xmlNode *root, FsnDomainFacts *facts, GError **error)
{
    uint64_t vcpus;

    if (!fsn_node_bytes(fsn_node_child(root, "memory"), 1, &facts->memory_bytes)) {
        return set_missing(error, "memory size");
    }
    if (!fsn_node_number(fsn_node_child(root, "vcpu"), 1, UINT16_MAX, &vcpus)) {
        return set_missing(error, "number of vCPUs");
    }
    facts->vcpus = (unsigned)vcpus;
    return true;
}

static void
read_machine(const xmlNode *root, FsnDomainFacts *facts)
{
    const xmlNode *os = fsn_node_child(root, "os");
    const xmlNode *type = fsn_node_child(os, "type");
    const xmlNode *nvram = fsn_node_child(os, "nvram");
    xmlNode *cpu = fsn_node_child(root, "cpu");

    facts->arch = fsn_node_attribute(type, "arch");
    facts->machine = fsn_node_attribute(type, "machine");
    facts->vmgenid = fsn_node_child(root, "genid") != NULL;
    if (nvram) {
        const xmlNode *source = fsn_node_child(nvram, "source");

        facts->nvram = source ? read_disk_source(source) : fsn_node_text(nvram);
        facts->nvram_format = fsn_node_attribute(nvram, "format");
    }
    if (cpu) {
        facts->cpu_xml = fsn_node_to_text(cpu);
    }
}

bool
fsn_domain_facts_parse(const char *xml, FsnDomainFacts **out_facts, GError **error)
{
    g_autoptr(FsnDomainFacts) facts = g_new0(FsnDomainFacts, 1);
    g_autoptr(xmlDoc) document = NULL;
    const xmlNode *root;

    facts->disks = g_ptr_array_new_with_free_func(disk_free);
    facts->refusals = g_ptr_array_new_with_free_func(g_free);
    if (!fsn_document_parse(xml, "domain", "domain XML", &document, error)) {
        return false;
    }
    root = xmlDocGetRootElement(document);
    if (!read_identity(root, facts, error) || !read_size(root, facts, error)) {
        return false;
    }
    read_machine(root, facts);
    read_backing(fsn_node_child(root, "memoryBacking"), facts);
    read_devices(fsn_node_child(root, "devices"), facts);
    fsn_refusals_collect(root, facts->refusals);
    *out_facts = g_steal_pointer(&facts);
    return true;
}

void
fsn_domain_facts_free(FsnDomainFacts *facts)
{
    if (!facts) {
        return;
    }
    g_free(facts->name);
    g_free(facts->uuid);
    g_free(facts->title);
    g_free(facts->type);
    g_free(facts->arch);
    g_free(facts->machine);
    g_free(facts->emulator);
    g_free(facts->nvram);
    g_free(facts->nvram_format);
    g_free(facts->tpm_version);
    g_free(facts->tpm_source);
    g_free(facts->cpu_xml);
    g_ptr_array_unref(facts->disks);
    g_ptr_array_unref(facts->refusals);
    g_free(facts);
}

bool
fsn_capabilities_host_uuid(const char *xml, char **out_uuid, GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    const xmlNode *host;
    char *uuid;

    if (!fsn_document_parse(xml, "capabilities", "capabilities XML", &document, error)) {
        return false;
    }
    host = fsn_node_child(xmlDocGetRootElement(document), "host");
    uuid = read_uuid(fsn_node_child(host, "uuid"));
    if (!uuid) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "capabilities XML lacks the host's UUID");
        return false;
    }
    *out_uuid = uuid;
    return true;
}
