/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "access/token.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* From what a client asks for to a command line of foresnap. Pure: the only way in which a client's
 * text becomes an argument, and always as "--option=text" or as an id that was looked up. */

typedef enum {
    FSN_JOB_OF_DOMAIN,   /* "domain" */
    FSN_JOB_OF_SNAPSHOT, /* "snapshot" */
    FSN_JOB_OF_EITHER,
    FSN_JOB_OF_ALL, /* neither: of the whole repository */
} FsnJobObject;

typedef struct {
    const char *operation;
    const char *command; /* of foresnap */
    FsnJobObject object;
    FsnScope scope; /* that it takes */
} FsnJobKind;

/* NULL if there is no such operation. */
const FsnJobKind *fsn_api_job_kind(const char *operation);
/* All of them; for the description of the API. */
const FsnJobKind *fsn_api_job_kinds(size_t *out_n);

/* The arguments, NULL-terminated, for @object (a UUID or a snapshot's id; NULL for those of all)
 * with the members of @body as options. A member that has no meaning for the operation, or is of
 * another type, is FSN_ERROR_USAGE. */
char **fsn_api_job_arguments(const FsnJobKind *kind,
                             const char *object,
                             JsonObject *body,
                             GError **error);

G_END_DECLS
