/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What a snapshot has not, so that a restore will lack it, a phrase each (char *); the caller
 * unrefs. Pure; @manifest is not trusted. */
GPtrArray *fsn_manifest_lacks(JsonObject *manifest);

/* The part of it that a profile has left out, of @targets (NULL = all disks): what a restore has
 * to warn of, beyond drives that no snapshot takes. */
GPtrArray *fsn_manifest_left_out(JsonObject *manifest, const char *const *targets);

G_END_DECLS
