/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The samples, windows and packs of a history in SQLite: each function binds one statement and
 * runs it. */
#include "config.h"

#include "history/sqlite-private.h"

#define ROW_SLOT_BITS    32
#define PACK_SPAN_BITS   18
#define PACK_METRIC_BITS 20
#define PACK_SPAN_MAX    ((int64_t)1 << PACK_SPAN_BITS)
#define ROW_SLOT_MAX     ((int64_t)1 << ROW_SLOT_BITS)

static int64_t
row_key(int level, int64_t domain, int64_t slot)
{
    return (int64_t)level << 56 | domain << ROW_SLOT_BITS |
           CLAMP(slot, 0, ROW_SLOT_MAX - 1);
}

static int64_t
pack_key(int level, int64_t domain, int64_t metric, int64_t span)
{
    return (int64_t)level << 62 | domain << (PACK_SPAN_BITS + PACK_METRIC_BITS) |
           metric << PACK_SPAN_BITS | CLAMP(span, 0, PACK_SPAN_MAX - 1);
}

static bool
put_tick(FsnSqlite *s, int64_t time_us, GError **error)
{
    sqlite3_stmt *statement;

    if (s->tick_us == time_us) {
        return true;
    }
    statement = fsn_sqlite_with_numbers(s, FSN_SQL_TICK_PUT, time_us, 0, error);
    if (!statement || !fsn_sqlite_run(s, statement, error)) {
        return false;
    }
    s->tick_us = time_us;
    return true;
}

static bool
raw_put(FsnTables *t,
        int64_t time_us,
        int64_t domain,
        const void *data,
        size_t len,
        bool replace,
        bool *out_done,
        GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement;

    if (!put_tick(s, time_us, error)) {
        return false;
    }
    statement = fsn_sqlite_with_numbers(
        s, replace ? FSN_SQL_RAW_REPLACE : FSN_SQL_RAW_INSERT, time_us, domain, error);
    if (!statement) {
        return false;
    }
    (void)sqlite3_bind_blob64(statement, 3, data, len, SQLITE_STATIC);
    if (!fsn_sqlite_run(s, statement, error)) {
        return false;
    }
    *out_done = sqlite3_changes(s->db) > 0;
    return true;
}

/* Columns of a scan's statement: domain, time, bytes. */
static bool
scan_raw(FsnSqlite *s,
         sqlite3_stmt *statement,
         FsnTablesRow each,
         gpointer user,
         GError **error)
{
    bool row = true;

    while (row) {
        if (!fsn_sqlite_step(s, statement, &row, error)) {
            return false;
        }
        if (row &&
            !each(user, sqlite3_column_int64(statement, 0),
                  sqlite3_column_int64(statement, 1), sqlite3_column_blob(statement, 2),
                  (size_t)sqlite3_column_bytes(statement, 2), error)) {
            (void)sqlite3_reset(statement); /* no error of its own */
            return false;
        }
    }
    return true;
}

static bool
raw_scan(FsnTables *t,
         int64_t domain,
         int64_t after_us,
         int64_t until_us,
         FsnTablesRow each,
         gpointer user,
         GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement = fsn_sqlite_with_numbers(
        s, domain < 0 ? FSN_SQL_RAW_ALL : FSN_SQL_RAW_ONE, after_us, until_us, error);

    if (!statement) {
        return false;
    }
    if (domain >= 0) {
        (void)sqlite3_bind_int64(statement, 3, domain);
    }
    return scan_raw(s, statement, each, user, error);
}

static bool
raw_next(FsnTables *t, int64_t after_us, int64_t *out_us, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement =
        fsn_sqlite_with_numbers(s, FSN_SQL_RAW_NEXT, after_us, 0, error);
    bool row;

    if (!statement || !fsn_sqlite_step(s, statement, &row, error)) {
        return false;
    }
    *out_us = row && sqlite3_column_type(statement, 0) != SQLITE_NULL
                  ? sqlite3_column_int64(statement, 0)
                  : INT64_MAX;
    (void)sqlite3_reset(statement); /* it has one row */
    return true;
}

static bool
raw_purge(FsnTables *t, int64_t until_us, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement =
        fsn_sqlite_with_numbers(s, FSN_SQL_RAW_PURGE, until_us, 0, error);

    if (!statement || !fsn_sqlite_run(s, statement, error)) {
        return false;
    }
    s->tick_us = INT64_MIN;
    statement = fsn_sqlite_with_numbers(s, FSN_SQL_TICK_PURGE, until_us, 0, error);
    return statement && fsn_sqlite_run(s, statement, error);
}

static bool
put_blob(
    FsnSqlite *s, FsnSql which, int64_t key, const void *data, size_t len, GError **error)
{
    sqlite3_stmt *statement = fsn_sqlite_statement(s, which, error);

    if (!statement) {
        return false;
    }
    (void)sqlite3_bind_int64(statement, 1, key);
    (void)sqlite3_bind_blob64(statement, 2, data, len, SQLITE_STATIC);
    return fsn_sqlite_run(s, statement, error);
}

static bool
scan_blobs(FsnSqlite *s,
           sqlite3_stmt *statement,
           int64_t domain,
           int64_t mask,
           FsnTablesRow each,
           gpointer user,
           GError **error)
{
    bool row = statement != NULL;

    while (row) {
        if (!fsn_sqlite_step(s, statement, &row, error)) {
            return false;
        }
        if (row && !each(user, domain, sqlite3_column_int64(statement, 0) & mask,
                         sqlite3_column_blob(statement, 1),
                         (size_t)sqlite3_column_bytes(statement, 1), error)) {
            (void)sqlite3_reset(statement); /* no error of its own */
            return false;
        }
    }
    return statement != NULL;
}

static bool
row_put(FsnTables *t,
        int level,
        int64_t domain,
        int64_t slot,
        const void *data,
        size_t len,
        GError **error)
{
    return put_blob((FsnSqlite *)t, FSN_SQL_ROW_PUT, row_key(level, domain, slot), data,
                    len, error);
}

static bool
row_scan(FsnTables *t,
         int level,
         int64_t domain,
         int64_t from,
         int64_t to,
         FsnTablesRow each,
         gpointer user,
         GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;

    return scan_blobs(s,
                      fsn_sqlite_with_numbers(s, FSN_SQL_ROW_SCAN,
                                              row_key(level, domain, from),
                                              row_key(level, domain, to), error),
                      domain, ROW_SLOT_MAX - 1, each, user, error);
}

static bool
row_purge(
    FsnTables *t, int level, int64_t domain, int64_t from, int64_t to, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement =
        fsn_sqlite_with_numbers(s, FSN_SQL_ROW_PURGE, row_key(level, domain, from),
                                row_key(level, domain, to), error);

    return statement && fsn_sqlite_run(s, statement, error);
}

static bool
pack_put(FsnTables *t,
         int level,
         int64_t domain,
         int64_t metric,
         int64_t span,
         const void *data,
         size_t len,
         GError **error)
{
    return put_blob((FsnSqlite *)t, FSN_SQL_PACK_PUT,
                    pack_key(level, domain, metric, span), data, len, error);
}

static bool
pack_scan(FsnTables *t,
          int level,
          int64_t domain,
          int64_t metric,
          int64_t from,
          int64_t to,
          FsnTablesRow each,
          gpointer user,
          GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;

    return scan_blobs(s,
                      fsn_sqlite_with_numbers(s, FSN_SQL_PACK_SCAN,
                                              pack_key(level, domain, metric, from),
                                              pack_key(level, domain, metric, to), error),
                      domain, PACK_SPAN_MAX - 1, each, user, error);
}

static bool
pack_purge(
    FsnTables *t, int level, int64_t domain, int64_t metric, int64_t to, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement =
        fsn_sqlite_with_numbers(s, FSN_SQL_PACK_PURGE, pack_key(level, domain, metric, 0),
                                pack_key(level, domain, metric, to), error);

    return statement && fsn_sqlite_run(s, statement, error);
}

static bool
pack_metric(FsnTables *t,
            int level,
            int64_t domain,
            int64_t from,
            int64_t *out_metric,
            GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement = fsn_sqlite_with_numbers(
        s, FSN_SQL_PACK_NEXT, pack_key(level, domain, from, 0),
        pack_key(level, domain, FSN_TABLES_MAX_METRIC - 1, PACK_SPAN_MAX - 1), error);
    bool row;

    if (!statement || !fsn_sqlite_step(s, statement, &row, error)) {
        return false;
    }
    *out_metric = row ? sqlite3_column_int64(statement, 0) >> PACK_SPAN_BITS &
                            (FSN_TABLES_MAX_METRIC - 1)
                      : -1;
    (void)sqlite3_reset(statement); /* it has one row */
    return true;
}

const FsnTablesOps fsn_sqlite_ops = {
    .free = fsn_sqlite_free,
    .begin = fsn_sqlite_begin,
    .begin_read = fsn_sqlite_begin_read,
    .commit = fsn_sqlite_commit,
    .rollback = fsn_sqlite_rollback,
    .domain_put = fsn_sqlite_domain_put,
    .domain_each = fsn_sqlite_domain_each,
    .reading_put = fsn_sqlite_reading_put,
    .reading_get = fsn_sqlite_reading_get,
    .metric_put = fsn_sqlite_metric_put,
    .metric_each = fsn_sqlite_metric_each,
    .raw_put = raw_put,
    .raw_scan = raw_scan,
    .raw_next = raw_next,
    .raw_purge = raw_purge,
    .row_put = row_put,
    .row_scan = row_scan,
    .row_purge = row_purge,
    .pack_put = pack_put,
    .pack_scan = pack_scan,
    .pack_purge = pack_purge,
    .pack_metric = pack_metric,
    .number_get = fsn_sqlite_number_get,
    .number_put = fsn_sqlite_number_put,
};
