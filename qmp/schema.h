/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

G_BEGIN_DECLS

/* More entries are refused; QEMU 7.2 has 1051. */
#define FSN_QMP_MAX_SCHEMA_ENTRIES 65536

/* What this QEMU can be asked, in its own words: features are looked up here, never guessed
 * from a version. Immutable. */
typedef struct FsnQmpSchema FsnQmpSchema;

/* Asks QEMU. Errors as for fsn_qmp_execute(), and as below. */
bool fsn_qmp_schema_query(FsnQmp *qmp, FsnQmpSchema **out_schema, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* From the value that query-qmp-schema returns. FSN_ERROR_FORMAT if it is not an array of
 * named entries, or names one twice. */
bool fsn_qmp_schema_new(JsonNode *value, FsnQmpSchema **out_schema, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void fsn_qmp_schema_free(FsnQmpSchema *schema);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnQmpSchema, fsn_qmp_schema_free)

/* Each is false also where the schema is not shaped as expected. */
bool fsn_qmp_schema_has_command(const FsnQmpSchema *schema, const char *command);
bool fsn_qmp_schema_has_event(const FsnQmpSchema *schema, const char *event);
/* A member of the command's argument object; not one that only a variant of it has. */
bool fsn_qmp_schema_has_argument(const FsnQmpSchema *schema,
                                 const char *command,
                                 const char *argument);
/* A migration capability, "background-snapshot" for one. */
bool fsn_qmp_schema_has_capability(const FsnQmpSchema *schema, const char *capability);

G_END_DECLS
