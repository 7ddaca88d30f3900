/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Largest disk: what a signed offset of the file system can address. */
#define FSN_STORED_DISK_MAX_SIZE ((uint64_t)1 << 62)

/* One disk of a snapshot as its manifest describes it (foresnap-manifest(5)). Strings are
 * NULL where the manifest has none, except for @target. */
typedef struct {
    char *target;
    char *source;      /* where it was */
    char *source_kind; /* "file", "block", … */
    char *format;      /* "raw" or "qcow2" */
    uint64_t size;     /* bytes, as the guest sees it */
    char *image;       /* root; NULL: it was not captured */
    char *skipped;     /* why not */
    bool partial;      /* only parts of it were taken, the rest reads as zeroes */
} FsnStoredDisk;

void fsn_stored_disk_free(FsnStoredDisk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnStoredDisk, fsn_stored_disk_free)

/* All disks in @manifest, whose elements belong to the array (of FsnStoredDisk). Anything
 * that no writer of ours produces is FSN_ERROR_FORMAT: names that could lead out of a folder
 * too, since files are named after them. */
bool fsn_stored_disks_read(JsonObject *manifest, GPtrArray **out_disks, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The disk called @target, borrowed from @disks. FSN_ERROR_NOT_FOUND names those that there
 * are; FSN_ERROR_STATE says why it was not captured. */
bool fsn_stored_disks_find(GPtrArray *disks,
                           const char *target,
                           const FsnStoredDisk **out_disk,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
