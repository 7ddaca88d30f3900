/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * What a snapshot takes of each disk and how, decided from what is found. Pure: `snapshot
 * --dry-run` prints it, the snapshot carries it out.
 */
typedef enum {
    FSN_BITMAP_ABSENT,       /* no bitmap of the parent on this disk */
    FSN_BITMAP_RECORDING,    /* it has recorded every write since the parent */
    FSN_BITMAP_STOPPED,      /* it is there, but does not record */
    FSN_BITMAP_INCONSISTENT, /* QEMU did not end in good order while it recorded */
    FSN_BITMAP_BUSY,         /* another job uses it */
    FSN_BITMAP_DATA_FILE, /* of an image whose data is in a file that others can write */
} FsnBitmapState;

/* One disk as it is found. Strings are borrowed. */
typedef struct {
    const char *target;
    const char *refusal;   /* why it cannot be taken; NULL = it can */
    bool asked;            /* named by --disk */
    uint64_t size;         /* bytes that the guest sees */
    uint64_t allocated;    /* bytes that the file takes; 0 = not known */
    const char *parent;    /* id of the snapshot to compare with; NULL = none */
    uint64_t parent_size;  /* of the disk in it */
    FsnBitmapState bitmap; /* the parent's */
    uint64_t dirty;        /* bytes that it names */
} FsnDiskFound;

typedef enum {
    FSN_DISK_SKIPPED,
    FSN_DISK_FULL, /* all that is allocated is read, and compared with the parent */
    FSN_DISK_INCREMENTAL, /* what the bitmap names is read */
    FSN_DISK_HYBRID, /* some partitions as with FULL, the others as with INCREMENTAL */
} FsnDiskMode;

typedef struct {
    FsnDiskMode mode;
    char *reason;      /* a phrase */
    uint64_t estimate; /* bytes to be read */
    uint64_t scratch;  /* bytes of scratch space at the worst */
} FsnDiskPlan;

void fsn_disk_plan_free(FsnDiskPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnDiskPlan, fsn_disk_plan_free)

const char *fsn_disk_mode_name(FsnDiskMode mode);

static inline bool
fsn_disk_mode_needs_bitmap(FsnDiskMode mode)
{
    return mode == FSN_DISK_INCREMENTAL || mode == FSN_DISK_HYBRID;
}

/* The plan of one disk. A disk that was asked for and cannot be taken is
 * FSN_ERROR_UNSUPPORTED. @some_asked: only disks that were asked for are wanted. */
FsnDiskPlan *fsn_disk_plan(const FsnDiskFound *found, bool some_asked, GError **error);

/* Whether the memory is taken: how, or why not. */
typedef enum {
    FSN_RAM_NONE,
    FSN_RAM_BACKGROUND, /* while the guest runs on */
    FSN_RAM_STOPPED, /* while it is stopped: it is anyway, or nothing else is possible */
} FsnRamMode;

typedef struct {
    bool unwanted;   /* --no-memory */
    bool running;    /* else paused by its user */
    bool background; /* QEMU can, and may, write-protect memory */
    bool starts; /* this QEMU starts the guest after a background snapshot in any case */
    bool allow_stop; /* the user takes the pause (--stop) */
    uint64_t memory; /* bytes */
} FsnRamFound;

/* *@out_reason is static. FSN_ERROR_UNSUPPORTED if the memory is wanted and cannot be had
 * on these terms; the message names the ways out. */
bool fsn_ram_plan(const FsnRamFound *found,
                  FsnRamMode *out_mode,
                  const char **out_reason,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

const char *fsn_ram_mode_name(FsnRamMode mode);

G_END_DECLS
