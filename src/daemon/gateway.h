/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/settings.h"

G_BEGIN_DECLS

/* The API of api/server.h and the web page, as the configuration wants them. In the main
 * context only. */
typedef struct FsnGateway FsnGateway;

/* All strings are copied. Where it cannot be opened that is logged, and the daemon does without
 * until the configuration is read again. */
FsnGateway *fsn_gateway_new(const FsnDaemonConfig *config,
                            const char *history_path,
                            const char *state_dir);
/* Opens it anew if something about it is different; readers of events are cut off then. */
void fsn_gateway_set(FsnGateway *gateway, const FsnDaemonConfig *config);
/* Something has changed about domain @uuid; NULL: perhaps about all. */
void fsn_gateway_invalidate(FsnGateway *gateway, const char *uuid);
void fsn_gateway_free(FsnGateway *gateway);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnGateway, fsn_gateway_free)

G_END_DECLS
