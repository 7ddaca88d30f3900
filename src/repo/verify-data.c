/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second round of verifying: reads the packs, some GiB at a time, each once and on all
 * cores, and then holds the indexes of all snapshots against what was in them.
 */
#include "config.h"

#include "repo/verify-private.h"

#include "base/parallel.h"

#include <string.h>

/* So many bytes of packs are read before indexes are compared with them: their hashes then
 * take some ten MiB of memory. */
#define BATCH_BYTES ((uint64_t)2 << 30)

static void
add_done(gpointer user, uint64_t bytes)
{
    FsnVerify *v = user;

    g_mutex_lock(&v->lock);
    v->done += bytes;
    v->report.bytes += bytes;
    if (v->progress) {
        v->progress(v->user, FSN_VERIFY_DATA, v->done, MAX(v->total, v->done));
    }
    g_mutex_unlock(&v->lock);
}

typedef struct {
    FsnVerify *v;
    guint first; /* number of the first pack of the batch */
} Batch;

static void
read_pack(gpointer user, size_t i)
{
    Batch *batch = user;
    FsnVerifyPack *pack = batch->v->packs->pdata[batch->first + i];

    pack->check = fsn_pack_check_new(batch->v->repo, pack->key, add_done, batch->v);
}

/* An image whose segments are compared with the packs of the batch. */
typedef struct {
    FsnVerify *v;
    FsnImage *image;
    FsnVerifyPack **packs; /* of the root's table; null: not in this batch */
    char **verdicts;       /* per segment */
} Compare;

static FsnVerifyPack *
pack_of(Compare *c, const FsnSegment *segment, uint32_t number)
{
    FsnId id;

    if (!segment->packs) {
        return c->packs[number];
    }
    memcpy(id.bytes, segment->packs + (size_t)number * FSN_ID_SIZE, FSN_ID_SIZE);
    return g_hash_table_lookup(c->v->batch, &id);
}

/* Compares all granules of segment @s; the first that is wrong is its verdict. */
static void
compare_segment(gpointer user, size_t s)
{
    Compare *c = user;
    uint32_t count = fsn_root_segment_count(fsn_image_n_granules(c->image), (uint32_t)s);
    g_autoptr(GError) error = NULL;
    uint64_t compared = 0;

    if (c->verdicts[s]) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        FsnSegment segment;
        FsnEntry entry;
        FsnVerifyPack *pack;

        if (!fsn_image_entry(c->image, (uint64_t)s * FSN_SEGMENT_GRANULES + i, &entry,
                             &segment, NULL)) {
            break; /* the index is damaged: that was said in the first round */
        }
        if (entry.kind != FSN_GRANULE_DATA ||
            !(pack = pack_of(c, &segment, entry.pack))) {
            continue;
        }
        compared++;
        if (!error) {
            (void)!fsn_pack_check_entry(pack->check, &entry, &error);
        }
    }
    c->verdicts[s] = g_strdup(error ? error->message : "");
    g_mutex_lock(&c->v->lock);
    c->v->report.granules += compared;
    g_mutex_unlock(&c->v->lock);
}

/* The key of segment @s if it stands for itself: without overlay. */
static char *
plain_key(FsnImage *image, uint32_t s)
{
    size_t n;

    (void)fsn_image_overlay(image, s, &n);
    return n == 0 && !fsn_verify_is_uniform(image, s) ? fsn_verify_segment_key(image, s)
                                                      : NULL;
}

/* Compares image @root with the packs of the batch; @seen has the verdicts on segments in
 * this batch. */
static void
compare_image(FsnVerify *v, FsnVerifyResult *result, const char *root, GHashTable *seen)
{
    g_autoptr(FsnImage) image = fsn_image_open(v->repo, root, NULL);
    GArray *packs = image ? fsn_image_root(image)->packs : NULL;
    uint32_t n = image ? fsn_image_root(image)->segments->len : 0;
    g_autofree FsnVerifyPack **table =
        g_new0(FsnVerifyPack *, packs ? packs->len + 1 : 1);
    g_autofree char **verdicts = g_new0(char *, n + 1);
    Compare c = { .v = v, .image = image, .packs = table, .verdicts = verdicts };
    bool any = false;

    for (guint i = 0; packs && i < packs->len; i++) {
        table[i] =
            g_hash_table_lookup(v->batch, &g_array_index(packs, FsnObjectRef, i).id);
        any = any || table[i];
        if (table[i] && fsn_pack_check_problem(table[i]->check)) {
            fsn_verify_add_problem(v, result, fsn_pack_check_problem(table[i]->check));
        }
    }
    for (uint32_t s = 0; any && s < n; s++) {
        g_autofree char *key = plain_key(image, s);

        verdicts[s] = key ? g_strdup(g_hash_table_lookup(seen, key)) : NULL;
    }
    if (any) {
        fsn_parallel_for(n, 2, compare_segment, &c);
    }
    for (uint32_t s = 0; any && s < n; s++) {
        g_autofree char *key = plain_key(image, s);

        fsn_verify_add_problem(v, result, verdicts[s]);
        if (key) {
            g_hash_table_replace(seen, g_steal_pointer(&key), verdicts[s]);
        } else {
            g_free(verdicts[s]);
        }
    }
}

/* Reads @n packs from number @first on, and holds the indexes against them. */
static void
verify_batch(FsnVerify *v, guint first, guint n)
{
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    Batch batch = { .v = v, .first = first };

    fsn_parallel_for(n, 2, read_pack, &batch);
    for (guint i = first; i < first + n; i++) {
        FsnVerifyPack *pack = v->packs->pdata[i];
        GPtrArray *damaged = fsn_pack_check_frames(pack->check);

        g_hash_table_insert(v->batch, &pack->id, pack);
        /* Also those that nobody uses any more: storage has gone bad there. */
        for (guint k = 0; k < damaged->len; k++) {
            fsn_verify_tell(v, pack->first, damaged->pdata[k]);
        }
    }
    for (guint i = 0; i < v->snapshots->len; i++) {
        FsnVerifySnapshot *snapshot = v->snapshots->pdata[i];

        for (guint k = 0; k < snapshot->roots->len; k++) {
            compare_image(v, snapshot->result, snapshot->roots->pdata[k], seen);
        }
    }
    g_hash_table_remove_all(v->batch);
    for (guint i = first; i < first + n; i++) {
        g_clear_pointer(&((FsnVerifyPack *)v->packs->pdata[i])->check,
                        fsn_pack_check_free);
    }
}

void
fsn_verify_data(FsnVerify *v)
{
    guint first = 0;

    while (first < v->packs->len) {
        uint64_t bytes = 0;
        guint n = 0;

        while (first + n < v->packs->len && bytes < BATCH_BYTES) {
            bytes += ((FsnVerifyPack *)v->packs->pdata[first + n])->length;
            n++;
        }
        verify_batch(v, first, n);
        first += n;
    }
}
