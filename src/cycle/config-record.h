/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "domxml/dependencies.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* The object of a snapshot that has the configuration around its domain
 * (foresnap-manifest(5)): what the domain depends on, with what is needed to make it again, and
 * facts that are only kept to be looked at. */

#define FSN_CONFIG_MAX        ((size_t)8 << 20) /* longest object */
#define FSN_CONFIG_MAX_THINGS 256

typedef struct {
    GPtrArray *things;  /* of FsnDependency, those that others need first */
    GPtrArray *missing; /* char *: what the domain names and libvirt did not have */
    JsonObject *facts;  /* arrays by name: "leases", "ports", "bindings", "statistics",
                           "checkpoints" */
} FsnConfigRecord;

FsnConfigRecord *fsn_config_record_new(void);
void fsn_config_record_free(FsnConfigRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnConfigRecord, fsn_config_record_free)

/* The object; the caller unrefs. */
GBytes *fsn_config_record_bytes(const FsnConfigRecord *record);

/* Reads it. Whatever no writer of ours makes is FSN_ERROR_FORMAT: XML of another kind or name
 * than it is listed under among it. */
FsnConfigRecord *fsn_config_record_parse(GBytes *bytes, GError **error);

/* The manifest's member: @object, and the names of what is in it; the caller unrefs. */
JsonObject *fsn_config_record_reference(const FsnConfigRecord *record,
                                        const char *object);

G_END_DECLS
