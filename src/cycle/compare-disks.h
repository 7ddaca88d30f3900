/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cycle/context.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

typedef struct {
    char snapshot[33];
    char *domain;
    JsonArray *disks;     /* documented JSON: one object for each disk of the snapshot */
    uint64_t compared;    /* bytes of all of them */
    uint64_t differing;   /* bytes */
    unsigned n_differing; /* disks */
} FsnCompareResult;

void fsn_compare_result_clear(FsnCompareResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnCompareResult, fsn_compare_result_clear)

/*
 * Compares the disks in @snapshot (an id, or the beginning of one) byte by byte with those that
 * its domain has now. A record of the changes since (a bitmap) says what need not be the same;
 * a disk of a running domain without one is not compared, one of a domain that is off is
 * compared as a whole then. Neither disks nor repository are changed. That disks differ is
 * no error; that not one could be compared is. The caller clears @out_result.
 */
bool fsn_cycle_compare_disks(FsnCycle *cycle,
                             const char *snapshot,
                             GCancellable *cancellable,
                             FsnCompareResult *out_result,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
