/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What instant.c and instant-sweep.c agree upon. */
#define FSN_INSTANT_PREFIX        "fsn-"
#define FSN_INSTANT_BITMAP_PREFIX "foresnap-"
#define FSN_INSTANT_TIMEOUT_US    (20 * G_USEC_PER_SEC)

/* The name of node, job and export of disk @target; the caller frees. */
char *fsn_instant_thing(const char *snapshot, const char *target);
/* Beside the scratch node: the job's filter, and the node that shows the instant. */
#define FSN_INSTANT_FILTER ".filter"
#define FSN_INSTANT_ACCESS ".access"
char *fsn_instant_part(const char *snapshot, const char *target, const char *part);

G_END_DECLS
