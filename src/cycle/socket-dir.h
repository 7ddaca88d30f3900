/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/connection.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * The folder in which QEMU makes the socket of a resume: QEMU's user may write it, and nobody
 * but that user and root may enter it.
 */
bool fsn_socket_dir_make(FsnVirt *virt, const char *uuid, char **out_path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Removes it with the sockets that are in it. */
void fsn_socket_dir_remove(FsnVirt *virt, const char *uuid);

G_END_DECLS
