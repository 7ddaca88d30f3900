/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "api/private.h"

G_BEGIN_DECLS

/* Answers what comes to api->soup, until it is detached. */
void fsn_api_attach_requests(FsnApi *api);
void fsn_api_detach_requests(FsnApi *api);

G_END_DECLS
