/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/journal.c and lock.c: what is written is read back, damage is named, one owner. */
#include "config.h"

#include "base/error.h"
#include "cycle/journal.h"
#include "cycle/lock.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define UUID "11111111-2222-3333-4444-555555555555"

static FsnJournal *
example(void)
{
    FsnJournal *j = fsn_journal_new(FSN_OP_RESUME, "vm", UUID, NULL, "/repo",
                                    "0123456789abcdef0123456789abcdef");

    j->was_running = true;
    j->sync_time = true;
    j->monitor = true;
    j->attempts = 2;
    j->capabilities = g_strsplit("xbzrle auto-converge", " ", -1);
    return j;
}

/* What only a restore has, and the databases of a snapshot. */
static void
test_restore(void)
{
    g_autoptr(FsnJournal) j = fsn_journal_new(FSN_OP_RESTORE, "vm", UUID, NULL, "/repo",
                                              "0123456789abcdef0123456789abcdef");
    g_autoptr(FsnJournal) back = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    FsnJournal *none = NULL;
    JsonObject *file = json_object_new();
    JsonObject *database = json_object_new();

    j->step = FSN_STEP_REPLACING;
    j->xml = g_strdup("<domain/>");
    j->marks = g_strdup("00000000000000000000000000000001");
    j->files = json_array_new();
    json_object_set_string_member(file, "path", "/a");
    json_array_add_object_element(j->files, file);
    j->databases = json_array_new();
    json_object_set_string_member(database, "name", "pg");
    json_array_add_object_element(j->databases, database);
    text = fsn_journal_to_text(j);
    g_assert_true(fsn_journal_parse(text, strlen(text), &back, &error));
    g_assert_cmpint(back->operation, ==, FSN_OP_RESTORE);
    g_assert_cmpuint(json_array_get_length(back->databases), ==, 1);
    g_assert_cmpint(back->step, ==, FSN_STEP_REPLACING);
    g_assert_cmpstr(back->xml, ==, "<domain/>");
    g_assert_cmpstr(back->marks, ==, j->marks);
    g_assert_cmpuint(json_array_get_length(back->files), ==, 1);
    g_free(text);
    text = g_strdup("{\"version\":1,\"operation\":\"restore\",\"step\":\"begun\","
                    "\"domain\":\"a\",\"uuid\":\"b\",\"repo\":\"c\",\"snapshot\":\"d\","
                    "\"files\":1}");
    g_assert_false(fsn_journal_parse(text, strlen(text), &none, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

static void
test_round_trip(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-journal-XXXXXX", NULL);
    g_autoptr(FsnJournal) j = example();
    g_autoptr(FsnJournal) back = NULL;
    g_autoptr(GPtrArray) uuids = NULL;
    g_autoptr(GError) error = NULL;
    FsnJournal *none;

    g_assert_true(fsn_journal_write(j, dir, FSN_STEP_LOADING, NULL));
    g_assert_true(fsn_journal_read(dir, UUID, &back, NULL));
    g_assert_cmpint(back->operation, ==, FSN_OP_RESUME);
    g_assert_cmpint(back->step, ==, FSN_STEP_LOADING);
    g_assert_cmpstr(back->domain, ==, "vm");
    g_assert_null(back->uri);
    g_assert_cmpstr(back->snapshot, ==, j->snapshot);
    g_assert_true(back->was_running && back->sync_time && !back->own_pause);
    g_assert_true(back->monitor);
    g_assert_cmpint(back->attempts, ==, 2);
    g_assert_true(g_strv_equal((const char *const *)back->capabilities,
                               (const char *const *)j->capabilities));
    g_assert_true(fsn_journal_list(dir, &uuids, NULL));
    g_assert_cmpuint(uuids->len, ==, 1);
    g_assert_true(fsn_journal_remove(j, dir, NULL));
    g_assert_false(fsn_journal_read(dir, UUID, &none, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* A journal cut anywhere is refused, never read as another one. */
static void
test_truncations(void)
{
    g_autoptr(FsnJournal) j = example();
    g_autofree char *text = fsn_journal_to_text(j);

    for (size_t len = 0; len < strlen(text); len++) {
        FsnJournal *back = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_journal_parse(text, len, &back, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

static void
test_unknown_words(void)
{
    const char *bad[] = { "\"operation\" : \"resume\"", "\"step\" : \"begun\"",
                          "\"version\" : 1", "\"xbzrle\"" };
    const char *instead[] = { "\"operation\" : \"fly\"", "\"step\" : \"done\"",
                              "\"version\" : 2", "7" };
    g_autoptr(FsnJournal) j = example();
    g_autofree char *text = fsn_journal_to_text(j);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GString) s = g_string_new(text);
        FsnJournal *back = NULL;

        g_assert_cmpuint(g_string_replace(s, bad[i], instead[i], 0), ==, 1);
        g_assert_false(fsn_journal_parse(s->str, s->len, &back, NULL));
    }
}

static void
test_lock(void)
{
    g_autofree char *dir = g_dir_make_tmp("fsn-lock-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    FsnLock *lock = fsn_lock_take(dir, "/repo", UUID, 0, NULL);
    FsnLock *other;
    pid_t child;

    g_assert_nonnull(lock);
    g_assert_null(fsn_lock_take(dir, "/repo", UUID, 20, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_BUSY);
    g_assert_true(fsn_lock_is_held(dir, "/repo", UUID));
    other = fsn_lock_take(dir, "/other", UUID, 0, NULL);
    g_assert_nonnull(other);
    fsn_lock_release(other);
    /* a child that inherits it keeps it after we let go, and loses it when it dies */
    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    fsn_lock_release(lock);
    g_assert_true(fsn_lock_is_held(dir, "/repo", UUID));
    g_assert_cmpint(kill(child, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
    g_assert_false(fsn_lock_is_held(dir, "/repo", UUID));

    g_autofree char *command = g_strdup_printf("rm -rf '%s'", dir);

    g_assert_cmpint(system(command), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/journal/round-trip", test_round_trip);
    g_test_add_func("/journal/restore", test_restore);
    g_test_add_func("/journal/truncations", test_truncations);
    g_test_add_func("/journal/unknown-words", test_unknown_words);
    g_test_add_func("/lock/one-owner", test_lock);
    return g_test_run();
}
