/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policies/profile-value.c, selector.c and suggest.c: texts, and what they mean. */
#include "config.h"

#include "base/error.h"
#include "policies/level.h"
#include "policies/profile-keys.h"
#include "policies/profile-value.h"
#include "policies/selector.h"
#include "policies/suggest.h"

#include <string.h>

static const char *const words[] = { "rate", "cost", NULL };

static void
test_values(void)
{
    static const FsnValueRule size = { FSN_VALUE_SIZE, 1, 1 << 30, true, NULL };
    static const FsnValueRule rate = { FSN_VALUE_RATE, 0, 1 << 30, true, NULL };
    static const FsnValueRule percent = { FSN_VALUE_PERCENT, 0, 100, false, NULL };
    static const FsnValueRule duration = { FSN_VALUE_DURATION, 5000000, 3600000000, false,
                                           NULL };
    static const FsnValueRule count = { FSN_VALUE_COUNT, 0, 10, false, NULL };
    static const FsnValueRule level = { FSN_VALUE_LEVEL };
    static const FsnValueRule word = { FSN_VALUE_WORD, .words = words };

    static const struct {
        const FsnValueRule *rule;
        const char *text;
        uint64_t number;
        const char *refusal; /* NULL = accepted */
    } cases[] = {
        { &size, "64K", 65536, NULL },
        { &size, "64 KiB", 65536, NULL },
        { &size, "1.5M", 1572864, NULL },
        { &size, "off", UINT64_MAX, NULL },
        { &size, "0", 0, "out of range" },
        { &size, "2G", 0, "out of range" },
        { &size, "1e300G", 0, "out of range" },
        { &size, "1.5", 0, "no whole number" },
        { &size, "8M/s", 0, "another unit" },
        { &size, "8MB", 0, "another unit" },
        { &size, "-1", 0, "no number" },
        { &size, "nan", 0, "no number" },
        { &size, "", 0, "no number" },
        { &rate, "8M/s", 8 << 20, NULL },
        { &rate, "8M", 0, "another unit" },
        { &rate, "8", 0, "no unit" },
        { &percent, "20%", 20, NULL },
        { &percent, "101%", 0, "out of range" },
        { &percent, "20", 0, "no unit" },
        { &percent, "off", 0, "no number" },
        { &duration, "10s", 10000000, NULL },
        { &duration, "5min", 300000000, NULL },
        { &duration, "1h", 3600000000, NULL },
        { &duration, "4s", 0, "5s to 1h" },
        { &duration, "10", 0, "no unit" },
        { &count, "10", 10, NULL },
        { &count, "11", 0, "0 to 10" },
        { &count, "0x5", 0, "no number" },
        { &count, "1.5", 0, "no whole number" },
        { &level, "raw", FSN_LEVEL_RAW, NULL },
        { &level, "Raw", 0, "minimal, standard, detailed or raw" },
        { &word, "cost", 1, NULL },
        { &word, "price", 0, "rate or cost" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        FsnValue value = { 0 };
        bool ok = fsn_value_parse(cases[i].rule, cases[i].text, &value, &error);

        g_test_message("%s: %s", cases[i].text, error ? error->message : "accepted");
        g_assert_true(ok == !cases[i].refusal);
        if (ok) {
            g_assert_cmpuint(value.number, ==, cases[i].number);
        } else {
            g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
            g_assert_nonnull(strstr(error->message, cases[i].refusal));
        }
    }
}

/* Every default of the table is a value of its key. */
static void
test_defaults(void)
{
    for (unsigned i = 0; i < FSN_N_PROFILE_KEYS; i++) {
        const FsnProfileKey *key = fsn_profile_key(i);
        g_autofree char *name = fsn_profile_key_name(i);
        g_autofree char *allowed = fsn_value_allowed(&key->rule);
        g_autoptr(GError) error = NULL;
        FsnValue value;
        unsigned id;

        g_test_message("%s: %s", name, allowed);
        g_assert_true(fsn_profile_key_parse(name, &id, &error));
        g_assert_cmpuint(id, ==, i);
        if (i != FSN_KEY_INHERIT) {
            g_assert_true(fsn_value_parse(&key->rule, key->fallback, &value, &error));
        }
    }
    g_assert_cmpuint(fsn_resource_key(FSN_RESOURCE_DATABASE, FSN_KEY_HYSTERESIS), ==,
                     FSN_KEY_DESCRIPTION - 1);
}

static void
test_keys(void)
{
    static const struct {
        const char *name;
        const char *message; /* NULL = known */
    } cases[] = {
        { "disk.base", NULL },
        { "mode-rule", NULL },
        { "keep-daily", NULL },
        { "base", "GROUP.KEY" },
        { "disk.bsae", "did you mean 'base'" },
        { "dsik.base", "did you mean 'disk'" },
        { "moderule", "did you mean 'profile.mode-rule'" },
        { "disk.zzzzzzz", "allowed: base, least" },
        { "", "unknown key" },
        { ".", "unknown group" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        unsigned id;
        bool ok = fsn_profile_key_parse(cases[i].name, &id, &error);

        g_test_message("%s: %s", cases[i].name, error ? error->message : "known");
        g_assert_true(ok == !cases[i].message);
        if (!ok) {
            g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
            g_assert_nonnull(strstr(error->message, cases[i].message));
        }
    }
}

#define SWAP "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"

static void
test_selectors(void)
{
    static const FsnSelectable disk = { .target = "vda", .size = UINT64_C(8) << 30 };
    static const FsnSelectable part = { .target = "vda:2",
                                        .size = UINT64_C(1) << 30,
                                        .type = SWAP,
                                        .name = "swap space",
                                        .label = "scratch1" };

    static const struct {
        const char *list;
        const FsnSelectable *what;
        const char *found; /* NULL = none */
    } cases[] = {
        { "", &disk, NULL },
        { "target:vda", &disk, "target:vda" },
        { "target:vdb; target:vd?", &disk, "target:vd?" },
        { "size:>1G", &disk, "size:>1G" },
        { "size:>8G", &disk, NULL },
        { "size:<8G", &disk, NULL },
        { "size:<9G", &disk, "size:<9G" },
        { "type:swap", &disk, NULL },
        { "label:*", &disk, NULL },
        { "target:vda", &part, NULL },
        { "target:vda:*", &part, "target:vda:*" },
        { "type:swap", &part, "type:swap" },
        { "type:linux;type:" SWAP, &part, "type:" SWAP },
        { "type:0x82", &part, NULL },
        { "label:scratch*", &part, "label:scratch*" },
        { "label:swap space", &part, "label:swap space" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FsnSelector) found = fsn_selectors_find(cases[i].list, cases[i].what);

        g_test_message("%s", cases[i].list);
        g_assert_cmpstr(found ? found->text : NULL, ==, cases[i].found);
    }
}

static void
test_bad_selectors(void)
{
    static const char *const cases[] = {
        "vda",      "target:",   "size:10G",   "size:>10",    "size:>10M/s", "type:swop",
        "type:0x8", "type:0xZZ", "colour:red", "label:*****", "size:>x",     "",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(FsnSelector) selector = fsn_selector_parse(cases[i], &error);

        g_test_message("%s: %s", cases[i], error ? error->message : "accepted");
        /* A size without letter is one in bytes. */
        if (strcmp(cases[i], "size:>10") == 0) {
            g_assert_nonnull(selector);
        } else {
            g_assert_null(selector);
            g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        }
    }
}

static void
test_suggest(void)
{
    static const char *const known[] = { "base", "least", "greatest", "io-high", NULL };

    g_assert_cmpuint(fsn_edit_distance("", "abc"), ==, 3);
    g_assert_cmpuint(fsn_edit_distance("abc", "abc"), ==, 0);
    g_assert_cmpuint(fsn_edit_distance("kitten", "sitting"), ==, 3);
    g_assert_cmpuint(fsn_edit_distance("ab", "ba"), ==, 1);
    g_assert_cmpuint(fsn_edit_distance("bsae", "base"), ==, 1);
    g_assert_cmpstr(fsn_suggest("bsae", known), ==, "base");
    g_assert_cmpstr(fsn_suggest("greates", known), ==, "greatest");
    g_assert_cmpstr(fsn_suggest("io_high", known), ==, "io-high");
    g_assert_cmpstr(fsn_suggest("colour", known), ==, NULL);
    g_assert_cmpstr(fsn_suggest("", known), ==, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/profile-value/values", test_values);
    g_test_add_func("/profile-value/defaults", test_defaults);
    g_test_add_func("/profile-value/keys", test_keys);
    g_test_add_func("/profile-value/selectors", test_selectors);
    g_test_add_func("/profile-value/bad-selectors", test_bad_selectors);
    g_test_add_func("/profile-value/suggest", test_suggest);
    return g_test_run();
}
