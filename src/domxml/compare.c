/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the state of one machine can be loaded by another, as far as their descriptions
 * tell. QEMU checks RAM blocks and device state itself, but only once the guard on the
 * domain is lifted; a mismatch found here keeps the state. ROM sizes are not in the XML.
 */
#include "config.h"

#include "domxml/domain-facts.h"

#include "base/error.h"
#include "domxml/document-private.h"

#include <string.h>

static bool
check_equal(const char *what, const char *saved, const char *now, GError **error)
{
    if (g_strcmp0(saved, now) == 0) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "%s was '%s' and is '%s'", what,
                saved ? saved : "not given", now ? now : "not given");
    return false;
}

static bool
check_equal_number(const char *what, uint64_t saved, uint64_t now, GError **error)
{
    if (saved == now) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                "%s was %" G_GUINT64_FORMAT " and is %" G_GUINT64_FORMAT, what, saved,
                now);
    return false;
}

static int
compare_strings(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The <cpu> element without white space and with sorted children: libvirt's order of
 * features differs between releases. Returns the text as it is if it is not XML. */
static char *
normal_cpu(const char *xml)
{
    g_autoptr(xmlDoc) document = NULL;
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) text = g_string_new("");
    xmlNode *root;

    if (!xml || !fsn_document_parse(xml, "cpu", "CPU", &document, NULL)) {
        return g_strdup(xml);
    }
    root = xmlDocGetRootElement(document);
    for (xmlNode *node = fsn_node_child(root, NULL); node;
         node = fsn_node_next(node, NULL)) {
        g_ptr_array_add(parts, fsn_node_to_text(node));
    }
    for (xmlAttr *attribute = root->properties; attribute; attribute = attribute->next) {
        g_autofree char *value = fsn_node_attribute(root, (const char *)attribute->name);

        g_ptr_array_add(parts, g_strdup_printf("%s=%s", attribute->name, value));
    }
    g_ptr_array_sort(parts, compare_strings);
    for (guint i = 0; i < parts->len; i++) {
        g_string_append_printf(text, "%s ", (const char *)parts->pdata[i]);
    }
    return g_strdup(g_strchomp(text->str));
}

bool
fsn_domain_facts_same_machine(const FsnDomainFacts *saved,
                              const FsnDomainFacts *now,
                              GError **error)
{
    g_autofree char *saved_cpu = normal_cpu(saved->cpu_xml);
    g_autofree char *now_cpu = normal_cpu(now->cpu_xml);

    return check_equal("domain type", saved->type, now->type, error) &&
           check_equal("architecture", saved->arch, now->arch, error) &&
           check_equal("machine type", saved->machine, now->machine, error) &&
           check_equal_number("memory in bytes", saved->memory_bytes, now->memory_bytes,
                              error) &&
           check_equal_number("number of vCPUs", saved->vcpus, now->vcpus, error) &&
           check_equal("CPU", saved_cpu, now_cpu, error);
}
