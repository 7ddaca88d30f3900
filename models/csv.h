/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Comma-separated values (RFC 4180) whose first row names the columns, row by row. Bounded and
 * total: any bytes are rows or FSN_ERROR_FORMAT that names the line. */

#define FSN_CSV_FIELDS_MAX 1024
#define FSN_CSV_FIELD_MAX  4096 /* bytes */

typedef struct {
    const char *begin, *p, *end;
    unsigned line;    /* of the row read last; 1 is the first */
    unsigned given;   /* fields that stood in it */
    GPtrArray *names; /* of the columns */
    GPtrArray
        *fields; /* of the row read last, UTF-8; as many as names, "" where cut short */
} FsnCsv;

/* Reads the names. @text is borrowed. */
bool fsn_csv_begin(FsnCsv *csv, const char *text, size_t len, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void fsn_csv_clear(FsnCsv *csv);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FsnCsv, fsn_csv_clear)

/* The first row names nothing, it is one like the others: it comes next. */
void fsn_csv_without_names(FsnCsv *csv);

/* The next row that is not empty; *@out_more is false at the end. */
bool fsn_csv_next(FsnCsv *csv, bool *out_more, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The number of the column of the first of @names (ends with NULL) that is there, in whatever
 * case, or -1. */
int fsn_csv_column(const FsnCsv *csv, const char *const *names);
/* A field of the row read last; "" if @column is -1. */
const char *fsn_csv_field(const FsnCsv *csv, int column);
/* Puts "line N: " before @error. */
void fsn_csv_prefix(const FsnCsv *csv, GError **error);
/* The error FSN_ERROR_FORMAT "line N: @why"; returns false. */
bool fsn_csv_refuse(const FsnCsv *csv, const char *why, GError **error);

/* A number of at most @most in size; NAN, where it is empty, NA, NaN, null or none: not known. */
bool fsn_csv_number(const char *text, double most, double *out_value, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* An instant: RFC 3339, the same without an offset (in @zone; NULL: that is refused), or
 * seconds since 1970, or where that would be far away milli- or microseconds; or a day YYYY-MM-DD
 * (*@out_is_day), which begins at midnight in @zone. */
bool fsn_csv_time(const char *text,
                  GTimeZone *zone,
                  int64_t *out_us,
                  bool *out_is_day,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
