/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/host-facts.h"

G_BEGIN_DECLS

/* Opens the repository at @location, or looks whether it could be made there; makes nothing.
 * Whatever goes wrong is a fact too: out_repo->error. */
void fsn_host_repo_probe(const char *location, FsnHostRepo *out_repo);
void fsn_host_repo_clear(FsnHostRepo *repo);

G_END_DECLS
