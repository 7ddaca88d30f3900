/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/instant.h"
#include "domxml/domain-facts.h"

G_BEGIN_DECLS

/*
 * The records of changes (bitmaps) in the qcow2 images of a domain that is off, which
 * instant-sweep.c has for one that runs. The names are the same.
 */

/* True if the disk is an image that can keep one: qcow2 in a file or on a block device. */
bool fsn_image_keeps_bitmaps(const FsnDiskFacts *disk);

/* Settles those of snapshot @snapshot of repository @repo (8 digits) in the image at @path: with
 * FSN_SWEEP_KEEP all others of the repository go, if it has one there; with FSN_SWEEP_UNDO its own
 * goes. An image that has none of it is not written to. May be repeated. */
bool fsn_image_bitmaps_settle(const char *path,
                              const char *repo,
                              const char *snapshot,
                              FsnSweep sweep,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for all disks of a domain; those that cannot be looked at are left alone. */
bool fsn_image_bitmaps_settle_all(const FsnDomainFacts *facts,
                                  const char *repo,
                                  const char *snapshot,
                                  FsnSweep sweep,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
