/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "blob/blob.h"

G_BEGIN_DECLS

/* What goes wrong. A zero member means "nothing of that kind". Every operation of a store,
 * a writer or an open object counts as one; those that only inform (space, scratch, map,
 * location) do not. */
typedef struct {
    uint64_t fail_at;   /* the operation with this number (from 1) fails … */
    bool fail_after;    /* … and so do all later ones: the machine has died */
    uint64_t space;     /* FSN_ERROR_NO_SPACE once this many bytes were written */
    uint64_t garble_at; /* the read with this number returns one flipped bit */
} FsnBlobFaults;

/* Wraps @inner (borrowed, must live longer). */
FsnBlobStore *fsn_blob_store_new_fault(FsnBlobStore *inner, const FsnBlobFaults *faults);

/* Operations so far. */
uint64_t fsn_blob_store_fault_count(FsnBlobStore *store);

G_END_DECLS
