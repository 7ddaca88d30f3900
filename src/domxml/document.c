/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one door to libxml2: bounded parsing of text that a peer, an operator or a snapshot
 * may have written. A document with a DOCTYPE is refused before and after the parser has
 * seen it, so no entity is ever declared, let alone expanded; depth is bounded by libxml2
 * (256) because XML_PARSE_HUGE is never given. Nothing here knows what a domain is.
 */
#include "config.h"

#include "domxml/document-private.h"

#include "base/error.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>
#include <string.h>

static bool
set_format_error(GError **error, const char *what, const char *why)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "%s is refused: %s", what, why);
    return false;
}

static bool
check_text(const char *text, const char *what, GError **error)
{
    size_t len = strnlen(text, FSN_DOCUMENT_MAX + 1);

    if (len > FSN_DOCUMENT_MAX) {
        return set_format_error(error, what, "it is longer than 4 MiB");
    }
    if (!g_utf8_validate(text, (gssize)len, NULL)) {
        return set_format_error(error, what, "it is not UTF-8");
    }
    if (strstr(text, "<!DOCTYPE")) {
        return set_format_error(error, what, "it has a document type declaration");
    }
    return true;
}

/* The parser's complaint without its final line break. */
static char *
parser_complaint(const xmlParserCtxt *parser)
{
    const char *message = parser->lastError.message;

    return g_strchomp(g_strdup(message ? message : "it is not XML"));
}

bool
fsn_document_parse(const char *text,
                   const char *root,
                   const char *what,
                   xmlDoc **out_document,
                   GError **error)
{
    const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    g_autoptr(xmlDoc) document = NULL;
    xmlParserCtxt *parser;
    xmlNode *element;

    if (!check_text(text, what, error)) {
        return false;
    }
    parser = xmlNewParserCtxt();
    g_assert(parser);
    document = xmlCtxtReadMemory(parser, text, (int)strlen(text), NULL, "UTF-8", options);
    if (!document) {
        g_autofree char *complaint = parser_complaint(parser);

        xmlFreeParserCtxt(parser);
        return set_format_error(error, what, complaint);
    }
    xmlFreeParserCtxt(parser);
    if (document->intSubset || document->extSubset) {
        return set_format_error(error, what, "it has a document type declaration");
    }
    element = xmlDocGetRootElement(document);
    if (!element || strcmp((const char *)element->name, root) != 0) {
        g_autofree char *why = g_strdup_printf("its root is not <%s>", root);

        return set_format_error(error, what, why);
    }
    *out_document = g_steal_pointer(&document);
    return true;
}

static xmlNode *
find_element(xmlNode *node, const char *name)
{
    for (; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE &&
            (!name || strcmp((const char *)node->name, name) == 0)) {
            return node;
        }
    }
    return NULL;
}

xmlNode *
fsn_node_child(const xmlNode *node, const char *name)
{
    return node ? find_element(node->children, name) : NULL;
}

xmlNode *
fsn_node_next(const xmlNode *node, const char *name)
{
    return node ? find_element(node->next, name) : NULL;
}

/* libxml2's strings belong to its own allocator. */
static char *
take_xml_string(xmlChar *string)
{
    char *copy = g_strdup((const char *)string);

    xmlFree(string);
    return copy;
}

char *
fsn_node_text(const xmlNode *node)
{
    return node ? take_xml_string(xmlNodeGetContent(node)) : NULL;
}

char *
fsn_node_attribute(const xmlNode *node, const char *name)
{
    xmlChar *value = node ? xmlGetProp(node, (const xmlChar *)name) : NULL;

    return value ? take_xml_string(value) : NULL;
}

bool
fsn_node_attribute_is(const xmlNode *node, const char *name, const char *value)
{
    g_autofree char *found = fsn_node_attribute(node, name);

    return g_strcmp0(found, value) == 0;
}

char *
fsn_node_to_text(xmlNode *node)
{
    xmlBuffer *buffer = xmlBufferCreate();
    char *text;
    int len;

    g_assert(buffer);
    len = xmlNodeDump(buffer, node->doc, node, 0, 0);
    g_assert(len >= 0);
    text = g_strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}

char *
fsn_document_to_text(xmlDoc *document)
{
    return fsn_node_to_text(xmlDocGetRootElement(document));
}
