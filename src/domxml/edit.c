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

/* Changes the tree below @root, <domain>, as @how says. */
typedef bool (*Change)(xmlNode *root, gconstpointer how, GError **error);

typedef struct {
    const char *name; /* NULL: stays */
    const char *uuid; /* NULL: stays */
} Names;

/* What all edits are: text in, a change of the tree, text out. */
static bool
edit(const char *xml, Change change, gconstpointer how, char **out_xml, GError **error)
{
    g_autoptr(xmlDoc) document = NULL;

    if (!fsn_document_parse(xml, "domain", "domain XML", &document, error) ||
        !change(xmlDocGetRootElement(document), how, error)) {
        return false;
    }
    *out_xml = fsn_document_to_text(document);
    return true;
}

static xmlNode *
get_child(xmlNode *parent, const char *name, GError **error)
{
    xmlNode *node = fsn_node_child(parent, name);

    if (!node) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "domain XML lacks <%s>", name);
    }
    return node;
}

static bool
set_text(xmlNode *parent, const char *name, const char *text, GError **error)
{
    xmlNode *node = get_child(parent, name, error);
    xmlNode *content;

    if (!node) {
        return false;
    }
    /* xmlNodeSetContent() would take '&' for the start of an entity. */
    content = xmlNewDocText(parent->doc, (const xmlChar *)text);
    xmlNodeSetContent(node, NULL);
    xmlAddChild(node, content);
    return true;
}

static bool
rename_domain(xmlNode *root, gconstpointer how, GError **error)
{
    const Names *to = how;

    return (!to->name || set_text(root, "name", to->name, error)) &&
           (!to->uuid || set_text(root, "uuid", to->uuid, error));
}

bool
fsn_domain_xml_rename(
    const char *xml, const char *name, const char *uuid, char **out_xml, GError **error)
{
    const Names to = { .name = name, .uuid = uuid };

    return edit(xml, rename_domain, &to, out_xml, error);
}

static bool
set_emulator(xmlNode *root, gconstpointer path, GError **error)
{
    xmlNode *devices = get_child(root, "devices", error);

    if (!devices) {
        return false;
    }
    if (!fsn_node_child(devices, "emulator")) {
        xmlNewChild(devices, NULL, (const xmlChar *)"emulator", NULL);
    }
    return set_text(devices, "emulator", path, error);
}

bool
fsn_domain_xml_set_emulator(const char *xml,
                            const char *path,
                            char **out_xml,
                            GError **error)
{
    return edit(xml, set_emulator, path, out_xml, error);
}

static bool
set_cpu(xmlNode *root, gconstpointer cpu_xml, GError **error)
{
    g_autoptr(xmlDoc) other = NULL;
    xmlNode *old = fsn_node_child(root, "cpu");
    xmlNode *cpu;

    if (!fsn_document_parse(cpu_xml, "cpu", "<cpu>", &other, error)) {
        return false;
    }
    cpu = xmlDocCopyNode(xmlDocGetRootElement(other), root->doc, 1);
    if (old) {
        xmlFreeNode(xmlReplaceNode(old, cpu));
    } else {
        xmlAddChild(root, cpu);
    }
    return true;
}

bool
fsn_domain_xml_set_cpu(const char *xml,
                       const char *cpu_xml,
                       char **out_xml,
                       GError **error)
{
    return edit(xml, set_cpu, cpu_xml, out_xml, error);
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

static bool
add_arguments(xmlNode *root, gconstpointer how, GError **error)
{
    xmlNode *commandline = ensure_commandline(root);

    for (const char *const *args = how; *args; args++) {
        xmlNode *node =
            xmlNewChild(commandline, commandline->ns, (const xmlChar *)"arg", NULL);

        xmlNewProp(node, (const xmlChar *)"value", (const xmlChar *)*args);
    }
    return true;
}

bool
fsn_domain_xml_add_arguments(const char *xml,
                             const char *const *args,
                             char **out_xml,
                             GError **error)
{
    return edit(xml, add_arguments, args, out_xml, error);
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

static bool
drop_arguments(xmlNode *root, gconstpointer how, GError **error)
{
    const char *const *args = how;
    xmlNode *commandline = find_commandline(root);

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
    return true;
}

bool
fsn_domain_xml_drop_arguments(const char *xml,
                              const char *const *args,
                              char **out_xml,
                              GError **error)
{
    return edit(xml, drop_arguments, args, out_xml, error);
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
