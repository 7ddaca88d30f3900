/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

G_BEGIN_DECLS

/* QEMU's NBD server and what it exports. There is one server in a QEMU, whoever wants it:
 * libvirt's pull backup starts the same. Errors of all: as in qmp/commands-block.h. */

/* Takes connections on the listening unix socket that was given as @fdname with
 * fsn_qmp_getfd(); QEMU has closed its duplicate if this fails. FSN_ERROR_BUSY: there is a
 * server already, for another backup. @max_connections: 0 for no limit. */
bool fsn_qmp_nbd_server_start_fd(FsnQmp *qmp,
                                 const char *fdname,
                                 unsigned max_connections,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Ends all connections and exports of the server, whoever made them; FSN_ERROR_NOT_FOUND
 * without one. QEMU tries to unlink the path that the socket is bound to. */
bool fsn_qmp_nbd_server_stop(FsnQmp *qmp, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Exports @node read-only as @name. @bitmap (may be NULL) is offered as metadata context
 * "qemu:dirty-bitmap:<bitmap>"; it belongs to @bitmap_node, or, if that is NULL, to @node or
 * an image below it, and must be disabled unless its node is read-only. FSN_ERROR_STATE
 * without a server. */
bool fsn_qmp_export_add(FsnQmp *qmp,
                        const char *id,
                        const char *node,
                        const char *name,
                        const char *bitmap_node,
                        const char *bitmap,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same for a node of fsn_qmp_add_access(): its clients may discard, nothing else. */
bool fsn_qmp_export_add_access(FsnQmp *qmp,
                               const char *id,
                               const char *node,
                               const char *name,
                               const char *bitmap_node,
                               const char *bitmap,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Exports @node read-only as @name, with the metadata context "qemu:allocation-depth". */
bool fsn_qmp_export_add_depth(FsnQmp *qmp,
                              const char *id,
                              const char *node,
                              const char *name,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* @hard: also with clients, which lose their connections; else FSN_ERROR_BUSY. Node and
 * bitmap are free when fsn_qmp_export_wait_gone() returns. */
bool fsn_qmp_export_del(FsnQmp *qmp, const char *id, bool hard, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* FSN_ERROR_TIMEOUT if export @id is still there after @timeout_us. */
bool fsn_qmp_export_wait_gone(FsnQmp *qmp,
                              const char *id,
                              int64_t timeout_us,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    char *id;
    char *type; /* "nbd", … */
    char *node;
    bool shutting_down;
} FsnBlockExport;

/* The array (of FsnBlockExport) frees its elements. */
bool fsn_qmp_query_exports(FsnQmp *qmp, GPtrArray **out_exports, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
