/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policies/keyfile.c: what is read, what is complained about, and edits, beside GKeyFile. */
#include "config.h"

#include "policies/keyfile.h"

#include <string.h>

/* Line and value of @group's @key; 0 if it is not there. */
static unsigned
line_of(const char *text, const char *group, const char *key, const char *want)
{
    g_autoptr(FsnKeyfile) keyfile = fsn_keyfile_parse(text, strlen(text));

    for (guint i = 0; i < keyfile->items->len; i++) {
        const FsnKeyfileItem *item = keyfile->items->pdata[i];

        if (strcmp(item->group, group) == 0 && g_strcmp0(item->key, key) == 0) {
            if (want) {
                g_assert_cmpstr(item->value, ==, want);
            }
            return item->line;
        }
    }
    return 0;
}

static void
test_read(void)
{
    static const char text[] = "# a comment\n\n[one]\na=1\n  b = two words \r\n"
                               "[two]\na=\\s=\\\\\n[one]\nc=\n";

    g_assert_cmpuint(line_of(text, "one", NULL, NULL), ==, 3);
    g_assert_cmpuint(line_of(text, "one", "a", "1"), ==, 4);
    g_assert_cmpuint(line_of(text, "one", "b", "two words"), ==, 5);
    g_assert_cmpuint(line_of(text, "two", "a", " =\\"), ==, 7);
    g_assert_cmpuint(line_of(text, "one", "c", ""), ==, 9);
    g_assert_cmpuint(line_of(text, "one", "d", NULL), ==, 0);
}

/* What is read without a problem GKeyFile reads alike. */
static void
test_like_glib(void)
{
    static const char text[] = "[a]\nx= 1 \ny=a\\tb\\\\\n#[c]\n[ b ]\nz=\\sä\n";
    g_autoptr(FsnKeyfile) keyfile = fsn_keyfile_parse(text, strlen(text));
    g_autoptr(GKeyFile) other = g_key_file_new();

    g_assert_cmpuint(keyfile->problems->len, ==, 0);
    g_assert_true(g_key_file_load_from_data(other, text, strlen(text), 0, NULL));
    for (guint i = 0; i < keyfile->items->len; i++) {
        const FsnKeyfileItem *item = keyfile->items->pdata[i];

        if (item->key) {
            g_autofree char *value =
                g_key_file_get_string(other, item->group, item->key, NULL);

            g_assert_cmpstr(g_strchomp(value), ==, g_strchomp(item->value));
        }
    }
    g_assert_cmpuint(keyfile->items->len, ==, 5);
}

static void
test_problems(void)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *message;
    } cases[] = {
        { "a=1\n", 1, "before the first" },
        { "[a]\nword\n", 2, "neither" },
        { "[a]\n\n[b\nx=1\n", 3, "no group" },
        { "[]\n", 1, "no group" },
        { "[a]\nx=1\ny=2\nx=3\n", 4, "twice, first in line 2" },
        { "[a]\nx=1\n[b]\nx=1\n[a]\nx=1\n", 6, "twice, first in line 2" },
        { "[a]\nx[de]=1\n", 2, "no key" },
        { "[a]\n=1\n", 2, "no key" },
        { "[a]\nx=\\q\n", 2, "backslash" },
        { "[a]\nx=\\\n", 2, "backslash" },
        { "[a]\nx=1\n\xff\n", 3, "UTF-8" },
        { "[a]\f\n", 1, "control character" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FsnKeyfile) keyfile =
            fsn_keyfile_parse(cases[i].text, strlen(cases[i].text));
        const FsnKeyfileProblem *problem;

        g_assert_cmpuint(keyfile->problems->len, ==, 1);
        problem = keyfile->problems->pdata[0];
        g_test_message("%s", problem->message);
        g_assert_cmpuint(problem->line, ==, cases[i].line);
        g_assert_nonnull(strstr(problem->message, cases[i].message));
    }
}

static void
test_limits(void)
{
    g_autofree char *large = g_strnfill(FSN_KEYFILE_MAX + 1, '#');
    g_autofree char *lines = g_strnfill(5000, '\n');
    g_autoptr(FsnKeyfile) a = fsn_keyfile_parse(large, FSN_KEYFILE_MAX + 1);
    g_autoptr(FsnKeyfile) b = fsn_keyfile_parse(large, FSN_KEYFILE_MAX);
    g_autoptr(FsnKeyfile) c = fsn_keyfile_parse(lines, 5000);
    g_autoptr(FsnKeyfile) nul = fsn_keyfile_parse("[a]\nx=\0y\n", 9);

    g_assert_cmpuint(a->problems->len, ==, 1);
    g_assert_cmpuint(b->problems->len, ==, 0);
    g_assert_cmpuint(c->problems->len, ==, 1);
    g_assert_cmpuint(nul->problems->len, ==, 1);
}

static void
test_edit(void)
{
    static const struct {
        const char *text;
        const char *group;
        const char *key;
        const char *value;
        const char *want;
    } cases[] = {
        { "", "a", "x", "1", "[a]\nx=1\n" },
        { "# why\n[a]\n x = 1 \n# end\n", "a", "x", "2", "# why\n[a]\nx=2\n# end\n" },
        { "[a]\nx=1\n\n[b]\ny=1\n", "a", "z", "3", "[a]\nx=1\nz=3\n\n[b]\ny=1\n" },
        { "[a]\nx=1\n\n[b]\ny=1\n", "c", "z", "3", "[a]\nx=1\n\n[b]\ny=1\n\n[c]\nz=3\n" },
        { "[a]\n[b]\ny=1", "b", "z", "3", "[a]\n[b]\ny=1\nz=3\n" },
        { "[a]\nx=1\n# of x\ny=2\n", "a", "x", NULL, "[a]\n# of x\ny=2\n" },
        { "[a]\nx=1\n", "a", "y", NULL, "[a]\nx=1\n" },
        { "[a]\n", "a", "x", " b\\ ", "[a]\nx=\\sb\\\\\\s\n" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got =
            fsn_keyfile_edit(cases[i].text, cases[i].group, cases[i].key, cases[i].value);

        g_assert_cmpstr(got, ==, cases[i].want);
        if (cases[i].value) {
            g_assert_cmpuint(line_of(got, cases[i].group, cases[i].key, cases[i].value),
                             >, 0);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keyfile/read", test_read);
    g_test_add_func("/keyfile/like-glib", test_like_glib);
    g_test_add_func("/keyfile/problems", test_problems);
    g_test_add_func("/keyfile/limits", test_limits);
    g_test_add_func("/keyfile/edit", test_edit);
    return g_test_run();
}
