/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/host-facts.h"

G_BEGIN_DECLS

/* Starts the QEMU of this host's architecture for a moment, without a machine, and asks it
 * what it can do. Whatever goes wrong is a fact too: out_qemu->error. */
void fsn_host_qemu_probe(FsnHostQemu *out_qemu);
void fsn_host_qemu_clear(FsnHostQemu *qemu);

G_END_DECLS
