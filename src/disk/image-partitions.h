/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "disk/partitions.h"
#include "repo/image.h"

G_BEGIN_DECLS

/* The partitions (FsnPartition) of the disk of @size bytes whose image has the root @root. */
bool fsn_image_partitions(FsnRepo *repo,
                          const char *root,
                          uint64_t size,
                          GPtrArray **out_partitions,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
