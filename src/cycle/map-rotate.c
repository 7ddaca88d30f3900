/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A round of bitmaps: at one instant a new one begins and the old one ends on every disk, then the
 * old ones are read and removed. Nodes are asked for each time, since libvirt's snapshots and
 * commits rename them: a bitmap that is not where it was is begun anew.
 */
#include "config.h"

#include "cycle/changemap-private.h"

#include "base/error.h"
#include "base/faults.h"
#include "qmp/block-nodes.h"
#include "qmp/transaction.h"

#define REGIONS      64
#define ODD          FSN_MAP_PREFIX "odd"
#define EVEN         FSN_MAP_PREFIX "even"
/* QEMU keeps a bit for each granule: 8 MiB of them are enough. */
#define MAX_GRANULES (UINT64_C(1) << 26)

static uint32_t
granularity_of(uint64_t size)
{
    uint64_t granularity = FSN_MAP_GRANULARITY;

    while (size / granularity > MAX_GRANULES && granularity < (UINT64_C(1) << 30)) {
        granularity *= 2;
    }
    return (uint32_t)granularity;
}

static const char *
other(const char *bitmap)
{
    return bitmap && g_str_equal(bitmap, ODD) ? EVEN : ODD;
}

/* Finds where @d is now; false if nothing can record there. */
static bool
find_node(const GPtrArray *devices, FsnMapDisk *d)
{
    FsnBlockDevice *device = d->alias ? fsn_block_device_find(devices, d->alias) : NULL;
    FsnBlockBitmap *bitmap;

    if (!device || !device->node || device->read_only || device->virtual_size == 0) {
        return false;
    }
    bitmap = d->bitmap ? fsn_block_device_bitmap(device, d->bitmap) : NULL;
    if (!bitmap || !bitmap->recording || g_strcmp0(device->node, d->node) != 0) {
        d->bitmap = NULL; /* on a node that it was, if anywhere */
        g_free(d->node);
        d->node = g_strdup(device->node);
    }
    if (!d->heat || fsn_heat_map_size(d->heat) != device->virtual_size) {
        fsn_heat_map_free(d->heat);
        d->heat = fsn_heat_map_new(d->target, device->virtual_size,
                                   granularity_of(device->virtual_size), REGIONS);
        if (d->bitmap) {
            d->bitmap = NULL; /* of another size of granules, maybe */
        }
    }
    return true;
}

/* Bitmaps of ours that no disk goes on with: of nodes that were overlaid, of a killed round. */
static bool
drop_strays(FsnQmp *qmp, const GPtrArray *disks, GError **error)
{
    g_autoptr(GPtrArray) nodes = NULL;

    if (!fsn_qmp_query_block_nodes(qmp, &nodes, error)) {
        return false;
    }
    for (guint i = 0; i < nodes->len; i++) {
        const FsnBlockDevice *node = nodes->pdata[i];

        for (guint k = 0; node->node && k < node->bitmaps->len; k++) {
            const FsnBlockBitmap *b = node->bitmaps->pdata[k];
            bool used = !b->name || !g_str_has_prefix(b->name, FSN_MAP_PREFIX);

            for (guint n = 0; n < disks->len && !used; n++) {
                const FsnMapDisk *d = disks->pdata[n];

                used = d->bitmap && g_str_equal(d->bitmap, b->name) &&
                       g_strcmp0(d->node, node->node) == 0;
            }
            if (!used && !fsn_map_drop(qmp, node->node, b->name, error)) {
                return false;
            }
        }
    }
    return true;
}

/* The instant: all disks or none. */
static bool
switch_bitmaps(FsnQmp *qmp, GPtrArray *disks, GError **error)
{
    g_autoptr(FsnQmpTransaction) t = fsn_qmp_transaction_new();

    for (guint i = 0; i < disks->len; i++) {
        FsnMapDisk *d = disks->pdata[i];

        d->old = NULL;
        if (!d->seen) {
            continue;
        }
        fsn_qmp_transaction_add_bitmap(t, d->node, other(d->bitmap),
                                       granularity_of(fsn_heat_map_size(d->heat)), false);
        if (d->bitmap) {
            fsn_qmp_transaction_disable_bitmap(t, d->node, d->bitmap);
        }
    }
    if (fsn_qmp_transaction_length(t) == 0) {
        return true;
    }
    if (!fsn_qmp_transaction_run(qmp, t, error)) {
        return false;
    }
    for (guint i = 0; i < disks->len; i++) {
        FsnMapDisk *d = disks->pdata[i];

        if (d->seen) {
            d->old = d->bitmap;
            d->bitmap = other(d->bitmap);
        }
    }
    return true;
}

static void
on_found(gpointer user, uint64_t size, const GPtrArray *partitions)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(FsnHeatPart));

    for (guint i = 0; i < partitions->len; i++) {
        const FsnPartition *p = partitions->pdata[i];
        const FsnHeatPart part = { p->number, p->offset, p->size };

        g_array_append_val(parts, part);
    }
    fsn_heat_map_set_parts(user, (const FsnHeatPart *)(gpointer)parts->data, parts->len);
    fsn_heat_map_begin(user);
}

/* A disk that cannot be read, as it has been unplugged, is without places this time. */
static void
read_disk(FsnMapServer *server, FsnMapDisk *d, char **note)
{
    g_autoptr(GPtrArray) partitions = NULL;
    g_autoptr(GError) error = NULL;
    uint64_t size;

    d->read = fsn_map_server_read(server, d->node, d->old, on_found, fsn_heat_map_add,
                                  d->heat, &size, &partitions, &error);
    if (!d->read && !*note) {
        *note = g_strdup_printf("disk '%s': %s", d->target, error->message);
    }
}

static bool
drop_old(FsnQmp *qmp, GPtrArray *disks, GError **error)
{
    for (guint i = 0; i < disks->len; i++) {
        FsnMapDisk *d = disks->pdata[i];

        if (d->old && !fsn_map_drop(qmp, d->node, d->old, error)) {
            return false;
        }
        d->old = NULL;
    }
    return true;
}

/* With the server, which is there before anything is changed: without it nothing is. */
static bool
rotate_with(
    FsnQmp *qmp, FsnMapServer *server, GPtrArray *disks, char **note, GError **error)
{
    if (!switch_bitmaps(qmp, disks, error)) {
        return false;
    }
    fsn_fault_kill_at("changemap:switched");
    for (guint i = 0; i < disks->len; i++) {
        FsnMapDisk *d = disks->pdata[i];

        if (d->old) {
            read_disk(server, d, note);
        } else if (d->seen) {
            fsn_heat_map_begin(d->heat);
        }
    }
    return true;
}

/* NULL if nothing can record. */
static const char *
first_node(const GPtrArray *disks)
{
    for (guint i = 0; i < disks->len; i++) {
        const FsnMapDisk *d = disks->pdata[i];

        if (d->seen) {
            return d->node;
        }
    }
    return NULL;
}

static bool
rotate(FsnQmp *qmp, GPtrArray *disks, char **note, GError **error)
{
    const char *node = first_node(disks);
    FsnMapServer *server;
    bool ok;

    if (!drop_strays(qmp, disks, error)) {
        return false;
    }
    if (!node) {
        return true;
    }
    server = fsn_map_server_start(qmp, node, error);
    if (!server) {
        return false;
    }
    ok = rotate_with(qmp, server, disks, note, error);
    return fsn_map_server_end(server, ok ? error : NULL) && ok &&
           drop_old(qmp, disks, error);
}

bool
fsn_map_rotate(FsnQmp *qmp, GPtrArray *disks, char **out_note, GError **error)
{
    g_autoptr(GPtrArray) devices = NULL;
    g_autoptr(GError) local = NULL;
    g_autofree char *note = NULL;

    if (!fsn_map_sweep(qmp, false, error) ||
        !fsn_qmp_query_block_devices(qmp, &devices, error)) {
        return false;
    }
    for (guint i = 0; i < disks->len; i++) {
        FsnMapDisk *d = disks->pdata[i];

        d->read = false;
        d->seen = find_node(devices, d);
    }
    if (!rotate(qmp, disks, &note, &local)) {
        /* A disk that went, a node that was renamed, a server that is in use, a limit: the next
         * round looks again. QEMU that is gone shows there. */
        g_free(note);
        note = g_strdup(local->message);
    }
    *out_note = g_steal_pointer(&note);
    return true;
}

bool
fsn_map_end(FsnQmp *qmp, GPtrArray *disks, GError **error)
{
    g_ptr_array_set_size(disks, 0);
    return fsn_map_sweep(qmp, true, error);
}
