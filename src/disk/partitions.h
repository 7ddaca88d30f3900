/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef enum { FSN_PARTITION_GPT, FSN_PARTITION_MBR } FsnPartitionScheme;

typedef struct {
    unsigned number; /* as Linux counts: logical ones from 5 on */
    uint64_t offset; /* bytes */
    uint64_t size;   /* bytes, > 0; the end is inside the disk */
    char *type;      /* GUID in lower case, or "0x83" */
    char *uuid;      /* GPT; else null */
    char *name;      /* GPT: UTF-8 without control characters, may be empty; else null */
    FsnPartitionScheme scheme;
    bool overlaps;  /* shares bytes with another one in the list */
    bool swap_area; /* Linux's, in use as such: filled by fsn_partitions_find_swap() */
} FsnPartition;

void fsn_partition_free(FsnPartition *partition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnPartition, fsn_partition_free)

/* "gpt" or "mbr". */
const char *fsn_partition_scheme_to_string(FsnPartitionScheme scheme);

/* Reads @len bytes at @offset, which are inside the disk. */
typedef bool (*FsnPartitionRead)(
    gpointer user, uint64_t offset, size_t len, uint8_t *out, GError **error);

/* The partitions of a disk of @size bytes, by number, as Linux would see them: GPT if there
 * is a protective MBR and a whole header in front or at the end, else MBR with logical
 * partitions. Any contents lead to a list, which is empty where there is no table; entries
 * that reach beyond the disk are left out. False only if @read fails. @sector_size is the
 * disk's logical one; 0: 512, or 4096 if only that gives a GPT. */
bool fsn_partitions_find(FsnPartitionRead read,
                         gpointer user,
                         uint64_t size,
                         unsigned sector_size,
                         GPtrArray **out_partitions,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Fills @swap_area of @partitions: by the signature of a swap area, which an area has not that
 * a hibernated guest has written itself to, nor an encrypted one. */
bool fsn_partitions_find_swap(FsnPartitionRead read,
                              gpointer user,
                              GPtrArray *partitions,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
