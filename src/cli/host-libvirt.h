/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/host-facts.h"

G_BEGIN_DECLS

/* Connects to libvirt at @uri (NULL: its own default) and asks what it can do. Whatever goes
 * wrong is a fact too: out_libvirt->error. Starts a thread. */
void fsn_host_libvirt_probe(const char *uri, FsnHostLibvirt *out_libvirt);
void fsn_host_libvirt_clear(FsnHostLibvirt *libvirt);

G_END_DECLS
