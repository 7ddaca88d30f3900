/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can happen to the file of a history, and to who writes it: every fault is an error that
 * names it, and what was committed is there afterwards. */
#include "base/error.h"
#include "history/sampler.h"
#include "history/store-private.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define UUID  "6a1f27a2-7d6a-4a0c-93a5-4d5ea9b7a001"
#define SEC   ((int64_t)G_USEC_PER_SEC)
#define START ((int64_t)1700006400 * SEC)

typedef struct {
    char *folder;
    char *path;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->folder = g_dir_make_tmp("history-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "history.db", NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(f->folder, name, NULL);

        g_unlink(path);
    }
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f->path);
}

static bool
insert(FsnHistory *h, int64_t time_us, double value, GError **error)
{
    FsnMetricValue v = { .name = "cpu", .value = value };
    FsnHistorySample s = { UUID, "vm", time_us, 10 * SEC, &v, 1 };

    return fsn_history_insert(h, &s, 1, time_us, error);
}

static void
fill(Fixture *f)
{
    g_autoptr(FsnHistory) h = fsn_history_open(f->path, FSN_HISTORY_CREATE, NULL);

    for (int64_t i = 0; i < 400; i++) {
        g_assert_true(insert(h, START + i * 10 * SEC, 1, NULL));
    }
}

static void
sql(Fixture *f, const char *text)
{
    sqlite3 *db = NULL;
    char *why = NULL;

    g_assert_cmpint(sqlite3_open(f->path, &db), ==, SQLITE_OK);
    (void)sqlite3_exec(db, text, NULL, NULL, &why);
    g_assert_cmpstr(why, ==, NULL);
    sqlite3_close(db);
}

static void
test_absent(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    struct stat st;

    g_assert_null(fsn_history_open(f->path, FSN_HISTORY_READ_ONLY, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    fill(f);
    g_assert_cmpint(stat(f->path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
}

static void
test_read_only(Fixture *f, gconstpointer data)
{
    g_autoptr(FsnHistory) h = NULL;
    g_autoptr(GError) error = NULL;

    fill(f);
    h = fsn_history_open(f->path, FSN_HISTORY_READ_ONLY, NULL);
    g_assert_nonnull(h);
    g_assert_false(insert(h, START + 10000 * SEC, 1, &error));
    g_assert_nonnull(error);
}

static void
test_locked(Fixture *f, gconstpointer data)
{
    g_autoptr(FsnHistory) writer = NULL;
    g_autoptr(FsnHistory) other = NULL;
    g_autoptr(FsnSeries) series = NULL;
    g_autoptr(GError) error = NULL;

    fill(f);
    writer = fsn_history_open(f->path, FSN_HISTORY_CREATE, NULL);
    other = fsn_history_open(f->path, FSN_HISTORY_CREATE, NULL);
    g_assert_true(fsn_history_begin(writer, NULL));
    g_assert_false(insert(other, START + 5000 * SEC, 1, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_BUSY);
    g_assert_nonnull(strstr(error->message, "locked by another process"));
    /* Readers do not wait. */
    series = fsn_history_series(other, UUID, "cpu", START, START + 300 * SEC, 300 * SEC,
                                FSN_HISTORY_MEAN, NULL);
    g_assert_cmpfloat(series->values[0], ==, 1);
    fsn_history_rollback(writer);
    g_assert_true(insert(other, START + 5000 * SEC, 1, NULL));
}

static void
test_newer(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    fill(f);
    sql(f, "PRAGMA user_version=2");
    g_assert_null(fsn_history_open(f->path, FSN_HISTORY_CREATE, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "newer"));
}

static void
test_foreign(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) database = NULL;
    g_autoptr(GError) text = NULL;

    sql(f, "CREATE TABLE x(y)");
    g_assert_null(fsn_history_open(f->path, FSN_HISTORY_CREATE, &database));
    g_assert_error(database, FSN_ERROR, FSN_ERROR_FORMAT);
    g_assert_true(
        g_file_set_contents(f->path, "some notes of somebody, not a database", -1, NULL));
    g_assert_null(fsn_history_open(f->path, FSN_HISTORY_CREATE, &text));
    g_assert_error(text, FSN_ERROR, FSN_ERROR_CORRUPT);
}

/* Bytes of the file are lost: everything that reads them says so, and nothing crashes. */
static void
test_corrupt(Fixture *f, gconstpointer data)
{
    g_autofree char *good = NULL;
    gsize len;
    guint failed = 0;

    fill(f);
    sql(f, "PRAGMA wal_checkpoint(TRUNCATE)");
    g_assert_true(g_file_get_contents(f->path, &good, &len, NULL));
    for (gsize page = 0; page < len; page += 4096) {
        g_autofree char *bad = g_memdup2(good, len);
        g_autoptr(FsnHistory) h = NULL;
        g_autoptr(FsnSeries) series = NULL;
        g_autoptr(GError) error = NULL;

        memset(bad + page, 0xa5, 4096);
        g_assert_true(g_file_set_contents(f->path, bad, (gssize)len, NULL));
        h = fsn_history_open(f->path, FSN_HISTORY_CREATE, &error);
        series = h ? fsn_history_series(h, UUID, "cpu", START, START + 4000 * SEC,
                                        10 * SEC, FSN_HISTORY_MEAN, &error)
                   : NULL;
        failed += series == NULL;
        if (!series) {
            g_assert_nonnull(error);
            g_assert_nonnull(strstr(error->message, f->path));
        }
    }
    g_assert_cmpuint(failed, >, 0);
}

/* Rows that hold no bytes of ours. */
static void
test_rows(Fixture *f, gconstpointer data)
{
    static const char *const damage[] = {
        "UPDATE raw SET sample=x'ffffffffffffffffffff'",
        "UPDATE window SET windows=x'02'",
        "DELETE FROM window; INSERT INTO pack SELECT (1<<38)|(1<<18)|19676, x'0102030405'",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(damage); i++) {
        g_autoptr(FsnHistory) h = NULL;
        g_autoptr(FsnSeries) series = NULL;
        g_autoptr(GError) error = NULL;

        g_unlink(f->path);
        fill(f);
        sql(f, damage[i]);
        h = fsn_history_open(f->path, FSN_HISTORY_CREATE, NULL);
        series =
            fsn_history_series(h, UUID, "cpu", START, START + 4000 * SEC,
                               i == 0 ? 10 * SEC : 300 * SEC, FSN_HISTORY_MEAN, &error);
        g_assert_null(series);
        g_assert_error(error, FSN_ERROR, FSN_ERROR_CORRUPT);
    }
}

static void
test_unreadable(Fixture *f, gconstpointer data)
{
    g_autofree char *below = g_build_filename(f->path, "history.db", NULL);
    g_autoptr(FsnHistory) h = NULL;
    g_autoptr(GError) folder = NULL;
    g_autoptr(GError) denied = NULL;

    g_assert_null(fsn_history_open(f->folder, FSN_HISTORY_READ_ONLY, &folder));
    g_assert_nonnull(strstr(folder->message, f->folder));
    fill(f);
    g_assert_null(fsn_history_open(below, FSN_HISTORY_CREATE, NULL)); /* below a file */
    if (geteuid() != 0) {
        g_chmod(f->path, 0);
        g_assert_null(fsn_history_open(f->path, FSN_HISTORY_CREATE, &denied));
        g_assert_nonnull(strstr(denied->message, f->path));
    }
}

/* A limit on the file's size is a disk that is full (an errno apart); the transaction is gone,
 * and when there is space again it goes on. */
static void
test_full(Fixture *f, gconstpointer data)
{
    g_autoptr(FsnHistory) h = NULL;
    g_autoptr(GError) error = NULL;
    int64_t i = 0;

    fill(f);
    h = fsn_history_open(f->path, FSN_HISTORY_CREATE, NULL);
    {
        sqlite3 *db = ((struct {
                           FsnTables base;
                           sqlite3 *db;
                       } *)(void *)h->tables)
                          ->db;

        g_assert_cmpint(sqlite3_exec(db, "PRAGMA max_page_count=1", NULL, NULL, NULL), ==,
                        SQLITE_OK);
        while (insert(h, START + 5000 * SEC + i * 10 * SEC, 1, &error)) {
            i++;
            g_assert_cmpint(i, <, 10000);
        }
        g_assert_error(error, FSN_ERROR, FSN_ERROR_NO_SPACE);
        g_assert_nonnull(strstr(error->message, "no space"));
        g_assert_cmpint(
            sqlite3_exec(db, "PRAGMA max_page_count=1000000", NULL, NULL, NULL), ==,
            SQLITE_OK);
    }
    g_assert_true(insert(h, START + 5000 * SEC + i * 10 * SEC, 1, NULL));
}

/* At most @limit: samples of more than two hours ago would be gone. */
static void
insert_until_killed(const char *path, int report, int64_t limit)
{
    FsnHistory *h = fsn_history_open(path, FSN_HISTORY_CREATE, NULL);

    for (int64_t i = 1; i <= limit; i++) {
        uint32_t done = (uint32_t)i;

        if (!insert(h, START + i * 10 * SEC, (double)i, NULL) ||
            write(report, &done, sizeof done) != sizeof done) {
            _exit(1);
        }
    }
    pause();
}

/* Killed at any moment, in inserts and roll-ups: what was reported as done is there, all
 * windows that are over are made, of all samples. */
static void
test_killed(Fixture *f, gconstpointer data)
{
    for (int trial = 0; trial < 12; trial++) {
        g_autoptr(FsnHistory) h = NULL;
        g_autoptr(FsnSeries) samples = NULL;
        g_autoptr(FsnSeries) windows = NULL;
        uint32_t last = 0;
        uint32_t done;
        int fds[2];
        pid_t pid;

        g_unlink(f->path);
        g_assert_cmpint(pipe(fds), ==, 0);
        pid = fork();
        if (pid == 0) {
            close(fds[0]);
            insert_until_killed(f->path, fds[1], 100 + 51 * trial);
        }
        close(fds[1]);
        while (read(fds[0], &done, sizeof done) == sizeof done) {
            last = done;
            if (done == (uint32_t)(50 + 51 * trial)) {
                g_usleep((gulong)(137 * trial)); /* somewhere in the next ones */
                kill(pid, SIGKILL);
            }
        }
        close(fds[0]);
        waitpid(pid, NULL, 0);
        h = fsn_history_open(f->path, FSN_HISTORY_CREATE, NULL);
        g_assert_nonnull(h);
        samples =
            fsn_history_series(h, UUID, "cpu", START, START + (int64_t)last * 10 * SEC,
                               10 * SEC, FSN_HISTORY_MEAN, NULL);
        for (size_t i = 0; i < samples->n; i++) {
            g_assert_cmpfloat(samples->values[i], ==, (double)(i + 1));
        }
        windows = fsn_history_series(h, UUID, "cpu", START,
                                     START + (int64_t)last / 30 * 300 * SEC, 300 * SEC,
                                     FSN_HISTORY_MEAN, NULL);
        for (size_t i = 0; i < windows->n; i++) {
            g_assert_cmpfloat_with_epsilon(windows->values[i], (double)i * 30 + 15.5,
                                           .001 * (double)(i * 30 + 16));
        }
        g_assert_cmpint(h->rolled_us, >=, START + (int64_t)last / 30 * 300 * SEC);
    }
}

static FsnReading *
reading(int64_t s, uint64_t cpu_s)
{
    FsnReading *r = fsn_reading_new(UUID, "vm");

    r->boot = g_strdup("boot");
    r->real_us = START + s * SEC;
    r->boot_us = s * SEC;
    r->run = 1;
    r->running = true;
    r->cpu_ns = cpu_s * 1000000000;
    return r;
}

static void
feed(FsnSampler *sampler, FsnReading *r)
{
    g_autoptr(GPtrArray) readings =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_reading_free);

    g_ptr_array_add(readings, r);
    g_assert_true(fsn_sampler_feed(sampler, readings, NULL, NULL));
}

/* One sampler at a time, and counters outlive it. */
static void
test_sampler(Fixture *f, gconstpointer data)
{
    g_autoptr(FsnHistory) h = fsn_history_open(f->path, FSN_HISTORY_CREATE, NULL);
    FsnSampler *sampler = fsn_sampler_new(h, f->path, NULL);
    FsnMetricValue users = { .name = "users", .value = 3 };
    g_autoptr(FsnSeries) cpu = NULL;
    g_autoptr(FsnSeries) seen = NULL;
    g_autoptr(GError) error = NULL;

    feed(sampler, reading(10, 100));
    fsn_sampler_add(sampler, UUID, &users);
    feed(sampler, reading(20, 105));
    g_assert_null(fsn_sampler_new(h, f->path, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_BUSY);
    g_assert_true(fsn_sampler_save(sampler, NULL));
    fsn_sampler_free(sampler);

    sampler = fsn_sampler_new(h, f->path, NULL);
    feed(sampler, reading(60, 145));
    fsn_sampler_free(sampler);
    cpu = fsn_history_series(h, UUID, "cpu", START, START + 70 * SEC, 10 * SEC,
                             FSN_HISTORY_MEAN, NULL);
    g_assert_true(isnan(cpu->values[0]));
    g_assert_cmpfloat(cpu->values[1], ==, .5);
    g_assert_cmpfloat(cpu->values[2], ==, 1);
    g_assert_cmpfloat(cpu->values[5], ==, 1);
    g_assert_true(isnan(cpu->values[6]));
    seen = fsn_history_series(h, UUID, "users", START, START + 70 * SEC, 10 * SEC,
                              FSN_HISTORY_MEAN, NULL);
    g_assert_cmpfloat(seen->values[1], ==, 3);
    g_assert_true(isnan(seen->values[3]));
}

#define ADD(name, test) \
    g_test_add("/history-faults/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("absent", test_absent);
    ADD("read-only", test_read_only);
    ADD("locked", test_locked);
    ADD("newer", test_newer);
    ADD("foreign", test_foreign);
    ADD("corrupt", test_corrupt);
    ADD("rows", test_rows);
    ADD("unreadable", test_unreadable);
    ADD("full", test_full);
    ADD("killed", test_killed);
    ADD("sampler", test_sampler);
    return g_test_run();
}
