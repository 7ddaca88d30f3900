/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which networks, storage pools and network filters a domain names, and how two definitions of
 * one differ. Pure, bounded: knows neither libvirt nor the host.
 */
#include "config.h"

#include "domxml/dependencies.h"

#include "base/error.h"
#include "domxml/document-private.h"

#include <string.h>

static const char *const names[FSN_N_DEPENDENCIES] = {
    [FSN_DEPENDENCY_FILTER] = "filter",
    [FSN_DEPENDENCY_NETWORK] = "network",
    [FSN_DEPENDENCY_POOL] = "pool",
};

const char *
fsn_dependency_name(FsnDependencyKind kind)
{
    g_return_val_if_fail(kind < FSN_N_DEPENDENCIES, "?");
    return names[kind];
}

void
fsn_dependency_free(gpointer data)
{
    FsnDependency *dependency = data;

    if (dependency) {
        g_free(dependency->name);
        g_free(dependency->xml);
        g_free(dependency);
    }
}

/* Takes @name over; what is there already, or too much, is dropped. */
static void
add_name(GPtrArray *array, char *name)
{
    if (name && *name && array->len < FSN_DEPENDENCIES_MAX &&
        !g_ptr_array_find_with_equal_func(array, name, g_str_equal, NULL)) {
        g_ptr_array_add(array, name);
    } else {
        g_free(name);
    }
}

static void
add_filters(const xmlNode *node, GPtrArray *array)
{
    for (const xmlNode *ref = fsn_node_child(node, "filterref"); ref;
         ref = fsn_node_next(ref, "filterref")) {
        add_name(array, fsn_node_attribute(ref, "filter"));
    }
}

static void
add_interface(const xmlNode *node, FsnDependencies *d)
{
    if (fsn_node_attribute_is(node, "type", "network")) {
        add_name(d->names[FSN_DEPENDENCY_NETWORK],
                 fsn_node_attribute(fsn_node_child(node, "source"), "network"));
    }
    add_filters(node, d->names[FSN_DEPENDENCY_FILTER]);
    add_name(d->ports, fsn_node_attribute(fsn_node_child(node, "target"), "dev"));
}

static void
add_disk(const xmlNode *node, FsnDependencies *d)
{
    const xmlNode *source = fsn_node_child(node, "source");
    g_autofree char *file = fsn_node_attribute(source, "file");

    add_name(d->names[FSN_DEPENDENCY_POOL], fsn_node_attribute(source, "pool"));
    if (file && g_path_is_absolute(file)) {
        add_name(d->folders, g_path_get_dirname(file));
    }
}

bool
fsn_dependencies_find(const char *domain_xml, FsnDependencies *out, GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    const xmlNode *devices;

    if (!fsn_document_parse(domain_xml, "domain", "domain XML", &document, error)) {
        return false;
    }
    for (int i = 0; i < FSN_N_DEPENDENCIES; i++) {
        out->names[i] = g_ptr_array_new_with_free_func(g_free);
    }
    out->folders = g_ptr_array_new_with_free_func(g_free);
    out->ports = g_ptr_array_new_with_free_func(g_free);
    devices = fsn_node_child(xmlDocGetRootElement(document), "devices");
    for (const xmlNode *n = fsn_node_child(devices, NULL); n;
         n = fsn_node_next(n, NULL)) {
        if (strcmp((const char *)n->name, "interface") == 0) {
            add_interface(n, out);
        } else if (strcmp((const char *)n->name, "disk") == 0) {
            add_disk(n, out);
        }
    }
    return true;
}

void
fsn_dependencies_clear(FsnDependencies *d)
{
    for (int i = 0; i < FSN_N_DEPENDENCIES; i++) {
        g_clear_pointer(&d->names[i], g_ptr_array_unref);
    }
    g_clear_pointer(&d->folders, g_ptr_array_unref);
    g_clear_pointer(&d->ports, g_ptr_array_unref);
}

static bool
parse(FsnDependencyKind kind, const char *xml, xmlDoc **out_document, GError **error)
{
    g_autofree char *what = g_strdup_printf("the %s's XML", names[kind]);

    return fsn_document_parse(xml, names[kind], what, out_document, error);
}

bool
fsn_dependency_filters(const char *filter_xml, GPtrArray *array, GError **error)
{
    g_autoptr(xmlDoc) document = NULL;

    if (!parse(FSN_DEPENDENCY_FILTER, filter_xml, &document, error)) {
        return false;
    }
    add_filters(xmlDocGetRootElement(document), array);
    return true;
}

bool
fsn_dependency_pool_folder(const char *pool_xml, char **out_folder, GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    const xmlNode *target;

    if (!parse(FSN_DEPENDENCY_POOL, pool_xml, &document, error)) {
        return false;
    }
    target = fsn_node_child(xmlDocGetRootElement(document), "target");
    *out_folder = fsn_node_text(fsn_node_child(target, "path"));
    return true;
}

bool
fsn_dependency_pool_is_folder(const char *pool_xml)
{
    g_autoptr(xmlDoc) document = NULL;

    return parse(FSN_DEPENDENCY_POOL, pool_xml, &document, NULL) &&
           fsn_node_attribute_is(xmlDocGetRootElement(document), "type", "dir");
}

/* A network and a pool have an element with it, a filter an attribute. */
static char *
name_of(FsnDependencyKind kind, const xmlNode *root)
{
    return kind == FSN_DEPENDENCY_FILTER ? fsn_node_attribute(root, "name")
                                         : fsn_node_text(fsn_node_child(root, "name"));
}

bool
fsn_dependency_check(FsnDependencyKind kind,
                     const char *name,
                     const char *xml,
                     GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    g_autofree char *found = NULL;

    if (!parse(kind, xml, &document, error)) {
        g_prefix_error(error, "%s '%s': ", names[kind], name);
        return false;
    }
    found = name_of(kind, xmlDocGetRootElement(document));
    if (g_strcmp0(found, name) != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "%s '%s': its XML has another name", names[kind], name);
        return false;
    }
    return true;
}

static void
drop(xmlNode *root, const char *name)
{
    xmlNode *node;

    while ((node = fsn_node_child(root, name))) {
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
}

/* The lines of the definition without what changes by itself. */
static char **
lines_of(FsnDependencyKind kind, const char *xml, GError **error)
{
    g_autoptr(xmlDoc) document = NULL;
    g_autofree char *text = NULL;
    xmlNode *root;

    if (!parse(kind, xml, &document, error)) {
        return NULL;
    }
    root = xmlDocGetRootElement(document);
    if (kind == FSN_DEPENDENCY_POOL) {
        drop(root, "capacity");
        drop(root, "allocation");
        drop(root, "available");
    } else if (kind == FSN_DEPENDENCY_NETWORK) {
        (void)xmlUnsetProp(root, (const xmlChar *)"connections"); /* may not be there */
    }
    text = fsn_node_to_text(root);
    return g_strsplit(text, "\n", -1);
}

/* Counts of the lines that are not blank. */
static GHashTable *
count(char **lines)
{
    GHashTable *counts = g_hash_table_new(g_str_hash, g_str_equal);

    for (char **line = lines; *line; line++) {
        g_strstrip(*line);
        if (**line) {
            gsize n = GPOINTER_TO_SIZE(g_hash_table_lookup(counts, *line));

            g_hash_table_insert(counts, *line, GSIZE_TO_POINTER(n + 1));
        }
    }
    return counts;
}

/* The lines of @lines that @other does not have, or has less often. */
static void
add_lines(GPtrArray *out, char sign, char **lines, GHashTable *other)
{
    for (char **line = lines; *line; line++) {
        gsize n = GPOINTER_TO_SIZE(g_hash_table_lookup(other, *line));

        if (n > 0) {
            g_hash_table_insert(other, *line, GSIZE_TO_POINTER(n - 1));
        } else if (**line && out->len < FSN_DEPENDENCY_LINES) {
            g_ptr_array_add(out, g_strdup_printf("%c%s", sign, *line));
        }
    }
}

bool
fsn_dependency_compare(FsnDependencyKind kind,
                       const char *here,
                       const char *was,
                       GPtrArray **out_lines,
                       GError **error)
{
    g_auto(GStrv) new_lines = lines_of(kind, here, error);
    g_auto(GStrv) old_lines = new_lines ? lines_of(kind, was, error) : NULL;
    g_autoptr(GHashTable) new_counts = NULL;
    g_autoptr(GHashTable) old_counts = NULL;
    GPtrArray *lines;

    if (!old_lines) {
        return false;
    }
    new_counts = count(new_lines);
    old_counts = count(old_lines);
    lines = g_ptr_array_new_with_free_func(g_free);
    add_lines(lines, '-', old_lines, new_counts);
    add_lines(lines, '+', new_lines, old_counts);
    *out_lines = lines;
    return true;
}
