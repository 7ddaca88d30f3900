/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "virt/connection.h"

G_BEGIN_DECLS

/* Where libvirt's QEMU driver keeps its files, which it tells nobody: built into the daemon of
 * the system, derived from the user's folders for one of a session. */
typedef enum {
    FSN_VIRT_FOLDER_SAVE,  /* NAME.save: managed save images */
    FSN_VIRT_FOLDER_PIDS,  /* NAME.pid: the process of a running QEMU */
    FSN_VIRT_FOLDER_LOGS,  /* NAME.log: what QEMU says */
    FSN_VIRT_FOLDER_TPMS,  /* UUID/tpm2, UUID/tpm1.2: what swtpm keeps */
    FSN_VIRT_FOLDER_QEMUS, /* belongs to QEMU's user, who may make sockets below it */
} FsnVirtFolder;

/* The caller frees. */
char *fsn_virt_folder(const FsnVirt *virt, FsnVirtFolder which);
char *fsn_virt_folder_of(bool session, FsnVirtFolder which);

G_END_DECLS
