/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Nothing that libvirt itself accepts is longer. */
#define FSN_DOCUMENT_MAX ((size_t)4 << 20)

/* Parses UTF-8 @text, whose root must be element @root; @what names it in messages. No
 * DOCTYPE, hence no entities, and never a file or the network. The caller frees with
 * xmlFreeDoc(). FSN_ERROR_FORMAT for anything else. */
bool fsn_document_parse(const char *text,
                        const char *root,
                        const char *what,
                        xmlDoc **out_document,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The elements below @node one by one, whatever their namespace; only those called @name
 * unless it is NULL. @node may be NULL. */
xmlNode *fsn_node_child(const xmlNode *node, const char *name);
xmlNode *fsn_node_next(const xmlNode *node, const char *name);

/* Text of the element and value of the attribute, NULL where there is none; the caller
 * frees. @node may be NULL. */
char *fsn_node_text(const xmlNode *node);
char *fsn_node_attribute(const xmlNode *node, const char *name);
/* True if attribute @name is there and equals @value. */
bool fsn_node_attribute_is(const xmlNode *node, const char *name, const char *value);

/* The decimal number, at least @min and at most @max, or size (its unit is KiB unless the
 * element says otherwise; @min counts units) that is the text of @node, which may be NULL.
 * False if it is none. */
bool fsn_node_number(const xmlNode *node,
                     uint64_t min,
                     uint64_t max,
                     uint64_t *out_value);
bool fsn_node_bytes(const xmlNode *node, uint64_t min, uint64_t *out_bytes);

/* The element as text, and the whole document; the caller frees. */
char *fsn_node_to_text(xmlNode *node);
char *fsn_document_to_text(xmlDoc *document);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

G_END_DECLS
