/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The description of a domain that is restored: its disks are where they were written, and a
 * copy of a domain gets what two domains must not share. What is not named stays.
 */
#include "config.h"

#include "domxml/restore-edit.h"

#include "base/error.h"
#include "domxml/document-private.h"

#include <string.h>

static void
remove_children(xmlNode *parent, const char *name)
{
    xmlNode *node = fsn_node_child(parent, name);

    while (node) {
        xmlNode *next = fsn_node_next(node, name);

        xmlUnlinkNode(node);
        xmlFreeNode(node);
        node = next;
    }
}

static xmlNode *
ensure_child(xmlNode *parent, const char *name)
{
    xmlNode *node = fsn_node_child(parent, name);

    return node ? node : xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);
}

static void
set_text(xmlNode *node, const char *text)
{
    xmlNode *content = xmlNewDocText(node->doc, (const xmlChar *)text);

    /* xmlNodeSetContent() would take '&' for the start of an entity. */
    xmlNodeSetContent(node, NULL);
    xmlAddChild(node, content);
}

static void
set_attribute(xmlNode *node, const char *name, const char *value)
{
    xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value);
}

static xmlNode *
find_disk(xmlNode *devices, const char *target)
{
    xmlNode *disk = fsn_node_child(devices, "disk");

    while (disk &&
           !fsn_node_attribute_is(fsn_node_child(disk, "target"), "dev", target)) {
        disk = fsn_node_next(disk, "disk");
    }
    return disk;
}

static xmlNode *
add_child(xmlNode *parent, const char *name)
{
    return xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);
}

/* The image below: raw, by NBD, and nothing below that. */
static void
serve_disk(xmlNode *disk, xmlNode *driver, const char *socket)
{
    xmlNode *backing = add_child(disk, "backingStore");
    xmlNode *source;
    xmlNode *host;

    set_attribute(backing, "type", "network");
    set_attribute(add_child(backing, "format"), "type", "raw");
    source = add_child(backing, "source");
    set_attribute(source, "protocol", "nbd");
    host = add_child(source, "host");
    set_attribute(host, "transport", "unix");
    set_attribute(host, "socket", socket);
    (void)add_child(backing, "backingStore"); /* empty: the end */
    if (!xmlHasProp(driver, (const xmlChar *)"rerror_policy")) {
        set_attribute(driver, "rerror_policy", "stop");
    }
}

/* A chain that was below it is not any more. */
static bool
place_disk(xmlNode *devices, const FsnDiskPlace *place, GError **error)
{
    xmlNode *disk = find_disk(devices, place->target);
    xmlNode *driver;
    xmlNode *source;

    if (!disk) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "domain XML lacks disk '%s'",
                    place->target);
        return false;
    }
    remove_children(disk, "source");
    remove_children(disk, "backingStore");
    remove_children(disk, "mirror");
    set_attribute(disk, "type", place->kind);
    driver = ensure_child(disk, "driver");
    if (!xmlHasProp(driver, (const xmlChar *)"name")) {
        set_attribute(driver, "name", "qemu");
    }
    set_attribute(driver, "type", place->format);
    source = xmlNewChild(disk, NULL, (const xmlChar *)"source", NULL);
    set_attribute(source, strcmp(place->kind, "block") == 0 ? "dev" : "file",
                  place->path);
    if (place->served) {
        serve_disk(disk, driver, place->served);
    }
    return true;
}

static bool
edit_disks(xmlNode *devices, const FsnRestoreEdit *edit, GError **error)
{
    for (size_t i = 0; i < edit->n_disks; i++) {
        if (!place_disk(devices, &edit->disks[i], error)) {
            return false;
        }
    }
    for (const char *const *target = edit->dropped; target && *target; target++) {
        xmlNode *disk = find_disk(devices, *target);

        if (disk) {
            xmlUnlinkNode(disk);
            xmlFreeNode(disk);
        }
    }
    return true;
}

static void
edit_interfaces(xmlNode *devices, const FsnRestoreEdit *edit)
{
    for (xmlNode *node = fsn_node_child(devices, "interface"); node;
         node = fsn_node_next(node, "interface")) {
        if (edit->new_macs) {
            remove_children(node, "mac");
        }
        if (edit->links_down) {
            set_attribute(ensure_child(node, "link"), "state", "down");
        }
    }
}

/* That there is one, of which format and from which template, stays. */
static void
reset_nvram(xmlNode *root, const char *path)
{
    xmlNode *nvram = fsn_node_child(fsn_node_child(root, "os"), "nvram");

    if (nvram) {
        xmlNodeSetContent(nvram, NULL);
        xmlUnsetProp(nvram, (const xmlChar *)"type");
        if (path) {
            set_text(nvram, path);
        }
    }
}

static bool
edit_identity(xmlNode *root, const FsnRestoreEdit *edit, GError **error)
{
    xmlNode *name = fsn_node_child(root, "name");
    xmlNode *genid = fsn_node_child(root, "genid");

    if (!name) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "domain XML lacks <name>");
        return false;
    }
    if (edit->name) {
        set_text(name, edit->name);
    }
    if (edit->uuid) {
        set_text(ensure_child(root, "uuid"), edit->uuid);
    }
    if (edit->genid && genid) {
        set_text(genid, edit->genid);
    }
    return true;
}

bool
fsn_domain_xml_restore(const char *xml,
                       const FsnRestoreEdit *edit,
                       char **out_xml,
                       GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    xmlNode *root;
    xmlNode *devices;

    if (!fsn_document_parse(xml, "domain", "domain XML", &document, error)) {
        return false;
    }
    root = xmlDocGetRootElement(document);
    devices = fsn_node_child(root, "devices");
    if (!edit_identity(root, edit, error) || !edit_disks(devices, edit, error)) {
        return false;
    }
    edit_interfaces(devices, edit);
    if (edit->new_nvram) {
        reset_nvram(root, edit->nvram);
    }
    *out_xml = fsn_document_to_text(document);
    return true;
}

bool
fsn_domain_xml_filled(const char *xml,
                      const FsnFilledDisk *disks,
                      size_t n_disks,
                      char **out_xml,
                      GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    xmlNode *devices;

    if (!fsn_document_parse(xml, "domain", "domain XML", &document, error)) {
        return false;
    }
    devices = fsn_node_child(xmlDocGetRootElement(document), "devices");
    for (size_t i = 0; i < n_disks; i++) {
        xmlNode *disk = find_disk(devices, disks[i].target);
        xmlNode *driver = fsn_node_child(disk, "driver");

        if (disk) {
            remove_children(disk, "backingStore");
        }
        if (driver && disks[i].own_policy) {
            xmlUnsetProp(driver, (const xmlChar *)"rerror_policy");
        }
    }
    *out_xml = fsn_document_to_text(document);
    return true;
}

bool
fsn_pool_xml_folder(const char *xml, char **out_folder, GError **error)
{
    static const char *const kinds[] = { "dir", "fs", "netfs" };
    g_autoptr(xmlDoc) document = NULL;
    g_autofree char *kind = NULL;
    g_autofree char *path = NULL;
    xmlNode *root;

    if (!fsn_document_parse(xml, "pool", "storage pool XML", &document, error)) {
        return false;
    }
    root = xmlDocGetRootElement(document);
    kind = fsn_node_attribute(root, "type");
    path = fsn_node_text(fsn_node_child(fsn_node_child(root, "target"), "path"));
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_strcmp0(kind, kinds[i]) == 0 && path && g_path_is_absolute(path)) {
            *out_folder = g_steal_pointer(&path);
            return true;
        }
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                "a storage pool of type '%s' has no folder for files",
                kind ? kind : "none");
    return false;
}
