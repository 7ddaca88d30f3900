/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

G_BEGIN_DECLS

/* Changing what lies below a qcow2 image that a guest has open. Errors: as in
 * qmp/commands-block.h. */

/* A qcow2 image, as far as QEMU states how it is open. */
typedef struct {
    char *node;
    char *file; /* the node of its file */
    char *detect_zeroes;
    bool direct; /* cache modes */
    bool no_flush;
    bool backing; /* has an image below */
} FsnQcow2Node;

void fsn_qcow2_node_clear(FsnQcow2Node *node);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnQcow2Node, fsn_qcow2_node_clear)

/* The image of the guest's device that libvirt calls @alias, whose file is @path.
 * FSN_ERROR_NOT_FOUND without one; FSN_ERROR_BUSY while a job has put something above it. The
 * caller clears it. */
bool fsn_qmp_find_qcow2(FsnQmp *qmp,
                        const char *alias,
                        const char *path,
                        FsnQcow2Node *out_node,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds node @name, what is served at @socket. When that connection breaks, requests wait up
 * to @reconnect_s seconds for a new one before they fail. */
bool fsn_qmp_add_nbd_client(FsnQmp *qmp,
                            const char *name,
                            const char *socket,
                            unsigned reconnect_s,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Adds node @name, a disk without a byte: what is above one reads as zero where it has
 * nothing itself. */
bool fsn_qmp_add_empty(FsnQmp *qmp, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Puts @backing below @node; the guest notices nothing, and the image's header says what it
 * did. @discard is as in the domain's description ("unmap"; NULL: QEMU's default), which
 * QEMU does not state. The cache of the image's tables gets its default size. */
bool fsn_qmp_set_backing(FsnQmp *qmp,
                         const FsnQcow2Node *node,
                         const char *discard,
                         const char *backing,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
