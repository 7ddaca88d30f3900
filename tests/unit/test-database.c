/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Declarations of databases: what is read, what is refused and how that is worded; and the table of
 * what a snapshot does about one. */
#include "config.h"

#include "base/error.h"
#include "policies/database.h"

#include <string.h>

static GPtrArray *
parse(const char *text)
{
    GPtrArray *databases = NULL;
    GError *error = NULL;

    g_assert_true(fsn_databases_parse(text, &databases, &error));
    g_assert_no_error(error);
    return databases;
}

static void
test_read(void)
{
    g_autoptr(GPtrArray) databases = parse(
        "pg on=vda:1,vdb quiesce=\"psql -qc 'CHECKPOINT; SELECT 1 # one'\" limit=2min ;; "
        " orders.2 on=vdc quiesce=/bin/hold release='/bin/go --all \"a b\"' "
        "release-limit=5s on-failure=fail;");
    const FsnDatabase *pg = databases->pdata[0];
    const FsnDatabase *orders = databases->pdata[1];
    const FsnDatabasePlace *first = pg->places->pdata[0];
    const FsnDatabasePlace *second = pg->places->pdata[1];
    g_autofree char *text = fsn_database_place_text(first);
    g_autofree char *other = fsn_database_place_text(second);

    g_assert_cmpuint(databases->len, ==, 2);
    g_assert_cmpstr(pg->name, ==, "pg");
    g_assert_cmpuint(pg->places->len, ==, 2);
    g_assert_cmpstr(text, ==, "vda:1");
    g_assert_cmpstr(other, ==, "vdb");
    g_assert_cmpuint(g_strv_length(pg->quiesce), ==, 3);
    g_assert_cmpstr(pg->quiesce[2], ==, "CHECKPOINT; SELECT 1 # one");
    g_assert_null(pg->release);
    g_assert_cmpint(pg->limit_us, ==, INT64_C(120000000));
    g_assert_cmpint(pg->release_limit_us, ==, INT64_C(30000000));
    g_assert_cmpint(pg->on_failure, ==, FSN_DATABASE_AS_PROFILE);

    g_assert_cmpstr(orders->name, ==, "orders.2");
    g_assert_cmpstr(orders->release[2], ==, "a b");
    g_assert_cmpint(orders->release_limit_us, ==, INT64_C(5000000));
    g_assert_cmpint(orders->on_failure, ==, FSN_DATABASE_FAIL);
}

static void
test_none(void)
{
    static const char *const texts[] = { "", " ", ";", " ; ;" };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GPtrArray) databases = parse(texts[i]);

        g_assert_cmpuint(databases->len, ==, 0);
    }
}

static void
test_refused(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        { "pg", "database 'pg': on= is missing" },
        { "pg on=vda", "quiesce= is missing" },
        { "pg quiesce=a", "on= is missing" },
        { "on=vda quiesce=a", "is no name of a database" },
        { "-pg on=vda quiesce=a", "is no name of a database" },
        { "p/g on=vda quiesce=a", "is no name of a database" },
        { "pg on=vda:0 quiesce=a", "write DISK or DISK:PARTITION" },
        { "pg on=vda: quiesce=a", "write DISK or DISK:PARTITION" },
        { "pg on=vda:257 quiesce=a", "write DISK or DISK:PARTITION" },
        { "pg on=vda:1x quiesce=a", "write DISK or DISK:PARTITION" },
        { "pg on=vda, quiesce=a", "write DISK or DISK:PARTITION" },
        { "pg on=../x quiesce=a", "write DISK or DISK:PARTITION" },
        { "pg on=a,b,c,d,e,f,g,h,i quiesce=a", "more than 8 disks" },
        { "pg on=vda quiesce=a on=vdb", "on is there twice" },
        { "pg on=vda quisce=a", "did you mean 'quiesce'" },
        { "pg on=vda quiesce=a b", "'b' is not known" },
        { "pg on=vda quiesce=", "cannot be split into words" },
        { "pg on=vda quiesce=\"''\"", "a command is a program" },
        { "pg on=vda quiesce=\"sh -c 'a\"", "cannot be split into words" },
        { "pg on=vda quiesce='a", "cannot be split into words" },
        { "pg on=vda quiesce=a limit=30", "limit: '30'" },
        { "pg on=vda quiesce=a limit=0s", "limit: '0s'" },
        { "pg on=vda quiesce=a release-limit=11min", "release-limit: '11min'" },
        { "pg on=vda quiesce=a on-failure=maybe", "on-failure is continue or fail" },
        { "pg on=vda quiesce=a # why", "'#' has to be quoted" },
        { "pg on=vda quiesce=a; pg on=vdb quiesce=b", "'pg' is there twice" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) databases = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_databases_parse(cases[i].text, &databases, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        if (!strstr(error->message, cases[i].message)) {
            g_error("'%s': '%s' is not in '%s'", cases[i].text, cases[i].message,
                    error->message);
        }
        g_assert_null(databases);
    }
}

static void
test_bounds(void)
{
    g_autoptr(GString) many = g_string_new(NULL);
    g_autoptr(GString) words = g_string_new("pg on=vda quiesce='a");
    g_autoptr(GString) chars = g_string_new("pg on=vda quiesce=");
    const GString *texts[] = { many, words, chars };

    for (int i = 0; i < 17; i++) {
        g_string_append_printf(many, "d%d on=vda quiesce=a;", i);
    }
    for (int i = 0; i < 64; i++) {
        g_string_append(words, " b");
    }
    g_string_append(words, "'");
    for (int i = 0; i < 2049; i++) {
        g_string_append_c(chars, 'a');
    }
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GPtrArray) databases = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_false(fsn_databases_parse(texts[i]->str, &databases, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

/* Each fact alone, from a database that can be brought to rest. */
static void
test_plan(void)
{
    const FsnDatabaseFound good = { .level = FSN_LEVEL_DETAILED,
                                    .running = true,
                                    .agent = true,
                                    .connected = true,
                                    .some_taken = true };
    FsnDatabaseFound f[13];

    const struct {
        FsnDatabaseAction action;
        const char *reason;
    } expected[G_N_ELEMENTS(f)] = {
        { FSN_DATABASE_QUIESCE, "brought to rest" },
        { FSN_DATABASE_PASS, "level minimal" },
        { FSN_DATABASE_PASS, "nothing was to be" },
        { FSN_DATABASE_PASS, "is off" },
        { FSN_DATABASE_PASS, "only parts" },
        { FSN_DATABASE_PASS, "the memory" },
        { FSN_DATABASE_PASS, "'vdb' is not taken" },
        { FSN_DATABASE_CANNOT, "no disk 'vdz'" },
        { FSN_DATABASE_CANNOT, "'vdb' is not taken" },
        { FSN_DATABASE_CANNOT, "stands still" },
        { FSN_DATABASE_CANNOT, "not connected" },
        { FSN_DATABASE_CANNOT, "no channel" },
        { FSN_DATABASE_QUIESCE, "brought to rest" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(f); i++) {
        f[i] = good;
    }
    f[1].level = FSN_LEVEL_MINIMAL;
    f[2].unwanted = true;
    f[3].off = true;
    f[4].parts = true;
    f[5].memory = true;
    f[6].untaken = "vdb";
    f[6].some_taken = false;
    f[7].absent = "vdz";
    f[8].untaken = "vdb";
    f[9].running = false;
    f[10].connected = false;
    f[11].connected = f[11].agent = false;
    f[12].memory = f[12].insisted = true;
    for (size_t i = 0; i < G_N_ELEMENTS(f); i++) {
        g_autofree char *reason = NULL;

        g_assert_cmpint(fsn_database_plan(&f[i], &reason), ==, expected[i].action);
        g_assert_nonnull(strstr(reason, expected[i].reason));
    }
}

static void
test_goes_on(void)
{
    g_autoptr(GPtrArray) databases = parse("a on=vda quiesce=x;"
                                           "b on=vda quiesce=x on-failure=continue;"
                                           "c on=vda quiesce=x on-failure=fail");

    g_assert_true(fsn_database_goes_on(databases->pdata[0], false));
    g_assert_false(fsn_database_goes_on(databases->pdata[0], true));
    g_assert_true(fsn_database_goes_on(databases->pdata[1], true));
    g_assert_false(fsn_database_goes_on(databases->pdata[2], false));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/database/read", test_read);
    g_test_add_func("/database/none", test_none);
    g_test_add_func("/database/refused", test_refused);
    g_test_add_func("/database/bounds", test_bounds);
    g_test_add_func("/database/plan", test_plan);
    g_test_add_func("/database/goes-on", test_goes_on);
    return g_test_run();
}
