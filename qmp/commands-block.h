/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

G_BEGIN_DECLS

/* Commands of the block layer one at a time; several at one instant are in
 * qmp/transaction.h. Errors of all: as for fsn_qmp_execute(); FSN_ERROR_NOT_FOUND where what
 * is named does not exist, so that removing twice is told from failing; FSN_ERROR_EXISTS;
 * FSN_ERROR_BUSY where another job or export uses it. */

/* As the actions of the same names in qmp/transaction.h. */
bool fsn_qmp_bitmap_add(FsnQmp *qmp,
                        const char *node,
                        const char *name,
                        uint32_t granularity,
                        bool persistent,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_qmp_bitmap_remove(FsnQmp *qmp,
                           const char *node,
                           const char *name,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_qmp_bitmap_enable(FsnQmp *qmp,
                           const char *node,
                           const char *name,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool fsn_qmp_bitmap_disable(FsnQmp *qmp,
                            const char *node,
                            const char *name,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Gives QEMU a duplicate of @fd in a set of its own, which "/dev/fdset/<id>" opens with the
 * access mode of @fd. @fd stays the caller's. */
bool fsn_qmp_add_fdset(FsnQmp *qmp, int fd, int64_t *out_set_id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* What was opened through the set stays open: remove it as soon as it was used. QEMU closes
 * the descriptor when the guest runs the next time, if it does not run now. */
bool fsn_qmp_remove_fdset(FsnQmp *qmp, int64_t set_id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Adds node @node_name: the qcow2 image in @set_id, open for reading and writing and without
 * a backing file of its own, over node @backing, as large as it. Nothing in it is written
 * unless a job does. */
bool fsn_qmp_add_scratch(FsnQmp *qmp,
                         const char *node_name,
                         int64_t set_id,
                         const char *backing,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Adds node @node_name: the disk as it was at the instant of the backup whose filter is
 * @filter, read past its target. What is discarded there cannot be read any more, and is not
 * copied before the guest overwrites it; parts of clusters of @filter's target may not be.
 * FSN_ERROR_UNSUPPORTED or another error where this QEMU has no such thing (before 7.0). */
bool fsn_qmp_add_access(FsnQmp *qmp,
                        const char *node_name,
                        const char *filter,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Only for nodes that were added so. FSN_ERROR_BUSY while a job or an export has it. */
bool fsn_qmp_blockdev_del(FsnQmp *qmp, const char *node_name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
