/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* What a domain's metadata has of foresnap:
 *     <foresnap:policy xmlns:foresnap="urn:foresnap:policy:1" profile="standard">
 *       <foresnap:set key="disk.base" value="raw"/>
 *     </foresnap:policy>
 * Only the form is checked here; what keys and values mean is the matter of policies. */
#define FSN_POLICY_NAMESPACE "urn:foresnap:policy:1"
#define FSN_POLICY_PREFIX    "foresnap"

typedef struct {
    char *key;
    char *value;
} FsnPolicySetting;

typedef struct {
    char *profile;       /* NULL = the default */
    GPtrArray *settings; /* of FsnPolicySetting, each key once */
} FsnPolicyXml;

FsnPolicyXml *fsn_policy_xml_new(void);
void fsn_policy_xml_free(FsnPolicyXml *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPolicyXml, fsn_policy_xml_free)

/* Reads the element as libvirt gives it. An element, attribute or text that has no meaning,
 * a key that is there twice and more than 256 settings are FSN_ERROR_FORMAT: somebody meant
 * something by it. */
bool fsn_policy_xml_parse(const char *xml, FsnPolicyXml **out_policy, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The element, to be given to libvirt; the caller frees. */
char *fsn_policy_xml_text(const FsnPolicyXml *policy);

/* Sets @key, or takes it out if @value is NULL. */
void fsn_policy_xml_set(FsnPolicyXml *policy, const char *key, const char *value);

G_END_DECLS
