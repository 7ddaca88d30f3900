/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The working set as bytes, little-endian:
 *
 *   0   8  magic "FSNWSET1"
 *   8   4  incompatible feature bits: 0; a reader refuses any that it does not know
 *  12   4  number of entries E ≤ FSN_WORKING_SET_MAX
 *  16   4  number of resumes merged
 *  20   4  number of remembered resumes H ≤ FSN_WORKING_SET_HISTORY
 *  24  32 × H  i64 realtime µs, u32 flags (1 = predicted), u32 list pages, u32 faults,
 *              u32 probes, u32 hits, u32 0
 *   …  16 × E  u32 granule, u32 first touch µs, u16 score 1…1000, u16 seen,
 *              u16 first seen, u16 last seen; in order of first touch, then granule
 *   …   8  XXH3-64 of all before
 */
#include "config.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "memory/workingset-private.h"

#include <string.h>

#define HEADER_BYTES 24u
#define RECORD_BYTES 32u
#define ENTRY_BYTES  16u
#define SUM_BYTES    8u

static const uint8_t magic[8] = { 'F', 'S', 'N', 'W', 'S', 'E', 'T', '1' };

GBytes *
fsn_working_set_write(const FsnWorkingSet *set)
{
    GByteArray *out = g_byte_array_new();

    g_byte_array_append(out, magic, sizeof(magic));
    fsn_append_le32(out, 0);
    fsn_append_le32(out, set->entries->len);
    fsn_append_le32(out, set->resumes);
    fsn_append_le32(out, set->n_history);
    for (uint32_t i = 0; i < set->n_history; i++) {
        const FsnResumeRecord *r = &set->history[i];

        fsn_append_le64(out, (uint64_t)r->realtime_us);
        fsn_append_le32(out, r->predicted ? 1 : 0);
        fsn_append_le32(out, r->list_pages);
        fsn_append_le32(out, r->faults);
        fsn_append_le32(out, r->probes);
        fsn_append_le32(out, r->hits);
        fsn_append_le32(out, 0);
    }
    for (uint32_t i = 0; i < set->entries->len; i++) {
        const FsnWorkingEntry *e = &g_array_index(set->entries, FsnWorkingEntry, i);

        fsn_append_le32(out, e->granule);
        fsn_append_le32(out, e->at_us);
        fsn_append_le16(out, e->score);
        fsn_append_le16(out, e->seen);
        fsn_append_le16(out, e->first_seen);
        fsn_append_le16(out, e->last_seen);
    }
    fsn_append_le64(out, fsn_hash64(out->data, out->len));
    return g_byte_array_free_to_bytes(out);
}

static bool
refuse(GError **error, FsnError code, const char *why)
{
    g_set_error(error, FSN_ERROR, code, "the working set %s", why);
    return false;
}

static bool
check_frame(const uint8_t *p, size_t len, GError **error)
{
    uint64_t entries;
    uint64_t history;

    if (len < HEADER_BYTES + SUM_BYTES || memcmp(p, magic, sizeof(magic)) != 0) {
        return refuse(error, FSN_ERROR_FORMAT, "does not begin like one");
    }
    if (fsn_get_le32(p + 8) != 0) {
        return refuse(error, FSN_ERROR_UNSUPPORTED, "was written by a newer foresnap");
    }
    entries = fsn_get_le32(p + 12);
    history = fsn_get_le32(p + 20);
    if (entries > FSN_WORKING_SET_MAX || history > FSN_WORKING_SET_HISTORY ||
        len !=
            HEADER_BYTES + history * RECORD_BYTES + entries * ENTRY_BYTES + SUM_BYTES) {
        return refuse(error, FSN_ERROR_FORMAT, "is not as long as it says");
    }
    if (fsn_get_le64(p + len - SUM_BYTES) != fsn_hash64(p, len - SUM_BYTES)) {
        return refuse(error, FSN_ERROR_CORRUPT, "does not match its checksum");
    }
    return true;
}

static void
parse_history(FsnWorkingSet *set, const uint8_t *p)
{
    for (uint32_t i = 0; i < set->n_history; i++, p += RECORD_BYTES) {
        set->history[i] = (FsnResumeRecord){
            .realtime_us = (int64_t)fsn_get_le64(p),
            .predicted = fsn_get_le32(p + 8) & 1,
            .list_pages = fsn_get_le32(p + 12),
            .faults = fsn_get_le32(p + 16),
            .probes = fsn_get_le32(p + 20),
            .hits = MIN(fsn_get_le32(p + 24), fsn_get_le32(p + 20)),
        };
    }
}

static bool
parse_entries(FsnWorkingSet *set, const uint8_t *p, uint32_t n, GError **error)
{
    g_autoptr(GHashTable) known = g_hash_table_new(NULL, NULL);
    uint32_t last_us = 0;

    for (uint32_t i = 0; i < n; i++, p += ENTRY_BYTES) {
        FsnWorkingEntry e = { .granule = fsn_get_le32(p),
                              .at_us = fsn_get_le32(p + 4),
                              .score = fsn_get_le16(p + 8),
                              .seen = fsn_get_le16(p + 10),
                              .first_seen = fsn_get_le16(p + 12),
                              .last_seen = fsn_get_le16(p + 14) };

        if (e.score < 1 || e.score > 1000 || e.at_us < last_us ||
            !g_hash_table_add(known, GUINT_TO_POINTER(e.granule))) {
            return refuse(error, FSN_ERROR_FORMAT, "has entries that make no sense");
        }
        last_us = e.at_us;
        g_array_append_val(set->entries, e);
    }
    return true;
}

bool
fsn_working_set_parse(GBytes *bytes, FsnWorkingSet **out_set, GError **error)
{
    g_autoptr(FsnWorkingSet) set = fsn_working_set_new();
    size_t len;
    const uint8_t *p = g_bytes_get_data(bytes, &len);

    if (!check_frame(p, len, error)) {
        return false;
    }
    set->resumes = fsn_get_le32(p + 16);
    set->n_history = fsn_get_le32(p + 20);
    parse_history(set, p + HEADER_BYTES);
    if (!parse_entries(set, p + HEADER_BYTES + set->n_history * RECORD_BYTES,
                       fsn_get_le32(p + 12), error)) {
        return false;
    }
    *out_set = g_steal_pointer(&set);
    return true;
}
