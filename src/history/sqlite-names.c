/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domains, metrics and single numbers of a history in SQLite: the small tables that say what the
 * keys of the large ones (sqlite-rows.c) mean. */
#include "config.h"

#include "base/error.h"
#include "history/sqlite-private.h"

static void
bind_text(sqlite3_stmt *statement, int i, const char *text)
{
    (void)sqlite3_bind_text(statement, i, text, -1,
                            SQLITE_STATIC); /* the caller's until it has run */
}

bool
fsn_sqlite_domain_put(FsnTables *t,
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

bool
fsn_sqlite_domain_each(FsnTables *t, FsnTablesEach each, gpointer user, GError **error)
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

bool
fsn_sqlite_reading_put(FsnTables *t, int64_t domain, const char *text, GError **error)
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

bool
fsn_sqlite_reading_get(FsnTables *t, int64_t domain, char **out_text, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement =
        fsn_sqlite_with_numbers(s, FSN_SQL_READING_GET, domain, 0, error);
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

bool
fsn_sqlite_metric_put(FsnTables *t, const char *name, int64_t *out_id, GError **error)
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

bool
fsn_sqlite_metric_each(FsnTables *t, FsnTablesName each, gpointer user, GError **error)
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

bool
fsn_sqlite_number_get(
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

bool
fsn_sqlite_number_put(FsnTables *t, const char *name, int64_t value, GError **error)
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
