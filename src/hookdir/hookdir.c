/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hook folders. A file counts if it can be executed and has a plain name, as with
 * run-parts(8); it is run only if nobody but root and this user can have written it.
 */
#include "config.h"

#include "hookdir/hookdir.h"

#include "base/error.h"
#include "base/json.h"
#include "hookdir/process.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_CHARS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_."

char *
fsn_hookdir_default(void)
{
    const char *config = g_getenv("FORESNAP_CONFIG_DIR");

    return g_build_filename(config ? config : FSN_SYSCONFDIR "/foresnap", "hooks", NULL);
}

static char *
folder_of(const char *base, const char *phase, const char *operation)
{
    g_autofree char *name = g_strdup_printf("%s-%s.d", phase, operation);

    return g_build_filename(base, name, NULL);
}

static bool
counts(const char *name)
{
    return *name != '.' && strspn(name, NAME_CHARS) == strlen(name) &&
           !strstr(name, ".dpkg-");
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The paths of what is to be run, in order; empty if there is no such folder. */
static bool
list(const char *folder, GPtrArray **out_paths, GError **error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) local = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &local);
    const char *name;

    if (!dir && !g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_propagate_prefixed_error(error, g_steal_pointer(&local),
                                   "cannot look for hooks: ");
        return false;
    }
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        struct stat st;

        if (counts(name) && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
            (st.st_mode & 0111)) {
            g_ptr_array_add(paths, g_steal_pointer(&path));
        }
    }
    g_ptr_array_sort(paths, by_name);
    *out_paths = g_steal_pointer(&paths);
    return true;
}

static bool
check_one(const char *path, bool is_folder, GError **error)
{
    const char *wrong = NULL;
    struct stat st;

    if (lstat(path, &st) != 0) {
        return fsn_set_errno(error, errno, "cannot look at '%s'", path);
    }
    if (!is_folder && S_ISLNK(st.st_mode)) {
        wrong = "is a symbolic link";
    } else if (is_folder && !S_ISDIR(st.st_mode)) {
        wrong = "is no folder";
    } else if (st.st_uid != 0 && st.st_uid != geteuid()) {
        wrong = "belongs to another user";
    } else if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        wrong = "can be written by others (chmod go-w)";
    }
    if (wrong) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "hooks are not run: '%s' %s", path,
                    wrong);
    }
    return !wrong;
}

/* Nobody else can have put @path there: it, its folder, and the one of all hooks. */
static bool
check(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_dirname(folder);

    return check_one(base, true, error) && check_one(folder, true, error) &&
           check_one(path, false, error);
}

static void
set(JsonObject *object, char ***environment, const char *name, const char *value)
{
    g_autofree char *variable = g_ascii_strup(name, -1);
    g_autofree char *full = g_strconcat("FORESNAP_", variable, NULL);

    if (value) {
        json_object_set_string_member(object, name, value);
        *environment = g_environ_setenv(*environment, full, value, TRUE);
    } else {
        *environment = g_environ_unsetenv(*environment, full);
    }
}

/* What a hook is told; the caller frees. */
static char **
describe(const FsnHookEvent *event, const FsnHookEnd *end, char **out_input)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autofree char *text = NULL;
    char **environment = g_get_environ();

    set(object, &environment, "operation", event->operation);
    set(object, &environment, "phase", end ? "post" : "pre");
    set(object, &environment, "target", event->target);
    set(object, &environment, "domain", event->domain);
    set(object, &environment, "uuid", event->uuid);
    set(object, &environment, "repo", event->repo);
    set(object, &environment, "result", !end ? NULL : end->done ? "done" : "failed");
    set(object, &environment, "snapshot", end ? end->snapshot : NULL);
    set(object, &environment, "error", end ? end->error : NULL);
    if (event->uri) {
        json_object_set_string_member(object, "uri", event->uri);
        environment =
            g_environ_setenv(environment, "LIBVIRT_DEFAULT_URI", event->uri, TRUE);
    }
    environment = g_environ_setenv(environment, FSN_HOOKS_GUARD, "1", TRUE);
    text = fsn_json_to_text(object, true);
    *out_input = g_strconcat(text, "\n", NULL);
    return environment;
}

/* "pre-suspend.d/10-check"; the caller frees. */
static char *
short_name(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *parent = g_path_get_basename(folder);
    g_autofree char *name = g_path_get_basename(path);

    return g_build_filename(parent, name, NULL);
}

static void
tell(GPtrArray *lines, const char *name, const char *output)
{
    g_auto(GStrv) parts = g_strsplit(output, "\n", -1);

    for (char **part = parts; *part; part++) {
        if (**part) {
            g_ptr_array_add(lines, g_strdup_printf("%s: %s", name, *part));
        }
    }
}

/* The last line that it printed, which is where programs say why. */
static const char *
last_words(const FsnHookProcess *process)
{
    const char *newline = strrchr(process->output, '\n');

    return newline ? newline + 1 : process->output;
}

static bool
run_one(const char *path,
        char *const *environment,
        const char *input,
        int64_t limit_us,
        GPtrArray *lines,
        GError **error)
{
    g_auto(FsnHookProcess) process = { 0 };
    g_autofree char *name = short_name(path);
    g_autofree char *how = NULL;

    if (!check(path, error)) {
        return false;
    }
    if (!fsn_hook_process_run(path, environment, input, limit_us, &process, error)) {
        g_prefix_error(error, "hook '%s' cannot be run: ", name);
        return false;
    }
    tell(lines, name, process.output);
    if (process.code == 0 && !process.timed_out) {
        return true;
    }
    how = process.timed_out
              ? g_strdup_printf("took longer than %" G_GINT64_FORMAT " s and was ended",
                                limit_us / G_USEC_PER_SEC)
          : process.code < 0 ? g_strdup("was ended by a signal")
                             : g_strdup_printf("ended with status %d", process.code);
    g_set_error(error, FSN_ERROR, FSN_ERROR_STATE, "hook '%s' %s%s%s", name, how,
                *process.output ? ": " : "", last_words(&process));
    return false;
}

bool
fsn_hookdir_any(const char *folder, const char *operation)
{
    static const char *const phases[] = { "pre", "post" };

    for (size_t i = 0; i < G_N_ELEMENTS(phases); i++) {
        g_autofree char *path = folder_of(folder, phases[i], operation);
        g_autoptr(GPtrArray) paths = NULL;

        /* What cannot be looked at is told when it is to be run. */
        if (!list(path, &paths, NULL) || paths->len > 0) {
            return true;
        }
    }
    return false;
}

bool
fsn_hookdir_pre(const char *folder,
                const FsnHookEvent *event,
                int64_t limit_us,
                GPtrArray *lines,
                GError **error)
{
    g_autofree char *path = folder_of(folder, "pre", event->operation);
    g_autofree char *input = NULL;
    g_auto(GStrv) environment = describe(event, NULL, &input);
    g_autoptr(GPtrArray) paths = NULL;

    if (!list(path, &paths, error)) {
        return false;
    }
    for (guint i = 0; i < paths->len; i++) {
        if (!run_one(paths->pdata[i], environment, input, limit_us, lines, error)) {
            return false;
        }
    }
    return true;
}

void
fsn_hookdir_post(const char *folder,
                 const FsnHookEvent *event,
                 const FsnHookEnd *end,
                 int64_t limit_us,
                 GPtrArray *lines,
                 GPtrArray *warnings)
{
    g_autofree char *path = folder_of(folder, "post", event->operation);
    g_autofree char *input = NULL;
    g_auto(GStrv) environment = describe(event, end, &input);
    g_autoptr(GPtrArray) paths = NULL;
    g_autoptr(GError) error = NULL;

    if (!list(path, &paths, &error)) {
        g_ptr_array_add(warnings, g_strdup(error->message));
        return;
    }
    for (guint i = 0; i < paths->len; i++) {
        g_autoptr(GError) local = NULL;

        if (!run_one(paths->pdata[i], environment, input, limit_us, lines, &local)) {
            g_ptr_array_add(warnings, g_strdup(local->message));
        }
    }
}
