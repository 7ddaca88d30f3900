/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "disk/dirty-map.h"
#include "disk/extent-overlay.h"
#include "disk/partitions.h"
#include "repo/image-writer.h"

G_BEGIN_DECLS

/* Reads one NBD export into an image of the repository. */
typedef struct {
    const char *socket;      /* path of a unix socket */
    const char *export_name; /* "": the server's default */
    const char
        *bitmap; /* context "qemu:dirty-bitmap:NAME": the image is as @parent where the
                         * bitmap is clean; null: all that is allocated is read */
    FsnRepo *repo;
    FsnImage *parent; /* image of the disk that is compared with; or null */
    FsnCodec codec;
    int level;
    unsigned threads;     /* that compress; 0: one per processor */
    unsigned connections; /* at most, if the server takes several; 0: two */
    uint64_t bandwidth;   /* bytes per second that are read; 0: no limit */
    int64_t stall_us;     /* longest silence of the server; 0: FSN_DISK_STALL_US */
    /* Says which parts are left out, and read as zeroes: adds to @leave_out (of FsnPlanRange,
     * HOLE) for the partitions that the disk has; from the capture's thread. May be null. */
    bool (*choose)(gpointer user,
                   const GPtrArray *partitions,
                   GArray *leave_out,
                   GError **error);
    const GArray
        *must_read; /* of FsnPlanRange, READ: parts that @parent has not, though the
                              * bitmap calls them clean; or null */
    const GArray
        *whole; /* of FsnPlanRange, ascending: parts that are read whatever the bitmap
                          * says, as without one; or null */
    const gint *cancel; /* atomic; != 0: FSN_ERROR_CANCELLED within 0.1 s; or null */
    /* Bytes that were read, and that have to be as far as is known; from a thread of the
     * capture's own, ten times a second at most. May be null. */
    void (*progress)(gpointer user, uint64_t done, uint64_t total);
    gpointer user;
    /* Not 0: the server shows an instant and nothing else, and saves what is overwritten in
     * clusters of so many bytes; it is told which of them need not be saved any more. */
    uint64_t forget;
} FsnDiskCaptureOptions;

#define FSN_DISK_STALL_US (120 * (int64_t)G_USEC_PER_SEC)

typedef struct {
    uint64_t size;         /* bytes of the disk; the image is padded with zeroes */
    uint64_t bytes_read;   /* over NBD */
    uint64_t bytes_dirty;  /* that the bitmap named; 0 without one */
    FsnImageStats image;   /* the image is durable */
    GPtrArray *partitions; /* FsnPartition; empty if there is no partition table */
    FsnPartitionSums *partition_bytes; /* that were read; null without @choose */
} FsnDiskCaptureResult;

void fsn_disk_capture_result_clear(FsnDiskCaptureResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnDiskCaptureResult, fsn_disk_capture_result_clear)

/* Blocks until the image is written. The work runs in threads of low priority. Errors to tell
 * apart: FSN_ERROR_NOT_FOUND, the server does not offer the bitmap (capture all instead);
 * FSN_ERROR_STATE, the bitmap cannot be used with this parent (none, or another size);
 * FSN_ERROR_CANCELLED; FSN_ERROR_TIMEOUT; FSN_ERROR_NO_SPACE of the repository. On an error
 * there is no image. */
bool fsn_disk_capture(const FsnDiskCaptureOptions *options,
                      FsnDiskCaptureResult *out_result,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How many bytes fsn_disk_capture() would read, the size of the disk, and what the bitmap
 * names; nothing is read or written. Only the server's members of @options count. */
bool fsn_disk_measure(const FsnDiskCaptureOptions *options,
                      FsnDiskCaptureResult *out_result,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
