/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/access: tokens, scopes and tenants, and the file of tokens. */
#include "config.h"

#include "access/token.h"

#include "base/error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define SECOND G_USEC_PER_SEC

static FsnToken *
make(const char *name,
     FsnScope scope,
     const char *prefix,
     int64_t expires_us,
     char **secret)
{
    g_autoptr(GError) error = NULL;
    FsnToken *token =
        fsn_token_new(name, scope, prefix, NULL, SECOND, expires_us, secret, &error);

    g_assert_no_error(error);
    return token;
}

static void
test_match(void)
{
    g_autoptr(GPtrArray) tokens =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_token_free);
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    g_autofree char *mixed = NULL;

    g_ptr_array_add(tokens, make("first", FSN_SCOPE_READ, NULL, 0, &first));
    g_ptr_array_add(tokens, make("second", FSN_SCOPE_ADMIN, NULL, 5 * SECOND, &second));
    g_assert_cmpstr(fsn_tokens_match(tokens, first, 9 * SECOND)->name, ==, "first");
    g_assert_cmpstr(fsn_tokens_match(tokens, second, 4 * SECOND)->name, ==, "second");
    /* The very instant of its end is too late. */
    g_assert_null(fsn_tokens_match(tokens, second, 5 * SECOND));
    /* The id of one with the secret of another. */
    mixed = g_strndup(first, strlen("fsn_") + 16);
    char *wrong = g_strconcat(mixed, second + strlen(mixed), NULL);
    g_assert_null(fsn_tokens_match(tokens, wrong, 0));
    g_free(wrong);
    g_assert_null(fsn_tokens_match(tokens, "", 0));
    g_assert_null(fsn_tokens_match(tokens, "fsn_", 0));
    for (size_t i = 0; i < strlen(first); i++) {
        g_autofree char *damaged = g_strdup(first);

        damaged[i] = damaged[i] == '0' ? '1' : '0';
        g_assert_null(fsn_tokens_match(tokens, damaged, 0));
        damaged[i] = '\0';
        g_assert_null(fsn_tokens_match(tokens, damaged, 0));
    }
}

static void
test_names(void)
{
    static const char *const bad[] = { "", "a b", "a\n", "a/b", "\xc3\xa4" };
    g_autofree char *longest = g_strnfill(FSN_TOKEN_NAME_MAX + 1, 'a');

    for (size_t i = 0; i <= G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *secret = NULL;
        const char *name = i < G_N_ELEMENTS(bad) ? bad[i] : longest;

        g_assert_null(
            fsn_token_new(name, FSN_SCOPE_READ, NULL, NULL, 0, 0, &secret, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
        g_clear_error(&error);
        g_assert_null(
            fsn_token_new("a", FSN_SCOPE_READ, name, NULL, 0, 0, &secret, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
    }
}

static void
test_tenant(void)
{
    static const char *const tags[] = { "blue", "red", NULL };
    FsnTenant everybody = { NULL, NULL };
    FsnTenant prefix = { (char *)"acme-", NULL };
    FsnTenant tag = { NULL, (char *)"red" };
    FsnTenant both = { (char *)"acme-", (char *)"red" };

    g_assert_true(fsn_tenant_has(&everybody, "x", NULL));
    g_assert_true(fsn_tenant_has(&everybody, NULL, NULL));
    g_assert_true(fsn_tenant_has(&prefix, "acme-web", NULL));
    g_assert_false(fsn_tenant_has(&prefix, "acme", NULL));
    g_assert_false(fsn_tenant_has(&prefix, "xacme-web", NULL));
    g_assert_false(fsn_tenant_has(&prefix, NULL, tags));
    g_assert_true(fsn_tenant_has(&tag, "x", tags));
    g_assert_false(fsn_tenant_has(&tag, "x", NULL));
    g_assert_true(fsn_tenant_has(&both, "acme-1", tags));
    g_assert_false(fsn_tenant_has(&both, "web", tags));
    g_assert_false(fsn_tenant_has(&both, "acme-1", NULL));
    g_assert_false(fsn_tenant_is_limited(&everybody));
    g_assert_true(fsn_tenant_is_limited(&tag));
}

static void
test_file(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("foresnap-access-XXXXXX", &error);
    g_autofree char *path = g_build_filename(folder, "tokens.json", NULL);
    g_autoptr(GPtrArray) tokens = fsn_tokens_load(path, &error);
    g_autoptr(GPtrArray) again = NULL;
    g_autofree char *secret = NULL;
    g_autofree char *text = NULL;
    struct stat st;

    g_assert_no_error(error);
    g_assert_cmpuint(tokens->len, ==, 0);
    g_ptr_array_add(tokens, make("ci", FSN_SCOPE_OPERATE, "acme-", 77, &secret));
    g_assert_true(fsn_tokens_save(path, tokens, &error));
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    again = fsn_tokens_load(path, &error);
    g_assert_no_error(error);
    const FsnToken *token = fsn_tokens_match(again, secret, 0);
    g_assert_nonnull(token);
    g_assert_cmpint(token->scope, ==, FSN_SCOPE_OPERATE);
    g_assert_cmpstr(token->tenant.prefix, ==, "acme-");
    g_assert_null(token->tenant.tag);
    g_assert_cmpint(token->expires_us, ==, 77);
    /* What was given out is nowhere in the file. */
    g_assert_true(g_file_get_contents(path, &text, NULL, &error));
    g_assert_null(strstr(text, secret + strlen(secret) - 64));
    g_assert_cmpint(g_chmod(path, 0640), ==, 0);
    g_assert_null(fsn_tokens_load(path, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FAILED);
    g_unlink(path);
    g_rmdir(folder);
}

static void
test_damage(void)
{
    g_autoptr(GPtrArray) tokens =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_token_free);
    g_autofree char *secret = NULL;
    g_autofree char *text = NULL;
    size_t len;

    g_ptr_array_add(tokens, make("ci", FSN_SCOPE_READ, "acme-", 0, &secret));
    text = fsn_tokens_to_text(tokens);
    len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(fsn_tokens_parse(text, i, &error));
        g_assert_nonnull(error);
    }
    /* A limit of another type must not become none. */
    char *where = strstr(text, "\"acme-\"");
    memcpy(where, "1234567", 7);
    g_autoptr(GError) error = NULL;
    g_assert_null(fsn_tokens_parse(text, len, &error));
    g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/access/match", test_match);
    g_test_add_func("/access/names", test_names);
    g_test_add_func("/access/tenant", test_tenant);
    g_test_add_func("/access/file", test_file);
    g_test_add_func("/access/damage", test_damage);
    return g_test_run();
}
