/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

/*
 * What is remembered of a disk while its domain is suspended, to notice that it was written
 * meanwhile: memory must never be resumed over disks that moved on.
 *
 * Files: device, inode, size, mtime and ctime. Block devices, whose times mean nothing: size
 * and a hash of sampled blocks. Other sources (network) cannot be looked at and are recorded
 * as such.
 */

/* @path is absolute. With @after_end the ctime counts, since libvirt relabels images when
 * QEMU ends; before that only the contents' times can be trusted. */
bool fsn_disk_identity_record(const char *target,
                              const char *path,
                              bool after_end,
                              JsonObject **out_record,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* For a disk that has no path on this host. */
JsonObject *fsn_disk_identity_opaque(const char *target, const char *kind);

/* Targets of the disks among @records (the manifest's) that cannot be looked at, with commas
 * between; NULL if there are none. The caller frees. */
char *fsn_disk_identity_unseen(JsonArray *records);

/* Compares the disk as it is now with @record; a difference is FSN_ERROR_STATE that names
 * the disk and what differs. */
bool fsn_disk_identity_check(JsonObject *record, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
