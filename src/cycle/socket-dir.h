/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/connection.h"

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * The folder in which QEMU makes the socket of a resume, or finds that of a server: QEMU's user may write it, and nobody
 * but that user and root may enter it.
 */
char *fsn_socket_dir_path(FsnVirt *virt, const char *uuid); /* the caller frees */
bool fsn_socket_dir_make(FsnVirt *virt, const char *uuid, char **out_path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Removes it with the sockets that are in it. */
void fsn_socket_dir_remove(FsnVirt *virt, const char *uuid);

/* Gives the socket @path in such a folder to QEMU's user, and to nobody else. */
bool fsn_socket_dir_give(FsnVirt *virt, const char *path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
