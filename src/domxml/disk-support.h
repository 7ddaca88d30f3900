/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "domxml/domain-facts.h"

G_BEGIN_DECLS

/* Why @disk cannot be part of a snapshot, as a phrase that follows "disk 'vda': "; NULL if it
 * can. Static. An encrypted disk leaves QEMU as plain text, and is refused unless
 * @allow_plain_text. */
const char *fsn_disk_snapshot_refusal(const FsnDiskFacts *disk, bool allow_plain_text);

G_END_DECLS
