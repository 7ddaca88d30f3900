/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/level.h"
#include "repo/repo.h"
#include "virt/connection.h"

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Logs that go with a snapshot: QEMU's of the domain, and what its consoles write to files. */

/* The most that is kept of one file, and the most files. */
#define FSN_LOG_MAX   ((size_t)16 << 20)
#define FSN_LOG_FILES 32

/* Reads the logs of domain @name, whose description is @xml, into the repository: with level
 * standard the last @tail bytes of each, from detailed on all of it, rotated ones of QEMU too.
 * The manifest's member, or NULL with level minimal; for the caller to unref. What is not there
 * or cannot be read is an entry that says so; false if the repository fails. */
bool fsn_logs_store(FsnRepo *repo,
                    const FsnVirt *virt,
                    const char *name,
                    const char *xml,
                    FsnLevel level,
                    uint64_t tail,
                    JsonArray **out_logs,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The object of log @name of @manifest, which has it. FSN_ERROR_NOT_FOUND names those that
 * there are. */
bool fsn_logs_find(JsonObject *manifest,
                   const char *name,
                   const char **out_object,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
