/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The embedded database: opening a file of SQLite, its schema, its errors. With a write-ahead
 * log readers and one writer do not wait for each other. A transaction that was committed
 * survives the death of the process; a loss of power may take the last ones, never the file's
 * consistency (synchronous=NORMAL): a history is worth no fsync every ten seconds.
 */
#include "config.h"

#include "history/sqlite-private.h"

#include "base/error.h"
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x46534e48 /* "FSNH" */
#define SCHEMA_VERSION 1
#define BUSY_MS        5000

/* The key of a row is level << 56 | domain << 32 | slot, that of a pack
 * level << 62 | domain << 38 | metric << 18 | span: one number is the least that a key can
 * take, and what is read together lies together. */
static const char schema[] =
    "CREATE TABLE domain(id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL, seen_us INTEGER NOT NULL, reading TEXT);"
    "CREATE TABLE metric(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE tick(time INTEGER PRIMARY KEY);"
    "CREATE TABLE raw(time INTEGER NOT NULL, domain INTEGER NOT NULL, sample BLOB NOT NULL,"
    " PRIMARY KEY(time, domain)) WITHOUT ROWID;"
    "CREATE TABLE window(key INTEGER PRIMARY KEY, windows BLOB NOT NULL);"
    "CREATE TABLE pack(key INTEGER PRIMARY KEY, windows BLOB NOT NULL);"
    "CREATE TABLE number(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;";

static int
code_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return FSN_ERROR_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
        return FSN_ERROR_CORRUPT;
    case SQLITE_FULL:
        return FSN_ERROR_NO_SPACE;
    default:
        return FSN_ERROR_FAILED;
    }
}

bool
fsn_sqlite_set_error(FsnSqlite *s, int code, GError **error)
{
    int own = code_of(code);
    int errnum = s->db ? sqlite3_system_errno(s->db) : 0;

    /* A full disk shows as an I/O error where the log or its index cannot grow. */
    if ((code & 0xff) == SQLITE_IOERR && (errnum == ENOSPC || errnum == EDQUOT)) {
        own = FSN_ERROR_NO_SPACE;
    }
    switch (own) {
    case FSN_ERROR_BUSY:
        g_set_error(error, FSN_ERROR, own,
                    "the history '%s' is locked by another process; try again", s->path);
        break;
    case FSN_ERROR_CORRUPT:
        g_set_error(
            error, FSN_ERROR, own,
            "the history '%s' is damaged (%s); move it away, and a new one is begun",
            s->path, sqlite3_errstr(code));
        break;
    case FSN_ERROR_NO_SPACE:
        g_set_error(error, FSN_ERROR, own, "no space is left for the history '%s'",
                    s->path);
        break;
    default:
        g_set_error(error, FSN_ERROR, own, "the history '%s': %s%s%s", s->path,
                    s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code),
                    errnum ? ": " : "", errnum ? g_strerror(errnum) : "");
        break;
    }
    return false;
}

static bool
execute(FsnSqlite *s, const char *sql, GError **error)
{
    int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK || fsn_sqlite_set_error(s, code, error);
}

static bool
pragma_number(FsnSqlite *s, const char *sql, int64_t *out_value, GError **error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        *out_value = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    }
    (void)sqlite3_finalize(statement); /* repeats the code from above */
    return code == SQLITE_ROW || code == SQLITE_DONE ||
           fsn_sqlite_set_error(s, code, error);
}

/* Makes the tables in a file that has none; of several processes one does. */
static bool
make_schema(FsnSqlite *s, GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("%sPRAGMA application_id=%d;PRAGMA user_version=%d;", schema,
                        APPLICATION_ID, SCHEMA_VERSION);
    int64_t version;

    if (!execute(s, "BEGIN IMMEDIATE", error) ||
        !pragma_number(s, "PRAGMA user_version", &version, error)) {
        return false;
    }
    return (version != 0 || execute(s, sql, error)) && execute(s, "COMMIT", error);
}

static bool
check_schema(FsnSqlite *s, bool create, GError **error)
{
    int64_t id;
    int64_t version;
    int64_t tables;

    if (!pragma_number(s, "PRAGMA application_id", &id, error) ||
        !pragma_number(s, "PRAGMA user_version", &version, error) ||
        !pragma_number(s, "SELECT count(*) FROM sqlite_schema", &tables, error)) {
        return false;
    }
    if (id == 0 && version == 0 && tables == 0 && create) {
        return make_schema(s, error);
    }
    if (id != APPLICATION_ID) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "'%s' is no history of foresnap",
                    s->path);
        return false;
    }
    if (version != SCHEMA_VERSION) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "the history '%s' is from a newer foresnap (version %" G_GINT64_FORMAT
                    ", known is %d)",
                    s->path, version, SCHEMA_VERSION);
        return false;
    }
    return true;
}

/* The file itself, so that nobody else can ever read it; SQLite gives its mode to the log. */
static bool
prepare_file(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd;

    if (!fsn_mkdirs(folder, 0700, error)) {
        return false;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open the history '%s'", path);
    }
    close(fd);
    return true;
}

/* SQLite says "unable to open" for everything; what it is stands in errno. */
static bool
check_file(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open the history '%s'", path);
    }
    close(fd);
    return true;
}

FsnTables *
fsn_tables_sqlite_open(const char *path, FsnTablesFlags flags, GError **error)
{
    g_autoptr(FsnTables) owner = NULL;
    FsnSqlite *s;
    bool create = flags & FSN_TABLES_CREATE;
    int code;

    if (create ? !prepare_file(path, error) : !check_file(path, error)) {
        return NULL;
    }
    s = g_new0(FsnSqlite, 1);
    owner = &s->base;
    s->base.ops = &fsn_sqlite_ops;
    s->path = g_strdup(path);
    s->tick_us = INT64_MIN;
    code =
        sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        fsn_sqlite_set_error(s, code, error);
        return NULL;
    }
    (void)sqlite3_extended_result_codes(s->db, 1); /* cannot fail */
    (void)sqlite3_busy_timeout(s->db, BUSY_MS);    /* likewise */
    if (!execute(s, "PRAGMA trusted_schema=OFF;PRAGMA cell_size_check=ON;", error) ||
        !check_schema(s, create, error) ||
        !execute(s, "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;", error) ||
        ((flags & FSN_TABLES_READ_ONLY) && !execute(s, "PRAGMA query_only=ON", error))) {
        return NULL;
    }
    return g_steal_pointer(&owner);
}

void
fsn_sqlite_free(FsnTables *t)
{
    FsnSqlite *s = (FsnSqlite *)t;

    for (int i = 0; i < FSN_SQL_N; i++) {
        (void)sqlite3_finalize(s->statements[i]); /* repeats an error that was reported */
    }
    (void)sqlite3_close(s->db); /* nothing is open in it any more */
    g_free(s->path);
    g_free(s);
}

bool
fsn_sqlite_run(FsnSqlite *s, sqlite3_stmt *statement, GError **error)
{
    int code = sqlite3_step(statement);

    if (code != SQLITE_DONE && code != SQLITE_ROW) {
        fsn_sqlite_set_error(s, code, error);
        (void)sqlite3_reset(statement); /* repeats the code */
        return false;
    }
    (void)sqlite3_reset(statement); /* was without error */
    return true;
}

bool
fsn_sqlite_step(FsnSqlite *s, sqlite3_stmt *statement, bool *out_row, GError **error)
{
    int code = sqlite3_step(statement);

    *out_row = code == SQLITE_ROW;
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code != SQLITE_DONE) {
        fsn_sqlite_set_error(s, code, error);
    }
    (void)sqlite3_reset(statement); /* repeats the code */
    return code == SQLITE_DONE;
}

static bool
run_simple(FsnTables *t, FsnSql which, GError **error)
{
    FsnSqlite *s = (FsnSqlite *)t;
    sqlite3_stmt *statement = fsn_sqlite_statement(s, which, error);

    s->tick_us = INT64_MIN;
    return statement && fsn_sqlite_run(s, statement, error);
}

bool
fsn_sqlite_begin(FsnTables *t, GError **error)
{
    return run_simple(t, FSN_SQL_BEGIN, error);
}

bool
fsn_sqlite_begin_read(FsnTables *t, GError **error)
{
    return run_simple(t, FSN_SQL_BEGIN_READ, error);
}

bool
fsn_sqlite_commit(FsnTables *t, GError **error)
{
    return run_simple(t, FSN_SQL_COMMIT, error);
}

void
fsn_sqlite_rollback(FsnTables *t)
{
    /* A full disk or a damaged file has rolled it back already. */
    (void)!run_simple(t, FSN_SQL_ROLLBACK, NULL);
}
