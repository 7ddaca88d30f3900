/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that says that a domain's QEMU may have something of a change map in it. */
#include "config.h"

#include "changemap/marker.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".map"

struct FsnMapMarker {
    char *path;
    int fd;
};

static char *
path_of(const char *state_dir, const char *uuid)
{
    return g_strdup_printf("%s/%s" SUFFIX, state_dir, uuid);
}

/* A locked descriptor of the file that has that name; -1 with @error. */
static int
lock(const char *path, GError **error)
{
    for (;;) {
        struct stat st;
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        if (fd < 0) {
            (void)fsn_set_errno(error, errno, "cannot open '%s'", path);
            return -1;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            close(fd);
            g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                        "another process makes a change map of this domain");
            return -1;
        }
        if (fstat(fd, &st) == 0 && st.st_nlink > 0) {
            return fd;
        }
        close(fd); /* its owner has just removed it */
    }
}

FsnMapMarker *
fsn_map_marker_take(const char *state_dir, const char *uuid, GError **error)
{
    g_autofree char *path = path_of(state_dir, uuid);
    int fd = lock(path, error);
    FsnMapMarker *self;

    if (fd < 0) {
        return NULL;
    }
    self = g_new0(FsnMapMarker, 1);
    self->path = g_steal_pointer(&path);
    self->fd = fd;
    return self;
}

void
fsn_map_marker_leave(FsnMapMarker *self)
{
    if (self) {
        close(self->fd);
        g_free(self->path);
        g_free(self);
    }
}

void
fsn_map_marker_done(FsnMapMarker *self)
{
    (void)unlink(self->path); /* a file that stays means a look for nothing */
    fsn_map_marker_leave(self);
}

GPtrArray *
fsn_map_marker_list(const char *state_dir)
{
    GPtrArray *uuids = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(state_dir, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, SUFFIX)) {
            g_ptr_array_add(uuids, g_strndup(name, strlen(name) - strlen(SUFFIX)));
        }
    }
    return uuids;
}

bool
fsn_map_marker_exists(const char *state_dir, const char *uuid)
{
    g_autofree char *path = path_of(state_dir, uuid);

    return access(path, F_OK) == 0;
}
