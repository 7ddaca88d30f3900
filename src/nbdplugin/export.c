/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a stored disk from many threads. A reader keeps the frames that it decoded last, so
 * a request goes to the reader whose last one ended where it begins: several clients that
 * read in order do not take each other's cache away. Every byte is verified before it is
 * handed out. Knows nothing of NBD.
 */
#include "config.h"

#include "nbdplugin/export.h"

#include "disk/write-image.h"
#include "repo/image-runs.h"

#include <string.h>

typedef struct {
    FsnImageReader *reader; /* NULL: not made yet */
    bool lent;
    uint64_t end;  /* granule behind its last request */
    uint64_t used; /* when it was last given back */
} Slot;

struct FsnExport {
    FsnImage *image;
    uint64_t size;
    unsigned n_slots;
    GMutex lock; /* of the slots' members, not of what they lend */
    GCond returned;
    uint64_t now;
    Slot *slots;
};

FsnExport *
fsn_export_new(FsnImage *image, uint64_t size, unsigned max_readers, GError **error)
{
    FsnExport *export;

    if (!fsn_image_check_size(image, size, error)) {
        return NULL;
    }
    export = g_new0(FsnExport, 1);
    export->image = image;
    export->size = size;
    export->n_slots = MAX(max_readers, 1);
    export->slots = g_new0(Slot, export->n_slots);
    g_mutex_init(&export->lock);
    g_cond_init(&export->returned);
    return export;
}

void
fsn_export_free(FsnExport *export)
{
    if (export) {
        for (unsigned i = 0; i < export->n_slots; i++) {
            fsn_image_reader_free(export->slots[i].reader);
        }
        g_mutex_clear(&export->lock);
        g_cond_clear(&export->returned);
        g_free(export->slots);
        g_free(export);
    }
}

uint64_t
fsn_export_size(const FsnExport *export)
{
    return export->size;
}

/* The free slot that read up to @first; else one that is not in use by any stream, the
 * longest unused first. NULL: all are lent. Called with the lock held. */
static Slot *
choose_slot(FsnExport *export, uint64_t first)
{
    Slot *best = NULL;

    for (unsigned i = 0; i < export->n_slots; i++) {
        Slot *slot = &export->slots[i];

        if (slot->lent) {
            continue;
        }
        if (slot->reader && slot->end == first) {
            return slot;
        }
        if (!best || slot->used < best->used) {
            best = slot;
        }
    }
    return best;
}

static Slot *
borrow(FsnExport *export, uint64_t first)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&export->lock);
    Slot *slot;

    while (!(slot = choose_slot(export, first))) {
        g_cond_wait(&export->returned, &export->lock);
    }
    slot->lent = true;
    if (!slot->reader) {
        slot->reader = fsn_image_reader_new(export->image);
    }
    return slot;
}

static void
give_back(FsnExport *export, Slot *slot, uint64_t end)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&export->lock);

    slot->lent = false;
    slot->end = end;
    slot->used = ++export->now;
    g_cond_signal(&export->returned);
}

/* A part of one granule. */
static bool
read_part(FsnImageReader *reader,
          uint64_t granule,
          size_t skip,
          size_t len,
          uint8_t *out,
          GError **error)
{
    uint8_t whole[FSN_GRANULE_SIZE];

    if (!fsn_image_reader_read_run(reader, granule, 1, whole, error)) {
        return false;
    }
    memcpy(out, whole + skip, len);
    return true;
}

static bool
read_bytes(
    FsnImageReader *reader, uint8_t *out, size_t len, uint64_t offset, GError **error)
{
    while (len > 0) {
        uint64_t granule = offset / FSN_GRANULE_SIZE;
        size_t skip = offset % FSN_GRANULE_SIZE;
        size_t n = MIN(len, FSN_GRANULE_SIZE - skip);
        bool ok;

        if (n == FSN_GRANULE_SIZE) {
            n = len - len % FSN_GRANULE_SIZE;
            ok = fsn_image_reader_read_run(reader, granule, n / FSN_GRANULE_SIZE, out,
                                           error);
        } else {
            ok = read_part(reader, granule, skip, n, out, error);
        }
        if (!ok) {
            return false;
        }
        out += n;
        len -= n;
        offset += n;
    }
    return true;
}

bool
fsn_export_pread(
    FsnExport *export, void *out, size_t len, uint64_t offset, GError **error)
{
    Slot *slot;
    bool ok;

    g_assert(offset <= export->size && len <= export->size - offset);
    slot = borrow(export, offset / FSN_GRANULE_SIZE);
    ok = read_bytes(slot->reader, out, len, offset, error);
    give_back(export, slot, (offset + len) / FSN_GRANULE_SIZE);
    return ok;
}

bool
fsn_export_extents(FsnExport *export,
                   uint64_t offset,
                   uint64_t len,
                   FsnExportExtentFunc each,
                   gpointer user,
                   GError **error)
{
    uint64_t end = (offset + len + FSN_GRANULE_SIZE - 1) / FSN_GRANULE_SIZE;
    FsnGranuleKind kind;
    uint64_t n;

    g_assert(offset <= export->size && len <= export->size - offset);
    for (uint64_t g = offset / FSN_GRANULE_SIZE; g < end; g += n) {
        uint64_t start = g * FSN_GRANULE_SIZE;

        if (!fsn_image_next_run(export->image, g, end - g, &kind, &n, error)) {
            return false;
        }
        if (!each(user, start, MIN(n * FSN_GRANULE_SIZE, export->size - start),
                  kind == FSN_GRANULE_DATA, kind == FSN_GRANULE_HOLE)) {
            break;
        }
    }
    return true;
}
