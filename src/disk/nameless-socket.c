/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A listening socket whose name is removed as soon as it is made. Who has it open is reached
 * through /proc.
 */
#include "config.h"

#include "disk/nameless-socket.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool
fsn_nameless_socket(
    int backlog, int *out_listener, int *out_path_fd, char **out_path, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_autofree char *folder = g_dir_make_tmp("foresnap-XXXXXX", error);
    g_autofree char *path = folder ? g_build_filename(folder, "nbd", NULL) : NULL;
    int path_fd = -1, errnum = 0;
    int fd;

    if (!folder) {
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        errnum = errno;
    } else if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >=
               sizeof address.sun_path) {
        errnum = ENAMETOOLONG;
    } else if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
               listen(fd, backlog) < 0 ||
               (path_fd = open(path, O_PATH | O_CLOEXEC)) < 0) {
        errnum = errno;
    }
    (void)g_unlink(path); /* may not have been made */
    (void)g_rmdir(folder);
    if (errnum != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return fsn_set_errno(error, errnum, "cannot make a socket in '%s'", folder);
    }
    *out_listener = fd;
    *out_path_fd = path_fd;
    *out_path = g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), path_fd);
    return true;
}
