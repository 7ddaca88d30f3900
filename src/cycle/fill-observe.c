/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what a server answered to what the guest wanted, without effects. */
#include "config.h"

#include "cycle/fill-observe.h"

#include "repofmt/granule.h"

/* What QEMU copies at once: all of a cluster becomes the filling's together. */
#define CLUSTER 65536u

void
fsn_fill_seen_clear(FsnFillSeen *seen)
{
    g_clear_pointer(&seen->granules, g_array_unref);
    g_clear_pointer(&seen->at_us, g_array_unref);
}

/* cluster → number of the range that first asked for it, + 1 */
static GHashTable *
index_clusters(const FsnFillAsked *asked, size_t n, uint64_t until_us)
{
    GHashTable *table = g_hash_table_new(NULL, NULL);

    for (size_t i = 0; i < n && asked[i].at_us <= until_us; i++) {
        uint64_t last = (asked[i].offset + MAX(asked[i].len, 1) - 1) / CLUSTER;

        for (uint64_t c = asked[i].offset / CLUSTER; c <= last; c++) {
            gpointer key = GSIZE_TO_POINTER((gsize)c);

            if (!g_hash_table_contains(table, key)) {
                g_hash_table_insert(table, key, GSIZE_TO_POINTER(i + 1));
            }
        }
    }
    return table;
}

static bool
is_the_guests(const FsnDiskRead *read,
              uint64_t granule,
              GHashTable *clusters,
              const FsnFillAsked *asked)
{
    uint64_t cluster = granule * FSN_GRANULE_SIZE / CLUSTER;
    gsize at =
        GPOINTER_TO_SIZE(g_hash_table_lookup(clusters, GSIZE_TO_POINTER((gsize)cluster)));

    return at == 0 || read->at_us < asked[at - 1].at_us;
}

static void
take_read(const FsnDiskRead *read,
          uint64_t begun_us,
          GHashTable *clusters,
          const FsnFillAsked *asked,
          GHashTable *known,
          FsnFillSeen *seen)
{
    uint64_t last = (read->offset + MAX(read->len, 1) - 1) / FSN_GRANULE_SIZE;
    uint32_t at_us =
        read->at_us > begun_us ? (uint32_t)MIN(read->at_us - begun_us, UINT32_MAX) : 0;

    for (uint64_t g = read->offset / FSN_GRANULE_SIZE; g <= last; g++) {
        uint32_t granule = (uint32_t)g;

        if (g > UINT32_MAX || seen->granules->len == FSN_WORKING_SET_MAX) {
            return;
        }
        if (is_the_guests(read, g, clusters, asked) &&
            g_hash_table_add(known, GUINT_TO_POINTER(granule))) {
            g_array_append_val(seen->granules, granule);
            g_array_append_val(seen->at_us, at_us);
        }
    }
}

void
fsn_fill_observe(const FsnDiskRead *reads,
                 size_t n_reads,
                 const FsnFillAsked *asked,
                 size_t n_asked,
                 FsnFillSeen *out_seen)
{
    uint64_t begun_us = n_reads > 0 ? reads[0].at_us : 0;
    g_autoptr(GHashTable) clusters =
        index_clusters(asked, n_asked, begun_us + FSN_FILL_WINDOW_US);
    g_autoptr(GHashTable) known = g_hash_table_new(NULL, NULL);

    out_seen->granules = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    out_seen->at_us = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    out_seen->window_us = UINT32_MAX;
    if (n_asked > 0) {
        out_seen->window_us =
            asked[0].at_us > begun_us
                ? (uint32_t)MIN(asked[0].at_us - begun_us, FSN_FILL_WINDOW_US)
                : 0;
    }
    for (size_t i = 0; i < n_reads; i++) {
        if (reads[i].at_us <= begun_us + FSN_FILL_WINDOW_US) {
            take_read(&reads[i], begun_us, clusters, asked, known, out_seen);
        }
    }
}
