/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small edits of domain XML that keep everything they do not name, unknown elements
 * included. They work on the parsed tree, so values need no escaping by the caller.
 */
#include "config.h"

#include "domxml/edit.h"

#include "base/error.h"
#include "domxml/document-private.h"

#include <string.h>

#define QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"

static bool
set_text(xmlNode *parent, const char *name, const char *text, GError **error)
{
    xmlNode *node = fsn_node_child(parent, name);
    xmlNode *content;

    if (!node) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "domain XML lacks <%s>", name);
        return false;
    }
    /* xmlNodeSetContent() would take '&' for the start of an entity. */
    content = xmlNewDocText(parent->doc, (const xmlChar *)text);
    xmlNodeSetContent(node, NULL);
    xmlAddChild(node, content);
    return true;
}

bool
fsn_domain_xml_rename(
    const char *xml, const char *name, const char *uuid, char **out_xml, GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    xmlNode *root;

    if (!fsn_document_parse(xml, "domain", "domain XML", &document, error)) {
        return false;
    }
    root = xmlDocGetRootElement(document);
    if ((name && !set_text(root, "name", name, error)) ||
        (uuid && !set_text(root, "uuid", uuid, error))) {
        return false;
    }
    *out_xml = fsn_document_to_text(document);
    return true;
}

bool
fsn_domain_xml_set_emulator(const char *xml,
                            const char *path,
                            char **out_xml,
                            GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    xmlNode *devices;

    if (!fsn_document_parse(xml, "domain", "domain XML", &document, error)) {
        return false;
    }
    devices = fsn_node_child(xmlDocGetRootElement(document), "devices");
    if (!devices) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "domain XML lacks <devices>");
        return false;
    }
    if (!fsn_node_child(devices, "emulator")) {
        xmlNewChild(devices, NULL, (const xmlChar *)"emulator", NULL);
    }
    if (!set_text(devices, "emulator", path, error)) {
        return false;
    }
    *out_xml = fsn_document_to_text(document);
    return true;
}

bool
fsn_domain_xml_set_cpu(const char *xml,
                       const char *cpu_xml,
                       char **out_xml,
                       GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    g_autoptr(xmlDoc) other = NULL;
    xmlNode *root;
    xmlNode *old;
    xmlNode *cpu;

    if (!fsn_document_parse(xml, "domain", "domain XML", &document, error) ||
        !fsn_document_parse(cpu_xml, "cpu", "<cpu>", &other, error)) {
        return false;
    }
    root = xmlDocGetRootElement(document);
    cpu = xmlDocCopyNode(xmlDocGetRootElement(other), document, 1);
    old = fsn_node_child(root, "cpu");
    if (old) {
        xmlFreeNode(xmlReplaceNode(old, cpu));
    } else {
        xmlAddChild(root, cpu);
    }
    *out_xml = fsn_document_to_text(document);
    return true;
}

/* The <qemu:commandline> element, NULL if there is none. */
static xmlNode *
find_commandline(xmlNode *root)
{
    for (xmlNode *node = fsn_node_child(root, "commandline"); node;
         node = fsn_node_next(node, "commandline")) {
        if (node->ns && strcmp((const char *)node->ns->href, QEMU_NAMESPACE) == 0) {
            return node;
        }
    }
    return NULL;
}

static xmlNode *
ensure_commandline(xmlNode *root)
{
    const xmlChar *href = (const xmlChar *)QEMU_NAMESPACE;
    xmlNode *commandline = find_commandline(root);
    xmlNs *ns;

    if (commandline) {
        return commandline;
    }
    ns = xmlSearchNsByHref(root->doc, root, href);
    if (!ns) {
        ns = xmlNewNs(root, href, (const xmlChar *)"qemu");
    }
    return xmlNewChild(root, ns, (const xmlChar *)"commandline", NULL);
}

bool
fsn_domain_xml_add_arguments(const char *xml,
                             const char *const *args,
                             char **out_xml,
                             GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    xmlNode *commandline;

    if (!fsn_document_parse(xml, "domain", "domain XML", &document, error)) {
        return false;
    }
    commandline = ensure_commandline(xmlDocGetRootElement(document));
    for (; *args; args++) {
        xmlNode *node =
            xmlNewChild(commandline, commandline->ns, (const xmlChar *)"arg", NULL);

        xmlNewProp(node, (const xmlChar *)"value", (const xmlChar *)*args);
    }
    *out_xml = fsn_document_to_text(document);
    return true;
}

/* True if the elements from @node on are <arg>s with the values @args. */
static bool
matches_run(const xmlNode *node, const char *const *args)
{
    for (; *args; args++) {
        if (!node || !fsn_node_attribute_is(node, "value", *args)) {
            return false;
        }
        node = fsn_node_next(node, "arg");
    }
    return true;
}

static void
remove_run(xmlNode *node, size_t count)
{
    while (count-- > 0) {
        xmlNode *next = fsn_node_next(node, "arg");

        xmlUnlinkNode(node);
        xmlFreeNode(node);
        node = next;
    }
}

bool
fsn_domain_xml_drop_arguments(const char *xml,
                              const char *const *args,
                              char **out_xml,
                              GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    xmlNode *commandline;

    if (!fsn_document_parse(xml, "domain", "domain XML", &document, error)) {
        return false;
    }
    commandline = find_commandline(xmlDocGetRootElement(document));
    for (xmlNode *node = fsn_node_child(commandline, "arg"); node && *args;
         node = fsn_node_next(node, "arg")) {
        if (matches_run(node, args)) {
            remove_run(node, g_strv_length((char **)args));
            break;
        }
    }
    if (commandline && !fsn_node_child(commandline, NULL)) {
        xmlUnlinkNode(commandline);
        xmlFreeNode(commandline);
    }
    *out_xml = fsn_document_to_text(document);
    return true;
}

bool
fsn_xml_one_element(const char *xml, const char *root, char **out_xml, GError **error)
{
    g_autoptr(xmlDoc) document = NULL;

    if (!fsn_document_parse(xml, root, root, &document, error)) {
        return false;
    }
    *out_xml = fsn_document_to_text(document);
    return true;
}
