/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/transport.h"

G_BEGIN_DECLS

/* A transport whose every reply is a copy of @reply (which is not copied now); with NULL every
 * command fails with FSN_ERROR_TIMEOUT. @commands (may be NULL) gets a copy of each
 * command. For answers that no real QEMU gives. */
FsnQmpTransport *test_script_new(const char *reply, GPtrArray *commands);

G_END_DECLS
