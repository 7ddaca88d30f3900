/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events as people write them in a table. A line that cannot be understood ends it, because
 * half of a calendar is worse than none.
 */
#include "models/events-csv.h"

#include "base/error.h"
#include "models/csv.h"

#define HOUR_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

typedef struct {
    FsnCsv csv;
    int start, end, kind, name; /* columns, -1 = there is none */
    const char *default_kind;
    GTimeZone *zone;
} Table;

static void
table_clear(Table *table)
{
    fsn_csv_clear(&table->csv);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Table, table_clear)

/* Midnight after the day that begins at @day_us, also where that day has 23 or 25 hours. */
static int64_t
day_after(int64_t day_us, GTimeZone *zone)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(day_us / G_USEC_PER_SEC);
    g_autoptr(GDateTime) day = utc ? g_date_time_to_timezone(utc, zone) : NULL;
    g_autoptr(GDateTime) next = day ? g_date_time_add_days(day, 1) : NULL;

    return next ? g_date_time_to_unix(next) * G_USEC_PER_SEC : day_us + 24 * HOUR_US;
}

static bool
add_row(const Table *table, FsnEvents *events, GError **error)
{
    const char *start = fsn_csv_field(&table->csv, table->start);
    const char *end = fsn_csv_field(&table->csv, table->end);
    const char *kind = fsn_csv_field(&table->csv, table->kind);
    int64_t start_us, end_us;
    bool is_day;

    if (!fsn_csv_time(start, table->zone, &start_us, &is_day, error)) {
        return false;
    }
    end_us = is_day ? day_after(start_us, table->zone) : start_us + HOUR_US;
    if (*end) {
        if (!fsn_csv_time(end, table->zone, &end_us, &is_day, error)) {
            return false;
        }
        end_us = is_day ? day_after(end_us, table->zone) : end_us;
    }
    return fsn_events_add(events, start_us, end_us, *kind ? kind : table->default_kind,
                          fsn_csv_field(&table->csv, table->name), error);
}

bool
fsn_events_parse_csv(const char *text,
                     size_t len,
                     const char *kind,
                     GTimeZone *zone,
                     FsnEvents *events,
                     GError **error)
{
    g_auto(Table) table = { .default_kind = kind, .zone = zone };
    g_autoptr(FsnEvents) found = fsn_events_new();
    bool more;

    if (!fsn_csv_begin(&table.csv, text, len, error)) {
        return false;
    }
    table.start = fsn_csv_column(&table.csv, (const char *const[]){ "start", NULL });
    table.end = fsn_csv_column(&table.csv, (const char *const[]){ "end", NULL });
    table.kind = fsn_csv_column(&table.csv, (const char *const[]){ "kind", NULL });
    table.name =
        fsn_csv_column(&table.csv, (const char *const[]){ "name", "summary", NULL });
    if (table.start < 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "there is no column 'start': name the columns start,end,kind,name");
        return false;
    }
    for (;;) {
        if (!fsn_csv_next(&table.csv, &more, error)) {
            return false;
        }
        if (!more) {
            return fsn_events_merge(events, found, error);
        }
        if (!add_row(&table, found, error)) {
            fsn_csv_prefix(&table.csv, error);
            return false;
        }
    }
}
