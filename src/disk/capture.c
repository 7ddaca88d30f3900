/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an NBD export to an image. A plan says which granules to read; reads run ahead in
 * a ring of buffers and are put into the image in the order of the disk. Memory is bounded
 * by the ring and by the part of the plan that is made at a time, whatever the disk. An
 * image comes into being only if every read of the plan succeeded in full.
 */
#include "config.h"

#include "disk/capture.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/pace.h"
#include "disk/image-partitions.h"
#include "disk/nbd.h"
#include "disk/priority.h"

#include <string.h>

/* The ring: 16 MiB of buffers. Zeroes take a place in it too, but no request. */
#define RING_SLOTS    32
#define PIECE_BYTES   ((size_t)512 * 1024)
/* Requests on their way; QEMU serves as many of one client at once. */
#define MAX_IN_FLIGHT 16
/* Ranges that are planned at a time, 24 bytes each. */
#define PLAN_RANGES   262144
#define PROGRESS_US   100000

typedef struct {
    FsnPlanAction action;
    uint64_t first; /* granule */
    uint64_t count;
    bool arrived;
    FsnNbdRead read;
    uint8_t *buffer; /* PIECE_BYTES */
} Slot;

typedef struct {
    const FsnDiskCaptureOptions *options;
    FsnNbd *nbd;
    FsnImageWriter *writer;
    uint64_t size;
    FsnExtentPlan plan;
    guint next_range;
    uint64_t piece_bytes; /* longest read */
    Slot slots[RING_SLOTS];
    unsigned head; /* oldest slot in use */
    unsigned n_used;
    unsigned n_in_flight;
    uint8_t *buffers;
    FsnPace pace;
    int64_t resume_us; /* no read is started before that */
    int64_t progress_us;
    uint64_t bytes_read;
    GArray *overrides;      /* of FsnPlanRange */
    FsnPartitionSums *sums; /* of what is read; or null */
    uint64_t planned;       /* granules that were overlaid */
    uint64_t told; /* granules that are planned, and that the server knows about */
} Capture;

static void
capture_clear(Capture *c)
{
    /* The connection first: it writes into the buffers. */
    g_clear_pointer(&c->nbd, fsn_nbd_free);
    g_clear_pointer(&c->writer, fsn_image_writer_free);
    fsn_extent_plan_clear(&c->plan);
    g_clear_pointer(&c->buffers, g_free);
    g_clear_pointer(&c->overrides, g_array_unref);
    g_clear_pointer(&c->sums, fsn_partition_sums_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Capture, capture_clear)

static bool
connect_to_server(Capture *c, GError **error)
{
    const FsnDiskCaptureOptions *o = c->options;
    FsnNbdOptions options = {
        .socket = o->socket,
        .export_name = o->export_name,
        .bitmap = o->bitmap,
        .connections = o->connections,
        .cancel = o->cancel,
        .stall_us = o->stall_us ? o->stall_us : FSN_DISK_STALL_US,
    };

    c->nbd = fsn_nbd_open(&options, error);
    if (!c->nbd) {
        return false;
    }
    c->size = fsn_nbd_size(c->nbd);
    c->piece_bytes =
        MIN(fsn_nbd_max_read(c->nbd), PIECE_BYTES) & ~(uint64_t)(FSN_GRANULE_SIZE - 1);
    if (c->piece_bytes == 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "export '%s' allows no reads of %d bytes", o->export_name,
                    FSN_GRANULE_SIZE);
        return false;
    }
    fsn_extent_plan_init(&c->plan, c->size);
    c->plan.whole = o->bitmap ? o->whole : NULL;
    return true;
}

static uint64_t
n_granules(const Capture *c)
{
    return c->size / FSN_GRANULE_SIZE + (c->size % FSN_GRANULE_SIZE != 0);
}

static bool
check_parent(const Capture *c, GError **error)
{
    const FsnDiskCaptureOptions *o = c->options;

    if (o->bitmap && !o->parent) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "a bitmap of disk '%s' needs an image that it goes on from",
                    o->export_name);
        return false;
    }
    if (o->bitmap && fsn_image_n_granules(o->parent) != n_granules(c)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "disk '%s' has %" G_GUINT64_FORMAT
                    " bytes now, another size than in the previous image",
                    o->export_name, c->size);
        return false;
    }
    return true;
}

static bool
prepare(Capture *c, GError **error)
{
    const FsnDiskCaptureOptions *o = c->options;
    FsnImageWriterOptions options = {
        .n_granules = n_granules(c),
        .parent = o->parent,
        .codec = o->codec,
        .level = o->level,
        .threads = o->threads,
        .inherit = o->bitmap != NULL,
    };

    c->writer = fsn_image_writer_new(o->repo, &options, error);
    if (!c->writer) {
        return false;
    }
    c->pace.bytes_per_s = o->bandwidth;
    c->buffers = g_malloc(RING_SLOTS * PIECE_BYTES);
    for (unsigned i = 0; i < RING_SLOTS; i++) {
        c->slots[i].buffer = c->buffers + i * PIECE_BYTES;
    }
    return true;
}

static uint64_t
count_reads(const GArray *ranges)
{
    uint64_t n = 0;

    for (guint i = 0; i < ranges->len; i++) {
        const FsnPlanRange *range = &g_array_index(ranges, FsnPlanRange, i);

        n += range->action == FSN_PLAN_READ ? range->count : 0;
    }
    return n;
}

/* What is left out or read in any case, over what is planned so far. */
static void
overlay(Capture *c)
{
    uint64_t to = fsn_extent_plan_is_whole(&c->plan)
                      ? n_granules(c)
                      : c->plan.position / FSN_GRANULE_SIZE;

    if (c->overrides) {
        c->plan.read -= count_reads(c->plan.ranges);
        fsn_extent_overlay(c->plan.ranges, c->planned, to, c->overrides);
        c->plan.read += count_reads(c->plan.ranges);
        c->planned = to;
    }
}

/* Whole clusters only: QEMU before 9.1 dies of a part of one. */
static bool
forget(Capture *c, uint64_t first, uint64_t end, GError **error)
{
    uint64_t cluster = c->options->forget;
    uint64_t from;
    uint64_t to;

    if (cluster == 0) {
        return true;
    }
    from = (first * FSN_GRANULE_SIZE + cluster - 1) / cluster * cluster;
    to = MIN(end * FSN_GRANULE_SIZE, c->size) / cluster * cluster;
    return from >= to || fsn_nbd_forget(c->nbd, from, to - from, error);
}

/* What will not be read at all: at once, since the guest waits for each copy of it. */
static bool
forget_unread(Capture *c, GError **error)
{
    uint64_t end = fsn_extent_plan_is_whole(&c->plan)
                       ? n_granules(c)
                       : c->plan.position / FSN_GRANULE_SIZE;

    for (guint i = 0; i < c->plan.ranges->len; i++) {
        const FsnPlanRange *range = &g_array_index(c->plan.ranges, FsnPlanRange, i);

        if (range->action == FSN_PLAN_READ) {
            if (!forget(c, c->told, range->first, error)) {
                return false;
            }
            c->told = range->first + range->count;
        }
    }
    if (!forget(c, c->told, end, error)) {
        return false;
    }
    c->told = MAX(c->told, end);
    return true;
}

/* Plans on, until the disk is planned or there is a lot to do. */
static bool
plan_more(Capture *c, GError **error)
{
    g_array_set_size(c->plan.ranges, 0);
    c->next_range = 0;
    while (!fsn_extent_plan_is_whole(&c->plan) && c->plan.ranges->len < PLAN_RANGES) {
        if (!fsn_nbd_map(c->nbd, &c->plan, error)) {
            return false;
        }
    }
    overlay(c);
    return forget_unread(c, error);
}

/* Takes the next piece out of the plan: true if there was one. */
static bool
next_piece(Capture *c, FsnPlanRange *out_piece)
{
    uint64_t granules = c->piece_bytes / FSN_GRANULE_SIZE;
    FsnPlanRange *range;

    if (c->next_range == c->plan.ranges->len) {
        return false;
    }
    range = &g_array_index(c->plan.ranges, FsnPlanRange, c->next_range);
    *out_piece = *range;
    if (range->action == FSN_PLAN_READ) {
        out_piece->count = MIN(range->count, granules - range->first % granules);
    }
    range->first += out_piece->count;
    range->count -= out_piece->count;
    c->next_range += range->count == 0;
    return true;
}

static bool
start_piece(Capture *c, const FsnPlanRange *piece, GError **error)
{
    Slot *slot = &c->slots[(c->head + c->n_used) % RING_SLOTS];
    uint64_t offset = piece->first * FSN_GRANULE_SIZE;
    uint64_t len = MIN(piece->count * FSN_GRANULE_SIZE, c->size - offset);
    int64_t now_us;

    slot->action = piece->action;
    slot->first = piece->first;
    slot->count = piece->count;
    slot->arrived = piece->action != FSN_PLAN_READ;
    if (!slot->arrived) {
        if (!fsn_nbd_start_read(c->nbd, slot->buffer, len, offset, &slot->read, error)) {
            return false;
        }
        c->n_in_flight++;
        now_us = fsn_monotonic_us();
        c->resume_us = now_us + fsn_pace_take(&c->pace, now_us, len);
    }
    c->n_used++;
    return true;
}

/* Keeps the ring full. */
static bool
start_reads(Capture *c, GError **error)
{
    FsnPlanRange piece;

    while (c->n_used < RING_SLOTS && c->n_in_flight < MAX_IN_FLIGHT &&
           (c->pace.bytes_per_s == 0 || fsn_monotonic_us() >= c->resume_us)) {
        if (!next_piece(c, &piece)) {
            if (fsn_extent_plan_is_whole(&c->plan)) {
                break;
            }
            if (!plan_more(c, error)) {
                return false;
            }
        } else if (!start_piece(c, &piece, error)) {
            return false;
        }
    }
    return true;
}

static bool
check_read(Capture *c, Slot *slot, GError **error)
{
    if (slot->arrived) {
        return true;
    }
    if (!fsn_nbd_check_read(c->nbd, &slot->read, &slot->arrived, error)) {
        return false;
    }
    if (!slot->arrived) {
        return true;
    }
    c->n_in_flight--;
    return forget(c, slot->first, slot->first + slot->count, error);
}

static bool
check_reads(Capture *c, GError **error)
{
    for (unsigned i = 0; i < c->n_used; i++) {
        if (!check_read(c, &c->slots[(c->head + i) % RING_SLOTS], error)) {
            return false;
        }
    }
    return true;
}

static bool
put_data(Capture *c, const Slot *slot, GError **error)
{
    size_t len = slot->read.len;
    size_t padded = slot->count * FSN_GRANULE_SIZE;

    memset(slot->buffer + len, 0, padded - len); /* the last granule of the disk */
    for (uint64_t i = 0; i < slot->count; i++) {
        if (!fsn_image_writer_put(c->writer, slot->first + i,
                                  slot->buffer + i * FSN_GRANULE_SIZE, error)) {
            return false;
        }
    }
    c->bytes_read += len;
    if (c->sums) {
        fsn_partition_sums_add(c->sums, slot->first * FSN_GRANULE_SIZE, len);
    }
    return true;
}

static bool
put_slot(Capture *c, const Slot *slot, GError **error)
{
    switch (slot->action) {
    case FSN_PLAN_READ:
        return put_data(c, slot, error);
    case FSN_PLAN_ZERO:
        return fsn_image_writer_put_range(c->writer, slot->first, slot->count,
                                          FSN_GRANULE_ZERO, error);
    case FSN_PLAN_HOLE:
        return fsn_image_writer_put_range(c->writer, slot->first, slot->count,
                                          FSN_GRANULE_HOLE, error);
    case FSN_PLAN_KEEP:
        break;
    }
    g_assert_not_reached();
}

/* Puts what is complete at the head of the ring into the image, up to one piece of data: then
 * it is time to ask for more. */
static bool
put_arrived(Capture *c, bool *out_any, GError **error)
{
    bool data = false;

    *out_any = false;
    if (!check_reads(c, error)) {
        return false;
    }
    while (c->n_used > 0 && c->slots[c->head].arrived && !data) {
        Slot *slot = &c->slots[c->head];

        if (!put_slot(c, slot, error)) {
            return false;
        }
        data = slot->action == FSN_PLAN_READ;
        c->head = (c->head + 1) % RING_SLOTS;
        c->n_used--;
        *out_any = true;
    }
    return true;
}

/* Reads a few bytes and waits for them: before the transfer. */
static bool
read_now(gpointer user, uint64_t offset, size_t len, uint8_t *out, GError **error)
{
    Capture *c = user;
    FsnNbdRead read;
    bool done = false;

    if (!fsn_nbd_start_read(c->nbd, out, len, offset, &read, error)) {
        return false;
    }
    while (fsn_nbd_check_read(c->nbd, &read, &done, error)) {
        if (done) {
            return true;
        }
        if (!fsn_nbd_wait(c->nbd, fsn_monotonic_us() + PROGRESS_US, error)) {
            break;
        }
    }
    return false;
}

/* What is left out counts more than what has to be read. */
static bool
choose(Capture *c, GError **error)
{
    const FsnDiskCaptureOptions *o = c->options;
    g_autoptr(GPtrArray) partitions = NULL;
    g_autoptr(GArray) leave_out = g_array_new(FALSE, FALSE, sizeof(FsnPlanRange));

    if (o->choose && (!fsn_partitions_find(read_now, c, c->size, 0, &partitions, error) ||
                      !fsn_partitions_find_swap(read_now, c, partitions, error) ||
                      !o->choose(o->user, partitions, leave_out, error))) {
        return false;
    }
    c->sums = partitions ? fsn_partition_sums_new(partitions) : NULL;
    fsn_extent_order(leave_out);
    c->overrides = g_array_new(FALSE, FALSE, sizeof(FsnPlanRange));
    if (o->must_read) {
        g_array_append_vals(c->overrides, o->must_read->data, o->must_read->len);
        fsn_extent_order(c->overrides);
    }
    fsn_extent_overlay(c->overrides, 0, n_granules(c), leave_out);
    return true;
}

static bool
is_done(const Capture *c)
{
    return c->n_used == 0 && fsn_extent_plan_is_whole(&c->plan) &&
           c->next_range == c->plan.ranges->len;
}

/* Bytes to be read: what is planned, and all that is not yet planned. */
static uint64_t
bytes_expected(const Capture *c)
{
    return MIN(c->plan.read * FSN_GRANULE_SIZE, c->size) + c->size - c->plan.position;
}

static void
report(Capture *c, bool last)
{
    int64_t now_us = fsn_monotonic_us();

    if (c->options->progress && (last || now_us - c->progress_us >= PROGRESS_US)) {
        c->progress_us = now_us;
        c->options->progress(c->options->user, c->bytes_read,
                             last ? c->bytes_read : bytes_expected(c));
    }
}

static bool
transfer(Capture *c, GError **error)
{
    while (!is_done(c)) {
        int64_t until_us = 0;
        bool any;

        if (!start_reads(c, error) || !put_arrived(c, &any, error)) {
            return false;
        }
        if (!any) {
            int64_t now_us = fsn_monotonic_us();

            until_us = now_us + PROGRESS_US;
            if (c->resume_us > now_us) {
                until_us = MIN(until_us, c->resume_us);
            }
        }
        /* After something was put there is room again: only a look, and at the cancellation. */
        if (!is_done(c) && !fsn_nbd_wait(c->nbd, until_us, error)) {
            return false;
        }
        report(c, false);
    }
    report(c, true);
    while (!fsn_nbd_is_idle(c->nbd)) {
        if (!fsn_nbd_wait(c->nbd, fsn_monotonic_us() + PROGRESS_US, error)) {
            return false;
        }
    }
    return true;
}

static bool
capture(const FsnDiskCaptureOptions *options, FsnDiskCaptureResult *out, GError **error)
{
    g_auto(Capture) c = { .options = options };
    g_auto(FsnDiskCaptureResult) result = { 0 };

    if (!connect_to_server(&c, error) || !check_parent(&c, error) ||
        !prepare(&c, error) || !choose(&c, error) || !transfer(&c, error)) {
        return false;
    }
    result.size = c.size;
    result.bytes_read = c.bytes_read;
    result.bytes_dirty = c.plan.dirty;
    if (!fsn_image_writer_commit(c.writer, &result.image, error) ||
        !fsn_image_partitions(options->repo, result.image.root, c.size,
                              &result.partitions, error)) {
        return false;
    }
    result.partition_bytes = g_steal_pointer(&c.sums);
    *out = result;
    memset(&result, 0, sizeof result);
    return true;
}

typedef struct {
    const FsnDiskCaptureOptions *options;
    FsnDiskCaptureResult *out_result;
    GError *error;
} Job;

static gpointer
capture_thread(gpointer data)
{
    Job *job = data;

    /* Before the compressors are started, which inherit it. */
    fsn_lower_priority();
    return GINT_TO_POINTER(capture(job->options, job->out_result, &job->error));
}

bool
fsn_disk_capture(const FsnDiskCaptureOptions *options,
                 FsnDiskCaptureResult *out_result,
                 GError **error)
{
    Job job = { .options = options, .out_result = out_result };
    GThread *thread = g_thread_try_new("disk-capture", capture_thread, &job, error);

    if (!thread) {
        return false;
    }
    if (!GPOINTER_TO_INT(g_thread_join(thread))) {
        g_propagate_prefixed_error(error, job.error, "cannot capture the disk: ");
        return false;
    }
    return true;
}

bool
fsn_disk_measure(const FsnDiskCaptureOptions *options,
                 FsnDiskCaptureResult *out_result,
                 GError **error)
{
    FsnDiskCaptureOptions single = *options;
    g_auto(Capture) c = { .options = &single };

    single.connections = 1;
    if (!connect_to_server(&c, error)) {
        return false;
    }
    while (!fsn_extent_plan_is_whole(&c.plan)) {
        if (!plan_more(&c, error)) {
            return false;
        }
    }
    *out_result = (FsnDiskCaptureResult){
        .size = c.size,
        .bytes_read = bytes_expected(&c),
        .bytes_dirty = c.plan.dirty,
    };
    return true;
}

void
fsn_disk_capture_result_clear(FsnDiskCaptureResult *result)
{
    g_clear_pointer(&result->partitions, g_ptr_array_unref);
    g_clear_pointer(&result->partition_bytes, fsn_partition_sums_free);
}
