/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a profile: problems, or a profile that GKeyFile reads alike and that is the
 * same after an edit that changes nothing. */
#include "config.h"

#include "policies/keyfile.h"
#include "policies/profile-set.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_like_glib(const FsnKeyfile *keyfile, const char *text, size_t size)
{
    g_autoptr(GKeyFile) other = g_key_file_new();
    g_autoptr(GError) error = NULL;

    if (!g_key_file_load_from_data(other, text, size, 0, &error) &&
        keyfile->items->len > 0) {
        g_error("GKeyFile refuses it: %s", error->message);
    }
    for (guint i = 0; i < keyfile->items->len; i++) {
        const FsnKeyfileItem *item = keyfile->items->pdata[i];
        g_autofree char *value =
            item->key ? g_key_file_get_string(other, item->group, item->key, NULL) : NULL;
        g_autofree char *ours = g_strdup(item->value);

        if (item->key && strcmp(g_strchomp(value), g_strchomp(ours)) != 0) {
            g_error("'%s' is '%s' for GKeyFile", item->value, value);
        }
    }
}

static void
check_edit(const FsnKeyfile *keyfile, const char *text)
{
    for (guint i = 0; i < MIN(keyfile->items->len, 8); i++) {
        const FsnKeyfileItem *item = keyfile->items->pdata[i];
        g_autofree char *edited = NULL;
        g_autoptr(FsnKeyfile) again = NULL;

        if (!item->key || strpbrk(item->value, "\n\r")) {
            continue; /* no value of a profile has these */
        }
        edited = fsn_keyfile_edit(text, item->group, item->key, item->value);
        again = fsn_keyfile_parse(edited, strlen(edited));
        if (again->problems->len > 0 || again->items->len != keyfile->items->len ||
            strcmp(((FsnKeyfileItem *)again->items->pdata[i])->value, item->value) != 0) {
            g_error("an edit changed '%s' into '%s'", text, edited);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(FsnKeyfile) keyfile = fsn_keyfile_parse(text, size);
    g_autoptr(FsnProfileSet) set = fsn_profile_set_new();
    g_autoptr(FsnProfile) profile = NULL;
    g_autoptr(GPtrArray) problems = NULL;

    if (keyfile->problems->len == 0) {
        check_like_glib(keyfile, text, size);
        if (size < FSN_KEYFILE_MAX / 2) {
            check_edit(keyfile, text);
        }
    }
    fsn_profile_set_add(
        set, fsn_profile_file_parse("x", "x.profile", FSN_PROFILE_USER, text, size));
    problems = fsn_profile_set_check(set, fsn_profile_set_lookup(set, "x"));
    profile = fsn_profile_set_resolve(set, "x", NULL);
    if ((profile == NULL) != (problems->len > 0)) {
        g_error("a check and a use of '%s' do not agree", text);
    }
    return 0;
}
