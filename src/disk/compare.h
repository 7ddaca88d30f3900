/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "disk/extent-overlay.h"
#include "repo/image.h"

G_BEGIN_DECLS

/* A range of a disk that is not as in the image; bytes. */
typedef struct {
    uint64_t offset;
    uint64_t length;
} FsnDiskRange;

/* Most ranges that are listed; all are counted. */
#define FSN_DISK_MAX_RANGES 10000

typedef struct {
    const char *socket; /* of an NBD server */
    const char *export_name;
    const char
        *bitmap; /* context: what it calls dirty is passed over; null: all is compared */
    FsnImage *image;
    const GArray *leave_out; /* of FsnPlanRange, KEEP: not compared; or null */
    /* Called now and then with bytes done and in all, false (error set) ends it. May be null. */
    bool (*progress)(gpointer user, uint64_t done, uint64_t total, GError **error);
    gpointer user;
} FsnDiskCompareOptions;

typedef struct {
    uint64_t compared;    /* bytes that are known by both */
    uint64_t passed_over; /* bytes that the bitmap names, to whole granules */
    uint64_t differing;   /* bytes, in granules */
    uint64_t n_ranges;
    GArray *ranges; /* of FsnDiskRange, the first ones, ascending */
} FsnDiskCompareResult;

void fsn_disk_compare_result_clear(FsnDiskCompareResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnDiskCompareResult, fsn_disk_compare_result_clear)

/* Compares an NBD export with an image, byte by byte; zeroes, holes and what is not allocated
 * are alike. That something differs is no error. FSN_ERROR_STATE: they have different sizes. */
bool fsn_disk_compare(const FsnDiskCompareOptions *options,
                      FsnDiskCompareResult *out_result,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
