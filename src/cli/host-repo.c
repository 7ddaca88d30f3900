/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the repository can be used, or could be made where it shall be, and how much room
 * there is.
 */
#include "config.h"

#include "cli/host-repo.h"

#include "base/error.h"
#include "repo/repo.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

void
fsn_host_repo_clear(FsnHostRepo *repo)
{
    g_free(repo->location);
    g_free(repo->error);
}

/* The nearest folder above @location that is there; the caller frees. */
static char *
existing_parent(const char *location)
{
    char *path = g_canonicalize_filename(location, NULL);

    while (access(path, F_OK) != 0 && path[1] != '\0') {
        char *parent = g_path_get_dirname(path);

        g_free(path);
        path = parent;
    }
    return path;
}

static bool
look_at_place(const char *location, FsnHostRepo *repo, GError **error)
{
    g_autofree char *place = existing_parent(location);
    struct statvfs space;

    if (access(place, W_OK | X_OK) != 0) {
        return fsn_set_errno(error, errno, "'%s' cannot be written", place);
    }
    if (statvfs(place, &space) != 0) {
        return fsn_set_errno(error, errno, "cannot tell the free space of '%s'", place);
    }
    repo->free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
    return true;
}

void
fsn_host_repo_probe(const char *location, FsnHostRepo *out_repo)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnRepo) repo = fsn_repo_open(location, 0, &error);

    *out_repo = (FsnHostRepo){ .location = g_strdup(location), .exists = repo != NULL };
    if (!repo && g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_clear_error(&error);
    }
    if (!error) {
        (void)look_at_place(location, out_repo, &error); /* kept in error */
    }
    if (error) {
        out_repo->error = g_strdup(error->message);
    }
}
