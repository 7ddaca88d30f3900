/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/*
 * Where a disk has changed over a long time: rows of rates by region, of which there are never
 * more than FSN_HEAT_ROWS. A row is of a slot of time; when there are too many, slots become twice
 * as long and rows are merged, until that would make them too coarse: then the oldest goes. So the
 * first minutes are seen by seconds, and later a day and a half by quarters of an hour. Pure.
 */
#define FSN_HEAT_ROWS        96
#define FSN_HEAT_SLOT_MIN_US ((int64_t)10 * G_USEC_PER_SEC)
#define FSN_HEAT_SLOT_MAX_US ((int64_t)1280 * G_USEC_PER_SEC)

typedef struct FsnHeatRows FsnHeatRows;

/* Of a disk in @regions parts, 1 to FSN_HEAT_MAX_REGIONS. */
FsnHeatRows *fsn_heat_rows_new(unsigned regions);
void fsn_heat_rows_free(FsnHeatRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FsnHeatRows, fsn_heat_rows_free)

/* Bytes per second of each region in the round of @length_us that ended at @end_us, real time;
 * negative where nothing is known. Rows that are later than that, for the clock was set back,
 * are forgotten. */
void fsn_heat_rows_add(FsnHeatRows *rows,
                       int64_t end_us,
                       int64_t length_us,
                       const double *rates);

unsigned fsn_heat_rows_regions(const FsnHeatRows *rows);
guint fsn_heat_rows_count(const FsnHeatRows *rows);
int64_t fsn_heat_rows_slot_us(const FsnHeatRows *rows);
/* Row @i, the oldest first: when its slot begins, and the rate of a region; negative = not known. */
int64_t fsn_heat_rows_start_us(const FsnHeatRows *rows, guint i);
double fsn_heat_rows_rate(const FsnHeatRows *rows, guint i, unsigned region);

/* The documented JSON form, and back: @object is hostile, and what makes no sense is
 * FSN_ERROR_FORMAT. */
JsonObject *fsn_heat_rows_to_json(const FsnHeatRows *rows);
FsnHeatRows *fsn_heat_rows_from_json(JsonObject *object, GError **error);

G_END_DECLS
