/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policies/profile-file.c, profile-set.c and profile-check.c: what is wrong with a profile, what
 * it inherits, and where each value comes from. */
#include "config.h"

#include "base/error.h"
#include "base/files.h"
#include "policies/profile-set.h"

#include <string.h>

#define DISK_BASE 16 /* checked below */

static FsnProfileFile *
file_of(FsnProfileOrigin origin, const char *name, const char *text)
{
    g_autofree char *path =
        g_strdup_printf("/%s/%s.profile", fsn_profile_origin_name(origin), name);

    return fsn_profile_file_parse(name, path, origin, text, strlen(text));
}

static void
add(FsnProfileSet *set, FsnProfileOrigin origin, const char *name, const char *text)
{
    fsn_profile_set_add(set, file_of(origin, name, text));
}

/* The problem of an otherwise empty file with these lines, beside a profile "standard". */
static void
test_bad_input(void)
{
    static const struct {
        const char *text;
        const char *problem;
    } cases[] = {
        { "[disk]\nbsae=raw\n",
          "/user/x.profile:2: unknown key in [disk] 'bsae', did you "
          "mean 'base'? allowed: base, least, greatest" },
        { "\n[dsik]\nbase=raw\n", "/user/x.profile:2: unknown group 'dsik', did you mean "
                                  "'disk'? allowed: config, memory" },
        { "[disk]\nbase=all\n", "/user/x.profile:2: disk.base: 'all' is not known here; "
                                "allowed: minimal, standard, detailed or raw" },
        { "[disk]\nio-high=8M\n",
          "/user/x.profile:2: disk.io-high: '8M' has another unit" },
        { "[disk]\nleast=raw\ngreatest=minimal\n",
          "/user/x.profile:2: disk.least is 'raw'" },
        { "[disk]\ngreatest=minimal\n",
          "/user/x.profile:2: disk.base is 'detailed' (default), which is above: "
          "disk.greatest is 'minimal' (/user/x.profile:2)" },
        { "[disk]\nio-high=1M/s\nio-low=2M/s\n",
          "/user/x.profile:3: disk.io-low is '2M/s'" },
        { "[disk]\nio-high=10M/s\nio-low=9M/s\n", "hysteresis" },
        { "[profile]\ninherit=standrad\n",
          "/user/x.profile:2: profile.inherit: there is no profile 'standrad', did you "
          "mean 'standard'? there are: standard, x" },
        { "[profile]\ninherit=x\n", "there is no profile 'x'" },
        { "[profile]\ninherit=../x\n", "no name of a profile" },
        { "[partition]\nexclude=type:swop\n", "/user/x.profile:2: partition.exclude: "
                                              "'type:swop' is refused" },
        { "[schedule]\nwhen=hourly; 25:00\n", "'25:00' is refused: '25' is no hour" },
        { "[schedule]\nquiet=22-6\n", "time of day" },
        { "[disk]\nbase=raw\nbase=raw\n", "/user/x.profile:3: 'base' is given twice" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FsnProfileSet) set = fsn_profile_set_new();
        g_autoptr(FsnProfile) profile = NULL;
        g_autoptr(GPtrArray) problems = NULL;
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;

        add(set, FSN_PROFILE_SHIPPED, "standard", "");
        add(set, FSN_PROFILE_USER, "x", cases[i].text);
        problems = fsn_profile_set_check(set, fsn_profile_set_lookup(set, "x"));
        g_assert_cmpuint(problems->len, ==, 1);
        text = fsn_profile_problem_text(problems->pdata[0]);
        g_test_message("%s", text);
        g_assert_nonnull(strstr(text, cases[i].problem));
        profile = fsn_profile_set_resolve(set, "x", &error);
        g_assert_null(profile);
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_cmpstr(error->message, ==, text);
    }
}

/* All that is wrong is told, in the order of the lines. */
static void
test_all_problems(void)
{
    g_autoptr(FsnProfileSet) set = fsn_profile_set_new();
    g_autoptr(GPtrArray) problems = NULL;
    g_autoptr(FsnProfile) profile = NULL;
    g_autoptr(GError) error = NULL;
    unsigned line = 0;

    add(set, FSN_PROFILE_USER, "x",
        "[disk]\nbsae=raw\nbase=raw\nwhat\nio-high=1\n[x]\ny=1\nz=2\n");
    problems = fsn_profile_set_check(set, fsn_profile_set_lookup(set, "x"));
    g_assert_cmpuint(problems->len, ==, 4);
    for (guint i = 0; i < problems->len; i++) {
        const FsnProfileProblem *problem = problems->pdata[i];

        g_assert_cmpuint(problem->line, >, line);
        line = problem->line;
    }
    profile = fsn_profile_set_resolve(set, "x", &error);
    g_assert_null(profile);
    g_assert_nonnull(strstr(error->message, "(and 3 more)"));
}

static void
expect_setting(const FsnProfile *profile,
               unsigned id,
               const char *text,
               const char *source)
{
    g_assert_cmpstr(profile->settings[id].text, ==, text);
    g_assert_cmpstr(profile->settings[id].source, ==, source);
}

static void
test_inherit(void)
{
    g_autoptr(FsnProfileSet) set = fsn_profile_set_new();
    g_autoptr(FsnProfileFile) domain = NULL;
    g_autoptr(FsnProfile) profile = NULL;
    g_autoptr(GError) error = NULL;

    add(set, FSN_PROFILE_SHIPPED, "standard",
        "[profile]\ndescription=shipped\n[disk]\nbase=standard\n[memory]\nbase=minimal\n");
    add(set, FSN_PROFILE_SYSTEM, "standard",
        "[profile]\ninherit=standard\n[memory]\nbase=raw\n");
    add(set, FSN_PROFILE_SYSTEM, "web", "[profile]\ninherit=standard\n[log]\ntail=1M\n");
    domain = fsn_profile_file_new(NULL, "domain 'a'", FSN_PROFILE_DOMAIN);
    fsn_profile_file_set(domain, 0, "inherit", "web");
    fsn_profile_file_set(domain, 0, "disk.greatest", "detailed");

    profile = fsn_profile_set_resolve_file(set, domain, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(profile->name, ==, "web");
    g_assert_cmpuint(fsn_resource_key(FSN_RESOURCE_DISK, FSN_KEY_BASE), ==, DISK_BASE);
    expect_setting(profile, DISK_BASE, "standard", "/shipped/standard.profile:4");
    expect_setting(profile, fsn_resource_key(FSN_RESOURCE_DISK, FSN_KEY_GREATEST),
                   "detailed", "domain 'a'");
    expect_setting(profile, fsn_resource_key(FSN_RESOURCE_MEMORY, FSN_KEY_BASE), "raw",
                   "/system/standard.profile:4");
    expect_setting(profile, FSN_KEY_LOG_TAIL, "1M", "/system/web.profile:4");
    expect_setting(profile, FSN_KEY_MODE_RULE, "rate", "default");
    expect_setting(profile, FSN_KEY_DESCRIPTION, "", "default");
    g_assert_cmpuint(fsn_profile_number(profile, FSN_KEY_LOG_TAIL), ==, 1 << 20);
    g_assert_cmpint(fsn_profile_level(profile, FSN_RESOURCE_MEMORY, FSN_KEY_BASE), ==,
                    FSN_LEVEL_RAW);
}

/* What a domain overrides is checked against what it inherits. */
static void
test_domain_problems(void)
{
    g_autoptr(FsnProfileSet) set = fsn_profile_set_new();
    g_autoptr(FsnProfileFile) domain = NULL;
    g_autoptr(FsnProfile) profile = NULL;
    g_autoptr(GError) error = NULL;

    add(set, FSN_PROFILE_SHIPPED, "a", "[disk]\ngreatest=detailed\n");
    domain = fsn_profile_file_new(NULL, "domain 'd'", FSN_PROFILE_DOMAIN);
    fsn_profile_file_set(domain, 0, "inherit", "a");
    fsn_profile_file_set(domain, 0, "disk.base", "raw");
    profile = fsn_profile_set_resolve_file(set, domain, &error);
    g_assert_null(profile);
    g_assert_cmpstr(error->message, ==,
                    "domain 'd': disk.base is 'raw' (domain 'd'), which is above: "
                    "disk.greatest is 'detailed' (/shipped/a.profile:2)");
}

static void
test_loops(void)
{
    g_autoptr(FsnProfileSet) set = fsn_profile_set_new();
    g_autoptr(FsnProfile) a = NULL;
    g_autoptr(FsnProfile) deep = NULL;
    g_autoptr(GError) error = NULL;

    add(set, FSN_PROFILE_USER, "a", "[profile]\ninherit=b\n");
    add(set, FSN_PROFILE_USER, "b", "[profile]\ninherit=c\n");
    add(set, FSN_PROFILE_USER, "c", "[profile]\ninherit=a\n");
    a = fsn_profile_set_resolve(set, "a", &error);
    g_assert_null(a);
    g_assert_cmpstr(
        error->message, ==,
        "/user/c.profile:2: profile.inherit: profiles inherit each other in a "
        "loop: a, b, c, a");
    g_clear_error(&error);
    for (unsigned i = 0; i < 20; i++) {
        g_autofree char *name = g_strdup_printf("d%u", i);
        g_autofree char *text = g_strdup_printf("[profile]\ninherit=d%u\n", i + 1);

        add(set, FSN_PROFILE_USER, name, i < 19 ? text : "");
    }
    deep = fsn_profile_set_resolve(set, "d0", &error);
    g_assert_null(deep);
    g_assert_nonnull(strstr(error->message, "more than 16"));
    deep = fsn_profile_set_resolve(set, "d4", NULL);
    g_assert_nonnull(deep);
}

static void
test_two_of_one_name(void)
{
    g_autoptr(FsnProfileSet) set = fsn_profile_set_new();
    g_autoptr(FsnProfile) profile = NULL;
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GError) error = NULL;

    add(set, FSN_PROFILE_SHIPPED, "b", "");
    add(set, FSN_PROFILE_SYSTEM, "b", "");
    add(set, FSN_PROFILE_SYSTEM, "a", "");
    list = fsn_profile_set_list(set);
    all = fsn_profile_set_all(set);
    g_assert_cmpuint(list->len, ==, 2);
    g_assert_cmpuint(all->len, ==, 3);
    g_assert_cmpint(((const FsnProfileFile *)list->pdata[1])->origin, ==,
                    FSN_PROFILE_SYSTEM);
    add(set, FSN_PROFILE_SYSTEM, "b", "");
    profile = fsn_profile_set_resolve(set, "b", &error);
    g_assert_null(profile);
    g_assert_nonnull(strstr(error->message, "two files of one name"));
    g_clear_error(&error);
    profile = fsn_profile_set_resolve(set, "c", &error);
    g_assert_null(profile);
    g_assert_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "there are: a, b"));
}

/* Those that come with foresnap are sound, and in the order that their names promise. */
static void
test_shipped(void)
{
    g_autoptr(FsnProfileSet) set = fsn_profile_set_new();

    for (FsnLevel level = 0; level < FSN_N_LEVELS; level++) {
        const char *name = fsn_level_name(level);
        g_autofree char *file = g_strconcat(name, FSN_PROFILE_SUFFIX, NULL);
        g_autofree char *path =
            g_test_build_filename(G_TEST_DIST, "policies", "profiles", file, NULL);
        g_autoptr(GBytes) bytes = NULL;
        g_autoptr(FsnProfile) profile = NULL;
        g_autoptr(GError) error = NULL;
        gsize len;
        const char *text;

        g_assert_true(fsn_file_read(path, 65536, &bytes, &error));
        text = g_bytes_get_data(bytes, &len);
        fsn_profile_set_add(
            set, fsn_profile_file_parse(name, path, FSN_PROFILE_SHIPPED, text, len));
        profile = fsn_profile_set_resolve(set, name, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(fsn_profile_text(profile, FSN_KEY_DESCRIPTION), !=, "");
        for (FsnResourceKind kind = 0; kind < FSN_N_RESOURCES; kind++) {
            g_assert_cmpint(fsn_profile_level(profile, kind, FSN_KEY_BASE), ==, level);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/profile/bad-input", test_bad_input);
    g_test_add_func("/profile/all-problems", test_all_problems);
    g_test_add_func("/profile/inherit", test_inherit);
    g_test_add_func("/profile/domain-problems", test_domain_problems);
    g_test_add_func("/profile/loops", test_loops);
    g_test_add_func("/profile/two-of-one-name", test_two_of_one_name);
    g_test_add_func("/profile/shipped", test_shipped);
    return g_test_run();
}
