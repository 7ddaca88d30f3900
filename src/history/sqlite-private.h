/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "history/tables.h"

#include <sqlite3.h>

G_BEGIN_DECLS

/* Every statement is prepared at its first use and kept. */
typedef enum {
    FSN_SQL_BEGIN,
    FSN_SQL_BEGIN_READ,
    FSN_SQL_COMMIT,
    FSN_SQL_ROLLBACK,
    FSN_SQL_DOMAIN_PUT,
    FSN_SQL_DOMAIN_EACH,
    FSN_SQL_READING_PUT,
    FSN_SQL_READING_GET,
    FSN_SQL_METRIC_PUT,
    FSN_SQL_METRIC_GET,
    FSN_SQL_METRIC_EACH,
    FSN_SQL_TICK_PUT,
    FSN_SQL_RAW_INSERT,
    FSN_SQL_RAW_REPLACE,
    FSN_SQL_RAW_ALL,
    FSN_SQL_RAW_ONE,
    FSN_SQL_RAW_NEXT,
    FSN_SQL_RAW_PURGE,
    FSN_SQL_TICK_PURGE,
    FSN_SQL_ROW_PUT,
    FSN_SQL_ROW_SCAN,
    FSN_SQL_ROW_PURGE,
    FSN_SQL_PACK_PUT,
    FSN_SQL_PACK_SCAN,
    FSN_SQL_PACK_PURGE,
    FSN_SQL_PACK_NEXT,
    FSN_SQL_NUMBER_GET,
    FSN_SQL_NUMBER_PUT,
    FSN_SQL_N,
} FsnSql;

typedef struct {
    FsnTables base;
    sqlite3 *db;
    char *path;
    int64_t tick_us; /* the last one written in this transaction */
    sqlite3_stmt *statements[FSN_SQL_N];
} FsnSqlite;

/* Sets @error from @code ("history 'PATH': <what>: …"); always returns false. */
bool fsn_sqlite_set_error(FsnSqlite *s, int code, GError **error);

/* The statement, reset; NULL with @error set. */
sqlite3_stmt *fsn_sqlite_statement(FsnSqlite *s, FsnSql which, GError **error);
/* The same with numbers bound to ?1 and, where there is one, ?2; with the constant number of
 * parameters that cannot fail. */
sqlite3_stmt *fsn_sqlite_with_numbers(
    FsnSqlite *s, FsnSql which, int64_t first, int64_t second, GError **error);
/* Runs a statement that gives no rows. */
bool fsn_sqlite_run(FsnSqlite *s, sqlite3_stmt *statement, GError **error);
/* Steps to the next row: *@out_row is false at the end, and the statement is reset then. */
bool fsn_sqlite_step(FsnSqlite *s,
                     sqlite3_stmt *statement,
                     bool *out_row,
                     GError **error);

/* sqlite-rows.c: the table of all of them. */
extern const FsnTablesOps fsn_sqlite_ops;
void fsn_sqlite_free(FsnTables *t);
bool fsn_sqlite_begin(FsnTables *t, GError **error);
bool fsn_sqlite_begin_read(FsnTables *t, GError **error);
bool fsn_sqlite_commit(FsnTables *t, GError **error);
void fsn_sqlite_rollback(FsnTables *t);

/* sqlite-names.c */
bool fsn_sqlite_domain_put(FsnTables *t,
                           const char *uuid,
                           const char *name,
                           int64_t seen_us,
                           int64_t *out_id,
                           GError **error);
bool fsn_sqlite_domain_each(FsnTables *t,
                            FsnTablesEach each,
                            gpointer user,
                            GError **error);
bool fsn_sqlite_reading_put(FsnTables *t,
                            int64_t domain,
                            const char *text,
                            GError **error);
bool fsn_sqlite_reading_get(FsnTables *t,
                            int64_t domain,
                            char **out_text,
                            GError **error);
bool fsn_sqlite_metric_put(FsnTables *t,
                           const char *name,
                           int64_t *out_id,
                           GError **error);
bool fsn_sqlite_metric_each(FsnTables *t,
                            FsnTablesName each,
                            gpointer user,
                            GError **error);
bool fsn_sqlite_number_get(
    FsnTables *t, const char *name, int64_t fallback, int64_t *out_value, GError **error);
bool fsn_sqlite_number_put(FsnTables *t, const char *name, int64_t value, GError **error);

G_END_DECLS
