/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of rates over time, which become coarser instead of more. A row knows for how long each
 * region was looked at, so that a mean of merged rows is one of times and not of rounds. */
#include "config.h"

#include "heat/rows.h"

#include "base/error.h"
#include "base/json.h"
#include "heat/heat.h"

#include <math.h>
#include <string.h>

#define TIME_MAX (INT64_C(1) << 53)
#define RATE_MAX (INT64_C(1) << 50)

typedef struct {
    double bytes; /* that changed while it was looked at */
    double known_us;
} Cell;

typedef struct {
    int64_t slot; /* number, from 1970 on */
    Cell *cells;  /* owned */
} Row;

struct FsnHeatRows {
    unsigned n_regions;
    int64_t slot_us;
    GArray *rows; /* of Row, ascending slots */
};

static void
row_clear(gpointer data)
{
    g_free(((Row *)data)->cells);
}

static Row *
row_at(const FsnHeatRows *self, guint i)
{
    return &g_array_index(self->rows, Row, i);
}

FsnHeatRows *
fsn_heat_rows_new(unsigned regions)
{
    FsnHeatRows *self = g_new0(FsnHeatRows, 1);

    self->n_regions = CLAMP(regions, 1, FSN_HEAT_MAX_REGIONS);
    self->slot_us = FSN_HEAT_SLOT_MIN_US;
    self->rows = g_array_new(FALSE, FALSE, sizeof(Row));
    g_array_set_clear_func(self->rows, row_clear);
    return self;
}

void
fsn_heat_rows_free(FsnHeatRows *self)
{
    if (self) {
        g_array_unref(self->rows);
        g_free(self);
    }
}

/* The row of @slot, which is the last one or comes after it. */
static Row *
row_of(FsnHeatRows *self, int64_t slot)
{
    Row row = { .slot = slot };

    if (self->rows->len > 0 && row_at(self, self->rows->len - 1)->slot == slot) {
        return row_at(self, self->rows->len - 1);
    }
    row.cells = g_new0(Cell, self->n_regions);
    g_array_append_val(self->rows, row);
    return row_at(self, self->rows->len - 1);
}

static void
merge(FsnHeatRows *self)
{
    g_autoptr(GArray) old = g_steal_pointer(&self->rows);

    self->rows = g_array_new(FALSE, FALSE, sizeof(Row));
    g_array_set_clear_func(self->rows, row_clear);
    self->slot_us *= 2;
    for (guint i = 0; i < old->len; i++) {
        const Row *from = &g_array_index(old, Row, i);
        Row *to = row_of(self, from->slot / 2);

        for (unsigned k = 0; k < self->n_regions; k++) {
            to->cells[k].bytes += from->cells[k].bytes;
            to->cells[k].known_us += from->cells[k].known_us;
        }
    }
}

/* Merging may leave as many as there were, of times far apart. */
static void
make_room(FsnHeatRows *self)
{
    while (self->rows->len > FSN_HEAT_ROWS && self->slot_us < FSN_HEAT_SLOT_MAX_US) {
        merge(self);
    }
    if (self->rows->len > FSN_HEAT_ROWS) {
        g_array_remove_range(self->rows, 0, self->rows->len - FSN_HEAT_ROWS);
    }
}

void
fsn_heat_rows_add(FsnHeatRows *self,
                  int64_t end_us,
                  int64_t length_us,
                  const double *rates)
{
    int64_t slot;
    Row *row;

    if (length_us <= 0 || end_us <= 0 || end_us > TIME_MAX) {
        return;
    }
    slot = (end_us - 1) / self->slot_us;
    while (self->rows->len > 0 && row_at(self, self->rows->len - 1)->slot > slot) {
        g_array_set_size(self->rows, self->rows->len - 1);
    }
    row = row_of(self, slot);
    for (unsigned i = 0; i < self->n_regions; i++) {
        if (rates[i] >= 0) {
            row->cells[i].bytes +=
                MIN(rates[i], (double)RATE_MAX) * (double)length_us / G_USEC_PER_SEC;
            row->cells[i].known_us += (double)length_us;
        }
    }
    make_room(self);
}

unsigned
fsn_heat_rows_regions(const FsnHeatRows *self)
{
    return self->n_regions;
}

guint
fsn_heat_rows_count(const FsnHeatRows *self)
{
    return self->rows->len;
}

int64_t
fsn_heat_rows_slot_us(const FsnHeatRows *self)
{
    return self->slot_us;
}

int64_t
fsn_heat_rows_start_us(const FsnHeatRows *self, guint i)
{
    return row_at(self, i)->slot * self->slot_us;
}

double
fsn_heat_rows_rate(const FsnHeatRows *self, guint i, unsigned region)
{
    const Cell *cell = &row_at(self, i)->cells[region];

    return cell->known_us > 0 ? cell->bytes / cell->known_us * G_USEC_PER_SEC : -1;
}

static JsonObject *
row_json(const FsnHeatRows *self, guint i)
{
    JsonObject *object = json_object_new();
    JsonArray *rates = json_array_sized_new(self->n_regions);
    double known_us = 0;

    for (unsigned k = 0; k < self->n_regions; k++) {
        double rate = fsn_heat_rows_rate(self, i, k);

        known_us = MAX(known_us, row_at(self, i)->cells[k].known_us);
        if (rate >= 0) {
            json_array_add_int_element(rates, llround(MIN(rate, (double)RATE_MAX)));
        } else {
            json_array_add_null_element(rates);
        }
    }
    json_object_set_int_member(object, "start_us", fsn_heat_rows_start_us(self, i));
    json_object_set_int_member(object, "known_us", llround(known_us));
    json_object_set_array_member(object, "bytes_per_s", rates);
    return object;
}

JsonObject *
fsn_heat_rows_to_json(const FsnHeatRows *self)
{
    JsonObject *object = json_object_new();
    JsonArray *rows = json_array_new();

    for (guint i = 0; i < self->rows->len; i++) {
        json_array_add_object_element(rows, row_json(self, i));
    }
    json_object_set_int_member(object, "slot_us", self->slot_us);
    json_object_set_int_member(object, "n_regions", self->n_regions);
    json_object_set_array_member(object, "rows", rows);
    return object;
}

static bool
refuse(GError **error, const char *what)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "a heat map has %s", what);
    return false;
}

/* A null is a region that is not known. */
static bool
read_cell(JsonArray *rates, unsigned k, double known_us, Cell *out_cell, GError **error)
{
    JsonNode *node = json_array_get_element(rates, k);
    int64_t rate;

    if (JSON_NODE_HOLDS_NULL(node)) {
        *out_cell = (Cell){ 0, 0 };
        return true;
    }
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64 ||
        (rate = json_node_get_int(node)) < 0 || rate > RATE_MAX) {
        return refuse(error, "a rate that is none");
    }
    *out_cell = (Cell){ (double)rate * known_us / G_USEC_PER_SEC, known_us };
    return true;
}

static bool
read_row(FsnHeatRows *self, JsonObject *object, GError **error)
{
    int64_t start_us, known_us, slot;
    JsonArray *rates;
    Row *row;

    if (!fsn_json_get_int(object, "start_us", 0, TIME_MAX, &start_us, error) ||
        !fsn_json_get_int(object, "known_us", 0, TIME_MAX, &known_us, error) ||
        !fsn_json_get_array(object, "bytes_per_s", &rates, error)) {
        return false;
    }
    if (json_array_get_length(rates) != self->n_regions) {
        return refuse(error, "a row of another size");
    }
    slot = start_us / self->slot_us;
    if (self->rows->len > 0 && row_at(self, self->rows->len - 1)->slot >= slot) {
        return refuse(error, "rows out of order");
    }
    row = row_of(self, slot);
    for (unsigned k = 0; k < self->n_regions; k++) {
        if (!read_cell(rates, k, (double)known_us, &row->cells[k], error)) {
            return false;
        }
    }
    return true;
}

static bool
is_slot(int64_t slot_us)
{
    for (int64_t us = FSN_HEAT_SLOT_MIN_US; us <= FSN_HEAT_SLOT_MAX_US; us *= 2) {
        if (us == slot_us) {
            return true;
        }
    }
    return false;
}

FsnHeatRows *
fsn_heat_rows_from_json(JsonObject *object, GError **error)
{
    g_autoptr(FsnHeatRows) self = NULL;
    int64_t slot_us, regions;
    JsonArray *rows;

    if (!fsn_json_get_int(object, "slot_us", 1, TIME_MAX, &slot_us, error) ||
        !fsn_json_get_int(object, "n_regions", 1, FSN_HEAT_MAX_REGIONS, &regions,
                          error) ||
        !fsn_json_get_array(object, "rows", &rows, error)) {
        return NULL;
    }
    if (!is_slot(slot_us) || json_array_get_length(rows) > FSN_HEAT_ROWS) {
        (void)refuse(error, "too many rows, or slots of a length that there is not");
        return NULL;
    }
    self = fsn_heat_rows_new((unsigned)regions);
    self->slot_us = slot_us;
    for (guint i = 0; i < json_array_get_length(rows); i++) {
        JsonObject *row;

        if (!fsn_json_get_element(rows, i, &row, error) || !read_row(self, row, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&self);
}
