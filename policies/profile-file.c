/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One profile: text to values that are each sound by themselves. What they inherit, and whether
 * they fit each other, is the matter of profile-set.c. All that is wrong with a file is told at
 * once, each with its line.
 */
#include "config.h"

#include "policies/profile-file.h"

#include "base/error.h"
#include "policies/keyfile.h"

#include <string.h>

static const char *const origin_names[FSN_N_PROFILE_ORIGINS] = {
    [FSN_PROFILE_SHIPPED] = "shipped",
    [FSN_PROFILE_SYSTEM] = "system",
    [FSN_PROFILE_USER] = "user",
    [FSN_PROFILE_DOMAIN] = "domain",
};

const char *
fsn_profile_origin_name(FsnProfileOrigin origin)
{
    g_return_val_if_fail(origin < FSN_N_PROFILE_ORIGINS, "?");
    return origin_names[origin];
}

static void
problem_free(gpointer data)
{
    FsnProfileProblem *problem = data;

    g_free(problem->path);
    g_free(problem->message);
    g_free(problem);
}

GPtrArray *
fsn_profile_problems_new(void)
{
    return g_ptr_array_new_with_free_func(problem_free);
}

void
fsn_profile_problem_add(
    GPtrArray *problems, const char *path, unsigned line, const char *format, ...)
{
    FsnProfileProblem *problem = g_new0(FsnProfileProblem, 1);
    va_list args;

    va_start(args, format);
    problem->message = g_strdup_vprintf(format, args);
    va_end(args);
    problem->path = g_strdup(path);
    problem->line = line;
    g_ptr_array_add(problems, problem);
}

char *
fsn_profile_problem_text(const FsnProfileProblem *problem)
{
    if (!problem->path) {
        return g_strdup(problem->message);
    }
    if (problem->line == 0) {
        return g_strdup_printf("%s: %s", problem->path, problem->message);
    }
    return g_strdup_printf("%s:%u: %s", problem->path, problem->line, problem->message);
}

bool
fsn_profile_problems_fail(const GPtrArray *problems, GError **error)
{
    g_autofree char *first = fsn_profile_problem_text(problems->pdata[0]);

    if (problems->len == 1) {
        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_FORMAT, first);
    } else {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT, "%s (and %u more)", first,
                    problems->len - 1);
    }
    return false;
}

FsnProfileFile *
fsn_profile_file_new(const char *name, const char *path, FsnProfileOrigin origin)
{
    FsnProfileFile *file = g_new0(FsnProfileFile, 1);

    file->name = g_strdup(name);
    file->path = g_strdup(path);
    file->origin = origin;
    file->problems = fsn_profile_problems_new();
    return file;
}

void
fsn_profile_file_free(FsnProfileFile *file)
{
    if (file) {
        for (unsigned i = 0; i < FSN_N_PROFILE_KEYS; i++) {
            g_free(file->entries[i].text);
        }
        g_ptr_array_unref(file->problems);
        g_free(file->name);
        g_free(file->path);
        g_free(file);
    }
}

static void
set_entry(FsnProfileFile *file, unsigned id, unsigned line, const char *text)
{
    g_autofree char *name = fsn_profile_key_name(id);
    FsnProfileEntry *entry = &file->entries[id];
    g_autoptr(GError) error = NULL;
    FsnValue value;

    if (id == FSN_KEY_INHERIT && !*text && file->origin != FSN_PROFILE_DOMAIN) {
        return; /* as if it were not there */
    }
    if (!fsn_value_parse(&fsn_profile_key(id)->rule, text, &value, &error)) {
        fsn_profile_problem_add(file->problems, file->path, line, "%s: %s", name,
                                error->message);
        return;
    }
    g_free(entry->text);
    *entry = (FsnProfileEntry){ .text = g_strdup(text), .line = line, .value = value };
}

void
fsn_profile_file_set(FsnProfileFile *file,
                     unsigned line,
                     const char *key,
                     const char *value)
{
    g_autoptr(GError) error = NULL;
    unsigned id;

    if (fsn_profile_key_parse(key, &id, &error)) {
        set_entry(file, id, line, value);
    } else {
        fsn_profile_problem_add(file->problems, file->path, line, "%s", error->message);
    }
}

static bool
is_group(const char *group)
{
    for (unsigned i = 0; i < FSN_N_PROFILE_KEYS; i++) {
        if (strcmp(fsn_profile_key(i)->group, group) == 0) {
            return true;
        }
    }
    return false;
}

/* Of a group that is not known only its heading is complained about. */
static void
take_item(FsnProfileFile *file, const FsnKeyfileItem *item)
{
    g_autoptr(GError) error = NULL;
    unsigned id;

    if (!is_group(item->group)) {
        if (!item->key && !fsn_profile_key_find(item->group, "", &id, &error)) {
            fsn_profile_problem_add(file->problems, file->path, item->line, "%s",
                                    error->message);
        }
    } else if (item->key) {
        if (fsn_profile_key_find(item->group, item->key, &id, &error)) {
            set_entry(file, id, item->line, item->value);
        } else {
            fsn_profile_problem_add(file->problems, file->path, item->line, "%s",
                                    error->message);
        }
    }
}

static int
by_line(gconstpointer a, gconstpointer b)
{
    const FsnProfileProblem *x = *(const FsnProfileProblem *const *)a;
    const FsnProfileProblem *y = *(const FsnProfileProblem *const *)b;

    return x->line < y->line ? -1 : x->line > y->line;
}

FsnProfileFile *
fsn_profile_file_parse(const char *name,
                       const char *path,
                       FsnProfileOrigin origin,
                       const char *text,
                       size_t len)
{
    FsnProfileFile *file = fsn_profile_file_new(name, path, origin);
    g_autoptr(FsnKeyfile) keyfile = fsn_keyfile_parse(text, len);

    for (guint i = 0; i < keyfile->problems->len; i++) {
        const FsnKeyfileProblem *problem = keyfile->problems->pdata[i];

        fsn_profile_problem_add(file->problems, path, problem->line, "%s",
                                problem->message);
    }
    for (guint i = 0; i < keyfile->items->len; i++) {
        take_item(file, keyfile->items->pdata[i]);
    }
    g_ptr_array_sort(file->problems, by_line);
    return file;
}
