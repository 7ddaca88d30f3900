/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file that the libvirt hook looks for. It says what guards a domain, not whether its
 * memory is usable: that is in the repository alone.
 */
#include "config.h"

#include "cycle/guard-marker.h"

#include "base/error.h"
#include "base/files.h"

#include <string.h>

#define FOLDER "guard"

bool
fsn_guard_marker_write(const char *state_dir,
                       const char *uuid,
                       const char *name,
                       const char *snapshot,
                       GError **error)
{
    g_autofree char *folder = g_build_filename(state_dir, FOLDER, NULL);
    g_autofree char *path = g_build_filename(folder, uuid, NULL);
    g_autofree char *text = g_strdup_printf("%s\n%s\n", snapshot, name);

    if (!fsn_mkdirs(folder, 0700, error) || !fsn_dir_sync(state_dir, error) ||
        !fsn_file_replace(path, text, strlen(text), 0600, error)) {
        g_prefix_error(error, "cannot mark domain '%s' as suspended: ", name);
        return false;
    }
    return true;
}

bool
fsn_guard_marker_remove(const char *state_dir, const char *uuid, GError **error)
{
    g_autofree char *path = g_build_filename(state_dir, FOLDER, uuid, NULL);

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        return true;
    }
    return fsn_file_remove_durable(path, error);
}
