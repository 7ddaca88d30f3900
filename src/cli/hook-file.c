/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file in libvirt's folder of hooks. Only ever touches the one called foresnap, and only
 * if foresnap has put it there. libvirt is not spoken to.
 */
#include "config.h"

#include "cli/hook-file.h"

#include "base/error.h"
#include "base/files.h"
#include "cycle/context.h"

#include <string.h>
#include <unistd.h>

#define FOLDER    "/etc/libvirt/hooks"
#define STATE_DIR "/var/lib/foresnap/state"
#define NAME      "foresnap"
#define MAX_SIZE  (16u << 20)
#define MODE      0755
/* What both the program and its predecessors, scripts, say. */
#define SIGN      "is suspended by foresnap"
#define WRAPPED   "# the hook of foresnap: a domain that is suspended by foresnap\n"

static char *
path_of(const char *folder)
{
    return g_build_filename(folder ? folder : FOLDER, "qemu.d", NAME, NULL);
}

/* For another state folder than root's the program has to be told. */
static GBytes *
wrapper(const char *program, const char *state_dir)
{
    g_autofree char *quoted_dir = g_shell_quote(state_dir);
    g_autofree char *quoted = g_shell_quote(program);
    char *text =
        g_strdup_printf("#!/bin/sh\n" WRAPPED "FORESNAP_STATE_DIR=%s exec %s \"$@\"\n",
                        quoted_dir, quoted);

    return g_bytes_new_take(text, strlen(text));
}

static bool
wanted_contents(const char *state_dir, GBytes **out_bytes, GError **error)
{
    g_autofree char *program = fsn_cycle_helper_path("foresnap-hook");

    if (!fsn_file_read(program, MAX_SIZE, out_bytes, error)) {
        g_prefix_error(error, "cannot read the hook: ");
        return false;
    }
    if (state_dir && strcmp(state_dir, STATE_DIR) != 0) {
        g_bytes_unref(*out_bytes);
        *out_bytes = wrapper(program, state_dir);
    }
    return true;
}

static FsnHookState
state_of(const char *path, const char *state_dir)
{
    g_autoptr(GBytes) wanted = NULL;
    g_autoptr(GBytes) present = NULL;
    const char *data;
    size_t len;

    if (!g_file_test(path, G_FILE_TEST_EXISTS) &&
        !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
        return FSN_HOOK_ABSENT;
    }
    if (!fsn_file_read(path, MAX_SIZE, &present, NULL)) {
        return FSN_HOOK_FOREIGN;
    }
    data = g_bytes_get_data(present, &len);
    if (!memmem(data, len, SIGN, sizeof SIGN - 1) &&
        !memmem(data, len, WRAPPED, sizeof WRAPPED - 1)) {
        return FSN_HOOK_FOREIGN;
    }
    if (access(path, X_OK) != 0) {
        return FSN_HOOK_UNUSABLE;
    }
    return wanted_contents(state_dir, &wanted, NULL) && g_bytes_equal(wanted, present)
               ? FSN_HOOK_CURRENT
               : FSN_HOOK_OTHER;
}

static guint
count_entries(const char *folder, const char *except)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    guint n = 0;

    while (dir && (name = g_dir_read_name(dir)) != NULL) {
        n += g_strcmp0(name, except) != 0;
    }
    return n;
}

void
fsn_hook_file_probe(const char *folder, const char *state_dir, FsnHookFile *out_file)
{
    const char *hooks = folder ? folder : FOLDER;
    g_autofree char *script = g_build_filename(hooks, "qemu", NULL);
    g_autofree char *siblings = g_build_filename(hooks, "qemu.d", NULL);
    g_autofree char *guard =
        g_build_filename(state_dir ? state_dir : STATE_DIR, "guard", NULL);

    out_file->path = path_of(folder);
    out_file->state = state_of(out_file->path, state_dir);
    out_file->others = g_file_test(script, G_FILE_TEST_IS_EXECUTABLE) ||
                       count_entries(siblings, NAME) > 0;
    out_file->guarded = count_entries(guard, NULL);
}

void
fsn_hook_file_clear(FsnHookFile *file)
{
    g_clear_pointer(&file->path, g_free);
}

static bool
refuse_foreign(const char *path, GError **error)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS,
                "'%s' is there and is not foresnap's: move it away first", path);
    return false;
}

bool
fsn_hook_file_install(const char *folder,
                      const char *state_dir,
                      bool *out_changed,
                      GError **error)
{
    g_autofree char *path = path_of(folder);
    g_autofree char *parent = g_path_get_dirname(path);
    g_autoptr(GBytes) bytes = NULL;
    FsnHookState state = state_of(path, state_dir);
    const void *data;
    size_t len;

    if (state == FSN_HOOK_FOREIGN) {
        return refuse_foreign(path, error);
    }
    if (!wanted_contents(state_dir, &bytes, error)) {
        return false;
    }
    data = g_bytes_get_data(bytes, &len);
    if (state != FSN_HOOK_CURRENT && (!fsn_mkdirs(parent, MODE, error) ||
                                      !fsn_file_replace(path, data, len, MODE, error))) {
        return false;
    }
    *out_changed = state != FSN_HOOK_CURRENT;
    return true;
}

bool
fsn_hook_file_remove(const char *folder, bool *out_changed, GError **error)
{
    g_autofree char *path = path_of(folder);
    FsnHookState state = state_of(path, NULL);

    if (state == FSN_HOOK_FOREIGN) {
        return refuse_foreign(path, error);
    }
    *out_changed = state != FSN_HOOK_ABSENT;
    return fsn_file_remove_durable(path, error);
}
