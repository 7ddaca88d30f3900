/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/settings.h"

G_BEGIN_DECLS

/* The arguments of a run of foresnap that works on what the daemon works on: @first … NULL, then
 * --connect and --repo where @config names them. The caller frees. */
char **fsn_daemon_arguments(const FsnDaemonConfig *config,
                            const char *first,
                            ...) G_GNUC_NULL_TERMINATED;

G_END_DECLS
