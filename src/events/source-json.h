/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/json.h"
#include "events/store.h"

G_BEGIN_DECLS

/* The description of a source as it is stored beside its copy. */
#define FSN_EVENT_SOURCE_JSON_MAX (64 * 1024)

JsonObject *fsn_event_source_to_json(const FsnEventSource *source);
/* A newer version is FSN_ERROR_UNSUPPORTED, else damage FSN_ERROR_FORMAT. */
FsnEventSource *fsn_event_source_from_json(JsonObject *object, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool fsn_event_source_id_is_valid(const char *id);

G_END_DECLS
