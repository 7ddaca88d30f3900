/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Profiles by name, and what they come to. A profile has what it says itself, then what the
 * one that it inherits says, and so on; what none says is the key's own default. Each value
 * knows where it comes from. One that has the name of one of an earlier origin takes its place,
 * and may inherit it.
 */
#include "config.h"

#include "policies/profile-set.h"

#include "base/error.h"
#include "policies/profile-check.h"
#include "policies/suggest.h"

#include <string.h>

#define MAX_DEPTH 16

struct FsnProfileSet {
    GPtrArray *files; /* of FsnProfileFile */
};

static void
file_free(gpointer file)
{
    fsn_profile_file_free(file);
}

FsnProfileSet *
fsn_profile_set_new(void)
{
    FsnProfileSet *set = g_new0(FsnProfileSet, 1);

    set->files = g_ptr_array_new_with_free_func(file_free);
    return set;
}

void
fsn_profile_set_free(FsnProfileSet *set)
{
    if (set) {
        g_ptr_array_unref(set->files);
        g_free(set);
    }
}

void
fsn_profile_set_add(FsnProfileSet *set, FsnProfileFile *file)
{
    for (guint i = 0; i < set->files->len; i++) {
        FsnProfileFile *other = set->files->pdata[i];

        if (other->origin == file->origin && strcmp(other->name, file->name) == 0) {
            fsn_profile_problem_add(file->problems, file->path, 0,
                                    "there are two files of one name, the other is '%s': "
                                    "rename or remove one",
                                    other->path);
            fsn_profile_problem_add(other->problems, other->path, 0,
                                    "there are two files of one name, the other is '%s': "
                                    "rename or remove one",
                                    file->path);
        }
    }
    g_ptr_array_add(set->files, file);
}

void
fsn_profile_set_remove(FsnProfileSet *set, const char *name, FsnProfileOrigin origin)
{
    for (guint i = set->files->len; i > 0; i--) {
        const FsnProfileFile *file = set->files->pdata[i - 1];

        if (file->origin == origin && strcmp(file->name, name) == 0) {
            (void)g_ptr_array_remove_index(set->files, i - 1); /* is freed */
        }
    }
}

const FsnProfileFile *
fsn_profile_set_lookup_before(const FsnProfileSet *set,
                              const char *name,
                              FsnProfileOrigin before)
{
    const FsnProfileFile *found = NULL;

    for (guint i = 0; i < set->files->len; i++) {
        const FsnProfileFile *file = set->files->pdata[i];

        if (file->origin < before && strcmp(file->name, name) == 0 &&
            (!found || file->origin > found->origin)) {
            found = file;
        }
    }
    return found;
}

const FsnProfileFile *
fsn_profile_set_lookup(const FsnProfileSet *set, const char *name)
{
    return fsn_profile_set_lookup_before(set, name, FSN_N_PROFILE_ORIGINS);
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    const FsnProfileFile *x = *(const FsnProfileFile *const *)a;
    const FsnProfileFile *y = *(const FsnProfileFile *const *)b;
    int order = strcmp(x->name, y->name);

    return order ? order : (int)x->origin - (int)y->origin;
}

GPtrArray *
fsn_profile_set_all(const FsnProfileSet *set)
{
    GPtrArray *all = g_ptr_array_new();

    for (guint i = 0; i < set->files->len; i++) {
        g_ptr_array_add(all, set->files->pdata[i]);
    }
    g_ptr_array_sort(all, by_name);
    return all;
}

GPtrArray *
fsn_profile_set_list(const FsnProfileSet *set)
{
    g_autoptr(GPtrArray) all = fsn_profile_set_all(set);
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; i < all->len; i++) {
        const FsnProfileFile *file = all->pdata[i];

        if (fsn_profile_set_lookup(set, file->name) == file) {
            g_ptr_array_add(list, all->pdata[i]);
        }
    }
    return list;
}

/* The names that there are, for messages: the strings are borrowed. */
static GPtrArray *
names(const FsnProfileSet *set)
{
    g_autoptr(GPtrArray) list = fsn_profile_set_list(set);
    GPtrArray *array = g_ptr_array_new();

    for (guint i = 0; i < list->len; i++) {
        g_ptr_array_add(array, ((const FsnProfileFile *)list->pdata[i])->name);
    }
    g_ptr_array_add(array, NULL);
    return array;
}

static char *
missing_text(const FsnProfileSet *set, const char *name)
{
    g_autoptr(GPtrArray) known = names(set);
    g_autofree char *list = g_strjoinv(", ", (char **)known->pdata);
    const char *nearest = fsn_suggest(name, (const char *const *)known->pdata);

    if (nearest) {
        return g_strdup_printf(
            "there is no profile '%s', did you mean '%s'? there are: %s", name, nearest,
            list);
    }
    return g_strdup_printf("there is no profile '%s'; there are: %s", name, list);
}

/* "a (path) inherits b (path) inherits …" for a loop. */
static char *
loop_text(const GPtrArray *chain, const FsnProfileFile *again)
{
    GString *text = g_string_new("profiles inherit each other in a loop: ");

    for (guint i = 0; i < chain->len; i++) {
        const FsnProfileFile *file = chain->pdata[i];

        g_string_append_printf(text, "%s, ", file->name ? file->name : file->path);
    }
    g_string_append(text, again->name);
    return g_string_free(text, FALSE);
}

/* The profiles whose values count for @file, itself first, each inherited by the one before
 * it. What is wrong is added to @problems. The caller unrefs. */
static GPtrArray *
find_chain(const FsnProfileSet *set, const FsnProfileFile *file, GPtrArray *problems)
{
    GPtrArray *chain = g_ptr_array_new();

    while (file) {
        const FsnProfileEntry *inherit = &file->entries[FSN_KEY_INHERIT];
        const FsnProfileFile *parent;

        g_ptr_array_add(chain, (gpointer)file);
        if (!inherit->text) {
            break;
        }
        parent = g_strcmp0(inherit->text, file->name) == 0
                     ? fsn_profile_set_lookup_before(set, file->name, file->origin)
                     : fsn_profile_set_lookup(set, inherit->text);
        if (!parent) {
            g_autofree char *text = missing_text(set, inherit->text);

            fsn_profile_problem_add(problems, file->path, inherit->line,
                                    "profile.inherit: %s", text);
        } else if (g_ptr_array_find(chain, parent, NULL)) {
            g_autofree char *text = loop_text(chain, parent);

            fsn_profile_problem_add(problems, file->path, inherit->line,
                                    "profile.inherit: %s", text);
            parent = NULL;
        } else if (chain->len >= MAX_DEPTH) {
            fsn_profile_problem_add(problems, file->path, inherit->line,
                                    "profile.inherit: more than %d profiles inherit each "
                                    "other",
                                    MAX_DEPTH);
            parent = NULL;
        }
        file = parent;
    }
    return chain;
}

void
fsn_profile_free(FsnProfile *profile)
{
    if (profile) {
        for (unsigned i = 0; i < FSN_N_PROFILE_KEYS; i++) {
            g_free(profile->settings[i].source);
            g_free(profile->settings[i].profile);
        }
        g_ptr_array_unref(profile->texts);
        g_free(profile->name);
        g_free(profile);
    }
}

/* Descriptions and parents are a profile's own. */
static bool
is_inherited(unsigned id)
{
    return id != FSN_KEY_INHERIT && id != FSN_KEY_DESCRIPTION;
}

static void
set_default(FsnProfileSetting *setting, unsigned id)
{
    const FsnProfileKey *key = fsn_profile_key(id);

    setting->text = key->fallback;
    setting->source = g_strdup("default");
    if (id != FSN_KEY_INHERIT &&
        !fsn_value_parse(&key->rule, key->fallback, &setting->value, NULL)) {
        g_assert_not_reached(); /* a test reads all of them */
    }
}

static void
set_from(FsnProfile *profile, unsigned id, const FsnProfileFile *file)
{
    const FsnProfileEntry *entry = &file->entries[id];
    FsnProfileSetting *setting = &profile->settings[id];
    char *text = g_strdup(entry->text);

    g_ptr_array_add(profile->texts, text);
    setting->text = text;
    setting->value = entry->value;
    setting->profile = g_strdup(file->name);
    setting->source = entry->line > 0 ? g_strdup_printf("%s:%u", file->path, entry->line)
                                      : g_strdup(file->path);
}

static FsnProfile *
merge(const GPtrArray *chain)
{
    FsnProfile *profile = g_new0(FsnProfile, 1);

    profile->texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < chain->len && !profile->name; i++) {
        profile->name = g_strdup(((const FsnProfileFile *)chain->pdata[i])->name);
    }
    for (unsigned id = 0; id < FSN_N_PROFILE_KEYS; id++) {
        for (guint i = 0; i < chain->len; i++) {
            const FsnProfileFile *file = chain->pdata[i];

            if (file->entries[id].text) {
                set_from(profile, id, file);
                break;
            }
            if (!is_inherited(id) && file->name) {
                break;
            }
        }
        if (!profile->settings[id].source) {
            set_default(&profile->settings[id], id);
        }
    }
    return profile;
}

static void
add_all(GPtrArray *problems, const GPtrArray *more)
{
    for (guint i = 0; i < more->len; i++) {
        const FsnProfileProblem *p = more->pdata[i];

        fsn_profile_problem_add(problems, p->path, p->line, "%s", p->message);
    }
}

/* The merged profile, sound if @problems stays empty. */
static FsnProfile *
resolve(const FsnProfileSet *set, const FsnProfileFile *file, GPtrArray *problems)
{
    g_autoptr(GPtrArray) chain = NULL;
    FsnProfile *profile;

    add_all(problems, file->problems);
    chain = find_chain(set, file, problems);
    for (guint i = 1; i < chain->len; i++) {
        add_all(problems, ((const FsnProfileFile *)chain->pdata[i])->problems);
    }
    profile = merge(chain);
    fsn_profile_check(profile, problems);
    return profile;
}

FsnProfile *
fsn_profile_set_resolve_file(const FsnProfileSet *set,
                             const FsnProfileFile *file,
                             GError **error)
{
    g_autoptr(GPtrArray) problems = fsn_profile_problems_new();
    g_autoptr(FsnProfile) profile = resolve(set, file, problems);

    if (problems->len > 0) {
        (void)fsn_profile_problems_fail(problems, error); /* sets the error */
        return NULL;
    }
    return g_steal_pointer(&profile);
}

FsnProfile *
fsn_profile_set_resolve(const FsnProfileSet *set, const char *name, GError **error)
{
    const FsnProfileFile *file = fsn_profile_set_lookup(set, name);

    if (!file) {
        g_autofree char *text = missing_text(set, name);

        g_set_error_literal(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, text);
        return NULL;
    }
    return fsn_profile_set_resolve_file(set, file, error);
}

GPtrArray *
fsn_profile_set_check(const FsnProfileSet *set, const FsnProfileFile *file)
{
    GPtrArray *problems = fsn_profile_problems_new();
    g_autoptr(FsnProfile) profile = resolve(set, file, problems);

    return problems;
}

uint64_t
fsn_profile_number(const FsnProfile *profile, unsigned id)
{
    return profile->settings[id].value.number;
}

const char *
fsn_profile_text(const FsnProfile *profile, unsigned id)
{
    return profile->settings[id].text;
}

FsnLevel
fsn_profile_level(const FsnProfile *profile, FsnResourceKind kind, FsnResourceKey key)
{
    return (FsnLevel)fsn_profile_number(profile, fsn_resource_key(kind, key));
}
