/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/saved-place.c: what libvirt finds in its place at each step, and whose word counts. */
#include "config.h"

#include "base/error.h"
#include "cycle/saved-place.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define UUID  "11111111-2222-3333-4444-555555555555"
#define OTHER "22222222-2222-3333-4444-555555555555"
#define ID    "0123456789abcdef0123456789abcdef"
#define XML \
    "<domain type='qemu'><name>vm</name><devices><emulator>/q</emulator></devices></domain>"

typedef struct {
    char *top;
    char *state;
    char *save;
    char *link;
} Place;

static void
place_set_up(Place *p, gconstpointer unused)
{
    g_autofree char *run = NULL;

    p->top = g_dir_make_tmp("foresnap-test.XXXXXX", NULL);
    p->state = g_build_filename(p->top, "state", NULL);
    p->save = g_build_filename(p->top, "save", NULL);
    p->link = g_build_filename(p->save, "vm.save", NULL);
    run = g_build_filename(p->top, "run", NULL);
    g_assert_no_errno(g_mkdir(p->state, 0700));
    g_assert_no_errno(g_mkdir(p->save, 0700));
    g_assert_true(g_setenv("FORESNAP_SAVEFS_DIR", run, TRUE));
}

static void
place_tear_down(Place *p, gconstpointer unused)
{
    const char *argv[] = { "rm", "-rf", p->top, NULL };

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                               NULL, NULL, NULL, NULL));
    g_unsetenv("FORESNAP_SAVEFS_DIR");
    g_free(p->top);
    g_free(p->state);
    g_free(p->save);
    g_free(p->link);
}

static void
test_links(Place *p, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnSavedRecord) record = NULL;

    g_assert_cmpint(fsn_saved_look(p->state, p->save, "vm"), ==, FSN_LINK_NONE);
    g_assert_true(fsn_saved_link(p->state, p->save, "vm", FSN_LINK_ENTRY, false, &error));
    g_assert_cmpint(fsn_saved_look(p->state, p->save, "vm"), ==, FSN_LINK_ENTRY);

    g_assert_true(fsn_saved_write(p->state, "/r", "vm", UUID, ID, XML, &error));
    g_assert_true(fsn_saved_link(p->state, p->save, "vm", FSN_LINK_GUARD, false, &error));
    /* The server, which has seen that there was none. */
    g_assert_true(fsn_saved_link(p->state, p->save, "vm", FSN_LINK_ENTRY, false, &error));
    g_assert_cmpint(fsn_saved_look(p->state, p->save, "vm"), ==, FSN_LINK_GUARD);
    g_assert_no_error(error);
    /* A file, whatever serves: libvirt must not think that there is none. */
    g_assert_true(g_file_test(p->link, G_FILE_TEST_IS_REGULAR));
    g_assert_false(fsn_saved_is_served(p->state, "vm"));
    record = fsn_saved_read(p->state, "vm");
    g_assert_cmpstr(record->uuid, ==, UUID);
    g_assert_cmpstr(record->snapshot, ==, ID);
    g_assert_cmpstr(record->repo, ==, "/r");

    g_assert_true(fsn_saved_remove(p->state, p->save, "vm", &error));
    g_assert_cmpint(fsn_saved_look(p->state, p->save, "vm"), ==, FSN_LINK_NONE);
    g_assert_null(fsn_saved_read(p->state, "vm"));
    g_assert_true(fsn_saved_remove(p->state, p->save, "vm", &error));
}

/* What is not ours stays, unless who calls knows what it is. */
static void
test_foreign(Place *p, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(p->link, "image", -1, NULL));
    g_assert_true(fsn_saved_write(p->state, "/r", "vm", UUID, ID, XML, &error));
    g_assert_false(
        fsn_saved_link(p->state, p->save, "vm", FSN_LINK_GUARD, false, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_EXISTS);
    g_clear_error(&error);
    g_assert_true(fsn_saved_unlink(p->state, p->save, "vm", &error));
    g_assert_cmpint(fsn_saved_look(p->state, p->save, "vm"), ==, FSN_LINK_FOREIGN);

    g_assert_true(fsn_saved_link(p->state, p->save, "vm", FSN_LINK_GUARD, true, &error));
    g_assert_cmpint(fsn_saved_look(p->state, p->save, "vm"), ==, FSN_LINK_GUARD);
    g_assert_no_error(error);
}

static void
test_words(Place *p, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) through = NULL;

    g_assert_false(fsn_saved_is_through(p->state, "vm", UUID, NULL));
    g_assert_true(fsn_saved_set_through(p->state, "vm", UUID, "/r", &error));
    g_assert_true(fsn_saved_is_through(p->state, "vm", UUID, NULL));
    g_assert_false(fsn_saved_is_through(p->state, "vm", OTHER, "/r"));
    g_assert_true(fsn_saved_is_through(p->state, "vm", UUID, "/r"));
    g_assert_false(fsn_saved_is_through(p->state, "vm", UUID, "/other"));
    g_assert_false(fsn_saved_is_own(p->state, "vm", UUID));
    g_assert_true(fsn_saved_set_own(p->state, "vm", UUID, &error));
    g_assert_true(fsn_saved_is_own(p->state, "vm", UUID));
    g_assert_false(fsn_saved_is_own(p->state, "vm", OTHER));
    through = fsn_saved_list_through(p->state);
    g_assert_cmpuint(through->len, ==, 1);

    g_assert_true(fsn_saved_unset_through(p->state, "vm", &error));
    g_assert_true(fsn_saved_unset_own(p->state, "vm", &error));
    g_assert_true(fsn_saved_unset_own(p->state, "vm", &error));
    g_assert_false(fsn_saved_is_through(p->state, "vm", UUID, NULL));
    g_assert_false(fsn_saved_is_own(p->state, "vm", UUID));
    g_assert_no_error(error);
}

#define ADD(path, func) g_test_add(path, Place, NULL, place_set_up, func, place_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/saved-place/links", test_links);
    ADD("/saved-place/foreign", test_foreign);
    ADD("/saved-place/words", test_words);
    return g_test_run();
}
