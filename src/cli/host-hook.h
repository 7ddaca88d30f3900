/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/host-facts.h"

G_BEGIN_DECLS

/* @uri (NULL: unknown) is the one that libvirt settled on, @state_dir foresnap's. */
void fsn_host_hook_probe(const char *uri, const char *state_dir, FsnHostHook *out_hook);
void fsn_host_hook_clear(FsnHostHook *hook);

G_END_DECLS
