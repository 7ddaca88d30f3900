/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk against the image of it: the proof that no hash was fooled and no write went
 * unrecorded. Trusts neither hashes nor the record of what was zero in the image; what the
 * server says to be zero is taken for zero. Reads run ahead by a few pieces; memory is
 * bounded by them whatever the disk.
 */
#include "config.h"

#include "disk/compare.h"

#include "base/clock.h"
#include "base/error.h"
#include "disk/nbd.h"
#include "repo/image-runs.h"

#include <string.h>

#define PIECES      8
#define PIECE_BYTES ((size_t)512 * 1024)
#define PIECE       (PIECE_BYTES / FSN_GRANULE_SIZE) /* granules */
#define STALL_US    (120 * (int64_t)G_USEC_PER_SEC)
#define LOOK_US     100000

typedef struct {
    FsnPlanRange range;
    FsnNbdRead read;
    uint8_t *buffer;
} Piece;

typedef struct {
    const FsnDiskCompareOptions *options;
    FsnNbd *nbd;
    FsnImageReader *reader;
    uint64_t size;
    FsnExtentPlan plan;
    guint next;       /* range of the plan */
    uint64_t planned; /* granules that were overlaid */
    Piece pieces[PIECES];
    unsigned head;
    unsigned n_used;
    uint8_t *buffers;
    uint8_t *stored; /* PIECE_BYTES, from the image */
    uint64_t done;   /* bytes of the disk */
    int64_t told_us;
    FsnDiskCompareResult result;
} Compare;

static void
compare_clear(Compare *c)
{
    g_clear_pointer(&c->nbd, fsn_nbd_free); /* first: it writes into the buffers */
    g_clear_pointer(&c->reader, fsn_image_reader_free);
    fsn_extent_plan_clear(&c->plan);
    g_clear_pointer(&c->buffers, g_free);
    g_clear_pointer(&c->stored, g_free);
    fsn_disk_compare_result_clear(&c->result);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Compare, compare_clear)

void
fsn_disk_compare_result_clear(FsnDiskCompareResult *result)
{
    g_clear_pointer(&result->ranges, g_array_unref);
}

static bool
begin(Compare *c, GError **error)
{
    const FsnDiskCompareOptions *o = c->options;
    const FsnNbdOptions options = { .socket = o->socket,
                                    .export_name = o->export_name,
                                    .bitmap = o->bitmap,
                                    .stall_us = STALL_US };

    c->nbd = fsn_nbd_open(&options, error);
    if (!c->nbd) {
        return false;
    }
    c->size = fsn_nbd_size(c->nbd);
    if (fsn_image_n_granules(o->image) !=
        c->size / FSN_GRANULE_SIZE + (c->size % FSN_GRANULE_SIZE != 0)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "it has %" G_GUINT64_FORMAT " bytes now, another size than in the "
                    "snapshot",
                    c->size);
        return false;
    }
    if (fsn_nbd_max_read(c->nbd) < PIECE_BYTES) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "its server allows no reads of %zu bytes", PIECE_BYTES);
        return false;
    }
    fsn_extent_plan_init(&c->plan, c->size);
    c->plan.inverse = true;
    c->reader = fsn_image_reader_new(o->image);
    c->result.ranges = g_array_new(FALSE, FALSE, sizeof(FsnDiskRange));
    c->stored = g_malloc(PIECE_BYTES);
    c->buffers = g_malloc(PIECES * PIECE_BYTES);
    for (size_t i = 0; i < PIECES; i++) {
        c->pieces[i].buffer = c->buffers + i * PIECE_BYTES;
    }
    return true;
}

static void
add_difference(Compare *c, uint64_t granule)
{
    FsnDiskCompareResult *r = &c->result;
    FsnDiskRange range = { .offset = granule * FSN_GRANULE_SIZE };
    FsnDiskRange *last = r->ranges->len > 0
                             ? &g_array_index(r->ranges, FsnDiskRange, r->ranges->len - 1)
                             : NULL;

    range.length = MIN(FSN_GRANULE_SIZE, c->size - range.offset);
    r->differing += range.length;
    if (last && last->offset + last->length == range.offset) {
        last->length += range.length;
        return;
    }
    r->n_ranges++;
    if (r->ranges->len < FSN_DISK_MAX_RANGES) {
        g_array_append_val(r->ranges, range);
    }
}

static uint64_t
bytes_of(const Compare *c, uint64_t first, uint64_t count)
{
    return MIN(count * FSN_GRANULE_SIZE, c->size - first * FSN_GRANULE_SIZE);
}

/* @data: what the disk has there; NULL: zeroes. */
static bool
compare_run(
    Compare *c, uint64_t first, uint64_t count, const uint8_t *data, GError **error)
{
    static const uint8_t zeroes[FSN_GRANULE_SIZE];

    if (!fsn_image_reader_read_run(c->reader, first, count, c->stored, error)) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *is = data ? data + i * FSN_GRANULE_SIZE : zeroes;

        if (memcmp(is, c->stored + i * FSN_GRANULE_SIZE, FSN_GRANULE_SIZE) != 0) {
            add_difference(c, first + i);
        }
    }
    return true;
}

/* Where the image has zeroes too there is nothing to read. */
static bool
compare_zero(Compare *c, FsnPlanRange range, GError **error)
{
    while (range.count > 0) {
        FsnGranuleKind kind;
        uint64_t n;

        if (!fsn_image_next_run(c->options->image, range.first, range.count, &kind, &n,
                                error)) {
            return false;
        }
        if (kind != FSN_GRANULE_ZERO && kind != FSN_GRANULE_HOLE) {
            n = MIN(n, PIECE);
            if (!compare_run(c, range.first, n, NULL, error)) {
                return false;
            }
        }
        range.first += n;
        range.count -= n;
    }
    return true;
}

static void
leave_out(Compare *c)
{
    uint64_t to = fsn_extent_plan_is_whole(&c->plan)
                      ? fsn_image_n_granules(c->options->image)
                      : c->plan.position / FSN_GRANULE_SIZE;

    if (c->options->leave_out) {
        fsn_extent_overlay(c->plan.ranges, c->planned, to, c->options->leave_out);
        c->planned = to;
    }
}

static bool
plan_more(Compare *c, GError **error)
{
    g_array_set_size(c->plan.ranges, 0);
    c->next = 0;
    while (!fsn_extent_plan_is_whole(&c->plan) && c->plan.ranges->len == 0) {
        if (!fsn_nbd_map(c->nbd, &c->plan, error)) {
            return false;
        }
        leave_out(c);
    }
    return true;
}

static bool
start(Compare *c, FsnPlanRange range, GError **error)
{
    Piece *piece = &c->pieces[(c->head + c->n_used) % PIECES];
    uint64_t offset = range.first * FSN_GRANULE_SIZE;

    piece->range = range;
    c->n_used++;
    return range.action != FSN_PLAN_READ ||
           fsn_nbd_start_read(c->nbd, piece->buffer,
                              (size_t)bytes_of(c, range.first, range.count), offset,
                              &piece->read, error);
}

/* Takes ranges out of the plan until enough is on its way. */
static bool
start_pieces(Compare *c, GError **error)
{
    while (c->n_used < PIECES) {
        FsnPlanRange *range;
        FsnPlanRange piece;

        if (c->next == c->plan.ranges->len) {
            if (fsn_extent_plan_is_whole(&c->plan)) {
                return true;
            }
            if (!plan_more(c, error)) {
                return false;
            }
            continue;
        }
        range = &g_array_index(c->plan.ranges, FsnPlanRange, c->next);
        piece = *range;
        if (piece.action == FSN_PLAN_READ) {
            piece.count = MIN(piece.count, PIECE);
        }
        range->first += piece.count;
        range->count -= piece.count;
        c->next += range->count == 0;
        if (!start(c, piece, error)) {
            return false;
        }
    }
    return true;
}

static bool
tell(Compare *c, GError **error)
{
    if (!c->options->progress || fsn_monotonic_us() - c->told_us < LOOK_US) {
        return true;
    }
    c->told_us = fsn_monotonic_us();
    return c->options->progress(c->options->user, c->done, c->size, error);
}

static bool
await(Compare *c, const Piece *piece, GError **error)
{
    bool arrived = false;

    while (fsn_nbd_check_read(c->nbd, &piece->read, &arrived, error)) {
        if (arrived) {
            return true;
        }
        if (!fsn_nbd_wait(c->nbd, fsn_monotonic_us() + LOOK_US, error) ||
            !tell(c, error)) {
            break;
        }
    }
    return false;
}

static bool
finish_piece(Compare *c, GError **error)
{
    Piece *piece = &c->pieces[c->head];
    FsnPlanRange r = piece->range;
    uint64_t bytes = bytes_of(c, r.first, r.count);

    if (r.action == FSN_PLAN_READ) {
        if (!await(c, piece, error)) {
            return false;
        }
        /* The last granule of the image is padded. */
        memset(piece->buffer + bytes, 0, r.count * FSN_GRANULE_SIZE - bytes);
    }
    if (!(r.action == FSN_PLAN_READ
              ? compare_run(c, r.first, r.count, piece->buffer, error)
              : compare_zero(c, r, error))) {
        return false;
    }
    c->result.compared += bytes;
    c->done = r.first * FSN_GRANULE_SIZE + bytes;
    c->head = (c->head + 1) % PIECES;
    c->n_used--;
    return tell(c, error);
}

bool
fsn_disk_compare(const FsnDiskCompareOptions *options,
                 FsnDiskCompareResult *out_result,
                 GError **error)
{
    g_auto(Compare) c = { .options = options };

    if (!begin(&c, error)) {
        return false;
    }
    do {
        if (!start_pieces(&c, error) || (c.n_used > 0 && !finish_piece(&c, error))) {
            return false;
        }
    } while (c.n_used > 0);
    c.result.passed_over = c.size - c.result.compared;
    *out_result = c.result;
    memset(&c.result, 0, sizeof c.result);
    return true;
}
