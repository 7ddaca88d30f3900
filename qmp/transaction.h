/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "qmp/session.h"

G_BEGIN_DECLS

/* Actions of the block layer that QEMU carries out at one instant of the guest's writes, all
 * or none, in the order in which they were added. A node is given by its node name; a bitmap
 * belongs to a node. */
typedef struct FsnQmpTransaction FsnQmpTransaction;

FsnQmpTransaction *fsn_qmp_transaction_new(void);
void fsn_qmp_transaction_free(FsnQmpTransaction *transaction);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnQmpTransaction, fsn_qmp_transaction_free)

/* Number of actions. */
unsigned fsn_qmp_transaction_length(const FsnQmpTransaction *transaction);

/* A new bitmap that records from the instant on. @granularity: bytes, a power of two of 512 at
 * least. A @persistent one is stored in the image when QEMU ends; qcow2 only. */
void fsn_qmp_transaction_add_bitmap(FsnQmpTransaction *transaction,
                                    const char *node,
                                    const char *name,
                                    uint32_t granularity,
                                    bool persistent);
/* A disabled bitmap records nothing, and only such a one can be exported. */
void fsn_qmp_transaction_disable_bitmap(FsnQmpTransaction *transaction,
                                        const char *node,
                                        const char *name);
void fsn_qmp_transaction_enable_bitmap(FsnQmpTransaction *transaction,
                                       const char *node,
                                       const char *name);
void fsn_qmp_transaction_clear_bitmap(FsnQmpTransaction *transaction,
                                      const char *node,
                                      const char *name);
void fsn_qmp_transaction_remove_bitmap(FsnQmpTransaction *transaction,
                                       const char *node,
                                       const char *name);
/* Adds the bits of @source, a bitmap of the same node, to @target. */
void fsn_qmp_transaction_merge_bitmap(FsnQmpTransaction *transaction,
                                      const char *node,
                                      const char *target,
                                      const char *source);

/* A job that copies what the guest overwrites on @node to @target before that happens. With
 * @target made by fsn_qmp_add_scratch() over @node, @target shows the disk as it was at the
 * instant for as long as the job is there. A write of the guest fails where @target cannot
 * take the copy: give it room first. The job ends when it is cancelled, and stays to be
 * looked at until fsn_qmp_job_end(). @filter names the node that it puts above @node for
 * fsn_qmp_add_access(), or is NULL. */
void fsn_qmp_transaction_backup_none(FsnQmpTransaction *transaction,
                                     const char *job_id,
                                     const char *node,
                                     const char *target,
                                     const char *filter);

/* Runs it; nothing has happened if QEMU refuses. Errors: as for fsn_qmp_execute() (after
 * FSN_ERROR_TIMEOUT it may still happen), FSN_ERROR_NOT_FOUND (node or bitmap),
 * FSN_ERROR_EXISTS (bitmap), FSN_ERROR_BUSY (used by another job or export). QEMU's words
 * do not say which action it refused. */
bool fsn_qmp_transaction_run(FsnQmp *qmp,
                             const FsnQmpTransaction *transaction,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
