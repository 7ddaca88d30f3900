/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

G_BEGIN_DECLS

/* Reads all of a small NBD export, of at most @max bytes (a larger one is FSN_ERROR_FORMAT), on
 * the unix socket @socket. @cancel (atomic) as in FsnNbdOptions; may be null. */
bool fsn_nbd_read_whole(const char *socket,
                        const char *export_name,
                        size_t max,
                        const gint *cancel,
                        GBytes **out_bytes,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
