/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The note "has not run": its text is the snapshot and the id of the boot, compared as a
 * whole, so a cut or foreign file says nothing.
 */
#include "config.h"

#include "memory/not-run.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_TEXT 256u

/* NULL if this host does not tell one boot from another. */
static char *
build_text(const char *snapshot)
{
    g_autofree char *boot = fsn_boot_id();

    return boot && *boot ? g_strdup_printf("%s not run in boot %s\n", snapshot, boot)
                         : NULL;
}

bool
fsn_not_run_write(const char *path, const char *snapshot, GError **error)
{
    g_autofree char *text = build_text(snapshot);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot write '%s'", path);
    }
    ok = !text || fsn_write_all(fd, text, strlen(text), path, error);
    close(fd);
    return ok;
}

bool
fsn_not_run_remove(const char *path, GError **error)
{
    return unlink(path) == 0 || errno == ENOENT ||
           fsn_set_errno(error, errno, "cannot remove '%s'", path);
}

bool
fsn_not_run_holds(const char *path, const char *snapshot)
{
    g_autofree char *text = build_text(snapshot);
    g_autoptr(GBytes) bytes = NULL;

    return text && fsn_file_read(path, MAX_TEXT, &bytes, NULL) &&
           g_bytes_get_size(bytes) == strlen(text) &&
           memcmp(g_bytes_get_data(bytes, NULL), text, strlen(text)) == 0;
}
