/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which bytes of a disk a snapshot of its parts does not take. */
#include "config.h"

#include "cycle/disk-parts.h"

#include "base/error.h"
#include "repofmt/granule.h"

#include <string.h>

/* Where tables of partitions are. */
#define TABLE_HEAD (UINT64_C(1) << 20)
#define TABLE_TAIL (UINT64_C(64) << 10)
#define MAX_BYTES  (UINT64_C(1) << 62)

void
fsn_disk_part_free(gpointer data)
{
    FsnDiskPart *part = data;

    if (part) {
        g_free(part->target);
        g_free(part);
    }
}

/* Decimal, with a unit perhaps, up to @end; the text behind it, or NULL. */
static const char *
read_bytes(const char *text, uint64_t *out_bytes)
{
    static const char units[] = "KMGT";
    const char *unit;
    char *end;
    uint64_t value;
    unsigned shift = 0;

    if (!g_ascii_isdigit(*text)) {
        return NULL;
    }
    value = g_ascii_strtoull(text, &end, 10);
    if (*end && (unit = strchr(units, *end))) {
        shift = 10 * (unsigned)(unit - units + 1);
        end++;
    }
    if (value > MAX_BYTES >> shift) {
        return NULL;
    }
    *out_bytes = value << shift;
    return end;
}

/* The part with its target, and what is behind the colon. */
static FsnDiskPart *
read_target(const char *text, const char **out_rest)
{
    const char *colon = strchr(text, ':');
    FsnDiskPart *part;

    if (!colon || colon == text) {
        return NULL;
    }
    part = g_new0(FsnDiskPart, 1);
    part->target = g_strndup(text, (gsize)(colon - text));
    *out_rest = colon + 1;
    return part;
}

FsnDiskPart *
fsn_disk_part_parse_partition(const char *text, GError **error)
{
    const char *rest = "";
    FsnDiskPart *part = read_target(text, &rest);
    guint64 number;

    if (part && g_ascii_string_to_unsigned(rest, 10, 1, 1024, &number, NULL)) {
        part->partition = (unsigned)number;
        return part;
    }
    fsn_disk_part_free(part);
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                "'%s' is no partition: write for example vda:2", text);
    return NULL;
}

FsnDiskPart *
fsn_disk_part_parse_range(const char *text, GError **error)
{
    const char *rest = "";
    FsnDiskPart *part = read_target(text, &rest);

    rest = part ? read_bytes(rest, &part->offset) : NULL;
    rest = rest && *rest == '+' ? read_bytes(rest + 1, &part->length) : NULL;
    if (rest && !*rest && part->length > 0) {
        return part;
    }
    fsn_disk_part_free(part);
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                "'%s' is no range: write for example vda:1M+512M", text);
    return NULL;
}

bool
fsn_disk_parts_name(const GPtrArray *parts, const char *target)
{
    for (guint i = 0; parts && i < parts->len; i++) {
        if (strcmp(((const FsnDiskPart *)parts->pdata[i])->target, target) == 0) {
            return true;
        }
    }
    return false;
}

/* Whole granules around the bytes, within the disk. */
static void
add_held(GArray *held, uint64_t offset, uint64_t length, uint64_t size)
{
    uint64_t end = MIN(offset + length, size);
    FsnDiskGap gap = { .offset = offset / FSN_GRANULE_SIZE * FSN_GRANULE_SIZE };

    end = (end + FSN_GRANULE_SIZE - 1) / FSN_GRANULE_SIZE * FSN_GRANULE_SIZE;
    gap.length = end - MIN(gap.offset, end);
    g_array_append_val(held, gap);
}

static const FsnPartition *
find_partition(const GPtrArray *partitions, unsigned number)
{
    for (guint i = 0; i < partitions->len; i++) {
        const FsnPartition *p = partitions->pdata[i];

        if (p->number == number) {
            return p;
        }
    }
    return NULL;
}

static bool
hold_part(const FsnDiskPart *part,
          const GPtrArray *partitions,
          uint64_t size,
          GArray *held,
          GError **error)
{
    const FsnPartition *p;

    if (part->partition == 0) {
        if (part->offset >= size || part->length > size - part->offset) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                        "the range %" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT
                        " ends behind the disk, which has %" G_GUINT64_FORMAT " bytes",
                        part->offset, part->length, size);
            return false;
        }
        add_held(held, part->offset, part->length, size);
        return true;
    }
    p = find_partition(partitions, part->partition);
    if (!p) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "it has no partition %u",
                    part->partition);
        return false;
    }
    add_held(held, MIN(p->offset, size), MIN(p->size, size), size);
    return true;
}

static int
by_offset(gconstpointer a, gconstpointer b)
{
    const FsnDiskGap *x = a;
    const FsnDiskGap *y = b;

    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* What is between the held ones, which are in order. */
static GArray *
between(const GArray *held)
{
    GArray *gaps = g_array_new(FALSE, FALSE, sizeof(FsnDiskGap));
    uint64_t end = 0;

    for (guint i = 0; i < held->len; i++) {
        const FsnDiskGap *h = &g_array_index(held, FsnDiskGap, i);

        if (h->offset > end) {
            FsnDiskGap gap = { .offset = end, .length = h->offset - end };

            g_array_append_val(gaps, gap);
        }
        end = MAX(end, h->offset + h->length);
    }
    return gaps;
}

bool
fsn_disk_parts_gaps(const GPtrArray *parts,
                    const char *target,
                    const GPtrArray *partitions,
                    uint64_t size,
                    GArray **out_gaps,
                    GError **error)
{
    g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(FsnDiskGap));

    add_held(held, 0, TABLE_HEAD, size);
    add_held(held, size - MIN(size, TABLE_TAIL), TABLE_TAIL, size);
    for (guint i = 0; i < parts->len; i++) {
        const FsnDiskPart *part = parts->pdata[i];

        if (strcmp(part->target, target) == 0 &&
            !hold_part(part, partitions, size, held, error)) {
            return false;
        }
    }
    g_array_sort(held, by_offset);
    *out_gaps = between(held);
    return true;
}
