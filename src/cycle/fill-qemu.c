/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One overlay in QEMU, from "over what is served" to "on its own". Each step may be done again, for
 * the process that does them may die between any two. The overlay's header says until the
 * very end what is below it, so a QEMU that is started anew finds it.
 */
#include "config.h"

#include "cycle/fill-private.h"

#include "base/error.h"
#include "disk/fill.h"
#include "disk/nameless-socket.h"
#include "qmp/block-backing.h"
#include "qmp/block-export.h"
#include "qmp/block-nodes.h"
#include "qmp/commands-block.h"
#include "qmp/commands-status.h"

#include <unistd.h>

#define PREFIX      "fsn-fill-"
#define FD_NAME     "fsn-fill"
#define BACKLOG     16
/* The server is started again in milliseconds, unless foresnap is gone as a whole. The guest
 * waits for as long as it takes to notice that. */
#define RECONNECT_S 86400u
#define GONE_US     (10 * (int64_t)G_USEC_PER_SEC)

/* A node's name has 31 characters at most. */
static char *
name_of(const FsnFillDisk *disk, const char *what)
{
    return g_strdup_printf(PREFIX "%s-%.16s", what, disk->target);
}

/* What is there from an attempt before is as good. */
static bool
accept_existing(bool ok, GError *local, GError **error)
{
    if (ok || g_error_matches(local, FSN_ERROR, FSN_ERROR_EXISTS)) {
        g_clear_error(&local);
        return true;
    }
    g_propagate_error(error, local);
    return false;
}

bool
fsn_fill_look(FsnQmp *qmp, const FsnFillDisk *disk, bool *out_filled, GError **error)
{
    g_auto(FsnQcow2Node) node = { 0 };

    if (!fsn_qmp_find_qcow2(qmp, disk->alias, disk->path, &node, error)) {
        return false;
    }
    *out_filled = !node.backing;
    return true;
}

bool
fsn_fill_has_failed(FsnQmp *qmp,
                    const FsnFillDisk *disk,
                    bool *out_failed,
                    GError **error)
{
    g_autoptr(GPtrArray) devices = NULL;
    const FsnBlockDevice *device;

    if (!fsn_qmp_query_block_devices(qmp, &devices, error)) {
        return false;
    }
    device = fsn_block_device_find(devices, disk->alias);
    *out_failed = device && g_strcmp0(device->io_status, "failed") == 0;
    return true;
}

bool
fsn_fill_attach(FsnQmp *qmp, const FsnFillDisk *disk, GError **error)
{
    g_autofree char *base = name_of(disk, "nbd");
    g_auto(FsnQcow2Node) node = { 0 };
    GError *local = NULL;
    bool ok;

    if (!fsn_qmp_find_qcow2(qmp, disk->alias, disk->path, &node, error)) {
        return false;
    }
    ok = fsn_qmp_add_nbd_client(qmp, base, disk->socket, RECONNECT_S, &local);
    return accept_existing(ok, local, error) &&
           fsn_qmp_set_backing(qmp, &node, disk->discard, base, error);
}

/* Whether there is no export in QEMU but ours, of an attempt before. */
static bool
only_ours(FsnQmp *qmp)
{
    g_autoptr(GPtrArray) exports = NULL;

    if (!fsn_qmp_query_exports(qmp, &exports, NULL) || exports->len == 0) {
        return false;
    }
    for (guint i = 0; i < exports->len; i++) {
        const FsnBlockExport *e = exports->pdata[i];

        if (!g_str_has_prefix(e->id, PREFIX)) {
            return false;
        }
    }
    return true;
}

static bool
start_server(FsnQmp *qmp, int listener, GError **error)
{
    return fsn_qmp_getfd(qmp, FD_NAME, listener, error) &&
           fsn_qmp_nbd_server_start_fd(qmp, FD_NAME, 0, error);
}

static bool
serve_overlay(FsnQmp *qmp, int listener, const char *id, const char *node, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (!start_server(qmp, listener, &local)) {
        if (!g_error_matches(local, FSN_ERROR, FSN_ERROR_BUSY) || !only_ours(qmp)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        if (!fsn_qmp_nbd_server_stop(qmp, error) ||
            !fsn_qmp_export_wait_gone(qmp, id, GONE_US, error) ||
            !start_server(qmp, listener, error)) {
            return false;
        }
    }
    return fsn_qmp_export_add_depth(qmp, id, node, id, error);
}

/* Best effort: the next attempt removes what is left. */
static void
stop_serving(FsnQmp *qmp, const char *id)
{
    g_autoptr(GError) error = NULL;

    if (!fsn_qmp_nbd_server_stop(qmp, &error) ||
        !fsn_qmp_export_wait_gone(qmp, id, GONE_US, &error)) {
        g_debug("%s", error->message);
    }
}

typedef struct {
    FsnFillDisk *disk;
    FsnFillTick tick;
    gpointer user;
} Progress;

static void
on_progress(uint64_t done, uint64_t total, gpointer user)
{
    Progress *p = user;

    p->disk->bytes_done = done;
    p->disk->bytes_total = total;
    fsn_fill_learner_take(p->disk->learner);
    p->tick(p->user);
}

static void
on_asked(uint64_t offset, uint64_t len, gpointer user)
{
    Progress *p = user;

    fsn_fill_learner_asked(p->disk->learner, offset, len);
}

bool
fsn_fill_copy(
    FsnQmp *qmp, FsnFillDisk *disk, FsnFillTick tick, gpointer user, GError **error)
{
    g_autofree char *id = name_of(disk, "out");
    g_autofree char *socket = NULL;
    g_auto(FsnQcow2Node) node = { 0 };
    Progress progress = { .disk = disk, .tick = tick, .user = user };
    FsnFillOptions options = { .export_name = id,
                               .image = disk->image,
                               .size = disk->size,
                               .bandwidth = disk->bandwidth,
                               .asked = on_asked,
                               .progress = on_progress,
                               .user = &progress };
    int listener, path_fd;
    bool ok;

    if (!fsn_qmp_find_qcow2(qmp, disk->alias, disk->path, &node, error) ||
        !fsn_nameless_socket(BACKLOG, &listener, &path_fd, &socket, error)) {
        return false;
    }
    options.socket = socket;
    options.first = fsn_fill_learner_first(disk->learner, &options.n_first);
    ok = serve_overlay(qmp, listener, id, node.node, error);
    if (ok) {
        ok = fsn_fill(&options, error);
        stop_serving(qmp, id);
    }
    close(listener);
    close(path_fd);
    return ok;
}

bool
fsn_fill_cut(FsnQmp *qmp, const FsnFillDisk *disk, GError **error)
{
    g_autofree char *empty = name_of(disk, "end");
    g_auto(FsnQcow2Node) node = { 0 };
    GError *local = NULL;
    bool ok;

    if (!fsn_qmp_find_qcow2(qmp, disk->alias, disk->path, &node, error)) {
        return false;
    }
    ok = fsn_qmp_add_empty(qmp, empty, &local);
    return accept_existing(ok, local, error) &&
           fsn_qmp_set_backing(qmp, &node, disk->discard, empty, error);
}

static bool
remove_node(FsnQmp *qmp, const FsnFillDisk *disk, const char *what, GError **error)
{
    g_autofree char *name = name_of(disk, what);
    g_autoptr(GError) local = NULL;

    if (fsn_qmp_blockdev_del(qmp, name, &local) ||
        g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

bool
fsn_fill_clean(FsnQmp *qmp, const FsnFillDisk *disk, GError **error)
{
    return remove_node(qmp, disk, "nbd", error) && remove_node(qmp, disk, "end", error);
}
