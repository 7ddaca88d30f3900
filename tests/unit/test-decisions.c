/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decisions on sizes: what is added is found again, not more than are kept, and a file that is
 * damaged is none. */
#include "history/decisions.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define UUID "3f1c2b5e-0000-4000-8000-000000000001"

typedef struct {
    char *folder;
    char *history;
    char *file;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->folder = g_dir_make_tmp("foresnap-decisions-XXXXXX", NULL);
    g_assert_nonnull(f->folder);
    f->history = g_build_filename(f->folder, "history.db", NULL);
    f->file = g_strdup_printf("%s.sizes/%s.json", f->history, UUID);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    g_autofree char *sizes = g_strconcat(f->history, ".sizes", NULL);

    (void)g_remove(f->file);
    (void)g_rmdir(sizes);
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->file);
    g_free(f->history);
    g_free(f->folder);
}

static void
add(Fixture *f, int64_t time_us, const char *reason)
{
    FsnDecision decision = { time_us, "size", 4, 2, 6u << 20, 8u << 20, reason };
    g_autoptr(GError) error = NULL;

    g_assert_true(fsn_decisions_add(f->history, UUID, &decision, &error));
    g_assert_no_error(error);
}

static void
test_kept(Fixture *f, gconstpointer data)
{
    g_autoptr(GPtrArray) none = fsn_decisions_load(f->history, UUID);
    g_autoptr(GPtrArray) some = NULL;
    const FsnDecision *first;
    struct stat st;

    g_assert_cmpuint(none->len, ==, 0);
    for (int i = 0; i < FSN_DECISIONS_KEPT + 3; i++) {
        add(f, 1000 + i, "line one\nline two \x1b[31m");
    }
    some = fsn_decisions_load(f->history, UUID);
    g_assert_cmpuint(some->len, ==, FSN_DECISIONS_KEPT);
    first = some->pdata[0];
    g_assert_cmpint(first->time_us, ==, 1003);
    g_assert_cmpstr(first->by, ==, "size");
    g_assert_cmpuint(first->vcpus, ==, 4);
    g_assert_cmpuint(first->vcpus_was, ==, 2);
    g_assert_cmpuint(first->memory, ==, 6u << 20);
    g_assert_cmpuint(first->memory_was, ==, 8u << 20);
    g_assert_cmpstr(first->reason, ==, "line one line two  [31m");
    g_assert_cmpint(stat(f->file, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
}

/* Every truncation, and a newer version: none or fewer of them, and the next is kept. */
static void
test_damaged(Fixture *f, gconstpointer data)
{
    g_autofree char *text = NULL;
    gsize len;

    add(f, 1, "a");
    add(f, 2, "b");
    g_assert_true(g_file_get_contents(f->file, &text, &len, NULL));
    for (gsize cut = 0; cut < len; cut++) {
        g_assert_true(g_file_set_contents(f->file, text, (gssize)cut, NULL));
        g_autoptr(GPtrArray) found = fsn_decisions_load(f->history, UUID);

        g_assert_cmpuint(found->len, ==, 0);
    }
    g_autofree char *newer =
        g_strdup("{\"version\":2,\"decisions\":[{\"time_us\":1,\"by\":\"size\"}]}");
    g_assert_true(g_file_set_contents(f->file, newer, -1, NULL));
    add(f, 3, "c");
    g_autofree char *odd = g_strdup(
        "{\"version\":1,\"decisions\":[7,{\"time_us\":-1},{\"time_us\":1,\"by\":\"size\","
        "\"vcpus\":70000,\"vcpus_was\":1,\"memory\":1,\"memory_was\":1,\"reason\":\"x\"},"
        "{\"time_us\":5,\"by\":\"size\",\"vcpus\":1,\"vcpus_was\":1,\"memory\":1,"
        "\"memory_was\":1,\"reason\":\"x\"}]}");
    g_assert_true(g_file_set_contents(f->file, odd, -1, NULL));
    g_autoptr(GPtrArray) sound = fsn_decisions_load(f->history, UUID);
    g_assert_cmpuint(sound->len, ==, 1);
    g_assert_cmpint(((const FsnDecision *)sound->pdata[0])->time_us, ==, 5);
}

/* A folder that cannot be made is an error. */
static void
test_unwritable(Fixture *f, gconstpointer data)
{
    FsnDecision decision = { 1, "size", 1, 1, 1, 1, "x" };
    g_autoptr(GError) error = NULL;

    g_assert_false(
        fsn_decisions_add("/proc/no-such/history.db", UUID, &decision, &error));
    g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/decisions/kept", Fixture, NULL, set_up, test_kept, tear_down);
    g_test_add("/decisions/damaged", Fixture, NULL, set_up, test_damaged, tear_down);
    g_test_add("/decisions/unwritable", Fixture, NULL, set_up, test_unwritable,
               tear_down);
    return g_test_run();
}
