/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Profiles in their folders. Those that come with foresnap are only read; each user has one
 * folder to write to. Nothing is written that would leave a profile unsound which was sound
 * before, and a file is replaced in one step.
 */
#include "config.h"

#include "cycle/profile-store.h"

#include "base/error.h"
#include "base/files.h"
#include "policies/keyfile.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *
fsn_profile_folder(FsnProfileOrigin origin)
{
    const char *data = g_getenv("FORESNAP_DATA_DIR");
    const char *config = g_getenv("FORESNAP_CONFIG_DIR");

    switch (origin) {
    case FSN_PROFILE_SHIPPED:
        return g_build_filename(data ? data : FSN_PKGDATADIR, "profiles", NULL);
    case FSN_PROFILE_SYSTEM:
        return g_build_filename(config ? config : FSN_SYSCONFDIR "/foresnap", "profiles",
                                NULL);
    case FSN_PROFILE_USER:
        return geteuid() == 0 ? NULL
                              : g_build_filename(g_get_user_config_dir(), "foresnap",
                                                 "profiles", NULL);
    case FSN_PROFILE_DOMAIN:
    case FSN_N_PROFILE_ORIGINS:
        break;
    }
    return NULL;
}

FsnProfileOrigin
fsn_profile_own_origin(void)
{
    return geteuid() == 0 ? FSN_PROFILE_SYSTEM : FSN_PROFILE_USER;
}

/* A pipe among the files would be waited for, so only files are opened. */
static bool
read_text(const char *path, GBytes **out_bytes, GError **error)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return fsn_set_errno(error, errno, "cannot read it");
    }
    if (!S_ISREG(st.st_mode)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "it is not a file");
        return false;
    }
    return fsn_file_read(path, FSN_KEYFILE_MAX, out_bytes, error);
}

static FsnProfileFile *
load_file(const char *folder, const char *entry, FsnProfileOrigin origin)
{
    static const FsnValueRule rule = { .type = FSN_VALUE_NAME };
    g_autofree char *path = g_build_filename(folder, entry, NULL);
    g_autofree char *name =
        g_ascii_strdown(entry, (gssize)(strlen(entry) - strlen(FSN_PROFILE_SUFFIX)));
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) error = NULL;
    FsnProfileFile *file;
    FsnValue value;

    if (!fsn_value_parse(&rule, name, &value, &error) ||
        !read_text(path, &bytes, &error)) {
        file = fsn_profile_file_new(name, path, origin);
        fsn_profile_problem_add(file->problems, path, 0, "%s", error->message);
        return file;
    }
    return fsn_profile_file_parse(name, path, origin, g_bytes_get_data(bytes, NULL),
                                  g_bytes_get_size(bytes));
}

static bool
load_folder(FsnProfileSet *set, FsnProfileOrigin origin, GError **error)
{
    g_autofree char *folder = fsn_profile_folder(origin);
    g_autoptr(GDir) dir = NULL;
    g_autoptr(GError) local = NULL;
    const char *entry;

    if (!folder) {
        return true;
    }
    dir = g_dir_open(folder, 0, &local);
    if (!dir) {
        if (g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
            return true;
        }
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED, "cannot read the profiles: %s",
                    local->message);
        return false;
    }
    while ((entry = g_dir_read_name(dir)) != NULL) {
        if (*entry != '.' && g_str_has_suffix(entry, FSN_PROFILE_SUFFIX)) {
            fsn_profile_set_add(set, load_file(folder, entry, origin));
        }
    }
    return true;
}

FsnProfileSet *
fsn_profiles_load(GError **error)
{
    g_autoptr(FsnProfileSet) set = fsn_profile_set_new();

    for (FsnProfileOrigin origin = 0; origin < FSN_PROFILE_DOMAIN; origin++) {
        if (!load_folder(set, origin, error)) {
            return NULL;
        }
    }
    if (!fsn_profile_set_lookup(set, FSN_PROFILE_DEFAULT)) {
        fsn_profile_set_add(set, fsn_profile_file_new(FSN_PROFILE_DEFAULT, "built in",
                                                      FSN_PROFILE_SHIPPED));
    }
    return g_steal_pointer(&set);
}

bool
fsn_profile_read(const FsnProfileFile *file, char **out_text, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;

    if (!read_text(file->path, &bytes, error)) {
        g_prefix_error(error, "'%s': ", file->path);
        return false;
    }
    *out_text =
        g_strndup(g_bytes_get_data(bytes, NULL) ? g_bytes_get_data(bytes, NULL) : "",
                  g_bytes_get_size(bytes));
    return true;
}

/* The file of this user's own profile @name; the caller frees. */
static char *
own_path(const char *name)
{
    g_autofree char *folder = fsn_profile_folder(fsn_profile_own_origin());
    g_autofree char *entry = g_strconcat(name, FSN_PROFILE_SUFFIX, NULL);

    return g_build_filename(folder, entry, NULL);
}

/* What is sound in @before and would not be in @after, into @problems. */
static void
find_broken(const FsnProfileSet *before, const FsnProfileSet *after, GPtrArray *problems)
{
    g_autoptr(GPtrArray) list = fsn_profile_set_list(before);

    for (guint i = 0; i < list->len; i++) {
        const FsnProfileFile *old = list->pdata[i];
        const FsnProfileFile *new = fsn_profile_set_lookup(after, old->name);
        g_autoptr(GPtrArray) were = fsn_profile_set_check(before, old);
        g_autoptr(GPtrArray) are = new ? fsn_profile_set_check(after, new) : NULL;

        if (are && are->len > 0 && were->len == 0) {
            const FsnProfileProblem *first = are->pdata[0];

            fsn_profile_problem_add(problems, first->path, first->line,
                                    "then profile '%s' would not be sound: %s", old->name,
                                    first->message);
        }
    }
}

/* The sets before and after a change; @file (taken over) replaces this user's own @name, NULL
 * removes it. */
static bool
load_both(const char *name,
          FsnProfileFile *file,
          FsnProfileSet **out_before,
          FsnProfileSet **out_after,
          GError **error)
{
    g_autoptr(FsnProfileFile) owned = file;
    g_autoptr(FsnProfileSet) before = fsn_profiles_load(error);
    g_autoptr(FsnProfileSet) after = before ? fsn_profiles_load(error) : NULL;

    if (!after) {
        return false;
    }
    fsn_profile_set_remove(after, name, fsn_profile_own_origin());
    if (owned) {
        fsn_profile_set_add(after, g_steal_pointer(&owned));
    }
    *out_before = g_steal_pointer(&before);
    *out_after = g_steal_pointer(&after);
    return true;
}

GPtrArray *
fsn_profile_try(const char *name, const char *text, GError **error)
{
    static const FsnValueRule rule = { .type = FSN_VALUE_NAME };
    g_autofree char *path = own_path(name);
    g_autoptr(FsnProfileSet) before = NULL;
    g_autoptr(FsnProfileSet) after = NULL;
    GPtrArray *problems;
    FsnValue value;

    if (!fsn_value_parse(&rule, name, &value, error) ||
        !load_both(name,
                   fsn_profile_file_parse(name, path, fsn_profile_own_origin(), text,
                                          strlen(text)),
                   &before, &after, error)) {
        return NULL;
    }
    problems = fsn_profile_set_check(after, fsn_profile_set_lookup(after, name));
    if (problems->len == 0) {
        find_broken(before, after, problems);
    }
    return problems;
}

bool
fsn_profile_write(const char *name, const char *text, char **out_path, GError **error)
{
    g_autoptr(GPtrArray) problems = fsn_profile_try(name, text, error);
    g_autofree char *path = own_path(name);
    g_autofree char *folder = g_path_get_dirname(path);

    if (!problems) {
        return false;
    }
    if (problems->len > 0) {
        return fsn_profile_problems_fail(problems, error);
    }
    if (!fsn_mkdirs(folder, 0755, error) ||
        !fsn_file_replace(path, text, strlen(text), 0644, error)) {
        return false;
    }
    *out_path = g_steal_pointer(&path);
    return true;
}

bool
fsn_profile_remove(const char *name, char **out_path, GError **error)
{
    g_autoptr(FsnProfileSet) before = NULL;
    g_autoptr(FsnProfileSet) after = NULL;
    g_autoptr(GPtrArray) problems = fsn_profile_problems_new();
    const FsnProfileFile *file;

    if (!load_both(name, NULL, &before, &after, error)) {
        return false;
    }
    file = fsn_profile_set_lookup(before, name);
    if (!file) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "there is no profile '%s'",
                    name);
        return false;
    }
    if (file->origin != fsn_profile_own_origin()) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "'%s' is not one of your own: it is '%s'", name, file->path);
        return false;
    }
    find_broken(before, after, problems);
    if (problems->len > 0) {
        return fsn_profile_problems_fail(problems, error);
    }
    if (!fsn_file_remove_durable(file->path, error)) {
        return false;
    }
    *out_path = g_strdup(file->path);
    return true;
}
