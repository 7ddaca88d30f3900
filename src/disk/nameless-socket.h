/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* Makes a listening Unix socket that has no name any more, so that nothing is left of it
 * even by SIGKILL. Children of this process, and others of its user, reach it at *@out_path
 * (below /proc, for the caller to free) as long as *@out_path_fd is open. Both descriptors
 * are close-on-exec and the caller's. */
bool fsn_nameless_socket(int backlog,
                         int *out_listener,
                         int *out_path_fd,
                         char **out_path,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
