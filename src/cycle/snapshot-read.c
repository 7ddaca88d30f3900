/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what an instant shows: a thread for the memory and one for each disk, each of which
 * writes an image, and one for the variable store of the firmware; this thread watches them,
 * QEMU's jobs and the guard. The first error
 * ends all of them. Memory that is not taken off QEMU holds up the guest's writes, so a
 * reader that stands still is given up.
 */
#include "config.h"

#include "base/clock.h"
#include "base/error.h"
#include "cycle/snapshot-policy.h"
#include "disk/read-whole.h"

#define LOOK_US      (100 * 1000)
/* Disks that are read side by side. */
#define MAX_DISKS    4
/* How long the guest's writers may be held up by memory that nobody takes. */
#define RAM_STALL_US (5 * G_USEC_PER_SEC)
#define RAM_STEP_MS  100
/* Until pages arrive: a guest may wait for whoever waits for them. */
#define RAM_FIRST_MS 2

typedef struct Reader Reader;

struct Reader {
    FsnSnapshotRun *run;
    bool (*read)(Reader *reader, GError **error);
    FsnSnapshotDisk *disk; /* NULL = something else */
    int number; /* in the instant, what is let go when it is read; -1 = nothing */
    GThread *thread;
    GError *error;
    gint *cancel;
    gint done; /* atomic */
    bool joined;
    uint64_t
        ram_done; /* atomic, of the memory: pages, pages in all, bytes of the stream */
    uint64_t ram_total;
    uint64_t ram_bytes;
};

struct FsnSnapshotReading {
    FsnSnapshotRun *run;
    GPtrArray *readers;
    GPtrArray *waiting; /* of FsnSnapshotDisk: not begun with, the next one first */
    unsigned n_disks;   /* that are being read */
    Reader *memory;     /* one of them, or NULL */
    gint cancel;        /* atomic */
    int64_t ram_us;     /* when it last moved, and how far it was */
    uint64_t ram_bytes;
};

typedef struct FsnSnapshotReading Reading;

static void
put(uint64_t *counter, uint64_t value)
{
    __atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

static uint64_t
get(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static bool
on_partitions(gpointer user,
              const GPtrArray *partitions,
              GArray *leave_out,
              GError **error)
{
    Reader *reader = user;

    return fsn_snapshot_policy_choose(reader->run, reader->disk, partitions, leave_out,
                                      error);
}

static void
on_progress(gpointer user, uint64_t done, uint64_t total)
{
    FsnSnapshotDisk *d = ((Reader *)user)->disk;

    put(&d->bytes_done, done);
    put(&d->bytes_total, total);
}

static bool
read_disk(Reader *reader, GError **error)
{
    FsnSnapshotRun *run = reader->run;
    FsnSnapshotDisk *d = reader->disk;
    FsnDiskCaptureOptions options = {
        .socket = d->offline ? fsn_disk_offline_socket(d->offline) : run->socket,
        .export_name = d->offline ? "" : d->facts->target,
        .bitmap = d->context,
        .repo = run->repo,
        .codec = run->options.codec,
        .level = run->options.level,
        .bandwidth = run->options.bandwidth,
        .cancel = reader->cancel,
        .progress = on_progress,
        .choose = run->policy ? on_partitions : NULL,
        .must_read = fsn_disk_mode_needs_bitmap(d->plan->mode) ? d->must_read : NULL,
        .whole = d->plan->mode == FSN_DISK_HYBRID ? d->whole : NULL,
        .user = reader,
    };

    if (fsn_disk_mode_needs_bitmap(d->plan->mode) && !d->offline) {
        options.bitmap = fsn_instant_context(run->instant, (unsigned)d->number);
    }
    if (!d->offline) {
        options.forget = fsn_instant_forgets(run->instant, (unsigned)d->number);
    }
    if (d->parent_root) {
        d->parent = fsn_image_open(run->repo, d->parent_root, error);
        if (!d->parent) {
            return false;
        }
        options.parent = d->parent;
    }
    if (!fsn_disk_capture(&options, &d->result, error)) {
        g_prefix_error(error, "disk '%s': ", d->facts->target);
        return false;
    }
    return true;
}

static bool
read_nvram(Reader *reader, GError **error)
{
    FsnSnapshotRun *run = reader->run;
    g_autoptr(GBytes) bytes = NULL;

    if (run->nvram_number < 0) {
        return fsn_firmware_read_nvram(run->facts, &run->firmware, error);
    }
    if (!fsn_nbd_read_whole(run->socket, FSN_SNAPSHOT_NVRAM, FSN_FIRMWARE_MAX_NVRAM,
                            reader->cancel, &bytes, error)) {
        g_prefix_error(error, "the variable store of its firmware: ");
        return false;
    }
    fsn_firmware_take_nvram(run->facts, bytes, &run->firmware);
    return true;
}

static void
publish(Reader *reader)
{
    FsnCaptureProgress p = fsn_capture_progress(reader->run->capture);

    put(&reader->ram_done, p.pages_seen);
    put(&reader->ram_total, p.pages_total);
    put(&reader->ram_bytes, p.bytes_read);
}

static bool
read_memory(Reader *reader, GError **error)
{
    FsnCaptureEvent event = FSN_CAPTURE_MORE;

    while (event != FSN_CAPTURE_END) {
        if (g_atomic_int_get(reader->cancel)) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_CANCELLED, "cancelled");
            return false;
        }
        int step_ms = get(&reader->ram_done) > 0 ? RAM_STEP_MS : RAM_FIRST_MS;

        if (!fsn_capture_step(reader->run->capture, step_ms, &event, error)) {
            g_prefix_error(error, "memory: ");
            return false;
        }
        publish(reader);
    }
    return true;
}

static gpointer
reader_main(gpointer data)
{
    Reader *reader = data;
    bool ok = reader->read(reader, &reader->error);

    g_assert(ok == (reader->error == NULL));
    g_atomic_int_set(&reader->done, 1);
    return NULL;
}

static Reader *
start_reader(Reading *reading, const char *name, Reader what)
{
    Reader *reader = g_new0(Reader, 1);

    *reader = what;
    reader->run = reading->run;
    reader->cancel = &reading->cancel;
    reader->thread = g_thread_new(name, reader_main, reader);
    g_ptr_array_add(reading->readers, reader);
    return reader;
}

static void
join(Reader *reader)
{
    if (!reader->joined) {
        g_thread_join(reader->thread);
        reader->joined = true;
    }
}

static void
reader_free(gpointer data)
{
    Reader *reader = data;

    join(reader);
    g_clear_error(&reader->error);
    g_free(reader);
}

static void
start_disks(Reading *reading)
{
    while (reading->waiting->len > 0 && reading->n_disks < MAX_DISKS) {
        FsnSnapshotDisk *d = reading->waiting->pdata[0];
        const Reader reader = { .read = read_disk, .disk = d, .number = d->number };

        g_ptr_array_remove_index(reading->waiting, 0);
        reading->n_disks++;
        (void)start_reader(reading, "disk", reader); /* the array has it */
    }
}

/* What has been read is let go at once: the guest's writes are copied no more. */
static bool
take_done(Reading *reading, bool *out_all, GError **error)
{
    *out_all = true;
    for (guint i = 0; i < reading->readers->len; i++) {
        Reader *reader = reading->readers->pdata[i];

        if (reader->joined) {
            continue;
        }
        if (!g_atomic_int_get(&reader->done)) {
            *out_all = false;
            continue;
        }
        join(reader);
        if (reader->error) {
            g_propagate_error(error, g_steal_pointer(&reader->error));
            return false;
        }
        if (reader->number >= 0 &&
            !fsn_instant_release(reading->run->instant, (unsigned)reader->number,
                                 error)) {
            return false;
        }
        reading->n_disks -= reader->disk != NULL;
    }
    *out_all = *out_all && reading->waiting->len == 0;
    start_disks(reading);
    return true;
}

static void
report(Reading *reading)
{
    FsnSnapshotRun *run = reading->run;
    uint64_t done = 0;
    uint64_t total = 0;

    for (guint i = 0; i < run->disks->len; i++) {
        const FsnSnapshotDisk *d = run->disks->pdata[i];

        done += get(&d->bytes_done);
        total += get(&d->bytes_total);
    }
    if (reading->memory) {
        done += get(&reading->memory->ram_done) * FSN_PAGE_SIZE;
        total += get(&reading->memory->ram_total) * FSN_PAGE_SIZE;
    }
    fsn_cycle_progress(run->cycle, "reading", done, total);
}

static bool
check_memory(Reading *reading, GError **error)
{
    Reader *memory = reading->memory;

    if (!memory || g_atomic_int_get(&memory->done)) {
        return true;
    }
    if (get(&memory->ram_bytes) != reading->ram_bytes) {
        reading->ram_bytes = get(&memory->ram_bytes);
        reading->ram_us = fsn_monotonic_us();
    }
    if (fsn_monotonic_us() - reading->ram_us < RAM_STALL_US) {
        return true;
    }
    g_set_error(error, FSN_ERROR, FSN_ERROR_TIMEOUT,
                "the memory has not moved for %d s, which holds up the guest",
                (int)(RAM_STALL_US / G_USEC_PER_SEC));
    return false;
}

static bool
watch(Reading *reading, GError **error)
{
    bool all;

    for (;;) {
        if (!take_done(reading, &all, error)) {
            return false;
        }
        fsn_guard_beat(reading->run->guard);
        report(reading);
        if (all) {
            return true;
        }
        if (!check_memory(reading, error) ||
            (reading->run->instant && !fsn_instant_check(reading->run->instant, error))) {
            return false;
        }
        g_usleep(LOOK_US);
    }
}

typedef struct {
    FsnSnapshotDisk *disk;
    double heat;
    guint place;
} Place;

static int
hotter_first(gconstpointer a, gconstpointer b)
{
    const Place *x = a;
    const Place *y = b;

    return x->heat > y->heat   ? -1
           : x->heat < y->heat ? 1
                               : (x->place > y->place) - (x->place < y->place);
}

GPtrArray *
fsn_snapshot_ordered(const FsnSnapshotRun *run)
{
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(Place));
    GPtrArray *ordered = g_ptr_array_new();

    for (guint i = 0; i < run->disks->len; i++) {
        FsnSnapshotDisk *d = run->disks->pdata[i];
        const Place place = { d, fsn_snapshot_policy_heat(run, d), i };

        if (d->plan->mode != FSN_DISK_SKIPPED) {
            g_array_append_val(places, place);
        }
    }
    g_array_sort(places, hotter_first);
    for (guint i = 0; i < places->len; i++) {
        g_ptr_array_add(ordered, g_array_index(places, Place, i).disk);
    }
    return ordered;
}

guint
fsn_snapshot_order(const FsnSnapshotRun *run, const FsnSnapshotDisk *d)
{
    g_autoptr(GPtrArray) ordered = fsn_snapshot_ordered(run);
    guint place = 0;

    (void)g_ptr_array_find(ordered, d, &place); /* it is there */
    return place;
}

static Reading *
reading_of(FsnSnapshotRun *run)
{
    if (!run->reading) {
        run->reading = g_new0(Reading, 1);
        run->reading->run = run;
        run->reading->readers = g_ptr_array_new_with_free_func(reader_free);
        run->reading->waiting = g_ptr_array_new();
    }
    return run->reading;
}

void
fsn_snapshot_read_memory(FsnSnapshotRun *run)
{
    Reading *reading = reading_of(run);

    reading->ram_us = fsn_monotonic_us();
    reading->memory =
        start_reader(reading, "memory", (Reader){ .read = read_memory, .number = -1 });
}

bool
fsn_snapshot_memory_flows(const FsnSnapshotRun *run)
{
    return run->reading && run->reading->memory &&
           get(&run->reading->memory->ram_done) > 0;
}

static void
read_disks(FsnSnapshotRun *run)
{
    Reading *reading = reading_of(run);
    g_autoptr(GPtrArray) ordered = fsn_snapshot_ordered(run);

    g_ptr_array_extend(reading->waiting, ordered, NULL, NULL);
    start_disks(reading);
    if (fsn_firmware_has_nvram(run->facts)) {
        const Reader reader = { .read = read_nvram, .number = run->nvram_number };

        (void)start_reader(reading, "nvram", reader);
    }
}

void
fsn_snapshot_read_cancel(FsnSnapshotRun *run)
{
    if (run->reading) {
        g_atomic_int_set(&run->reading->cancel, 1);
    }
}

void
fsn_snapshot_read_end(FsnSnapshotRun *run)
{
    if (run->reading) {
        g_ptr_array_unref(run->reading->readers); /* joins them */
        g_ptr_array_unref(run->reading->waiting);
        g_clear_pointer(&run->reading, g_free);
    }
}

static bool
finish_memory(FsnSnapshotRun *run, GError **error)
{
    int64_t downtime_us;

    if (!fsn_outgoing_finish(run->outgoing, &downtime_us, error)) {
        return false;
    }
    fsn_outgoing_restore(run->outgoing);
    return true;
}

/* The guest ran again before this: the memory was being read by then, without which QEMU may
 * wait for its own guest. */
static bool
read_beside(FsnSnapshotRun *run, GError **error)
{
    read_disks(run);
    return fsn_snapshot_settle_leases(run, error) && watch(reading_of(run), error) &&
           (run->ram_mode != FSN_RAM_BACKGROUND || finish_memory(run, error));
}

/* A migration ends with QEMU giving up the disks, which nobody may hold then. */
static bool
read_stopped(FsnSnapshotRun *run, GError **error)
{
    read_disks(run);
    if (!watch(reading_of(run), error) || !fsn_snapshot_start_stopped(run, error)) {
        return false;
    }
    fsn_snapshot_read_memory(run);
    return watch(reading_of(run), error) && finish_memory(run, error) &&
           fsn_snapshot_continue(run, error);
}

bool
fsn_snapshot_read(FsnSnapshotRun *run, GError **error)
{
    bool ok = run->ram_mode == FSN_RAM_STOPPED ? read_stopped(run, error)
                                               : read_beside(run, error);

    if (ok) {
        fsn_snapshot_read_end(run);
    }
    return ok; /* else undoing ends the readers, who may hang, after the guest's sake */
}
