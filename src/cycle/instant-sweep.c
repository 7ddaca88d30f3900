/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes everything out of QEMU that a snapshot has put there, by its name and in whatever
 * state it is: after a failure, after kill -9, and at the end. What is found decides, not
 * what is remembered, so it may be repeated and interrupted anywhere.
 */
#include "config.h"

#include "base/error.h"
#include "cycle/instant-private.h"
#include "cycle/instant.h"
#include "qmp/block-export.h"
#include "qmp/block-nodes.h"
#include "qmp/commands-block.h"
#include "qmp/jobs.h"
#include "qmp/transaction.h"

/* True if it is done, or was already. */
static bool
forgive_absent(bool ok, GError **local, GError **error)
{
    if (ok || g_error_matches(*local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_clear_error(local);
        return true;
    }
    g_propagate_error(error, g_steal_pointer(local));
    return false;
}

static bool
end_exports(FsnQmp *qmp, const char *prefix, bool *out_others, GError **error)
{
    g_autoptr(GPtrArray) exports = NULL;

    if (!fsn_qmp_query_exports(qmp, &exports, error)) {
        return false;
    }
    *out_others = false;
    for (guint i = 0; i < exports->len; i++) {
        const FsnBlockExport *e = exports->pdata[i];
        GError *local = NULL;

        if (!g_str_has_prefix(e->id, prefix)) {
            *out_others = true;
            continue;
        }
        if (!forgive_absent(fsn_qmp_export_del(qmp, e->id, true, &local), &local,
                            error) ||
            !fsn_qmp_export_wait_gone(qmp, e->id, FSN_INSTANT_TIMEOUT_US, error)) {
            return false;
        }
    }
    return true;
}

static bool
end_jobs(FsnQmp *qmp, const char *prefix, GError **error)
{
    g_autoptr(GPtrArray) jobs = NULL;

    if (!fsn_qmp_query_jobs(qmp, &jobs, error)) {
        return false;
    }
    for (guint i = 0; i < jobs->len; i++) {
        const FsnQmpJob *job = jobs->pdata[i];
        GError *local = NULL;

        if (g_str_has_prefix(job->id, prefix) &&
            !forgive_absent(
                fsn_qmp_job_end(qmp, job->id, FSN_INSTANT_TIMEOUT_US, NULL, &local),
                &local, error)) {
            return false;
        }
    }
    return true;
}

static bool
remove_nodes(FsnQmp *qmp, const char *prefix, const char *suffix, GError **error)
{
    g_autoptr(GPtrArray) nodes = NULL;

    if (!fsn_qmp_query_block_nodes(qmp, &nodes, error)) {
        return false;
    }
    for (guint i = 0; i < nodes->len; i++) {
        const FsnBlockDevice *node = nodes->pdata[i];
        GError *local = NULL;

        if (node->node && g_str_has_prefix(node->node, prefix) &&
            g_str_has_suffix(node->node, suffix) &&
            !forgive_absent(fsn_qmp_blockdev_del(qmp, node->node, &local), &local,
                            error)) {
            return false;
        }
    }
    return true;
}

/* The snapshot that the base's bitmap belongs to goes on being the last one: what was
 * written since the instant is added to it. */
static bool
undo_bitmap(FsnQmp *qmp,
            const FsnBlockDevice *node,
            const char *prefix,
            const char *own,
            GError **error)
{
    g_autoptr(FsnQmpTransaction) t = fsn_qmp_transaction_new();

    if (!fsn_block_device_bitmap(node, own)) {
        return true;
    }
    for (guint i = 0; i < node->bitmaps->len; i++) {
        const FsnBlockBitmap *b = node->bitmaps->pdata[i];

        if (b->name && g_str_has_prefix(b->name, prefix) && !b->recording && !b->busy &&
            !b->inconsistent && !g_str_equal(b->name, own)) {
            fsn_qmp_transaction_enable_bitmap(t, node->node, b->name);
            fsn_qmp_transaction_merge_bitmap(t, node->node, b->name, own);
        }
    }
    if (fsn_qmp_transaction_length(t) > 0 && !fsn_qmp_transaction_run(qmp, t, error)) {
        return false;
    }
    return fsn_qmp_bitmap_remove(qmp, node->node, own, error);
}

/* Bitmaps of older snapshots would only grow. */
static bool
drop_older_bitmaps(FsnQmp *qmp,
                   const FsnBlockDevice *node,
                   const char *prefix,
                   const char *own,
                   GError **error)
{
    if (!fsn_block_device_bitmap(node, own)) {
        return true; /* a disk that was not part of the snapshot */
    }
    for (guint i = 0; i < node->bitmaps->len; i++) {
        const FsnBlockBitmap *b = node->bitmaps->pdata[i];
        GError *local = NULL;

        if (b->name && g_str_has_prefix(b->name, prefix) && !b->busy &&
            !g_str_equal(b->name, own) &&
            !forgive_absent(fsn_qmp_bitmap_remove(qmp, node->node, b->name, &local),
                            &local, error)) {
            return false;
        }
    }
    return true;
}

static bool
settle_bitmaps(FsnQmp *qmp,
               const GPtrArray *nodes,
               const char *repo,
               const char *snapshot,
               FsnSweep sweep,
               GError **error)
{
    g_autofree char *prefix = fsn_instant_bitmap(repo, "");
    g_autofree char *own = fsn_instant_bitmap(repo, snapshot);

    for (guint i = 0; i < nodes->len; i++) {
        const FsnBlockDevice *node = nodes->pdata[i];
        bool ok = true;

        if (!node->node) {
            continue;
        }
        switch (sweep) {
        case FSN_SWEEP_UNDO:
            ok = undo_bitmap(qmp, node, prefix, own, error);
            break;
        case FSN_SWEEP_KEEP:
            ok = drop_older_bitmaps(qmp, node, prefix, own, error);
            break;
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

bool
fsn_instant_sweep(FsnQmp *qmp,
                  const char *repo,
                  const char *snapshot,
                  FsnSweep sweep,
                  bool nbd,
                  GError **error)
{
    g_autofree char *prefix = fsn_instant_thing(snapshot, "");
    g_autoptr(GPtrArray) nodes = NULL;
    GError *local = NULL;
    bool others;

    if (!end_exports(qmp, prefix, &others, error) ||
        !remove_nodes(qmp, prefix, FSN_INSTANT_ACCESS, error) ||
        !end_jobs(qmp, prefix, error)) {
        return false;
    }
    if (nbd && !others &&
        !forgive_absent(fsn_qmp_nbd_server_stop(qmp, &local), &local, error)) {
        return false;
    }
    return remove_nodes(qmp, prefix, "", error) &&
           fsn_qmp_query_block_nodes(qmp, &nodes, error) &&
           settle_bitmaps(qmp, nodes, repo, snapshot, sweep, error);
}
