/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps out of a running QEMU, in some milliseconds: its NBD server is started on a socket
 * without a name, asked and ended. A server that somebody else has is left alone.
 */
#include "config.h"

#include "changemap/qemu-map.h"

#include "base/error.h"
#include "disk/nameless-socket.h"
#include "qmp/block-export.h"
#include "qmp/block-nodes.h"
#include "qmp/commands-block.h"
#include "qmp/commands-status.h"
#include "qmp/transaction.h"

#include <unistd.h>

#define FD_NAME          "foresnap-map"
#define EXPORT           FSN_MAP_PREFIX "export"
/* A bitmap that says whose the server is, from before its start until after its end: one that is
 * killed before it has exports would be nobody's. */
#define MARK             FSN_MAP_PREFIX "server"
#define BACKLOG          4
#define MARK_GRANULARITY (UINT32_C(1) << 30)
#define TIMEOUT_US       (5 * G_USEC_PER_SEC)

struct FsnMapServer {
    FsnQmp *qmp;
    int path_fd;
    char *path;
    char *node; /* that has the mark */
};

static void
server_free(FsnMapServer *self)
{
    if (self->path_fd >= 0) {
        close(self->path_fd);
    }
    g_free(self->path);
    g_free(self->node);
    g_free(self);
}

static bool
add_mark(FsnQmp *qmp, const char *node, GError **error)
{
    g_autoptr(FsnQmpTransaction) t = fsn_qmp_transaction_new();

    fsn_qmp_transaction_add_bitmap(t, node, MARK, MARK_GRANULARITY, false);
    fsn_qmp_transaction_disable_bitmap(t, node, MARK);
    return fsn_map_drop(qmp, node, MARK, error) && fsn_qmp_transaction_run(qmp, t, error);
}

FsnMapServer *
fsn_map_server_start(FsnQmp *qmp, const char *node, GError **error)
{
    FsnMapServer *self = g_new0(FsnMapServer, 1);
    int listener = -1;
    bool ok;

    self->qmp = qmp;
    self->path_fd = -1;
    self->node = g_strdup(node);
    ok = fsn_nameless_socket(BACKLOG, &listener, &self->path_fd, &self->path, error) &&
         add_mark(qmp, node, error) && fsn_qmp_getfd(qmp, FD_NAME, listener, error) &&
         fsn_qmp_nbd_server_start_fd(qmp, FD_NAME, 0, error);
    if (listener >= 0) {
        close(listener);
    }
    if (!ok) {
        (void)!fsn_map_drop(qmp, node, MARK, NULL); /* the next one does */
        server_free(self);
        return NULL;
    }
    return self;
}

static bool
end_export(FsnQmp *qmp, const char *id, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (!fsn_qmp_export_del(qmp, id, true, &local) &&
        !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return fsn_qmp_export_wait_gone(qmp, id, TIMEOUT_US, error);
}

bool
fsn_map_server_read(FsnMapServer *self,
                    const char *node,
                    const char *bitmap,
                    FsnDirtyFound found,
                    FsnDirtyEach each,
                    gpointer user,
                    uint64_t *out_size,
                    GPtrArray **out_partitions,
                    GError **error)
{
    g_autofree char *context = g_strconcat("qemu:dirty-bitmap:", bitmap, NULL);
    const FsnDirtyMapOptions options = { .socket = self->path,
                                         .export_name = EXPORT,
                                         .bitmap = context,
                                         .stall_us = TIMEOUT_US,
                                         .found = found };
    bool ok;

    if (!fsn_qmp_export_add(self->qmp, EXPORT, node, EXPORT, node, bitmap, error)) {
        return false;
    }
    ok = fsn_dirty_map_read(&options, each, user, out_size, out_partitions, error);
    return end_export(self->qmp, EXPORT, ok ? error : NULL) && ok;
}

bool
fsn_map_server_end(FsnMapServer *self, GError **error)
{
    g_autoptr(GError) local = NULL;
    bool ok = fsn_qmp_nbd_server_stop(self->qmp, &local) ||
              g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND);

    if (!ok) {
        g_propagate_error(error, g_steal_pointer(&local));
    }
    ok = ok && fsn_map_drop(self->qmp, self->node, MARK, error);
    server_free(self);
    return ok;
}

bool
fsn_map_copy(
    FsnQmp *qmp, const char *node, const char *bitmap, const char *name, GError **error)
{
    g_autoptr(FsnQmpTransaction) t = fsn_qmp_transaction_new();

    fsn_qmp_transaction_add_bitmap(t, node, name, FSN_MAP_GRANULARITY, false);
    fsn_qmp_transaction_disable_bitmap(t, node, name);
    fsn_qmp_transaction_merge_bitmap(t, node, name, bitmap);
    return fsn_qmp_transaction_run(qmp, t, error);
}

bool
fsn_map_drop(FsnQmp *qmp, const char *node, const char *bitmap, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (fsn_qmp_bitmap_remove(qmp, node, bitmap, &local) ||
        g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

/* The node that has the mark; NULL if none has. */
static const char *
marked_node(const GPtrArray *nodes)
{
    for (guint i = 0; i < nodes->len; i++) {
        const FsnBlockDevice *node = nodes->pdata[i];

        for (guint k = 0; node->node && k < node->bitmaps->len; k++) {
            if (g_strcmp0(((const FsnBlockBitmap *)node->bitmaps->pdata[k])->name,
                          MARK) == 0) {
                return node->node;
            }
        }
    }
    return NULL;
}

/* Nobody but a change map has exports of that name, or the mark, so the server of one is its own.
 * Another one that serves nothing may be about to, and is let be. */
static bool
end_exports(FsnQmp *qmp, const char *marked, GError **error)
{
    g_autoptr(GPtrArray) exports = NULL;
    g_autoptr(GError) local = NULL;
    bool own = marked != NULL;
    bool others = false;

    if (!fsn_qmp_query_exports(qmp, &exports, error)) {
        return false;
    }
    for (guint i = 0; i < exports->len; i++) {
        const FsnBlockExport *e = exports->pdata[i];

        if (!g_str_has_prefix(e->id, FSN_MAP_PREFIX)) {
            others = true;
            continue;
        }
        own = true;
        if (!end_export(qmp, e->id, error)) {
            return false;
        }
    }
    if (own && !others && !fsn_qmp_nbd_server_stop(qmp, &local) &&
        !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return !marked || fsn_map_drop(qmp, marked, MARK, error);
}

bool
fsn_map_sweep(FsnQmp *qmp, bool bitmaps, GError **error)
{
    g_autoptr(GPtrArray) nodes = NULL;

    if (!fsn_qmp_query_block_nodes(qmp, &nodes, error) ||
        !end_exports(qmp, marked_node(nodes), error)) {
        return false;
    }
    if (!bitmaps) {
        return true;
    }
    for (guint i = 0; i < nodes->len; i++) {
        const FsnBlockDevice *node = nodes->pdata[i];

        for (guint k = 0; node->node && k < node->bitmaps->len; k++) {
            const FsnBlockBitmap *b = node->bitmaps->pdata[k];

            if (b->name && g_str_has_prefix(b->name, FSN_MAP_PREFIX) &&
                !fsn_map_drop(qmp, node->node, b->name, error)) {
                return false;
            }
        }
    }
    return true;
}
