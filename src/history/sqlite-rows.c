/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of a history in SQLite: each function binds one statement and runs it. */
#include "config.h"

#include "base/error.h"
#include "history/sqlite-private.h"

#include <string.h>

static const char *const texts[FSN_SQL_N] = {
    [FSN_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [FSN_SQL_BEGIN_READ] = "BEGIN",
    [FSN_SQL_COMMIT] = "COMMIT",
    [FSN_SQL_ROLLBACK] = "ROLLBACK",
    [FSN_SQL_DOMAIN_PUT] = "INSERT INTO domain(uuid, name, seen_us) VALUES(?1, ?2, ?3)"
                           " ON CONFLICT(uuid) DO UPDATE SET name=?2,"
                           " seen_us=max(seen_us, ?3) RETURNING id",
    [FSN_SQL_DOMAIN_EACH] = "SELECT id, uuid, name, seen_us FROM domain ORDER BY id",
    [FSN_SQL_READING_PUT] = "UPDATE domain SET reading=?2 WHERE id=?1",
    [FSN_SQL_READING_GET] = "SELECT reading FROM domain WHERE id=?1",
    [FSN_SQL_METRIC_PUT] = "INSERT OR IGNORE INTO metric(name) VALUES(?1)",
    [FSN_SQL_METRIC_GET] = "SELECT id FROM metric WHERE name=?1",
    [FSN_SQL_METRIC_EACH] = "SELECT id, name FROM metric ORDER BY id",
    [FSN_SQL_TICK_PUT] = "INSERT OR IGNORE INTO tick VALUES(?1)",
    [FSN_SQL_RAW_INSERT] = "INSERT OR IGNORE INTO raw VALUES(?1, ?2, ?3)",
    [FSN_SQL_RAW_REPLACE] = "INSERT OR REPLACE INTO raw VALUES(?1, ?2, ?3)",
    [FSN_SQL_RAW_ALL] = "SELECT domain, time, sample FROM raw"
                        " WHERE time>?1 AND time<=?2 ORDER BY time, domain",
    /* A seek per time that has samples: samples of all others are not touched. */
    [FSN_SQL_RAW_ONE] = "SELECT domain, raw.time, sample FROM tick CROSS JOIN raw"
                        " ON raw.time=tick.time AND raw.domain=?3"
                        " WHERE tick.time>?1 AND tick.time<=?2 ORDER BY tick.time",
    [FSN_SQL_RAW_NEXT] = "SELECT min(time) FROM tick WHERE time>?1",
    [FSN_SQL_RAW_PURGE] = "DELETE FROM raw WHERE time<=?1",
    [FSN_SQL_TICK_PURGE] = "DELETE FROM tick WHERE time<=?1",
    [FSN_SQL_ROW_PUT] = "INSERT OR REPLACE INTO window VALUES(?1, ?2)",
    [FSN_SQL_ROW_SCAN] = "SELECT key, windows FROM window WHERE key>=?1 AND key<?2"
                         " ORDER BY key",
    [FSN_SQL_ROW_PURGE] = "DELETE FROM window WHERE key>=?1 AND key<?2",
    [FSN_SQL_PACK_PUT] = "INSERT OR REPLACE INTO pack VALUES(?1, ?2)",
    [FSN_SQL_PACK_SCAN] = "SELECT key, windows FROM pack WHERE key>=?1 AND key<?2"
                          " ORDER BY key",
    [FSN_SQL_PACK_PURGE] = "DELETE FROM pack WHERE key>=?1 AND key<?2",
    [FSN_SQL_PACK_NEXT] = "SELECT key FROM pack WHERE key>=?1 AND key<?2"
                          " ORDER BY key LIMIT 1",
    [FSN_SQL_NUMBER_GET] = "SELECT value FROM number WHERE name=?1",
    [FSN_SQL_NUMBER_PUT] = "INSERT OR REPLACE INTO number VALUES(?1, ?2)",
};

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

sqlite3_stmt *
fsn_sqlite_statement(FsnSqlite *s, FsnSql which, GError **error)
{
    if (!s->statements[which]) {
        int code = sqlite3_prepare_v3(s->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                      &s->statements[which], NULL);

        if (code != SQLITE_OK) {
            fsn_sqlite_set_error(s, code, error);
            return NULL;
        }
    }
    (void)sqlite3_reset(s->statements[which]); /* repeats an error that was reported */
    return s->statements[which];
}

/* Binds numbers to ?1, ?2, …; with the constant number of parameters that cannot fail. */
static sqlite3_stmt *
with_numbers(FsnSqlite *s, FsnSql which, int64_t first, int64_t second, GError **error)
{
    sqlite3_stmt *statement = fsn_sqlite_statement(s, which, error);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, first);
        (void)sqlite3_bind_int64(statement, 2, second); /* refused where there is no ?2 */
    }
    return statement;
}

static void
bind_text(sqlite3_stmt *statement, int i, const char *text)
{
    (void)sqlite3_bind_text(statement, i, text, -1,
                            SQLITE_STATIC); /* the caller's until it has run */
}

static bool
domain_put(FsnTables *t,
           const char *uuid,
           const char *name,
           int64_t seen_us,
           int64_t *out_id,
           GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement = fsn_sqlite_statement(s, FSN_SQL_DOMAIN_PUT, error);
    bool row;

    if (!statement) {
        return false;
    }
    bind_text(statement, 1, uuid);
    bind_text(statement, 2, name);
    (void)sqlite3_bind_int64(statement, 3, seen_us);
    if (!fsn_sqlite_step(s, statement, &row, error)) {
        return false;
    }
    *out_id = row ? sqlite3_column_int64(statement, 0) : 0;
    /* Returning rows does not end it. */
    if (!fsn_sqlite_step(s, statement, &row, error)) {
        return false;
    }
    if (*out_id >= FSN_TABLES_MAX_DOMAIN) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NO_SPACE,
                    "the history '%s' has too many domains", s->path);
        return false;
    }
    return true;
}

static bool
domain_each(FsnTables *t, FsnTablesEach each, gpointer user, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement = fsn_sqlite_statement(s, FSN_SQL_DOMAIN_EACH, error);
    bool row = statement != NULL;

    while (row) {
        FsnTablesDomain domain = { 0 };

        if (!fsn_sqlite_step(s, statement, &row, error)) {
            return false;
        }
        if (!row) {
            break;
        }
        domain.id = sqlite3_column_int64(statement, 0);
        domain.uuid = (const char *)sqlite3_column_text(statement, 1);
        domain.name = (const char *)sqlite3_column_text(statement, 2);
        domain.seen_us = sqlite3_column_int64(statement, 3);
        if (!domain.uuid || !domain.name) {
            return fsn_sqlite_set_error(s, SQLITE_CORRUPT, error);
        }
        if (!each(user, &domain, error)) {
            (void)sqlite3_reset(statement); /* no error of its own */
            return false;
        }
    }
    return statement != NULL;
}

static bool
reading_put(FsnTables *t, int64_t domain, const char *text, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement = fsn_sqlite_statement(s, FSN_SQL_READING_PUT, error);

    if (!statement) {
        return false;
    }
    (void)sqlite3_bind_int64(statement, 1, domain);
    bind_text(statement, 2, text);
    return fsn_sqlite_run(s, statement, error);
}

static bool
reading_get(FsnTables *t, int64_t domain, char **out_text, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement = with_numbers(s, FSN_SQL_READING_GET, domain, 0, error);
    bool row;

    if (!statement || !fsn_sqlite_step(s, statement, &row, error)) {
        return false;
    }
    *out_text = row ? g_strdup((const char *)sqlite3_column_text(statement, 0)) : NULL;
    (void)sqlite3_reset(statement); /* it has one row */
    return true;
}

static bool
metric_get(
    FsnSqlite *s, const char *name, int64_t *out_id, bool *out_found, GError **error)
{
    sqlite3_stmt *statement = fsn_sqlite_statement(s, FSN_SQL_METRIC_GET, error);

    if (!statement) {
        return false;
    }
    bind_text(statement, 1, name);
    if (!fsn_sqlite_step(s, statement, out_found, error)) {
        return false;
    }
    if (*out_found) {
        *out_id = sqlite3_column_int64(statement, 0);
        (void)sqlite3_reset(statement); /* it has one row */
    }
    return true;
}

static bool
metric_put(FsnTables *t, const char *name, int64_t *out_id, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement;
    bool found;

    if (!metric_get(s, name, out_id, &found, error)) {
        return false;
    }
    if (!found) {
        statement = fsn_sqlite_statement(s, FSN_SQL_METRIC_PUT, error);
        if (!statement) {
            return false;
        }
        bind_text(statement, 1, name);
        if (!fsn_sqlite_run(s, statement, error) ||
            !metric_get(s, name, out_id, &found, error)) {
            return false;
        }
    }
    if (*out_id < 1 || *out_id >= FSN_TABLES_MAX_METRIC) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NO_SPACE,
                    "the history '%s' has too many metrics", s->path);
        return false;
    }
    return true;
}

static bool
metric_each(FsnTables *t, FsnTablesName each, gpointer user, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement = fsn_sqlite_statement(s, FSN_SQL_METRIC_EACH, error);
    bool row = statement != NULL;

    while (row) {
        const char *name;

        if (!fsn_sqlite_step(s, statement, &row, error)) {
            return false;
        }
        name = row ? (const char *)sqlite3_column_text(statement, 1) : "";
        if (!name) {
            return fsn_sqlite_set_error(s, SQLITE_CORRUPT, error);
        }
        if (row && !each(user, sqlite3_column_int64(statement, 0), name, error)) {
            return false;
        }
    }
    return statement != NULL;
}

static bool
put_tick(FsnSqlite *s, int64_t time_us, GError **error)
{
    sqlite3_stmt *statement;

    if (s->tick_us == time_us) {
        return true;
    }
    statement = with_numbers(s, FSN_SQL_TICK_PUT, time_us, 0, error);
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
    statement = with_numbers(s, replace ? FSN_SQL_RAW_REPLACE : FSN_SQL_RAW_INSERT,
                             time_us, domain, error);
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
    sqlite3_stmt *statement = with_numbers(
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
    sqlite3_stmt *statement = with_numbers(s, FSN_SQL_RAW_NEXT, after_us, 0, error);
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
    sqlite3_stmt *statement = with_numbers(s, FSN_SQL_RAW_PURGE, until_us, 0, error);

    if (!statement || !fsn_sqlite_run(s, statement, error)) {
        return false;
    }
    s->tick_us = INT64_MIN;
    statement = with_numbers(s, FSN_SQL_TICK_PURGE, until_us, 0, error);
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
                      with_numbers(s, FSN_SQL_ROW_SCAN, row_key(level, domain, from),
                                   row_key(level, domain, to), error),
                      domain, ROW_SLOT_MAX - 1, each, user, error);
}

static bool
row_purge(
    FsnTables *t, int level, int64_t domain, int64_t from, int64_t to, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement =
        with_numbers(s, FSN_SQL_ROW_PURGE, row_key(level, domain, from),
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
                      with_numbers(s, FSN_SQL_PACK_SCAN,
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
        with_numbers(s, FSN_SQL_PACK_PURGE, pack_key(level, domain, metric, 0),
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
    sqlite3_stmt *statement = with_numbers(
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

static bool
number_get(
    FsnTables *t, const char *name, int64_t fallback, int64_t *out_value, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement = fsn_sqlite_statement(s, FSN_SQL_NUMBER_GET, error);
    bool row;

    if (!statement) {
        return false;
    }
    bind_text(statement, 1, name);
    if (!fsn_sqlite_step(s, statement, &row, error)) {
        return false;
    }
    *out_value = row ? sqlite3_column_int64(statement, 0) : fallback;
    (void)sqlite3_reset(statement); /* it has one row */
    return true;
}

static bool
number_put(FsnTables *t, const char *name, int64_t value, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement = fsn_sqlite_statement(s, FSN_SQL_NUMBER_PUT, error);

    if (!statement) {
        return false;
    }
    bind_text(statement, 1, name);
    (void)sqlite3_bind_int64(statement, 2, value);
    return fsn_sqlite_run(s, statement, error);
}

const FsnTablesOps fsn_sqlite_ops = {
    .free = fsn_sqlite_free,
    .begin = fsn_sqlite_begin,
    .begin_read = fsn_sqlite_begin_read,
    .commit = fsn_sqlite_commit,
    .rollback = fsn_sqlite_rollback,
    .domain_put = domain_put,
    .domain_each = domain_each,
    .reading_put = reading_put,
    .reading_get = reading_get,
    .metric_put = metric_put,
    .metric_each = metric_each,
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
    .number_get = number_get,
    .number_put = number_put,
};
