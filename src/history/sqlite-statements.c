/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The statements of a history in SQLite, each prepared when it is needed first. */
#include "config.h"

#include "history/sqlite-private.h"

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

sqlite3_stmt *
fsn_sqlite_with_numbers(
    FsnSqlite *s, FsnSql which, int64_t first, int64_t second, GError **error)
{
    sqlite3_stmt *statement = fsn_sqlite_statement(s, which, error);

    if (statement) {
        (void)sqlite3_bind_int64(statement, 1, first);
        (void)sqlite3_bind_int64(statement, 2, second); /* refused where there is no ?2 */
    }
    return statement;
}
