/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Where the parts of a new qcow2 image belong whose data is written in pieces: version 3,
 * clusters of 64 KiB, no backing file. No thread of its own: the caller locks. */
typedef struct FsnQcow2Out FsnQcow2Out;

#define FSN_QCOW2_CLUSTER ((uint64_t)65536)

/* For a disk of @size bytes: a multiple of 512 (FSN_ERROR_UNSUPPORTED). */
FsnQcow2Out *fsn_qcow2_out_new(uint64_t size, GError **error);
void fsn_qcow2_out_free(FsnQcow2Out *out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnQcow2Out, fsn_qcow2_out_free)

/* Gives each of the @n clusters of the disk from @first on that @data says so a place in the
 * file, in their order and behind each other: @out_places[i], 0 for the others. Each cluster is
 * asked for once, and not across a multiple of 8192. *@out_table: where the entries of these
 * clusters (fsn_qcow2_out_entries()) belong; 0 if there are none. */
void fsn_qcow2_out_place(FsnQcow2Out *out,
                         uint64_t first,
                         size_t n,
                         const bool *data,
                         uint64_t *out_places,
                         uint64_t *out_table);
/* @n × 8 bytes of the table. */
void fsn_qcow2_out_entries(const uint64_t *places, size_t n, uint8_t *out_bytes);

/* Writes what is missing but data and their entries: the file is whole, and not synced. */
bool fsn_qcow2_out_finish(FsnQcow2Out *out, int fd, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
