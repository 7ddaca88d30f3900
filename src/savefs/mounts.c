/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is mounted where. Below the served file system lies an empty one that nobody can write
 * to: were it a plain folder, libvirt's next save would make a file there, which the next mount
 * would hide, and libvirt would boot the domain over it.
 */
#include "config.h"

#include "base/error.h"
#include "base/files.h"
#include "savefs/savefs.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define FS_TYPE "fuse.foresnap"

typedef struct {
    char *point;
    char *type;
} Mount;

static void
mount_free(gpointer data)
{
    Mount *m = data;

    g_free(m->point);
    g_free(m->type);
    g_free(m);
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 …": 4 is where, 1 after "-" what. */
static Mount *
parse_line(const char *line)
{
    g_auto(GStrv) fields = g_strsplit(line, " ", -1);
    guint n = g_strv_length(fields);
    Mount *m;
    guint dash = 6;

    while (dash < n && strcmp(fields[dash], "-") != 0) {
        dash++;
    }
    if (dash + 1 >= n) {
        return NULL;
    }
    m = g_new0(Mount, 1);
    m->point = g_strcompress(fields[4]); /* blanks are octal there */
    m->type = g_strdup(fields[dash + 1]);
    return m;
}

static GPtrArray *
read_mounts(void)
{
    GPtrArray *mounts = g_ptr_array_new_with_free_func(mount_free);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL)) {
        return mounts;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        Mount *m = parse_line(*line);

        if (m) {
            g_ptr_array_add(mounts, m);
        }
    }
    return mounts;
}

static bool
has_type_at(const char *point, const char *type)
{
    g_autoptr(GPtrArray) mounts = read_mounts();

    for (guint i = 0; i < mounts->len; i++) {
        const Mount *m = mounts->pdata[i];

        if (strcmp(m->point, point) == 0 && strcmp(m->type, type) == 0) {
            return true;
        }
    }
    return false;
}

bool
fsn_savefs_mounted(const char *run_dir)
{
    return has_type_at(run_dir, FS_TYPE);
}

static bool
is_ours(const FsnSavefsConfig *config, const Mount *m)
{
    size_t len = strlen(config->saved_dir);

    return strcmp(m->type, FS_TYPE) == 0 &&
           (strcmp(m->point, config->run_dir) == 0 ||
            (strncmp(m->point, config->saved_dir, len) == 0 && m->point[len] == '/'));
}

void
fsn_savefs_unmount_all(const FsnSavefsConfig *config)
{
    g_autoptr(GPtrArray) mounts = read_mounts();

    for (guint i = mounts->len; i > 0; i--) {
        const Mount *m = mounts->pdata[i - 1];

        if (is_ours(config, m)) {
            /* By force first: that ends all requests, also if the mount stays. */
            (void)umount2(m->point, MNT_FORCE | UMOUNT_NOFOLLOW);
            (void)umount2(m->point, MNT_DETACH | UMOUNT_NOFOLLOW);
        }
    }
}

bool
fsn_savefs_prepare(const FsnSavefsConfig *config, GError **error)
{
    if (!fsn_mkdirs(config->run_dir, 0700, error) ||
        !fsn_mkdirs(config->saved_dir, 0700, error)) {
        return false;
    }
    if (!has_type_at(config->run_dir, "tmpfs") &&
        mount("foresnap", config->run_dir, "tmpfs",
              MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=0700") != 0) {
        return fsn_set_errno(error, errno, "cannot mount an empty folder at '%s'",
                             config->run_dir);
    }
    return true;
}

void
fsn_savefs_unprepare(const FsnSavefsConfig *config)
{
    if (has_type_at(config->run_dir, "tmpfs")) {
        (void)umount2(config->run_dir, MNT_DETACH | UMOUNT_NOFOLLOW);
    }
    (void)rmdir(config->run_dir); /* only if nothing is there */
}
